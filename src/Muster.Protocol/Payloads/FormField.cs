using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>Types of form fields (XEP-0004 §3.3).</summary>
public enum FieldType
{
#pragma warning disable CS1591
    TextSingle,
    TextMulti,
    TextPrivate,
    Boolean,
    Fixed,
    Hidden,
    JidSingle,
    JidMulti,
    ListSingle,
    ListMulti,
#pragma warning restore CS1591
}

/// <summary>One choice of a list field.</summary>
/// <param name="Value">What is submitted.</param>
/// <param name="Label">What a person reads, or null.</param>
public sealed record FormOption(string Value, string? Label = null);

/// <summary>A field of a data form (XEP-0004 §3.2).</summary>
/// <param name="Var">Name; "" for a fixed field without one.</param>
/// <param name="Type">Type, or null where it is left out, as in most submissions.</param>
/// <param name="Values">The values as they stand there; none, one or several.</param>
public sealed record FormField(string Var, FieldType? Type, params IReadOnlyList<string> Values)
{
    /// <summary>Name of the field that says which form it is (XEP-0068 §3).</summary>
    public const string FormTypeVar = "FORM_TYPE";
    const string ValidateNamespace = "http://jabber.org/protocol/xdata-validate";

    /// <summary>What a person reads as the field's name, or null.</summary>
    public string? Label { get; init; }
    /// <summary>Explanation for people, or null.</summary>
    public string? Description { get; init; }
    /// <summary>True when a submission without it is invalid.</summary>
    public bool IsRequired { get; init; }
    /// <summary>The choices of a list.</summary>
    public IReadOnlyList<FormOption> Options { get; init; } = [];
    /// <summary>The whole numbers that are meant (XEP-0122), or null where anything is.</summary>
    public (int Min, int Max)? Range { get; init; }

    /// <summary>The first value, or null when there is none.</summary>
    public string? First => Values.Count > 0 ? Values[0] : null;

    /// <summary>The values as lines of one text (XEP-0004 §3.3, text-multi).</summary>
    public string Text => string.Join('\n', Values);

    /// <summary>A line of text.</summary>
    public static FormField Line(string var, string label, string? value) =>
        new(var, FieldType.TextSingle, Single(value)) { Label = label };

    /// <summary>A line of text that is not shown, as a password.</summary>
    public static FormField Private(string var, string label, string? value) =>
        new(var, FieldType.TextPrivate, Single(value)) { Label = label };

    /// <summary>A text of several lines; each line is a value of its own.</summary>
    public static FormField Lines(string var, string label, string? text) =>
        new(var, FieldType.TextMulti, string.IsNullOrEmpty(text) ? [] : text.Split('\n')) { Label = label };

    /// <summary>Yes or no.</summary>
    public static FormField Flag(string var, string label, bool value) =>
        new(var, FieldType.Boolean, value ? "1" : "0") { Label = label };

    /// <summary>One of several choices.</summary>
    public static FormField Choice(string var, string label, string? value, params IReadOnlyList<FormOption> options) =>
        new(var, FieldType.ListSingle, Single(value)) { Label = label, Options = options };

    /// <summary>Any of several choices.</summary>
    public static FormField Choices(
        string var, string label, IReadOnlyList<string> values, params IReadOnlyList<FormOption> options) =>
        new(var, FieldType.ListMulti, values) { Label = label, Options = options };

    /// <summary>One address; <see cref="Jid.None"/> for none.</summary>
    public static FormField Address(string var, string label, Jid value) =>
        new(var, FieldType.JidSingle, value.IsNone ? [] : [value.ToString()]) { Label = label };

    /// <summary>Addresses.</summary>
    public static FormField Addresses(string var, string label, IEnumerable<Jid> values) =>
        new(var, FieldType.JidMulti, [.. values.Select(jid => jid.ToString())]) { Label = label };

    /// <summary>A value that people do not see and that comes back as it is.</summary>
    public static FormField Hidden(string var, string value) => new(var, FieldType.Hidden, value);

    /// <summary>Text for people between the fields.</summary>
    public static FormField Fixed(string text) => new("", FieldType.Fixed, text);

