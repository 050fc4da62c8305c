using Muster.Protocol.Addresses;

namespace Muster.Testing;

/// <summary>Plays transcripts (<c>tests/Transcripts/*.xmpp.txt</c>) against a server of their own. At the end nobody
/// may have anything left to receive.</summary>
public static class TranscriptRunner
{
    const string Listener = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"

        """;

    /// <summary>The transcripts of the repository, by file name.</summary>
    public static IEnumerable<string> Files =>
        Directory.EnumerateFiles(Folder, "*.xmpp.txt").Select(file => Path.GetFileName(file)).Order();

    static string Folder
    {
        get
        {
            string? folder = AppContext.BaseDirectory;
            while (folder is not null && !File.Exists(Path.Combine(folder, "Muster.slnx")))
                folder = Path.GetDirectoryName(folder);
            if (folder is null) throw new DirectoryNotFoundException("no Muster.slnx above the tests");
            return Path.Combine(folder, "tests", "Transcripts");
        }
    }

    /// <summary>The rows of the feature list that a transcript says it proves, with the lines.</summary>
    public static IReadOnlyList<(string Row, int Line)> Rows(string file) =>
        Transcript.Parse(file, File.ReadAllText(Path.Combine(Folder, file))).Rows;

    /// <summary>Plays a transcript of the repository.</summary>
    public static async Task PlayFileAsync(string file) =>
        await PlayAsync(file, await File.ReadAllTextAsync(Path.Combine(Folder, file)));

    /// <summary>Plays a transcript; fails with the line where the server does something else.</summary>
    /// <param name="name">What failures call it.</param>
    /// <param name="text">The transcript.</param>
    public static async Task PlayAsync(string name, string text)
    {
        var transcript = Transcript.Parse(name, text);
        await using var server = await TestServer.StartAsync(Listener + transcript.Config);
        var cast = new Cast(server);
        foreach (var step in transcript.Steps)
        {
            try
            {
                await cast.PlayAsync(step);
            }
            catch (Exception error) when (error is not FormatException)
            {
                throw new InvalidOperationException($"{name}:{step.Line}: {error.Message}", error);
            }
        }
        foreach (var (who, client) in cast.Present)
        {
            await server.SettleAsync();
            try
            {
                await client.ExpectNothingAsync();
            }
            catch (InvalidOperationException error)
            {
                throw new InvalidOperationException(
                    $"{name}: at the end {who} has more to receive: {error.Message}", error);
            }
        }
    }

    /// <summary>The users of one transcript.</summary>
    sealed class Cast(TestServer server)
    {
        readonly Dictionary<string, string> _names = [];
        readonly Dictionary<string, TestClient> _clients = [];

        /// <summary>Those who are connected.</summary>
        public IEnumerable<KeyValuePair<string, TestClient>> Present => _clients;

        public async Task PlayAsync(TranscriptStep step)
        {
            switch (step.Kind)
            {
                case StepKind.Is: await EnterAsync(step.Who, Jid.Parse(step.Text)); break;
                case StepKind.Opens: await OpenAsync(step.Who); break;
                case StepKind.Closes: await Leave(step.Who).CloseAsync(); break;
                case StepKind.Vanishes: await Leave(step.Who).DisposeAsync(); break;
                case StepKind.Sends: await Find(step.Who).SendAsync(step.Text); break;
                case StepKind.Receives: await ReceiveAsync(Find(step.Who), step.Text); break;
                case StepKind.ReceivesInAnyOrder: await ReceiveAnyAsync(Find(step.Who), step.Text); break;
                case StepKind.Passes: await server.AdvanceAsync(Transcript.TimeOf(step.Text)); break;
                case StepKind.ReceivesNothing:
                    await server.SettleAsync();
                    await Find(step.Who).ExpectNothingAsync();
                    break;
            }
        }

        async Task EnterAsync(string who, Jid jid)
        {
            string user = jid.Domain is "localhost" ? jid.Local.ToString() : jid.Bare.ToString();
            await server.AddUserAsync(user);
            var client = server.Connect(jid.Domain.ToString(), who, _names);
            string name = jid.Local.ToString();
            await client.LoginAsync(name, name, jid.IsFull ? jid.Resource.ToString() : null);
            _clients[who] = client;
        }

        // Its account has its name; it is made, so that the transcript can log in.
        async Task OpenAsync(string who)
        {
            await server.AddUserAsync(who);
            var client = server.Connect(name: who, names: _names);
            await client.OpenHeaderAsync();
            _clients[who] = client;
        }

        TestClient Leave(string who) => _clients.Remove(who, out var client) ? client : throw Nobody(who);

        TestClient Find(string who) => _clients.TryGetValue(who, out var client) ? client : throw Nobody(who);

        static FormatException Nobody(string who) => new($"nobody is called {who}");

        static async Task ReceiveAsync(TestClient client, string patterns)
        {
            foreach (var pattern in TestXml.ParseAll(patterns)) await client.ExpectAsync(pattern.ToString());
        }

        async Task ReceiveAnyAsync(TestClient client, string patterns)
        {
            var expected = TestXml.ParseAll(patterns);
            while (expected.Count > 0)
            {
                var last = await client.ReceiveAsync();
                int fits = expected.FindIndex(p => new XmlPattern(p.ToString(), _names).Mismatch(last) is null);
                if (fits < 0)
                    throw new InvalidOperationException(
                        $"{client.Name} received\n {last}\nwhich fits none of\n {string.Join("\n ", expected)}");
                expected.RemoveAt(fits);
            }
        }
    }
}
