using System.Globalization;
using System.Text.RegularExpressions;

namespace Muster.Testing;

/// <summary>The authoritative server of a domain that a test plays: it opens its side of each stream, and says of every
/// dialback key what the test wants.</summary>
static partial class VouchingPeer
{
    /// <summary>Answers on one connection until it ends.</summary>
    /// <param name="peer">The connection.</param>
    /// <param name="verdict">valid, invalid or error.</param>
    public static async Task ServeAsync(ScriptedPeer peer, string verdict)
    {
        try
        {
            await peer.RunAsync("< <stream:stream*>");
            await peer.RunAsync("> <stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' " +
                "xmlns:stream='http://etherx.jabber.org/streams' id='vouch' version='1.0'><stream:features/>");
            while (true)
            {
                string question = await peer.WaitAsync(Question());
                string answer = Regex.Replace(question, "from='([^']*)' to='([^']*)' id='([^']*)'.*", string.Create(
                    CultureInfo.InvariantCulture, $"from='$2' to='$1' id='$3' type='{verdict}'/>"));
                await peer.RunAsync($"> {answer}");
            }
        }
        catch (InvalidOperationException)
        {
            // The other side has ended.
        }
    }

    [GeneratedRegex("<db:verify [^>]*>[^<]*</db:verify>")]
    private static partial Regex Question();
}
