using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Passwords that an HTTP service checks (muc.md §17), with a real service.</summary>
public sealed class HttpAuthTests
{
    const string Room = "garden@muc.example.com";
    const string Subject = "<message from='*' to='*' id='**' type='groupchat'><subject/></message>";

    [Fact, Feature("MU-21", "MU-57", "MU-58", "MU-59", "MU-62", "MU-63")]
    public async Task EachAttemptIsAskedForOnceAndTheExampleOfTheDocumentsWorks()
    {
        await using var service = await PasswordStub.StartAsync();
        await using var server = await TestServer.StartAsync(Config(service.Address));
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        await Create(romeo, "p&amp;ä +1");
        await Enter(juliet, "Juliet", "other");
        await juliet.ExpectEventuallyAsync(Subject);
        Assert.Equal(
        [
            $"GET /check_password from=romeo@localhost/test to={Room} pass=p&ä +1",
            $"GET /check_password from=juliet@localhost/test to={Room} pass=other",
        ], service.Requests);
        Assert.Contains("muster_http_pool_requests_total{pool=\"my_auth_pool\",outcome=\"ok\"} 2\n",
            server.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);
    }

    [Theory, Feature("MU-60", "MU-61")]
    [InlineData(200, """{"code": 17, "msg": "not \u0001 today"}""", "not-authorized", "17 not   today")]
    [InlineData(200, """{"code": -1}""", "not-authorized", "-1")]
    [InlineData(500, """{"code": 0, "msg": "OK"}""", "service-unavailable", "Internal server error")]
    [InlineData(302, """{"code": 0, "msg": "OK"}""", "service-unavailable", "Internal server error")]
    [InlineData(200, "OK", "service-unavailable", "Internal server error")]
    [InlineData(200, "", "service-unavailable", "Internal server error")]
    [InlineData(200, "[0]", "service-unavailable", "Internal server error")]
    [InlineData(200, """{"msg": "OK"}""", "service-unavailable", "Internal server error")]
    [InlineData(200, """{"code": "0"}""", "service-unavailable", "Internal server error")]
    [InlineData(200, """{"code": 0.5}""", "service-unavailable", "Internal server error")]
    public async Task WhateverIsNoYesRefuses(int status, string body, string condition, string text)
    {
        await using var service = await PasswordStub.StartAsync();
        await using var server = await TestServer.StartAsync(Config(service.Address));
        var romeo = await server.LoginAsync("romeo");
        service.Answer = (status, body);
        await Enter(romeo, "Romeo", "x");
        await ExpectRefusal(romeo, condition, text);

        // The room that should have been made is not there; with a yes it is.
        service.Answer = (200, """{"code": 0, "msg": "OK"}""");
        await Create(romeo, "x");
    }

    [Fact]
    public async Task WithoutAPasswordNobodyIsAsked()
    {
        await using var service = await PasswordStub.StartAsync();
        await using var server = await TestServer.StartAsync(Config(service.Address));
        var romeo = await server.LoginAsync("romeo");
        await romeo.SendAsync($"<presence to='{Room}/Romeo'><x xmlns='{Namespaces.Muc}'/></presence>");
        await ExpectRefusal(romeo, "not-authorized", "A password is required to enter this room");
        Assert.Empty(service.Requests);
    }

    [Fact, Feature("MU-61")]
    public async Task WhileAnAnswerIsPendingTheRoomGoesOnAndNoneIsAFailure()
    {
        await using var service = await PasswordStub.StartAsync();
        await using var server = await TestServer.StartAsync(Config(service.Address));
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        await Create(romeo, "x");
        service.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Enter(juliet, "Juliet", "x");
        await service.WaitFor(2);
        await romeo.SendAsync($"<message to='{Room}' type='groupchat' id='m1'><body>hello</body></message>");
        await romeo.ExpectAsync($"<message from='{Room}/Romeo' to='*' id='m1' type='groupchat'>...</message>");

        await server.AdvanceAsync(TimeSpan.FromSeconds(2)); // request_timeout
        await ExpectRefusal(juliet, "service-unavailable", "Internal server error");
        service.Gate.TrySetResult();
    }

    [Fact]
    public async Task TheAnswerForWhoHasGoneMeanwhileCountsForNothing()
    {
        await using var service = await PasswordStub.StartAsync();
        await using var server = await TestServer.StartAsync(Config(service.Address));
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        await Create(romeo, "x");
        service.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Enter(juliet, "Juliet", "x");
        await service.WaitFor(2);
        await juliet.SendAsync($"<presence type='unavailable' to='{Room}/Juliet'/>");
        await juliet.ExpectNothingAsync();
        await server.SettleAsync();
        service.Gate.TrySetResult();
        string done = "muster_http_pool_requests_total{pool=\"my_auth_pool\",outcome=\"ok\"} 2\n";
        await Patience.Eventually(() => server.Host.Metrics.ToPrometheus().Contains(done, StringComparison.Ordinal));
        await server.SettleAsync();
        await juliet.ExpectNothingAsync();
        await romeo.ExpectNothingAsync();
    }

