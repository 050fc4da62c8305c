using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Muster.Compare;

/// <summary>
/// The floor: a loop that writes the same bytes to the same number of sockets and does nothing else. With one write for
/// each copy, and with as many copies in one write as a room's senders have under way.
/// </summary>
static class Floor
{
    const int CopyBytes = 440; // of a copy of the generator's messages, as Muster writes them

    /// <summary>The loop, in a process of its own: port, recipients, copies in one write, rounds, milliseconds between
    /// them (0: as fast as the first recipient reads). Prints the microseconds of CPU time per copy.</summary>
    public static int Serve(string[] args)
    {
        int[] numbers = [.. args.Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
        var (port, recipients, together, rounds, pause) =
            (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(4096);
        var sockets = new List<Socket>();
        while (sockets.Count < recipients)
        {
            var socket = listener.Accept();
            socket.NoDelay = true;
            sockets.Add(socket);
        }
        byte[] copies = new byte[CopyBytes * together], word = new byte[64];
        Array.Fill(copies, (byte)'x');
        void Round()
        {
            // The first recipient says when the round reached it: a closed loop.
            if (pause > 0) Thread.Sleep(pause);
            else sockets[0].Receive(word);
            foreach (var socket in sockets) socket.Send(copies);
        }
        for (int i = 0; i < rounds / 4; i++) Round();
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        for (int i = 0; i < rounds; i++) Round();
        var used = Process.GetCurrentProcess().TotalProcessorTime - before;
        Console.WriteLine((used.TotalMicroseconds / ((long)rounds * recipients * together))
            .ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    /// <summary>Starts the loop on the first core, reads on this one, and returns the cost of a copy.</summary>
    public static async Task<double> MeasureAsync(int recipients, int together, long copies, int pause = 0)
    {
        int port = ServerUnderTest.FreePort();
        int rounds = (int)Math.Max(20, copies / recipients / together);
        string[] numbers = [.. new[] { port, recipients, together, rounds, pause }
            .Select(number => number.ToString(CultureInfo.InvariantCulture))];
        using var loop = Process.Start(new ProcessStartInfo(
            "taskset", ["-c", "0", Environment.ProcessPath!, "floor", .. numbers])
        {
            RedirectStandardOutput = true,
        })!;
        var sockets = new List<Socket>();
        while (sockets.Count < recipients)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port);
                sockets.Add(socket);
            }
            catch (SocketException) when (!loop.HasExited)
            {
                socket.Dispose();
                await Task.Delay(20);
            }
        }
        var readers = sockets.Select(async (socket, i) =>
        {
            byte[] buffer = new byte[64 * 1024], word = [1];
            if (i == 0) await socket.SendAsync(word);
            for (long round = 0, seen = 0; ;)
            {
                int count = await socket.ReceiveAsync(buffer);
                if (count == 0) return;
                seen += count;
                if (i != 0 || seen / (CopyBytes * together) == round) continue;
                round = seen / (CopyBytes * together);
                await socket.SendAsync(word);
            }
        }).ToList();
        string answer = await loop.StandardOutput.ReadToEndAsync();
        await loop.WaitForExitAsync();
        foreach (var socket in sockets) socket.Dispose();
        try
        {
            await Task.WhenAll(readers);
        }
        catch (SocketException) { } // the loop has gone
        return double.Parse(answer, CultureInfo.InvariantCulture);
    }
}