    /// <summary>A field of a submission, whose type the receiver knows.</summary>
    public static FormField Submitted(string var, params IReadOnlyList<string> values) => new(var, null, values);

    /// <summary>Reads a boolean (XEP-0004 §3.3): exactly 0, 1, true or false.</summary>
    public static bool TryBoolean(string? text, out bool value)
    {
        value = text is "1" or "true";
        return value || text is "0" or "false";
    }

    /// <summary>Reads the values as addresses; empty ones, and those that come again, are left out (XEP-0004 §3.3,
    /// jid-multi). False when one is no address.</summary>
    public bool TryJids([NotNullWhen(true)] out IReadOnlyList<Jid>? jids)
    {
        jids = null;
        var found = new List<Jid>(Values.Count);
        var seen = new HashSet<Jid>();
        foreach (string value in Values)
        {
            string trimmed = value.Trim();
            if (trimmed.Length == 0) continue;
            if (!Jid.TryParse(trimmed, out var jid)) return false;
            if (seen.Add(jid)) found.Add(jid);
        }
        jids = found;
        return true;
    }

    /// <summary>The <c>field</c> element.</summary>
    public Element ToElement() => new Element(Namespaces.DataForms, "field",
        [
            Description is null ? null : new Element(Namespaces.DataForms, "desc", Description),
            IsRequired ? new Element(Namespaces.DataForms, "required") : null,
            .. Values.Select(value => new Element(Namespaces.DataForms, "value", value)),
            .. Options.Select(OptionElement),
            Range is var (min, max) ? RangeElement(min, max) : null,
        ])
        .With("var", Var.Length == 0 ? null : Var)
        .With("type", Type is { } type ? NameOf(type) : null)
        .With("label", Label);

    /// <summary>Reads a <c>field</c>. A type that is not known is read as text-single (XEP-0004 §3.3).</summary>
    internal static FormField Read(Element field)
    {
        IReadOnlyList<string> values = [.. field.Children(Namespaces.DataForms, "value").Select(value => value.Text)];
        return new(field.Attribute("var") ?? "", TypeOf(field.Attribute("type")), values)
        {
            Label = field.Attribute("label"),
            Description = field.Child("desc")?.Text,
            IsRequired = field.Child("required") is not null,
            Options = [.. field.Children(Namespaces.DataForms, "option").Select(ReadOption)],
        };
    }

    static string[] Single(string? value) => value is null ? [] : [value];

    // XEP-0122 §3.1 and §3.2.3.
    static Element RangeElement(int min, int max) => new Element(ValidateNamespace, "validate",
        new Element(ValidateNamespace, "range")
            .With("min", min.ToString(CultureInfo.InvariantCulture))
            .With("max", max.ToString(CultureInfo.InvariantCulture)))
        .With("datatype", "xs:integer");

    static Element OptionElement(FormOption option) =>
        new Element(Namespaces.DataForms, "option", new Element(Namespaces.DataForms, "value", option.Value))
            .With("label", option.Label);

    static FormOption ReadOption(Element option) => new(option.Child("value")?.Text ?? "", option.Attribute("label"));

    static string NameOf(FieldType type) => type switch
    {
        FieldType.TextMulti => "text-multi",
        FieldType.TextPrivate => "text-private",
        FieldType.Boolean => "boolean",
        FieldType.Fixed => "fixed",
        FieldType.Hidden => "hidden",
        FieldType.JidSingle => "jid-single",
        FieldType.JidMulti => "jid-multi",
        FieldType.ListSingle => "list-single",
        FieldType.ListMulti => "list-multi",
        _ => "text-single",
    };

    static FieldType? TypeOf(string? name) => name switch
    {
        null => null,
        "text-multi" => FieldType.TextMulti,
        "text-private" => FieldType.TextPrivate,
        "boolean" => FieldType.Boolean,
        "fixed" => FieldType.Fixed,
        "hidden" => FieldType.Hidden,
        "jid-single" => FieldType.JidSingle,
        "jid-multi" => FieldType.JidMulti,
        "list-single" => FieldType.ListSingle,
        "list-multi" => FieldType.ListMulti,
        _ => FieldType.TextSingle,
    };
}
