using System.CommandLine;
using System.Net.Sockets;
using Muster.Protocol.Addresses;
using Muster.Server.Config;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary><c>muster quickstart</c>: from nothing to a server for a domain of one's own.</summary>
static class QuickstartCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandLine line)
    {
        var domain = new Argument<string>("DOMAIN") { Description = "Your domain: the part behind the @ of addresses" };
        return line.Make("quickstart", "Write a configuration for a domain, make its administrator, and tell the DNS "
            + "records that it needs", call => Run(call, call.Get(domain)), domain);
    }

    static async Task Run(Invocation call, string text)
    {
        if (!JidPrep.TryDomain(text, out string? domain) || !domain.Contains('.', StringComparison.Ordinal))
            throw new CommandException($"'{text}' is no domain such as example.org");
        string file = call.ConfigFile ?? Invocation.ConfigFileHere;
        if (File.Exists(file)) throw new CommandException($"{file} is there already, and is not overwritten");
        string toml = ConfigFor(domain);
        var (config, problems) = ConfigCheck.Parse(toml, file);
        if (config is null) throw new CommandException($"the configuration would be wrong: {problems[0]}");

        string admin = $"admin@{domain}";
        string? password = AdminApi.MakePassword();
        await using (var client = await AdminClient.OpenStoppedAsync(config, call.DataFolder))
        {
            if (client.IsRunning)
                throw new CommandException($"a server is running on the data folder {call.DataFolder}; stop it first");
            try
            {
                await client.SendAsync(HttpMethod.Post, "/api/users", new UserCreation(admin, password));
            }
            catch (CommandException e) when (e.Message.EndsWith("exists already", StringComparison.Ordinal))
            {
                password = null; // of an earlier quickstart, whose file was removed
            }
        }
        await using (var output = new StreamWriter(new FileStream(file, FileMode.CreateNew)))
            await output.WriteAsync(toml);
        Tell(call, file, domain, password);
    }

    static void Tell(Invocation call, string file, string domain, string? password)
    {
        string[] records = DnsFor(domain);
        if (call.Json)
        {
            call.WriteJson(new QuickstartView(Path.GetFullPath(file), $"admin@{domain}", password, records));
            return;
        }
        call.Say($"wrote {file}");
        call.Say(password is null
            ? $"the administrator admin@{domain} is there already and keeps its password"
            : $"administrator: admin@{domain}, password {password} (told only this once)");
        call.Say("");
        call.Say("Set these DNS records; put your machine's addresses in:");
        foreach (string record in records) call.Say($"  {record}");
        call.Say("");
        call.Say($"Clients in browsers look for https://{domain}/.well-known/host-meta.json: have your web server");
        call.Say("pass it, /ws and /chat on to http://127.0.0.1:5280.");
        call.Say("");
        call.Say($"Next: name your certificate in {file} (it must be for {domain} and conference.{domain}), then");
        call.Say("  muster config check");
        call.Say("  muster serve");
    }

    static string[] DnsFor(string domain) =>
    [
        $"{domain}.                           A     <IPv4 address>",
        $"{domain}.                           AAAA  <IPv6 address>",
        $"_xmpp-client._tcp.{domain}.         SRV   5 0 5222 {domain}.",
        $"_xmpps-client._tcp.{domain}.        SRV   5 0 5223 {domain}.",
        $"_xmpp-server._tcp.{domain}.         SRV   5 0 5269 {domain}.",
        $"_xmpp-server._tcp.conference.{domain}.  SRV   5 0 5269 {domain}.",
    ];

    static string ConfigFor(string domain)
    {
        string everywhere = Socket.OSSupportsIPv6 ? "::" : "0.0.0.0";
        return $$"""
            # Muster for {{domain}}. Relative file names start at the folder of this file.
            #   muster config describe   prints every option with its default
            #   muster config check      tells what is wrong with this file
            #   muster config reload     has the running server apply changes

            [general]
              hosts = ["{{domain}}"]

            # Clients that begin in the clear and turn to TLS. Until a certificate is named here, a self-signed one is
            # used, which clients do not trust. The file is read again when it changes.
            [[listen.c2s]]
              port = 5222
              ip_address = "{{everywhere}}"
              tls.mode = "starttls"
              # tls.certfile = "/etc/letsencrypt/live/{{domain}}/fullchain.pem"
              # tls.keyfile = "/etc/letsencrypt/live/{{domain}}/privkey.pem"

            # Clients that use TLS from the first byte.
            [[listen.c2s]]
              port = 5223
              ip_address = "{{everywhere}}"
              tls.mode = "tls"
              # tls.certfile = "/etc/letsencrypt/live/{{domain}}/fullchain.pem"
              # tls.keyfile = "/etc/letsencrypt/live/{{domain}}/privkey.pem"

            # Other servers. Without a certificate that they trust they ask back by way of the DNS (dialback).
            [[listen.s2s]]
              port = 5269
              ip_address = "{{everywhere}}"
              # tls.certfile = "/etc/letsencrypt/live/{{domain}}/fullchain.pem"
              # tls.keyfile = "/etc/letsencrypt/live/{{domain}}/privkey.pem"

            # Web chat and clients in browsers. Only this machine reaches it: a web server in front has the certificate.
            [[listen.http]]
              port = 5280
              ip_address = "127.0.0.1"
              services = ["ws", "chat", "host-meta"]
              public_url = "https://{{domain}}"

            # Accounts are made with 'muster user add', or by those whom 'muster invite' gave a link.
            [registration]
              in_band = false

            [acl]
              admin = [{ user = "admin", server = "{{domain}}" }]

            # Administrators are owners of every room.
            [modules.mod_muc]
              access_admin = "muc_admin"

            """;
    }
}
