using Muster.Protocol.Xml;

namespace Muster.Simulation;

/// <summary>A connection: two directions, each in order, each with delays of its own. When it breaks, what is under way
/// is gone, and each side notices by itself.</summary>
internal sealed class Wire(World world, Client client, Server server)
{
    long _toClientAt, _toServerAt; // nothing overtakes
    Connection? _connection;

    public bool IsUp { get; private set; } = true;

    public void Send(Element element) => Carry(ref _toServerAt, () => Arrive(element));

    public void Answer(Element element) => Carry(ref _toClientAt, () => client.Receive(this, element));

    /// <summary>It is cut: the server notices after a while, sometimes later than the client comes back.</summary>
    public void Break(int serverNoticesMax)
    {
        IsUp = false;
        world.After(world.Random.Next(0, serverNoticesMax), () => _connection?.Lost());
    }

    void Arrive(Element element)
    {
        if (_connection is null && !server.IsUp)
        {
            IsUp = false; // refused
            world.After(1, () => client.NoticeLoss(this));
            return;
        }
        _connection ??= new Connection(world, server, this, client.Jid);
        _connection.Arrive(element);
    }

    void Carry(ref long at, Action arrive)
    {
        at = Math.Max(at, world.Time + world.Random.Next(1, world.Chance(0.05) ? 2000 : 60));
        world.After((int)(at - world.Time), () => { if (IsUp) arrive(); });
    }
}

/// <summary>What goes over a wire beside stanzas and stream management. A login stands for all that comes before a
/// session (RFC 6120 §6, §7; XEP-0388).</summary>
internal static class Frames
{
    public const string Namespace = "urn:muster:simulation";

    public static Element Login(string? token, uint handled)
    {
        var login = new Element(Namespace, "login");
        return token is null ? login : login.With("previd", token).With("h", handled.ToString(Check.Plain));
    }

    /// <summary>The end of a stream, from either side.</summary>
    public static Element Close { get; } = new(Namespace, "close");
}
