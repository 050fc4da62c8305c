using System.Globalization;
using System.Net.Sockets;
using Muster.Interop.Load;
using Muster.Protocol.Xml;

namespace Muster.Interop.Recovery;

/// <summary>
/// A client that keeps to XEP-0198 by the letter and never gives up: whatever becomes of its connection and of the
/// server, it connects again, resumes its session or learns what the lost one had taken, sends the rest again and goes
/// on. Rooms and archives are in ManagedClient.Rooms.cs.
/// </summary>
sealed partial class ManagedClient : IAsyncDisposable
{
    readonly record struct Outgoing(string Xml, bool IsMessage);

    readonly string _user, _resource, _nick;
    readonly int _port;
    readonly Random _random;
    readonly Diary _diary;
    readonly SemaphoreSlim _turn = new(1); // what is below is changed by who has it
    readonly CancellationTokenSource _stop = new();
    readonly Queue<Outgoing> _unacked = []; // sent in this session, in order
    readonly Queue<Outgoing> _drafts = [];  // messages to be sent once inside the rooms
    readonly List<LoadClient> _vanished = [];
    LoadClient? _wire;    // while stanzas may be sent over it
    LoadClient? _attempt; // the newest connection, whatever it has come to
    string? _token;
    uint _taken;          // stanzas handled, modulo 2^32
    uint _acknowledged;   // of our own
    Task _life = Task.CompletedTask;

    public ManagedClient(string user, int port, IEnumerable<string> rooms, int seed, Diary diary,
        string resource = "chaos")
    {
        (_user, _port, _random, _diary) = (user, port, new Random(seed), diary);
        (_resource, _nick) = (resource, $"{user}-{resource}");
        Address = $"{user}@localhost";
        Rooms = [.. rooms.Select(room => new Conversation(room))];
        Own = new Conversation(Address);
    }

    /// <summary>The bare JID.</summary>
    public string Address { get; }

    /// <summary>Sessions that went on over another connection.</summary>
    public int Resumed { get; private set; }

    /// <summary>Sessions begun, the first one too.</summary>
    public int Begun { get; private set; }

