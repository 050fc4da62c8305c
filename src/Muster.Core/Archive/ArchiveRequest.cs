using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Archive;

/// <summary>What somebody wants of an archive (XEP-0313 §4), read from a query.</summary>
/// <remarks>Ids of archives are positive numbers; how they are written, see <see cref="ArchiveIds"/>.</remarks>
public sealed record ArchiveRequest
{
    /// <summary>The namespace of the protocol.</summary>
    public const string Namespace = "urn:xmpp:mam:2";
    /// <summary>Announces the fields before-id, after-id and ids, flipped pages and archive metadata (§4.1,
    /// §5).</summary>
    public const string Extended = "urn:xmpp:mam:2#extended";
    /// <summary>Announces the field include-groupchat of accounts' archives (§7).</summary>
    public const string GroupchatField = "urn:xmpp:mam:2#groupchat-field";

    /// <summary>Characters of a <c>queryid</c>, which is repeated in every result.</summary>
    public const int QueryIdCharsMax = 256;
    /// <summary>Messages asked for by their ids in one query.</summary>
    public const int IdsMax = 100;

    const string Groupchat = "include-groupchat";

    /// <summary>Comes back with each result; null when it was not given.</summary>
    public string? QueryId { get; init; }
    /// <summary>Only messages with this address; <see cref="Jid.None"/>: all.</summary>
    public Jid With { get; init; }
    /// <summary>Only messages at or after this time.</summary>
    public DateTimeOffset? Start { get; init; }
    /// <summary>Only messages at or before this time.</summary>
    public DateTimeOffset? End { get; init; }
    /// <summary>Only messages after this one.</summary>
    public long? AfterId { get; init; }
    /// <summary>Only messages before this one.</summary>
    public long? BeforeId { get; init; }
    /// <summary>Only these messages, or null: all.</summary>
    public IReadOnlyList<long>? Ids { get; init; }
    /// <summary>The page follows this message; when <see cref="IsBackwards"/>, it ends before it. Null: from the first,
    /// or the last.</summary>
    public long? Cursor { get; init; }
    /// <summary>The page is taken from the newer end.</summary>
    public bool IsBackwards { get; init; }
    /// <summary>At most so many messages; null leaves it to us; 0 asks how many there are.</summary>
    public int? Max { get; init; }
    /// <summary>Whether the newest message of the page comes first (§4.3.4).</summary>
    public bool IsFlipped { get; init; }

    /// <summary>True when a page of the answer is a stretch of the archive without holes: only times and ids limit
    /// it.</summary>
    public bool IsUnfiltered => With.IsNone && Ids is null;

    /// <summary>The ids that must be in the archive (§4.1.3, §4.3.2), or the query is refused as
    /// item-not-found.</summary>
    public IEnumerable<long> Required
    {
        get
        {
            if (AfterId is { } after) yield return after;
            if (BeforeId is { } before) yield return before;
            if (Cursor is { } cursor) yield return cursor;
            foreach (long id in Ids ?? []) yield return id;
        }
    }

    /// <summary>Reads the <c>query</c> of a set request.</summary>
    /// <param name="query">The payload.</param>
    /// <param name="knowsGroupchat">Whether the field include-groupchat is known: in accounts' archives.</param>
    /// <param name="problem">Why it is refused: feature-not-implemented for a field or a part of RSM that is not known
    /// (§4.1.5), item-not-found for an id that is none of ours, jid-malformed, bad-request, or policy-violation for too
    /// much.</param>
    /// <param name="ids">How ids are written; null: as numbers.</param>
    /// <returns>Null when it is refused.</returns>
    public static ArchiveRequest? Read(
        Element query, bool knowsGroupchat, out StanzaError? problem, ArchiveIds? ids = null)
    {
        ids ??= ArchiveIds.Plain;
        var request = new ArchiveRequest
        {
            QueryId = query.Attribute("queryid"),
            IsFlipped = query.Child("flip-page") is not null,
        };
        if (request.QueryId?.Length > QueryIdCharsMax)
            return Refuse(StanzaError.PolicyViolation.WithText("the queryid is too long"), out problem);
        // XEP-0442: archives of pubsub nodes.
        if (query.Attribute("node") is not null) return Refuse(StanzaError.FeatureNotImplemented, out problem);
        if (query.Child(Namespaces.DataForms, "x") is { } x)
        {
            if (DataForm.Read(x, out problem) is not { } form) return null;
            if (ReadForm(request, form, knowsGroupchat, ids, out problem) is not { } filtered) return null;
            request = filtered;
        }
        return ResultSetRequest.Read(query, out problem) is { } page ? ReadPage(request, page, ids, out problem) : null;
    }

