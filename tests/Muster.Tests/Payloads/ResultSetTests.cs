using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Tests.Payloads;

public class ResultSetTests
{
    static readonly string[] Letters = ["b", "d", "f", "h", "j"];

    static Element Query(params (string Name, string Text)[] set) => new(Namespaces.DiscoItems, "query",
        new Element(Namespaces.ResultSets, "set", set.Select(s => new Element(Namespaces.ResultSets, s.Name, s.Text))));

    static ResultSetRequest Read(params (string, string)[] set)
    {
        var request = ResultSetRequest.Read(Query(set), out var problem);
        Assert.Null(problem);
        return request!;
    }

    [Fact]
    public void Requests_are_read()
    {
        Assert.Equal(new ResultSetRequest(10, After: "peter"), Read(("max", "10"), ("after", "peter")));
        Assert.Equal(new ResultSetRequest(10, Before: "peter"), Read(("max", "10"), ("before", "peter")));
        Assert.Equal(new ResultSetRequest(10, Index: 371), Read(("max", "10"), ("index", "371")));
        Assert.Equal(new ResultSetRequest(0), Read(("max", "0")));
        Assert.Equal(new ResultSetRequest(), Read());
        Assert.Equal(new ResultSetRequest(), Read(("after", "")));
        Assert.Equal(new ResultSetRequest(), ResultSetRequest.Read(new Element("urn:any", "query"), out _));
    }

    [Fact]
    public void An_empty_before_asks_for_the_last_page()
    {
        var request = Read(("max", "10"), ("before", ""));
        Assert.Equal("", request.Before);
        Assert.True(request.IsBackwards);
        Assert.False(Read(("max", "10")).IsBackwards);
    }

    [Theory]
    [InlineData("max", "-1")]
    [InlineData("max", "")]
    [InlineData("max", "ten")]
    [InlineData("max", "1.5")]
    [InlineData("max", " 1")]
    [InlineData("index", "-1")]
    [InlineData("index", "x")]
    public void Bad_numbers_are_bad_requests(string name, string value)
    {
        Assert.Null(ResultSetRequest.Read(Query((name, value)), out var problem));
        Assert.Equal(StanzaError.BadRequest, problem);
    }

    [Fact]
    public void More_than_can_be_counted_is_as_much_as_there_is() =>
        Assert.Equal(int.MaxValue, ResultSetRequest.Read(Query(("max", "99999999999")), out _)!.Max);

    [Fact]
    public void Requests_and_pages_are_read_as_written()
    {
        foreach (var request in new ResultSetRequest[] { new(), new(5, "a"), new(5, Before: ""), new(5, Index: 3) })
        {
            var payload = new Element("urn:any", "query", request.ToElement());
            Assert.Equal(request, ResultSetRequest.Read(payload, out _));
        }
        foreach (var page in new ResultSetPage[] { new("a", "b", 800, 10), new("a", "b"), new(null, null, 790) })
            Assert.Equal(page, ResultSetPage.Read(page.ToElement()));
    }

    // max, after, before, index -> items, index of the first
    [Theory]
    [InlineData(null, null, null, null, "bdf", 0)]          // our own maximum is 3
    [InlineData(100, null, null, null, "bdf", 0)]
    [InlineData(2, null, null, null, "bd", 0)]
    [InlineData(0, null, null, null, "", null)]
    [InlineData(2, "d", null, null, "fh", 2)]
    [InlineData(2, "e", null, null, "fh", 2)]               // removed meanwhile
    [InlineData(2, "", null, null, "bd", 0)]
    [InlineData(2, "j", null, null, "", null)]
    [InlineData(2, "z", null, null, "", null)]
    [InlineData(2, null, "", null, "hj", 3)]
    [InlineData(2, null, "f", null, "bd", 0)]
    [InlineData(2, null, "g", null, "df", 1)]
    [InlineData(2, null, "d", null, "b", 0)]
    [InlineData(2, null, "b", null, "", null)]
    [InlineData(2, "b", "h", null, "df", 1)]
    [InlineData(1, "b", "h", null, "f", 2)]                 // backwards from the bound
    [InlineData(2, "h", "b", null, "", null)]
    [InlineData(2, null, null, 3, "hj", 3)]
    [InlineData(2, null, null, 4, "j", 4)]
    [InlineData(2, null, null, 5, "", null)]
    [InlineData(2, null, null, int.MaxValue, "", null)]
    [InlineData(int.MaxValue, null, null, 0, "bdf", 0)]
    public void Pages(int? max, string? after, string? before, int? index, string expected, int? firstIndex)
    {
        var (items, page) = ResultSet.Page(Letters, s => s, new ResultSetRequest(max, after, before, index), 3);
        Assert.Equal(expected, string.Concat(items));
        Assert.Equal(expected is "" ? (null, null) : (items[0], items[^1]), (page.First, page.Last));
        Assert.Equal((5, firstIndex), (page.Count, page.FirstIndex));
    }

    [Fact]
    public void Paging_in_either_direction_sees_each_item_once()
    {
        string[] all = [.. Enumerable.Range(0, 23).Select(i => $"{i:D2}")];
        List<string> forwards = [], backwards = [];
        for (string? after = null; ;)
        {
            var (items, page) = ResultSet.Page(all, s => s, new ResultSetRequest(4, After: after), 10);
            if (items.Count == 0) break;
            forwards.AddRange(items);
            after = page.Last;
        }
        for (string? before = ""; ;)
        {
            var (items, page) = ResultSet.Page(all, s => s, new ResultSetRequest(4, Before: before), 10);
            if (items.Count == 0) break;
            backwards.InsertRange(0, items);
            before = page.First;
        }
        Assert.Equal(all, forwards);
        Assert.Equal(all, backwards);
    }

    [Fact]
    public void An_empty_set_gives_an_empty_page()
    {
        var (items, page) = ResultSet.Page<string>([], s => s, new ResultSetRequest(Before: ""), 3);
        Assert.Empty(items);
        Assert.Equal(new ResultSetPage(null, null, 0), page);
    }
}
