using System.Globalization;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>Which page of a result set is wanted (XEP-0059).</summary>
/// <param name="Max">At most so many items; 0 asks for the count alone (§2.7); null leaves it to us.</param>
/// <param name="After">Only items after this one, or null.</param>
/// <param name="Before">Only items before this one; "" asks for the last page (§2.5); null sets no bound.</param>
/// <param name="Index">The page begins with the item of this index (§2.6), or null.</param>
public sealed record ResultSetRequest(int? Max = null, string? After = null, string? Before = null, int? Index = null)
{
    /// <summary>True when the page is counted from the end: the last items before a bound or of the whole.</summary>
    public bool IsBackwards => Before is not null;

    /// <summary>The <c>set</c> element.</summary>
    public Element ToElement() => new(Namespaces.ResultSets, "set",
        Max is null ? null : ResultSet.Number("max", Max.Value),
        After is null ? null : new Element(Namespaces.ResultSets, "after", After),
        Before is null ? null : new Element(Namespaces.ResultSets, "before", Before),
        Index is null ? null : ResultSet.Number("index", Index.Value));

    /// <summary>Reads the <c>set</c> inside a request's payload. A payload without one wants everything: the request is
    /// then
    /// the default one.</summary>
    /// <returns>Null when <paramref name="problem"/> is set: bad-request for a max or index that is no number from
    /// 0.</returns>
    public static ResultSetRequest? Read(Element payload, out StanzaError? problem)
    {
        problem = null;
        if (payload.Child(Namespaces.ResultSets, "set") is not { } set) return new();
        if (!TryNumber(set, "max", out int? max) || !TryNumber(set, "index", out int? index))
        {
            problem = StanzaError.BadRequest;
            return null;
        }
        // XEP-0059 §2.2: an empty "after" has no meaning; it is read as the default, before the first item.
        string? after = set.Child("after")?.Text;
        return new(max, string.IsNullOrEmpty(after) ? null : after, set.Child("before")?.Text, index);
    }

    static bool TryNumber(Element set, string name, out int? number)
    {
        number = null;
        if (set.Child(name) is not { } child) return true;
        string text = child.Text;
        bool valid = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value);
        // More than we can count asks for as much as we have.
        if (!valid && text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('0', '9'))
            (valid, value) = (true, int.MaxValue);
        if (valid) number = value;
        return valid;
    }
}

/// <summary>What is said of a page that was returned (XEP-0059 §2.2).</summary>
/// <param name="First">Id of the first item, or null for an empty page.</param>
/// <param name="Last">Id of the last item, or null for an empty page.</param>
/// <param name="Count">Number of items in the whole set, or null when it is not known.</param>
/// <param name="FirstIndex">Index of the first item in the whole set, or null when it is not known.</param>
public sealed record ResultSetPage(string? First, string? Last, int? Count = null, int? FirstIndex = null)
{
    /// <summary>The <c>set</c> element.</summary>
    public Element ToElement() => new(Namespaces.ResultSets, "set",
        First is null
            ? null
            : new Element(Namespaces.ResultSets, "first", First)
                .With("index", FirstIndex?.ToString(CultureInfo.InvariantCulture)),
        Last is null ? null : new Element(Namespaces.ResultSets, "last", Last),
        Count is null ? null : ResultSet.Number("count", Count.Value));

    /// <summary>Reads a <c>set</c>; numbers that cannot be read are left out.</summary>
    public static ResultSetPage Read(Element set)
    {
        var first = set.Child("first");
        int? count = Number(set.Child("count")?.Text), index = Number(first?.Attribute("index"));
        return new(first?.Text, set.Child("last")?.Text, count, index);
    }

    static int? Number(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}

/// <summary>Pages of lists in memory.</summary>
public static class ResultSet
{
    /// <summary>Takes a page out of a list that is sorted by its items' ids.</summary>
    /// <remarks>As the order follows from the ids, a bound that was removed meanwhile still has its place, and nobody
    /// gets
    /// item-not-found while he pages through a list that changes (XEP-0059 §2.4).</remarks>
    /// <param name="items">The whole set, in ordinal order of the ids.</param>
    /// <param name="id">The id of an item, unique in the set.</param>
    /// <param name="request">What is wanted.</param>
    /// <param name="sizeMax">The largest page that we give, and the size when none is asked for.</param>
    public static (IReadOnlyList<T> Items, ResultSetPage Page) Page<T>(
        IReadOnlyList<T> items, Func<T, string> id, ResultSetRequest request, int sizeMax)
    {
        int size = Math.Min(request.Max ?? sizeMax, sizeMax);
        int from = request.After is null ? 0 : Find(items, id, request.After, behind: true);
        int to = string.IsNullOrEmpty(request.Before) ? items.Count : Find(items, id, request.Before, behind: false);
        if (request.Index is { } index) from = Math.Max(from, index);
        if (request.IsBackwards) from = Math.Max(from, to - size);
        else to = (int)Math.Min(to, (long)from + size);

        var page = new List<T>();
        for (int i = from; i < to; i++) page.Add(items[i]);
        return page.Count == 0
            ? (page, new(null, null, items.Count))
            : (page, new(id(page[0]), id(page[^1]), items.Count, from));
    }

    internal static Element Number(string name, int value) =>
        new(Namespaces.ResultSets, name, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>The index of the first item whose id is not before the bound, or is behind it.</summary>
    static int Find<T>(IReadOnlyList<T> items, Func<T, string> id, string bound, bool behind)
    {
        int low = 0, high = items.Count;
        while (low < high)
        {
            int middle = low + (high - low) / 2;
            int order = string.CompareOrdinal(id(items[middle]), bound);
            if (order < 0 || (behind && order == 0)) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
