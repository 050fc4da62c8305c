using Microsoft.Extensions.Logging;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Protocol.Stanzas;
using Muster.Server.Sessions;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <summary>Looks up an account that somebody wants to log in to, and its secret of a hash (null: of any).</summary>
delegate ValueTask<AccountFacts> AccountLookup(Jid account, ScramHash? hash);

/// <summary>Answers a request of a client that has not logged in (XEP-0077).</summary>
/// <param name="client">What is remembered of it on this connection.</param>
/// <param name="request">The request; its <c>to</c> is the domain that the client addressed, its <c>from</c> is
/// empty.</param>
delegate ValueTask<Iq> EarlyAnswer(EarlyClient client, Iq request);

/// <summary>What the connections of clients need of the server; shared by all of them.</summary>
sealed record ClientServices(
    IClientHost Host,
    AccountLookup Accounts,
    EarlyAnswer EarlyRequests,
    ConnectionTimers Timers,
    ClientMeters Meters,
    ILogger Log,
    ILogger Stanzas);
