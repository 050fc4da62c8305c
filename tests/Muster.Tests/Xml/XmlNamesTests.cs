using System.Text;
using Muster.Protocol.Xml;

namespace Muster.Tests.Xml;

public sealed class XmlNamesTests
{
    [Theory]
    [InlineData("message")]
    [InlineData("a")]
    [InlineData("to")]
    [InlineData("type")]
    [InlineData("groupchat")]
    [InlineData(Namespaces.Client)]
    [InlineData(Namespaces.MucUser)]
    [InlineData("urn:xmpp:sm:3")]
    public void Known_strings_are_always_the_same_object(string known)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(known);
        Assert.Equal(known, XmlNames.Get(bytes));
        Assert.Same(XmlNames.Get(bytes), XmlNames.Get(bytes));
    }

    [Fact]
    public void Protocol_namespaces_are_the_constants() =>
        Assert.Same(Namespaces.Client, XmlNames.Get("jabber:client"u8));

    [Theory]
    [InlineData("")]
    [InlineData("messagf")]
    [InlineData("b")]
    [InlineData("http://jabber.org/protocol/muc#usex")]
    [InlineData("xttp://jabber.org/protocol/muc#user")]
    [InlineData("é")]
    public void Other_strings_are_read_all_the_same(string other) =>
        Assert.Equal(other, XmlNames.Get(Encoding.UTF8.GetBytes(other)));

    [Fact]
    public void A_string_longer_than_any_known_is_read()
    {
        string other = string.Concat(Enumerable.Repeat("http://jabber.org/protocol/", 20));
        Assert.Equal(other, XmlNames.Get(Encoding.UTF8.GetBytes(other)));
    }

    [Fact]
    public void Bytes_that_are_not_UTF_8_are_no_string() => Assert.Null(XmlNames.Get([0x61, 0xC3]));
}