    /// <summary>Whether nothing is left to be sent or acknowledged, and it is inside its rooms and knows all of
    /// them.</summary>
    public bool IsAtRest
    {
        get
        {
            _turn.Wait();
            try
            {
                return _wire is not null && _unacked.Count == 0 && _drafts.Count == 0 && IsInside;
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    /// <summary>Messages that are to be sent as soon as it is inside its rooms.</summary>
    public int Waiting => _drafts.Count;

    /// <summary>Connects, and keeps connecting.</summary>
    public void Start() => _life = Task.Run(LiveAsync);

    /// <summary>Breaks the connection, whatever it is just about.</summary>
    /// <param name="silently">The server does not learn of it: the client just comes back on another.</param>
    public void Break(bool silently)
    {
        if (_attempt is not { } wire) return;
        _diary.Note(_user, silently ? "vanishes" : "is cut");
        if (silently) wire.Vanish();
        else wire.Cut();
    }

    /// <summary>Asks for an acknowledgement.</summary>
    public Task AskAsync() => InTurnAsync(() => WriteAsync($"<r xmlns='{Namespaces.StreamManagement}'/>"));

    /// <summary>What it is about, for who waits for it.</summary>
    public override string ToString() =>
        $"{_nick} ({(_wire is null ? "offline" : "online")}, {_unacked.Count} unacknowledged, {_drafts.Count} to be " +
        $"sent, {Rooms.Count(room => room.IsInside)} of {Rooms.Count} rooms, catching up: " +
        string.Join(' ', Rooms.Append(Own).Where(what => what.IsCatchingUp).Select(what => what.Address)) + ")";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _attempt?.Cut();
        await _life;
        foreach (var wire in _vanished) await wire.DisposeAsync();
        _stop.Dispose();
        _turn.Dispose();
    }

    async Task LiveAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var wire = _attempt = new LoadClient();
            try
            {
                await wire.AuthenticateAsync(_port, _user);
                if (!await TryResumeAsync(wire)) await BeginAsync(wire);
                while (await wire.ReadAsync(forEver: true) is { } element)
                    await InTurnAsync(() => HandleAsync(element));
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException
                or IOException or TimeoutException)
            {
                // Cut, refused by a server that is about to stop, or not there.
            }
#pragma warning disable CA1031 // A bug of this client must be told, not end it in silence.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _diary.Problem(_user, $"failed: {e}");
            }
            await InTurnAsync(() => { _wire = null; return Task.CompletedTask; });
            if (wire.IsGone) _vanished.Add(wire);
            else await wire.DisposeAsync();
            await Task.Delay(_random.Next(10, 150), CancellationToken.None);
        }
    }

    // XEP-0198 §5. False when a new session is to be begun.
    async Task<bool> TryResumeAsync(LoadClient wire)
    {
        if (_token is null) return false;
        await wire.SendAsync($"<resume xmlns='{Namespaces.StreamManagement}' previd='{_token}' h='{_taken}'/>");
        var answer = await wire.ReadAsync() ?? throw new IOException("closed");
        bool isResumed = answer.Is(Namespaces.StreamManagement, "resumed");
        if (!isResumed && !answer.Is(Namespaces.StreamManagement, "failed"))
            throw new InvalidOperationException($"neither resumed nor refused: {answer}");
        await InTurnAsync(async () =>
        {
            _diary.Note(_user, answer.ToString());
            if (answer.Attribute("h") is { } h) Acknowledge(h);
            else _diary.Problem(_user, $"is not told what arrived: {answer}");
            if (isResumed)
            {
                Resumed++;
                _wire = wire;
                foreach (var stanza in _unacked) await wire.SendAsync(stanza.Xml);
                await SendDraftsAsync();
                await WriteAsync($"<r xmlns='{Namespaces.StreamManagement}'/>");
                return;
            }
            // What is left of the messages is sent again; what else there was belonged to the session.
            Outgoing[] again = [.. _unacked.Where(stanza => stanza.IsMessage), .. _drafts];
            _unacked.Clear();
            _drafts.Clear();
            foreach (var message in again) _drafts.Enqueue(message);
            _token = null;
        });
        return isResumed;
    }

    async Task BeginAsync(LoadClient wire)
    {
        await wire.BindAsync(_resource);
        await wire.SendAsync($"<enable xmlns='{Namespaces.StreamManagement}' resume='true'/>");
        var answer = await wire.ReadAsync() ?? throw new IOException("closed");
        if (!answer.Is(Namespaces.StreamManagement, "enabled") || answer.Attribute("id") is not { } token)
            throw new InvalidOperationException($"not managed: {answer}");
        await InTurnAsync(async () =>
        {
            _diary.Note(_user, answer.ToString());
            Begun++;
            (_wire, _token, _taken, _acknowledged) = (wire, token, 0, 0);
            await EnterAsync();
        });
    }

    async Task HandleAsync(Element element)
    {
        switch (element)
        {
            case { Namespace: Namespaces.StreamManagement, Name: "r" }:
                await WriteAsync($"<a xmlns='{Namespaces.StreamManagement}' h='{_taken}'/>");
                break;
            case { Namespace: Namespaces.StreamManagement, Name: "a" }:
                Acknowledge(element.Attribute("h")!);
                break;
            case { Namespace: Namespaces.Client }:
                unchecked { _taken++; }
                await ReceiveAsync(element);
                break;
            default:
                _diary.Note(_user, element.ToString());
                if (element.FirstElement?.Name is not ("system-shutdown" or "conflict"))
                    _diary.Problem(_user, $"is told {element}");
                break;
        }
    }

    void Acknowledge(string h)
    {
        uint count = unchecked(uint.Parse(h, CultureInfo.InvariantCulture) - _acknowledged);
        if (count > _unacked.Count)
        {
            _diary.Problem(_user, $"is told that {h} have arrived after {_acknowledged}, of {_unacked.Count} more");
            return;
        }
        for (; count > 0; count--) _unacked.Dequeue();
        _acknowledged = uint.Parse(h, CultureInfo.InvariantCulture);
    }

    Task SendAsync(string stanza, bool isMessage = false)
    {
        _unacked.Enqueue(new Outgoing(stanza, isMessage));
        return WriteAsync(_unacked.Count % 5 == 0 ? $"{stanza}<r xmlns='{Namespaces.StreamManagement}'/>" : stanza);
    }

    // What cannot be written is in the queue, where it counts.
    async Task WriteAsync(string xml)
    {
        if (_wire is not { } wire) return;
        try
        {
            await wire.SendAsync(xml);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _wire = null;
        }
    }

    async Task InTurnAsync(Func<Task> act)
    {
        await _turn.WaitAsync();
        try
        {
            await act();
        }
        finally
        {
            _turn.Release();
        }
    }
}
