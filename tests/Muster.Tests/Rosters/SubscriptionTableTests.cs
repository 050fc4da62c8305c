using Muster.Core.Rosters;
using Muster.Protocol.Stanzas;
using Muster.Testing;

namespace Muster.Tests.Rosters;

/// <summary>Every cell of RFC 6121 appendix A, written down as the appendix writes them, against the rules in the
/// code.</summary>
[Spec("RFC 6121", "A")]
public class SubscriptionTableTests
{
    // States as in appendix A.1; +A: approved in advance (§3.4), where that can be.
    // Each row: state | pass | new state, then optionally: auto (reply subscribed), tell (presence), end (unavailable).
    const string Table = """
        outbound subscribe
            None          | yes | None+Out
            None+Out      | yes | None+Out
            None+In       | yes | None+Out+In
            None+Out+In   | yes | None+Out+In
            To            | yes | To
            To+In         | yes | To+In
            From          | yes | From+Out
            From+Out      | yes | From+Out
            Both          | yes | Both
            None+A        | yes | None+Out+A
            None+Out+A    | yes | None+Out+A
            To+A          | yes | To+A
        outbound unsubscribe
            None          | yes | None
            None+Out      | yes | None
            None+In       | yes | None+In
            None+Out+In   | yes | None+In
            To            | yes | None
            To+In         | yes | None+In
            From          | yes | From
            From+Out      | yes | From
            Both          | yes | From
            None+A        | yes | None+A
            None+Out+A    | yes | None+A
            To+A          | yes | None+A
        outbound subscribed
            None          | no  | None+A
            None+Out      | no  | None+Out+A
            None+In       | yes | From        | tell
            None+Out+In   | yes | From+Out    | tell
            To            | no  | To+A
            To+In         | yes | Both        | tell
            From          | no  | From
            From+Out      | no  | From+Out
            Both          | no  | Both
            None+A        | no  | None+A
            None+Out+A    | no  | None+Out+A
            To+A          | no  | To+A
        outbound unsubscribed
            None          | no  | None
            None+Out      | no  | None+Out
            None+In       | yes | None
            None+Out+In   | yes | None+Out
            To            | no  | To
            To+In         | yes | To
            From          | yes | None        | end
            From+Out      | yes | None+Out    | end
            Both          | yes | To          | end
            None+A        | no  | None
            None+Out+A    | no  | None+Out
            To+A          | no  | To
        inbound subscribe
            None          | yes | None+In
            None+Out      | yes | None+Out+In
            None+In       | no  | None+In
            None+Out+In   | no  | None+Out+In
            To            | yes | To+In
            To+In         | no  | To+In
            From          | no  | From        | auto
            From+Out      | no  | From+Out    | auto
            Both          | no  | Both        | auto
            None+A        | no  | From        | auto tell
            None+Out+A    | no  | From+Out    | auto tell
            To+A          | no  | Both        | auto tell
        inbound unsubscribe
            None          | no  | None
            None+Out      | no  | None+Out
            None+In       | yes | None
            None+Out+In   | yes | None+Out
            To            | no  | To
            To+In         | yes | To
            From          | yes | None        | end
            From+Out      | yes | None+Out    | end
            Both          | yes | To          | end
            None+A        | no  | None+A
            None+Out+A    | no  | None+Out+A
            To+A          | no  | To+A
        inbound subscribed
            None          | no  | None
            None+Out      | yes | To
            None+In       | no  | None+In
            None+Out+In   | yes | To+In
            To            | no  | To
            To+In         | no  | To+In
            From          | no  | From
            From+Out      | yes | Both
            Both          | no  | Both
            None+A        | no  | None+A
            None+Out+A    | yes | To+A
            To+A          | no  | To+A
        inbound unsubscribed
            None          | no  | None
            None+Out      | yes | None
            None+In       | no  | None+In
            None+Out+In   | yes | None+In
            To            | yes | None
            To+In         | yes | None+In
            From          | no  | From
            From+Out      | yes | From
            Both          | yes | From
            None+A        | no  | None+A
            None+Out+A    | yes | None+A
            To+A          | yes | None+A
        """;

