using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Accounts;
using Muster.Server.Storage;

namespace Muster.Server.Http;

/// <summary>Accounts, invitations and sessions.</summary>
sealed partial class AdminApi
{
    const int PageMax = 500;

    IEnumerable<AdminOperation> UserOperations() =>
    [
        AdminOperation.Of(HttpMethods.Get, "/api/users{?host,after,max}", "Accounts, in order of their addresses.",
            GetUsers),
        AdminOperation.With<UserCreation, UserCreated>(HttpMethods.Post, "/api/users", "Makes an account.", PostUser,
            StatusCodes.Status201Created),
        AdminOperation.Of(HttpMethods.Get, "/api/users/{jid}", "One account.", GetUser),
        AdminOperation.Of(HttpMethods.Delete, "/api/users/{jid}",
            "Removes an account with all that belongs to it, and ends its sessions.", DeleteUser),
        AdminOperation.With<PasswordChange>(HttpMethods.Put, "/api/users/{jid}/password",
            "Gives an account another password.", PutPassword),
        AdminOperation.Of(HttpMethods.Delete, "/api/users/{jid}/tokens",
            "Takes the tokens back with which the clients of an account log in without its password.", DeleteTokens),
        AdminOperation.With<InviteRequest, InviteView>(HttpMethods.Post, "/api/invitations",
            "Makes a link with which somebody can make an account, or become an account's contact.", PostInvitation,
            StatusCodes.Status201Created),
        AdminOperation.Of(HttpMethods.Get, "/api/sessions{?account,after,max}",
            "Sessions, in order of their addresses.", GetSessions),
        AdminOperation.Of(HttpMethods.Delete, "/api/sessions/{jid}{?reason}",
            "Ends a session, or all of an account, with a stream error.", DeleteSessions),
    ];

    /// <summary>A password for a person to copy: 16 letters and digits without those that look alike, which are 92
    /// bits.</summary>
    public static string MakePassword() =>
        RandomNumberGenerator.GetString("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", 16);

    async Task<UserPage> GetUsers(AdminCall call)
    {
        string? host = call.Query("host");
        if (host is not null && !_parts.Hosts.Contains(host))
            throw AdminException.NotFound($"{host} is not served here");
        var start = call.Query("after") is { } text ? AdminCall.JidOf(text, "address") : default;
        int max = call.Max(PageMax);
        var users = new List<UserView>();
        foreach (string domain in _parts.Hosts.Order(StringComparer.Ordinal))
        {
            if (host is not null && domain != host) continue;
            if (!start.IsNone && string.CompareOrdinal(domain, start.Domain.ToString()) < 0) continue;
            var after = start.Domain.SequenceEqual(domain) ? start : default;
            // One more than a page tells whether there is another.
            foreach (var account in await _parts.Services.Database.Accounts.List(
                domain, after, max + 1 - users.Count, call.Cancel)) users.Add(View(account));
            if (users.Count > max) return new UserPage([.. users.Take(max)], users[max - 1].Jid);
        }
        return new UserPage([.. users], null);
    }

    async Task<UserView> GetUser(AdminCall call) => View(await FindAccount(call));

    UserView View(Account account) => new(account.Jid.ToString(), account.CreatedAt, account.LastActiveAt,
        account.Disabled, _parts.Services.Sessions.Find(account.Jid)?.All.Length ?? 0);

    async Task<Account> FindAccount(AdminCall call)
    {
        var jid = call.JidSegment("jid", "address");
        return await _parts.Services.Database.Accounts.Find(jid, call.Cancel) ?? throw NoAccount(jid);
    }

    async Task<UserCreated> PostUser(AdminCall call, UserCreation request)
    {
        var account = AdminCall.JidOf(request.Jid, "address");
        string password = request.Password ?? MakePassword();
        Check(await _parts.Services.AccountBook.Add(account, password, call.Cancel), account);
        return new UserCreated(account.ToString(), request.Password is null ? password : null);
    }

    async Task PutPassword(AdminCall call, PasswordChange request)
    {
        var account = call.JidSegment("jid", "address");
        Check(await _parts.Services.AccountBook.SetPassword(account, request.Password, call.Cancel), account);
    }

    async Task<TokensRevoked> DeleteTokens(AdminCall call)
    {
        var account = await FindAccount(call);
        return new TokensRevoked(await _parts.Services.Tokens.Revoke(account.Jid, call.Cancel));
    }

