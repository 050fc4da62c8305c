namespace Muster.Core.Archive;

/// <summary>A stretch of an archive without holes: what a client has been sent of its account's.</summary>
/// <param name="First">Id of its first message; 0 for an empty stretch.</param>
/// <param name="Last">Id of its last message.</param>
public readonly record struct ArchiveSpan(long First, long Last)
{
    /// <summary>The stretch that a page shows: from where it begins or ends for sure, up to its own last or first
    /// message.</summary>
    /// <param name="request">What was asked for; it must be <see cref="ArchiveRequest.IsUnfiltered"/>.</param>
    /// <param name="first">Id of the page's first message.</param>
    /// <param name="last">Id of the page's last message.</param>
    public static ArchiveSpan Of(ArchiveRequest request, long first, long last) =>
        // A time in the filter may leave out what lies between the bound and the page.
        request.IsBackwards
            ? new(first, request.End is null ? (request.Cursor ?? request.BeforeId) - 1 ?? last : last)
            : new(request.Start is null ? (request.Cursor ?? request.AfterId) + 1 ?? first : first, last);

    /// <summary>Whether a message is in it.</summary>
    public bool Contains(long id) => First > 0 && id >= First && id <= Last;

    /// <summary>This stretch together with another one. Where they do not meet, only one can be remembered: the
    /// newer.</summary>
    public ArchiveSpan And(ArchiveSpan other)
    {
        if (First == 0) return other;
        if (other.First <= Last + 1 && First <= other.Last + 1)
            return new(Math.Min(First, other.First), Math.Max(Last, other.Last));
        return other.Last > Last ? other : this;
    }
}