    public static TheoryData<string, string, string> Rows()
    {
        var rows = new TheoryData<string, string, string>();
        string heading = "";
        foreach (string line in Table.Split('\n'))
        {
            if (!line.StartsWith(' ')) heading = line;
            else rows.Add(heading, line.Split('|')[0].Trim(), line[(line.IndexOf('|') + 1)..]);
        }
        return rows;
    }

    [Fact]
    public void The_table_is_whole() => Assert.Equal(8 * 12, Rows().Count);

    [Theory, MemberData(nameof(Rows))]
    public void Each_cell(string heading, string state, string expected)
    {
        var words = heading.Split(' ');
        var direction = words[0] == "outbound" ? Direction.Outbound : Direction.Inbound;
        var type = Enum.Parse<PresenceType>(words[1], ignoreCase: true);

        var outcome = SubscriptionTable.Apply(Parse(state), direction, type);

        var cells = expected.Split('|', StringSplitOptions.TrimEntries);
        var effects = cells.Length > 2 ? cells[2].Split(' ') : [];
        Assert.Equal(cells[0] == "yes", outcome.Pass);
        Assert.Equal(Parse(cells[1]), outcome.State);
        Assert.Equal(effects.Contains("auto"), outcome.AutoReply);
        Assert.Equal(effects.Contains("tell") ? PresenceNotice.Available
            : effects.Contains("end") ? PresenceNotice.Unavailable : PresenceNotice.None, outcome.Notice);
    }

    [Theory]
    [InlineData(PresenceType.Available)]
    [InlineData(PresenceType.Unavailable)]
    [InlineData(PresenceType.Probe)]
    [InlineData(PresenceType.Error)]
    public void Other_presence_has_no_place_in_it(PresenceType type) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SubscriptionTable.Apply(default, Direction.Inbound, type));

    // The two servers keep their states each for itself: whatever happens in whatever order, once every stanza has
    // arrived, who shows the presence and who sees it agree.
    [Fact]
    public void Both_sides_agree_after_any_history()
    {
        var random = new Random(20260611);
        PresenceType[] types =
            [PresenceType.Subscribe, PresenceType.Subscribed, PresenceType.Unsubscribe, PresenceType.Unsubscribed];
        for (int run = 0; run < 2000; run++)
        {
            var sides = new SubscriptionState[2];
            for (int step = 0; step < 12; step++)
            {
                int from = random.Next(2);
                var queue = new Queue<(int To, PresenceType Type)>();
                var type = types[random.Next(4)];
                var sent = SubscriptionTable.Apply(sides[from], Direction.Outbound, type);
                sides[from] = sent.State;
                if (sent.Pass) queue.Enqueue((1 - from, type));
                while (queue.TryDequeue(out var next))
                {
                    var got = SubscriptionTable.Apply(sides[next.To], Direction.Inbound, next.Type);
                    sides[next.To] = got.State;
                    if (got.AutoReply) queue.Enqueue((1 - next.To, PresenceType.Subscribed));
                }
            }
            Assert.Equal(sides[0].ShowsContact, sides[1].SeesContact);
            Assert.Equal(sides[1].ShowsContact, sides[0].SeesContact);
            Assert.Equal(sides[0].PendingOut, sides[1].PendingIn);
            Assert.Equal(sides[1].PendingOut, sides[0].PendingIn);
        }
    }

    static SubscriptionState Parse(string text)
    {
        var parts = text.Split('+');
        return new(Enum.Parse<RosterSubscription>(parts[0]),
            PendingOut: parts.Contains("Out"), PendingIn: parts.Contains("In"), Approved: parts.Contains("A"));
    }
}
