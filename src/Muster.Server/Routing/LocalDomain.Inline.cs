using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;
using Muster.Server.Features;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

/// <content>What is turned on together with binding (XEP-0386).</content>
sealed partial class LocalDomain
{
    IReadOnlyList<InlineBind> _inlineBinds = [];

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<Element>> Enable(Session session, IReadOnlyList<Element> requests)
    {
        var results = new List<Element>();
        foreach (var feature in _inlineBinds)
        {
            var request = feature.Namespace is { } ns ? requests.FirstOrDefault(r => r.Namespace == ns) : null;
            if (feature.Namespace is not null && request is null) continue;
            try
            {
                if (await feature.Enable(session, request) is { } result) results.Add(result);
            }
            catch (StorageException e)
            {
                // The session stands without it; the client sees that the answer is missing.
                _meters.StoreFailed();
                AccountsLog.StoreFailed(_log, "bind request", session.Jid, Jid.None, e.Message);
            }
        }
        return results;
    }
}
