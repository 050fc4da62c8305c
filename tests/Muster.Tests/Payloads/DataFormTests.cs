using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Tests.Payloads;

public class DataFormTests
{
    static Element X(string? type, params Element?[] children) =>
        new Element(Namespaces.DataForms, "x", children).With("type", type);

    static Element Field(string var, params string[] values) =>
        new Element(Namespaces.DataForms, "field", values.Select(v => new Element(Namespaces.DataForms, "value", v)))
            .With("var", var);

    static DataForm Read(Element x)
    {
        var form = DataForm.Read(x, out var problem);
        Assert.Null(problem);
        return form!;
    }

    static DataForm Settings() => new(DataFormType.Form, "urn:example:settings",
    [
        FormField.Line("title", "Title", "A dark cave") with { IsRequired = true, Description = "Shown in lists" },
        FormField.Lines("text", "Text", "one\n\nthree"),
        FormField.Fixed("Who may come in"),
        FormField.Flag("open", "Open", true),
        FormField.Flag("quiet", "Quiet", false),
        FormField.Private("secret", "Password", ""),
        FormField.Choice("max", "Occupants", "20", new FormOption("10"), new FormOption("20", "twenty")),
        FormField.Choices("roles", "Roles", ["a", "b"], new FormOption("a"), new FormOption("b"), new FormOption("c")),
        FormField.Address("contact", "Contact", Jid.None),
        FormField.Addresses("owners", "Owners", [Jid.Parse("a@b.example"), Jid.Parse("c@d.example")]),
        null,
    ])
    {
        Title = "Settings",
        Instructions = ["Fill this out", "and send it"],
    };

    [Fact]
    public void A_form_is_read_as_it_was_written()
    {
        var element = Settings().ToElement();
        var read = Read(element);
        Assert.True(element.DeepEquals(read.ToElement()));
        Assert.Equal(DataFormType.Form, read.Type);
        Assert.Equal("urn:example:settings", read.FormType);
        Assert.Equal(FieldType.Hidden, read.Fields[0].Type);
        Assert.Equal("Settings", read.Title);
        Assert.Equal(["Fill this out", "and send it"], read.Instructions);
        var title = read.Field("title")!;
        Assert.True(title.IsRequired);
        Assert.Equal(("Title", "Shown in lists", "A dark cave"), (title.Label, title.Description, title.First));
        Assert.Equal("one\n\nthree", read.Field("text")!.Text);
        Assert.Equal(new FormOption("20", "twenty"), read.Field("max")!.Options[1]);
        Assert.Equal(["a", "b"], read.Values("roles")!);
        Assert.Equal("", read.Value("secret"));
        Assert.Null(read.Value("contact"));
        Assert.Empty(read.Values("contact")!);
        Assert.Null(read.Values("missing"));
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("true", true)]
    [InlineData("0", false)]
    [InlineData("false", false)]
    public void Booleans(string text, bool expected)
    {
        Assert.True(Read(X("submit", Field("open", text))).TryBoolean("open", out bool? value));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("True")]
    [InlineData("yes")]
    [InlineData("2")]
    [InlineData(" 1")]
    public void Other_booleans_are_invalid(string text) =>
        Assert.False(Read(X("submit", Field("open", text))).TryBoolean("open", out _));

    [Fact]
    public void What_a_submission_leaves_out_keeps_its_value()
    {
        var form = Read(X("submit", Field("open")));
        Assert.True(form.TryBoolean("open", out bool? open) && open is null);
        Assert.True(form.TryBoolean("missing", out bool? missing) && missing is null);
        Assert.True(form.TryJids("missing", out var jids) && jids is null);
        Assert.True(form.TryJids("open", out jids) && jids!.Count == 0);
    }