    /// <summary>The form that tells which fields are known (§4.1.5).</summary>
    public static Element Form(bool knowsGroupchat)
    {
        var form = new DataForm(DataFormType.Form, Namespace,
            new FormField("with", FieldType.JidSingle),
            new FormField("start", FieldType.TextSingle),
            new FormField("end", FieldType.TextSingle),
            new FormField("before-id", FieldType.TextSingle),
            new FormField("after-id", FieldType.TextSingle),
            knowsGroupchat ? new FormField(Groupchat, FieldType.Boolean) : null).ToElement();
        // XEP-0122 §3.2: any values, without a list to choose from.
        const string Validation = "http://jabber.org/protocol/xdata-validate";
        return form.Add(new Element(Namespaces.DataForms, "field",
                new Element(Validation, "validate", new Element(Validation, "open")).With("datatype", "xs:string"))
            .With("type", "list-multi").With("var", "ids"));
    }

    static ArchiveRequest? ReadForm(
        ArchiveRequest request, DataForm form, bool knowsGroupchat, ArchiveIds ids, out StanzaError? problem)
    {
        if (form.Type != DataFormType.Submit || form.FormType != Namespace)
            return Refuse(StanzaError.BadRequest.WithText($"a form of type submit for {Namespace}"), out problem);
        foreach (var field in form.Fields)
        {
            // What has no value asks for nothing.
            string value = field.First?.Trim() ?? "";
            bool isGiven = value.Length > 0;
            switch (field.Var)
            {
                case FormField.FormTypeVar:
                    break;
                case "with":
                    if (!isGiven) break;
                    if (!Jid.TryParse(value, out var with)) return Refuse(StanzaError.JidMalformed, out problem);
                    request = request with { With = with };
                    break;
                case "start" or "end":
                    if (!isGiven) break;
                    if (!Timestamp.TryParse(value, out var time))
                        return Refuse(StanzaError.BadRequest.WithText($"{field.Var} is no date and time"), out problem);
                    request = field.Var == "start" ? request with { Start = time } : request with { End = time };
                    break;
                case "before-id" or "after-id":
                    if (!isGiven) break;
                    if (!ids.TryRead(value, out long id)) return Refuse(StanzaError.ItemNotFound, out problem);
                    request = field.Var == "after-id" ? request with { AfterId = id } : request with { BeforeId = id };
                    break;
                case "ids":
                    if (field.Values.Count == 0) break;
                    if (ReadIds(field.Values, ids, out problem) is not { } wanted) return null;
                    request = request with { Ids = wanted };
                    break;
                // §4.1.4: there are none in an account's archive, whatever is asked for.
                case Groupchat when knowsGroupchat:
                    if (isGiven && !FormField.TryBoolean(value, out _))
                        return Refuse(StanzaError.BadRequest, out problem);
                    break;
                default:
                    return Refuse(StanzaError.FeatureNotImplemented.WithText("the form has an unknown field"),
                        out problem);
            }
        }
        problem = null;
        return request;
    }

    static List<long>? ReadIds(IReadOnlyList<string> values, ArchiveIds ids, out StanzaError? problem)
    {
        problem = null;
        var found = new List<long>(values.Count);
        if (values.Count > IdsMax)
            problem = StanzaError.PolicyViolation.WithText($"at most {IdsMax} ids in one query");
        for (int i = 0; i < values.Count && problem is null; i++)
        {
            if (ids.TryRead(values[i].Trim(), out long id)) found.Add(id);
            else problem = StanzaError.ItemNotFound;
        }
        return problem is null ? found : null;
    }

    static ArchiveRequest? ReadPage(
        ArchiveRequest request, ResultSetRequest page, ArchiveIds ids, out StanzaError? problem)
    {
        // XEP-0059 §2.6: pages by index are optional; counting up to one would read the whole archive.
        if (page.Index is not null) return Refuse(StanzaError.FeatureNotImplemented, out problem);
        long after = 0, before = 0;
        if ((page.After is not null && !ids.TryRead(page.After, out after)) ||
            (page.Before is { Length: > 0 } && !ids.TryRead(page.Before, out before)))
            return Refuse(StanzaError.ItemNotFound, out problem);
        problem = null;
        return request with
        {
            Max = page.Max,
            IsBackwards = page.IsBackwards,
            Cursor = page.IsBackwards ? (before > 0 ? before : null) : (after > 0 ? after : null),
            // XEP-0059 leaves both together open: here both are bounds.
            AfterId = page.IsBackwards && after > 0 ? Math.Max(after, request.AfterId ?? 0) : request.AfterId,
        };
    }

    static ArchiveRequest? Refuse(StanzaError error, out StanzaError? problem)
    {
        problem = error;
        return null;
    }
}
