using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Routing;
using Muster.Server.Telemetry;

namespace Muster.Server.Features;

/// <summary>Finds who answers an iq request by (type, namespace, name, target): frozen at start, so it can be
/// printed.</summary>
sealed class IqTable(Slots slots, Router router, ILogger log)
{
    readonly FrozenDictionary<(IqType, string Namespace, string Name, Target), IqHandler> _handlers = slots.IqTable;

    /// <summary>Every row, for <c>muster features</c>.</summary>
    public IEnumerable<(IqType Type, string Namespace, string Name, Target Target)> Rows => _handlers.Keys;

    /// <summary>Whether somebody answers this request.</summary>
    public bool Answers(Iq iq, Target target) =>
        iq.Payload is { } payload && _handlers.ContainsKey((iq.Type, payload.Namespace, payload.Name, target));

    /// <summary>Has a request answered. What nobody knows gets service-unavailable (RFC 6120 §8.4, RFC 6121
    /// §8.5.2.1).</summary>
    public async ValueTask Answer(Iq iq, Target target, Jid address, Session? sender)
    {
        if (iq.Payload is not { } payload ||
            !_handlers.TryGetValue((iq.Type, payload.Namespace, payload.Name, target), out var handler))
        {
            await router.Refuse(iq, StanzaError.ServiceUnavailable);
            return;
        }
        Iq? answer;
        try
        {
            answer = await handler(new IqContext(slots.Services, target, address, sender), iq);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A bug or a store that failed must leave neither the asker waiting nor the stream broken.
            FeaturesLog.HandlerFailed(log, payload.Namespace, iq.From, e);
            answer = iq.Refuse(StanzaError.InternalServerError);
        }
        if (answer is not null) await router.Route(answer);
    }
}