    [Fact, Feature("MU-61")]
    public async Task AServiceThatIsNotThereIsAFailure()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var address = new Uri($"http://{closed.LocalEndpoint}");
        closed.Stop();
        await using var server = await TestServer.StartAsync(Config(address));
        var romeo = await server.LoginAsync("romeo");
        await Enter(romeo, "Romeo", "x");
        await ExpectRefusal(romeo, "service-unavailable", "Internal server error");
    }

    [Fact, Feature("MU-63")]
    public async Task MoreThanThePoolTakesAreRefusedAtOnce()
    {
        await using var service = await PasswordStub.StartAsync();
        await using var server = await TestServer.StartAsync(Config(service.Address,
            "workers = 1\nmax_worker_queue_len = 0\nconnection.path_prefix = '/muc/'"));
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        service.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Enter(romeo, "Romeo", "x");
        await service.WaitFor(1);
        await Enter(juliet, "Juliet", "x");
        await ExpectRefusal(juliet, "service-unavailable", "Internal server error");
        service.Gate.TrySetResult();
        await romeo.ExpectEventuallyAsync(Subject);
        Assert.StartsWith("GET /muc/check_password ", Assert.Single(service.Requests), StringComparison.Ordinal);
    }

    // The example at the end of MongooseIM's page on mod_muc, with the address of the service that is there.
    static string Config(Uri service, string pool = "") => $"""
        [[listen.c2s]]
          port = 0
          tls.mode = "none"

        [outgoing_pools.http.my_auth_pool]
          strategy = "available_worker"
          connection.host = "{service.ToString().TrimEnd('/')}"
          {pool}

        [modules.mod_muc]
          host = "muc.example.com"
          access = "muc"
          access_create = "muc_create"
          http_auth_pool = "my_auth_pool"
          default_room.password_protected = true

          [[modules.mod_muc.default_room.affiliations]]
            user = "alice"
            server = "localhost"
            resource = "resource1"
            affiliation = "member"

          [[modules.mod_muc.default_room.affiliations]]
            user = "bob"
            server = "localhost"
            resource = "resource2"
            affiliation = "owner"
        """;

    static Task Enter(TestClient client, string nick, string password) => client.SendAsync(
        $"<presence to='{Room}/{nick}'><x xmlns='{Namespaces.Muc}'><password>{password}</password></x></presence>");

    static async Task Create(TestClient client, string password)
    {
        await Enter(client, "Romeo", password);
        await client.ExpectEventuallyAsync(Subject);
        await client.AskAsync($"<iq type='set' to='{Room}'><query xmlns='{Namespaces.MucOwner}'>" +
            "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
    }

    static async Task ExpectRefusal(TestClient client, string condition, string text)
    {
        var refused = await client.ExpectAsync($"<presence type='error' from='{Room}/*' to='*' id='**'>...</presence>");
        var error = refused.Child("error")!;
        Assert.NotNull(error.Child(Namespaces.StanzaErrors, condition));
        Assert.Equal(text, error.Child(Namespaces.StanzaErrors, "text")?.Text);
    }

    /// <summary>A service that notes what it is asked and answers what the test says, when it says so.</summary>
    sealed class PasswordStub : IAsyncDisposable
    {
        readonly WebApplication _app;
        readonly ConcurrentQueue<string> _requests = new();

        PasswordStub(WebApplication app) => _app = app;

        public Uri Address { get; private set; } = null!;
        public IReadOnlyCollection<string> Requests => _requests;
        public (int Status, string Body) Answer { get; set; } = (200, """{"code": 0, "msg": "OK"}""");
        public TaskCompletionSource? Gate { get; set; }

        public static async Task<PasswordStub> StartAsync()
        {
            ListenOptions? listener = null;
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
                kestrel.Listen(IPAddress.Loopback, 0, options => listener = options));
            var stub = new PasswordStub(builder.Build());
            stub._app.Run(stub.Handle);
            await stub._app.StartAsync();
            stub.Address = new Uri($"http://{listener!.IPEndPoint}");
            return stub;
        }

        public async Task WaitFor(int requests)
        {
            await Patience.Eventually(() => _requests.Count >= requests);
            Assert.Equal(requests, _requests.Count);
        }

        public async ValueTask DisposeAsync()
        {
            Gate?.TrySetResult();
            await _app.DisposeAsync();
        }

        async Task Handle(HttpContext http)
        {
            var query = http.Request.Query;
            _requests.Enqueue($"{http.Request.Method} {http.Request.Path} from={query["from"]} to={query["to"]} " +
                $"pass={query["pass"]}");
            if (Gate is { } gate) await gate.Task;
            http.Response.StatusCode = Answer.Status;
            if (Answer.Status == 302) http.Response.Headers.Location = "/elsewhere";
            await http.Response.WriteAsync(Answer.Body);
        }
    }
}
