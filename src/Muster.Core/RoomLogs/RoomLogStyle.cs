namespace Muster.Core.RoomLogs;

/// <summary>How public logs look and where they lie: the options of <c>mod_muc_log</c> (muc.md §19).</summary>
public sealed record RoomLogStyle
{
    /// <summary>Web pages, or plain text.</summary>
    public bool IsHtml { get; init; } = true;
    /// <summary>ROOM/YYYY/MM/DD, or ROOM/YYYY-MM-DD.</summary>
    public bool HasSubfolders { get; init; } = true;
    /// <summary>A room's folder is its whole address, or only the part before the @.</summary>
    public bool IsNamedByAddress { get; init; } = true;
    /// <summary>Address of a style sheet that pages link to; null: pages carry their own style.</summary>
    public string? CssFile { get; init; }
    /// <summary>Where the link at the top leads.</summary>
    public string TopLinkTarget { get; init; } = "/";
    /// <summary>What it says. The operator's, so it may be HTML.</summary>
    public string TopLinkText { get; init; } = "Home";
    /// <summary>Links of users carry <c>rel="nofollow"</c>.</summary>
    public bool HasNoFollow { get; init; } = true;
}
