using Muster.Core.Archive;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Server.Archives;

/// <summary>A question to an archive whose asker may ask it (XEP-0313).</summary>
/// <param name="Iq">The request to answer.</param>
/// <param name="Archive">Bare JID of the room or account whose archive it is.</param>
/// <param name="Request">Which messages are wanted; null: what the archive's first and last message are.</param>
/// <param name="IsRoom">Whether it is a room's archive: its messages are shown as a room shows them.</param>
/// <param name="ShowsAddresses">Whether the asker may see who sent the messages of a room.</param>
sealed record ArchiveQuestion(
    Iq Iq, Jid Archive, ArchiveRequest? Request, bool IsRoom = false, bool ShowsAddresses = false);
