using System.Globalization;

namespace Muster.Bench;

/// <summary>Clients who are each in many persistent rooms, alone.</summary>
sealed class RoomCrowd
{
    readonly BenchTarget _target;
    readonly BenchClient[] _clients;
    readonly List<(BenchClient Client, string Room)> _rooms = [];
    readonly string _mark = Guid.NewGuid().ToString("N");
    readonly byte[] _name;
    int _inside, _left, _configured;

    public RoomCrowd(BenchTarget target, BenchClient[] clients)
    {
        (_target, _clients) = (target, clients);
        _name = System.Text.Encoding.UTF8.GetBytes(_mark);
        foreach (var client in clients)
        {
            client.Seen = Look;
            client.Start();
        }
    }

    /// <summary>Makes persistent rooms and stays in them.</summary>
    public async Task EnterAsync(int count, string name)
    {
        int wanted = _rooms.Count + count;
        for (int i = 0; i < count; i++)
        {
            var client = _clients[i % _clients.Length];
            string room = string.Create(CultureInfo.InvariantCulture, $"{name}{i}-{_mark}@{_target.Service}");
            _rooms.Add((client, room));
            await client.SendAsync($"<presence to='{room}/me'><x xmlns='http://jabber.org/protocol/muc'/></presence>" +
                $"<iq type='set' id='p' to='{room}'><query xmlns='http://jabber.org/protocol/muc#owner'>" +
                "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc" +
                "#roomconfig</value></field><field var='muc#roomconfig_persistentroom'><value>1</value></field></x>" +
                "</query></iq>");
            // No more than some hundred under way, so that no server's queue is what is measured.
            if (i % 100 == 99)
                await Crew.UntilAsync(() => Volatile.Read(ref _configured) >= _rooms.Count, () => "rooms to be made");
        }
        await Crew.UntilAsync(() => Volatile.Read(ref _configured) >= wanted && Volatile.Read(ref _inside) >= wanted,
            () => $"{wanted} rooms to be made");
    }

    /// <summary>Leaves them all.</summary>
    public async Task LeaveAsync()
    {
        foreach (var (client, room) in _rooms) await client.SendAsync($"<presence type='unavailable' to='{room}/me'/>");
        await Crew.UntilAsync(() => Volatile.Read(ref _left) >= _rooms.Count, () => "rooms to be left");
    }

    void Look(ReadOnlySpan<byte> stanza)
    {
        if (stanza.IndexOf("<presence"u8) is >= 0 and < 3)
        {
            if (stanza.IndexOf(_name) < 0) return; // of an earlier session
            if (stanza.IndexOf("unavailable"u8) is >= 0 and < 300) Interlocked.Increment(ref _left);
            else Interlocked.Increment(ref _inside);
        }
        else if (stanza.IndexOf("<iq"u8) is >= 0 and < 3)
        {
            if (stanza.IndexOf("result"u8) < 0) throw new BenchException(
                $"a room was not made persistent: {System.Text.Encoding.UTF8.GetString(stanza)}");
            Interlocked.Increment(ref _configured);
        }
    }
}
