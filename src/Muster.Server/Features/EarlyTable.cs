using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;
using Muster.Server.Telemetry;

namespace Muster.Server.Features;

/// <summary>What clients may see and ask before they have logged in: frozen at start, as
/// <see cref="IqTable"/>.</summary>
sealed class EarlyTable(Slots slots, ILogger log)
{
    readonly FrozenDictionary<(IqType, string Namespace, string Name), EarlyHandler> _handlers = slots.EarlyTable;

    /// <summary>Namespaces of the requests that are answered.</summary>
    public IReadOnlySet<string> Namespaces { get; } =
        slots.EarlyTable.Keys.Select(key => key.Namespace).ToHashSet(StringComparer.Ordinal);

    /// <summary>What to advertise to a client that addressed a domain.</summary>
    public IEnumerable<Element> StreamFeatures(Jid domain) => slots.EarlyStreamFeatures(domain);

    /// <summary>Answers a request. Its <c>to</c> is the domain that the client addressed.</summary>
    public async ValueTask<Iq> Answer(EarlyClient client, Iq iq)
    {
        if (iq.Payload is not { } payload ||
            !_handlers.TryGetValue((iq.Type, payload.Namespace, payload.Name), out var handler))
            return iq.Refuse(StanzaError.ServiceUnavailable);
        try
        {
            return await handler(client, iq);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            FeaturesLog.HandlerFailed(log, payload.Namespace, iq.To, e);
            return iq.Refuse(StanzaError.InternalServerError);
        }
    }
}
