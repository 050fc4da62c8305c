using System.CommandLine;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary><c>muster invite</c>: a link for somebody who is to come.</summary>
static class InviteCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandLine line)
    {
        var jid = new Argument<string>("JID")
        {
            Description = "A domain: the guest chooses a name. A name without account: the guest makes that account. "
                + "An account: the guest becomes its contact, with a new account if need be",
        };
        var inviter = new Option<string>("--inviter")
        {
            Description = "The account that becomes a contact of the new one",
            HelpName = "JID",
        };
        return line.Make("invite", "Make a link that invites somebody", async call =>
        {
            await using var admin = await call.ConnectAsync();
            string answer = await admin.SendAsync(
                HttpMethod.Post, "/api/invitations", new InviteRequest(call.Get(jid), call.Get(inviter)));
            if (call.Json)
            {
                call.Out.WriteLine(answer);
                return;
            }
            var invite = AdminClient.Read<InviteView>(answer);
            call.Say(invite.Kind == "contact"
                ? $"For becoming a contact of {invite.Jid}, with a new account if need be:"
                : invite.Jid.Contains('@', StringComparison.Ordinal)
                    ? $"For making the account {invite.Jid}:"
                    : $"For making an account at {invite.Jid}:");
            call.Say($"  {invite.Uri}");
            if (invite.Page is not null) call.Say($"  {invite.Page}");
            call.Say($"It can be used once, until {Invocation.Text(invite.ExpiresAt)}.");
        }, jid, inviter);
    }
}