    [Fact]
    public void Addresses_are_normalised_and_each_stands_once()
    {
        var form = Read(X("submit", Field("owners", "A@B.example", " a@b.example ", "", "c@d.example")));
        Assert.True(form.TryJids("owners", out var jids));
        Assert.Equal(["a@b.example", "c@d.example"], jids!.Select(j => j.ToString()));
        Assert.False(Read(X("submit", Field("owners", "a@b.example", "@"))).TryJids("owners", out _));
    }

    [Fact]
    public void Reading_is_lenient_about_what_does_not_matter()
    {
        var form = Read(X("submit",
            new Element("urn:other", "field").With("var", "foreign"),
            new Element(Namespaces.DataForms, "field").With("type", "text-single"),
            Field("color", "red").With("type", "rainbow"),
            Field("color", "blue"),
            new Element(Namespaces.DataForms, "unknown"),
            Field(FormField.FormTypeVar, "urn:example:late")));
        Assert.Equal(["", "color", "color", "FORM_TYPE"], form.Fields.Select(f => f.Var));
        Assert.Equal("red", form.Value("color"));
        Assert.Equal(FieldType.TextSingle, form.Field("color")!.Type);
        Assert.Null(form.Fields[2].Type);
        Assert.Equal("urn:example:late", form.FormType);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("error")]
    [InlineData("Submit")]
    public void A_form_needs_a_type(string? type)
    {
        Assert.Null(DataForm.Read(X(type), out var problem));
        Assert.Equal(StanzaError.BadRequest, problem);
    }

    [Fact]
    public void Another_element_is_no_form()
    {
        Assert.Null(DataForm.Read(new Element("urn:other", "x").With("type", "submit"), out var problem));
        Assert.Equal(StanzaError.BadRequest, problem);
    }

    [Theory]
    [InlineData("cancel", DataFormType.Cancel)]
    [InlineData("result", DataFormType.Result)]
    [InlineData("submit", DataFormType.Submit)]
    [InlineData("form", DataFormType.Form)]
    public void Types_are_read_as_written(string name, DataFormType type)
    {
        Assert.Equal(type, Read(X(name)).Type);
        Assert.Equal(name, new DataForm(type, null).ToElement().Attribute("type"));
    }

    [Fact]
    public void A_table_has_columns_and_rows()
    {
        var element = new DataForm(DataFormType.Result, "jabber:iq:search")
        {
            Reported = [FormField.Line("jid", "Address", null), FormField.Line("nick", "Nick", null)],
            Items =
            [
                [FormField.Submitted("jid", "a@b.example"), FormField.Submitted("nick", "A")],
                [FormField.Submitted("jid", "c@d.example"), FormField.Submitted("nick", "C")],
            ],
        }.ToElement();
        Assert.Equal(["field", "reported", "item", "item"], element.Elements.Select(e => e.Name));
        var read = Read(element);
        Assert.Equal(["jid", "nick"], read.Reported.Select(f => f.Var));
        Assert.Equal("c@d.example", read.Items[1][0].First);
        Assert.True(element.DeepEquals(read.ToElement()));
    }

    [Fact]
    public void Fields_and_values_have_bounds()
    {
        static string? Problem(Element x) => DataForm.Read(x, out var problem) is null ? problem!.Condition : null;
        Element Fields(int count) => X("submit", [.. Enumerable.Range(0, count).Select(i => Field($"f{i}"))]);
        Assert.Null(Problem(Fields(DataForm.FieldsMax)));
        Assert.Equal("policy-violation", Problem(Fields(DataForm.FieldsMax + 1)));
        Element Values(int count) => X("submit", Field("many", [.. Enumerable.Repeat("v", count)]));
        Assert.Null(Problem(Values(DataForm.ValuesMax)));
        Assert.Equal("policy-violation", Problem(Values(DataForm.ValuesMax + 1)));
        var row = new Element(Namespaces.DataForms, "item", Enumerable.Range(0, 10).Select(i => Field($"f{i}")));
        var table = X("result", [.. Enumerable.Repeat(row, DataForm.FieldsMax / 10 + 1)]);
        Assert.Equal("policy-violation", Problem(table));
    }
}
