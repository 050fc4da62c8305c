using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Server.Features;

/// <summary>An ad-hoc command (XEP-0050): done at once, or after one form.</summary>
/// <param name="Node">Its name on the wire.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="Target">Which kind of address has it.</param>
/// <param name="MayRun">Who sees it and may run it. Gets the asker.</param>
/// <param name="Run">Runs it. Gets the filled-out form, or null when there is none yet.</param>
sealed record Command(
    string Node, string Name, Target Target, Func<IqContext, Jid, bool> MayRun,
    Func<IqContext, Jid, DataForm?, ValueTask<CommandAnswer>> Run);

/// <summary>What a command says: exactly one of the three.</summary>
/// <param name="Form">A form that has to be filled out first.</param>
/// <param name="Result">What came of it, as a form of type result.</param>
/// <param name="Error">Why it was not done.</param>
sealed record CommandAnswer(DataForm? Form = null, DataForm? Result = null, StanzaError? Error = null);
