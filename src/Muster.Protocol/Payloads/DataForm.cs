using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>What a form is for (XEP-0004 §3.1).</summary>
public enum DataFormType
{
    /// <summary>To be filled out.</summary>
    Form,
    /// <summary>Filled out.</summary>
    Submit,
    /// <summary>Not wanted.</summary>
    Cancel,
    /// <summary>Data, to be read.</summary>
    Result,
}

/// <summary>A data form (XEP-0004): the way in which rooms are configured, archives are asked and settings are
/// shown.</summary>
/// <remarks>Read leniently: what is not understood is left out, order and types do not matter.</remarks>
public sealed class DataForm
{
    /// <summary>More fields, rows or columns are refused.</summary>
    public const int FieldsMax = 500;
    /// <summary>More values and options, in all fields together, are refused.</summary>
    public const int ValuesMax = 5000;

    /// <summary>Makes a form.</summary>
    /// <param name="type">What it is for.</param>
    /// <param name="formType">The FORM_TYPE (XEP-0068), which becomes the first field; null for none.</param>
    /// <param name="fields">The fields in the order in which people see them; null items are left out.</param>
    public DataForm(DataFormType type, string? formType, params IEnumerable<FormField?> fields)
    {
        Type = type;
        var all = fields.OfType<FormField>();
        Fields = [.. formType is null ? all : all.Prepend(FormField.Hidden(FormField.FormTypeVar, formType))];
    }

    /// <summary>What it is for.</summary>
    public DataFormType Type { get; }
    /// <summary>The fields in order.</summary>
    public IReadOnlyList<FormField> Fields { get; }
    /// <summary>Title, or null.</summary>
    public string? Title { get; init; }
    /// <summary>Instructions, a paragraph each.</summary>
    public IReadOnlyList<string> Instructions { get; init; } = [];
    /// <summary>The columns of a table of results (XEP-0004 §3.4); none when it is no table.</summary>
    public IReadOnlyList<FormField> Reported { get; init; } = [];
    /// <summary>The rows of a table of results.</summary>
    public IReadOnlyList<IReadOnlyList<FormField>> Items { get; init; } = [];

    /// <summary>Which form it is (XEP-0068), or null.</summary>
    public string? FormType => Value(FormField.FormTypeVar);

    /// <summary>The first field of a name, or null.</summary>
    public FormField? Field(string var)
    {
        foreach (var field in Fields)
            if (field.Var == var) return field;
        return null;
    }

    /// <summary>The first value of a field; null when the field or its value is missing.</summary>
    public string? Value(string var) => Field(var)?.First;

    /// <summary>The values of a field; null when the field is missing.</summary>
    public IReadOnlyList<string>? Values(string var) => Field(var)?.Values;

    /// <summary>Reads a boolean field.</summary>
    /// <param name="var">Name of the field.</param>
    /// <param name="value">Null when the field or its value is missing: then the current value stays (XEP-0004
    /// §3.6).</param>
    /// <returns>False when the value is none of 0, 1, true, false.</returns>
    public bool TryBoolean(string var, out bool? value)
    {
        value = null;
        if (Value(var) is not { } text) return true;
        if (!FormField.TryBoolean(text, out bool read)) return false;
        value = read;
        return true;
    }

    /// <summary>Reads a field of addresses.</summary>
    /// <param name="var">Name of the field.</param>
    /// <param name="jids">Null when the field is missing; each address once.</param>
    /// <returns>False when a value is no address.</returns>
    public bool TryJids(string var, out IReadOnlyList<Jid>? jids)
    {
        jids = null;
        return Field(var) is not { } field || field.TryJids(out jids);
    }

    /// <summary>The <c>x</c> element.</summary>
    public Element ToElement() => new Element(Namespaces.DataForms, "x",
        [
            Title is null ? null : new Element(Namespaces.DataForms, "title", Title),
            .. Instructions.Select(text => new Element(Namespaces.DataForms, "instructions", text)),
            .. Fields.Select(field => field.ToElement()),
            Reported.Count == 0 ? null : Row("reported", Reported),
            .. Items.Select(item => Row("item", item)),
        ])
        .With("type", Type.ToString().ToLowerInvariant());

    /// <summary>Reads an <c>x</c>.</summary>
    /// <returns>Null when <paramref name="problem"/> is set: bad-request for an element that is no form or has no known
    /// type, policy-violation for more than <see cref="FieldsMax"/> or <see cref="ValuesMax"/>.</returns>
    public static DataForm? Read(Element x, out StanzaError? problem)
    {
        problem = StanzaError.BadRequest;
        if (!x.Is(Namespaces.DataForms, "x") || TypeOf(x.Attribute("type")) is not { } type) return null;
        if (IsTooLarge(x))
        {
            problem = StanzaError.PolicyViolation.WithText("The form has too many fields or values");
            return null;
        }
        problem = null;
        return new(type, null, ReadFields(x))
        {
            Title = x.Child("title")?.Text,
            Instructions = [.. x.Children(Namespaces.DataForms, "instructions").Select(e => e.Text)],
            Reported = x.Child("reported") is { } reported ? ReadFields(reported) : [],
            Items = [.. x.Children(Namespaces.DataForms, "item").Select(ReadFields)],
        };
    }

    static FormField[] ReadFields(Element parent) =>
        [.. parent.Children(Namespaces.DataForms, "field").Select(FormField.Read)];

    static Element Row(string name, IReadOnlyList<FormField> fields) =>
        new(Namespaces.DataForms, name, fields.Select(field => field.ToElement()));

    static bool IsTooLarge(Element x)
    {
        int fields = 0, values = 0;
        foreach (var child in x.Elements)
        {
            // A field, or a row of fields.
            foreach (var field in child.Name == "field" ? [child] : child.Elements)
            {
                fields++;
                values += field.Elements.Count();
            }
        }
        return fields > FieldsMax || values > ValuesMax;
    }

    static DataFormType? TypeOf(string? name) => name switch
    {
        "form" => DataFormType.Form,
        "submit" => DataFormType.Submit,
        "cancel" => DataFormType.Cancel,
        "result" => DataFormType.Result,
        _ => null,
    };
}