    async Task DeleteUser(AdminCall call)
    {
        var account = await FindAccount(call);
        await _parts.Services.Local.RemoveAccount(account.Jid);
        await _parts.Services.Local.EndAll(
            account.Jid, StreamError.NotAuthorized.WithText("the account has been removed"));
    }

    async Task<InviteView> PostInvitation(AdminCall call, InviteRequest request)
    {
        var services = _parts.Services;
        var target = AdminCall.JidOf(request.Jid, "address");
        if (!target.IsBare || !_parts.Hosts.Contains(target.Domain.ToString()))
            throw AdminException.Invalid($"{target} is no address of this server; its domains: {HostsText}");
        var inviter = request.Inviter is null ? default : AdminCall.JidOf(request.Inviter, "address");
        if (!inviter.IsNone && await services.Database.Accounts.Find(inviter, call.Cancel) is null)
            throw NoAccount(inviter);
        bool exists = target.HasLocal && await services.Database.Accounts.Find(target, call.Cancel) is not null;
        if (exists && !inviter.IsNone)
            throw AdminException.Conflict($"{target} has an account; only a new one can have an inviter");
        if (!exists && target.HasLocal && await services.Invites.IsReserved(target, call.Cancel))
            throw AdminException.Conflict($"the name {target} is promised by another invitation");
        var invite = exists
            ? await services.Invites.InviteContact(target, call.Cancel)
            : await services.Invites.InviteAccount(target, inviter, call.Cancel);
        if (invite is null)
            throw AdminException.Conflict($"at most {services.Limits.InvitationsMax} invitations may be open");
        return new InviteView(exists ? "contact" : "account", target.ToString(), InviteBook.ToUri(invite),
            services.Registration.LandingPage(target.DomainJid, invite.Token), invite.ExpiresAt);
    }

    Task<SessionPage> GetSessions(AdminCall call)
    {
        var account = call.Query("account") is { } one ? AdminCall.JidOf(one, "address") : default;
        var after = call.Query("after") is { } text ? AdminCall.JidOf(text, "address") : default;
        int max = call.Max(PageMax);
        var sessions = _parts.Services.Sessions.Accounts
            .Where(entry => account.IsNone || entry.Account == account.Bare)
            .SelectMany(entry => entry.Snapshot)
            .Where(session => after.IsNone || session.Jid > after)
            .OrderBy(session => session.Jid).Take(max + 1).Select(View).ToArray();
        return Task.FromResult(sessions.Length > max
            ? new SessionPage(sessions[..max], sessions[max - 1].Jid)
            : new SessionPage(sessions, null));
    }

    async Task<SessionsEnded> DeleteSessions(AdminCall call)
    {
        var jid = call.JidSegment("jid", "address");
        string reason = AdminCall.TextOf(call.Query("reason") ?? "ended by an administrator", "reason", ReasonBytesMax);
        int ended = 0;
        foreach (var session in _parts.Services.Sessions.Find(jid)?.Snapshot ?? [])
        {
            if (jid.IsFull && session.Jid != jid) continue;
            if (await _parts.Services.Local.End(session, StreamError.PolicyViolation.WithText(reason))) ended++;
        }
        return ended > 0 ? new SessionsEnded(ended) : throw AdminException.NotFound($"{jid} has no session");
    }

    static SessionView View(Session session) => new(session.Jid.ToString(), session.Id, session.Available is not null,
        session.Priority, session.Available?.Child("show")?.Text, session.Available?.Child("status")?.Text);

    static AdminException NoAccount(Jid jid) => AdminException.NotFound($"there is no account {jid}");

    string HostsText => string.Join(", ", _parts.Hosts);

    void Check(AccountOutcome outcome, Jid account)
    {
        switch (outcome)
        {
            case AccountOutcome.Exists:
                throw AdminException.Conflict($"{account} exists already");
            case AccountOutcome.NotFound:
                throw NoAccount(account);
            case AccountOutcome.BadName:
                throw AdminException.Invalid(
                    $"{account} cannot be an account here: that is a name, an @ and one of {HostsText}");
            case AccountOutcome.BadPassword:
                throw AdminException.Invalid(
                    "the password is empty, too long, or has characters that a password may not have");
        }
    }
}
