using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;

namespace Muster.Tests.Payloads;

public class DiscoTests
{
    const string Info = "http://jabber.org/protocol/disco#info";
    static readonly string[] ExodusFeatures =
        [Namespaces.Muc, Info, "http://jabber.org/protocol/caps", "http://jabber.org/protocol/disco#items"];

    static DiscoInfo Exodus() =>
        new() { Identities = [new("client", "pc", "Exodus 0.9.1")], Features = ExodusFeatures };

    static DataForm Software() => new(DataFormType.Result, "urn:xmpp:dataforms:softwareinfo",
        FormField.Submitted("software_version", "0.11"),
        FormField.Submitted("os", "Mac"),
        FormField.Submitted("ip_version", "ipv6", "ipv4"),
        FormField.Submitted("software", "Psi"),
        FormField.Submitted("os_version", "10.5.1"));

    static DiscoInfo Psi(params DataForm[] forms) => new()
    {
        Identities = [new("client", "pc", "Psi 0.11", "en"), new("client", "pc", "Ψ 0.11", "el")],
        Features = ExodusFeatures,
        Forms = forms,
    };

    [Fact] // XEP-0115 §5.2 #ver-gen-simple and §5.3 #ver-gen-complex
    public void The_verification_strings_of_the_xep()
    {
        Assert.Equal("QgayPKawpkPSDYmwT/WM94uAlu0=", EntityCaps.Verify(Exodus()));
        Assert.Equal("q07IKJEyjvHSyhy//CH0CxmKi8w=", EntityCaps.Verify(Psi(Software())));
    }

    [Fact]
    public void Sorting_is_by_octets_of_utf8()
    {
        // U+FF5E is before U+1F600 in UTF-8 and behind its surrogates in UTF-16.
        var right = new DiscoInfo { Features = ["\uff5e", "\U0001f600"] };
        var turned = new DiscoInfo { Features = ["\U0001f600", "\uff5e"] };
        // Base64 of the SHA-1 of "U+FF5E<U+1F600<" in UTF-8, computed elsewhere.
        Assert.Equal("XhWoSAi5cguDGtJ5nhA8P0X+HL4=", EntityCaps.Verify(right));
        Assert.Equal(EntityCaps.Verify(right), EntityCaps.Verify(turned));
    }

    [Fact]
    public void Forms_without_hidden_form_type_are_left_out()
    {
        var untyped = new DataForm(DataFormType.Result, null, FormField.Submitted("os", "Mac"));
        var visible = new DataForm(DataFormType.Result, null, FormField.Submitted("FORM_TYPE", "urn:x"));
        string expected = EntityCaps.Verify(Psi());
        Assert.Equal(expected, EntityCaps.Verify(Psi(untyped, visible)));
        Assert.True(new EntityCaps("urn:psi", expected).Matches(Psi(untyped, visible)));
    }

    [Fact]
    public void Only_a_well_formed_answer_with_the_right_hash_matches()
    {
        var caps = new EntityCaps("http://exodus.example", "QgayPKawpkPSDYmwT/WM94uAlu0=");
        Assert.True(caps.Matches(Exodus()));
        Assert.False((caps with { Hash = null }).Matches(Exodus()));
        Assert.False((caps with { Hash = "sha-512" }).Matches(Exodus()));
        Assert.False((caps with { Version = "x" }).Matches(Exodus()));
        foreach (var info in new DiscoInfo[]
        {
            new() { Identities = [.. Exodus().Identities, .. Exodus().Identities], Features = ExodusFeatures },
            new() { Identities = Exodus().Identities, Features = [.. ExodusFeatures, Info] },
            Psi(Software(), Software()),
            Psi(new DataForm(DataFormType.Result, null, new FormField("FORM_TYPE", FieldType.Hidden, "a", "b"))),
        })
            Assert.False(new EntityCaps("urn:x", EntityCaps.Verify(info)).Matches(info));
    }

    [Fact]
    public void Caps_are_read_as_written()
    {
        var caps = new EntityCaps("http://exodus.example", "QgayPKawpkPSDYmwT/WM94uAlu0=");
        Assert.Equal(caps, EntityCaps.Read(caps.ToElement()));
        Assert.Equal("http://exodus.example#QgayPKawpkPSDYmwT/WM94uAlu0=", caps.DiscoNode);
        Assert.Null(EntityCaps.Read(caps.ToElement().With("ver", null)));
        Assert.Null(EntityCaps.Read(caps.ToElement().With("node", "")));
        Assert.Null(EntityCaps.Read(caps.ToElement().With("hash", null))!.Hash);
    }

    [Fact]
    public void Info_is_read_as_written()
    {
        var info = new DiscoInfo
        {
            Identities = Psi().Identities,
            Features = ["urn:a", "urn:a", Info, "urn:b"],
            Forms = [Software()],
            Node = "x-roomuser-item",
        };
        var element = info.ToElement();
        var read = DiscoInfo.Read(element, out var problem)!;
        Assert.Null(problem);
        Assert.Equal(info.Identities, read.Identities);
        Assert.Equal([Info, "urn:a", "urn:b"], read.Features);
        Assert.Equal("urn:xmpp:dataforms:softwareinfo", read.Forms[0].FormType);
        Assert.Equal("x-roomuser-item", read.Node);
        Assert.True(element.DeepEquals(read.ToElement()));
    }

    [Fact]
    public void Info_that_is_none_or_too_much_is_refused()
    {
        static string? Problem(Element e) => DiscoInfo.Read(e, out var problem) is null ? problem!.Condition : null;
        Element Features(int count) => new(Info, "query",
            Enumerable.Range(0, count).Select(i => new Element(Info, "feature").With("var", $"urn:{i}")));
        Assert.Null(Problem(Features(DiscoInfo.FeaturesMax)));
        Assert.Equal("policy-violation", Problem(Features(DiscoInfo.FeaturesMax + 1)));
        Assert.Equal("bad-request", Problem(new Element(Namespaces.DiscoItems, "query")));
        Assert.Equal("bad-request", Problem(new Element(Info, "query", new Element(Namespaces.DataForms, "x"))));
    }

    [Fact]
    public void Items_are_read_as_written()
    {
        var items = new DiscoItems
        {
            Items =
            [
                new(Jid.Parse("heath@chat.example"), "A lonely heath (3)"),
                new(Jid.Parse("chat.example"), Node: "n"),
            ],
            Page = new("heath@chat.example", "chat.example", 2, 0),
            Node = "root",
        };
        var read = DiscoItems.Read(items.ToElement());
        Assert.Equal(items.Items, read.Items);
        Assert.Equal((items.Page, items.Node), (read.Page, read.Node));
        var broken = new Element(Namespaces.DiscoItems, "query", new Element(Namespaces.DiscoItems, "item"));
        Assert.Empty(DiscoItems.Read(broken).Items);
    }
}
