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

/// <summary>Tokens of clients (XEP-0484), as connections use them.</summary>
/// <param name="Find">The tokens of a client of an account.</param>
/// <param name="Use">Notes a login with one; see <see cref="NegotiationInput.TokenUsed"/>.</param>
/// <param name="Issue">Gives one out.</param>
sealed record TokenCalls(
    Func<Jid, string, ValueTask<NegotiationInput.TokensFound>> Find,
    Func<NegotiationEffect.UseToken, ValueTask<bool?>> Use,
    Func<NegotiationEffect.IssueToken, ValueTask<LoginToken?>> Issue);

/// <summary>What the connections of clients need of the server; shared by all of them.</summary>
sealed record ClientServices(
    IClientHost Host,
    AccountLookup Accounts,
    TokenCalls Tokens,
    EarlyAnswer EarlyRequests,
    ConnectionTimers Timers,
    ClientMeters Meters,
    ILogger Log,
    ILogger Stanzas);
