using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;

namespace Muster.Server.Features;

/// <summary>XEP-0050: Ad-Hoc Commands of one form at most. The server keeps nothing between the form and its answer:
/// the session id is only repeated.</summary>
sealed class AdHocCommands : Feature
{
    const string Ns = "http://jabber.org/protocol/commands";
    const int SessionIdLengthMax = 128;

    static readonly StanzaError BadAction = StanzaError.BadRequest with { Application = new Element(Ns, "bad-action") };
    static readonly StanzaError BadPayload =
        StanzaError.BadRequest with { Application = new Element(Ns, "bad-payload") };
    static readonly StanzaError BadSession =
        StanzaError.BadRequest with { Application = new Element(Ns, "bad-sessionid") };

    public override FeatureInfo Info { get; } = new(50, "1.3.0", Support.Partial, "Commands of one form at most");

    public override void Register(Slots slots)
    {
        slots.Disco(Target.Server, Ns);
        slots.DiscoNode(new(Target.Server,
            (context, asker, node) => DescribeNode(slots, context, asker, node),
            (context, asker, node) => node == Ns ? List(slots, context, asker) : null));
        slots.Iq(IqType.Set, Ns, "command", Target.Server, (context, iq) => Run(slots, context, iq));
    }

    static DiscoInfo? DescribeNode(Slots slots, IqContext context, Jid asker, string node)
    {
        // XEP-0050 §2.2: the list itself, and each command.
        if (node == Ns) return new() { Identities = [new("automation", "command-list")] };
        return slots.Commands.TryGetValue((context.Target, node), out var command) && command.MayRun(context, asker)
            ? new()
            {
                Identities = [new("automation", "command-node", command.Name)],
                Features = [Ns, Namespaces.DataForms],
            }
            : null;
    }

    static DiscoItems List(Slots slots, IqContext context, Jid asker) => new()
    {
        Node = Ns,
        Items =
        [
            .. slots.Commands.Values
                .Where(command => command.Target == context.Target && command.MayRun(context, asker))
                .Select(command => new DiscoItem(context.Address, command.Name, command.Node)),
        ],
    };

    static async ValueTask<Iq?> Run(Slots slots, IqContext context, Iq iq)
    {
        var request = iq.Payload!;
        // §4.4: a command that is not there, and one that is not for the asker.
        if (!slots.Commands.TryGetValue((context.Target, request.Attribute("node") ?? ""), out var command))
            return iq.Refuse(StanzaError.ItemNotFound);
        if (!command.MayRun(context, iq.From)) return iq.Refuse(StanzaError.Forbidden);
        string session = request.Attribute("sessionid") ?? RandomText.Create(12);
        if (session.Length > SessionIdLengthMax) return iq.Refuse(BadSession);
        switch (request.Attribute("action"))
        {
            case "cancel": return iq.Result(Answer(command, session, "canceled"));
            case null or "execute" or "complete" or "next": break;
            default: return iq.Refuse(BadAction);
        }
        DataForm? form = null;
        if (request.Child(Namespaces.DataForms, "x") is { } x)
        {
            form = DataForm.Read(x, out var problem);
            if (form is null) return iq.Refuse(problem!);
            if (form.Type == DataFormType.Cancel) return iq.Result(Answer(command, session, "canceled"));
            if (form.Type != DataFormType.Submit) return iq.Refuse(BadPayload);
        }
        return await command.Run(context, iq.From, form) switch
        {
            { Error: { } error } => iq.Refuse(error),
            { Form: { } asked } => iq.Result(Answer(command, session, "executing",
                new Element(Ns, "actions", new Element(Ns, "complete")).With("execute", "complete"),
                asked.ToElement())),
            { Result: var result } => iq.Result(Answer(command, session, "completed", result?.ToElement())),
        };
    }

    static Element Answer(Command command, string session, string status, params IEnumerable<Element?> content) =>
        new Element(Ns, "command", content).With("sessionid", session).With("node", command.Node)
            .With("status", status);
}
