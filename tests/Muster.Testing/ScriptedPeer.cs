using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.RegularExpressions;

namespace Muster.Testing;

/// <summary>
/// A peer that follows a script byte by byte, for input that no decent client sends. A line <c>&gt; text</c> sends,
/// <c>&lt; text</c> waits until the text has been received (<c>*</c> is any run of characters), <c>! reset</c> cuts the
/// connection, <c>! end</c> ends its own side, <c>! ended</c> waits for the other side to end. <c>\xNN</c> is a byte,
/// <c>\n</c> a line feed, <c>#</c> begins a comment. Nothing is added to what is sent.
/// </summary>
public sealed class ScriptedPeer
{
    readonly IDuplexPipe _pipe;
    readonly Action _reset;
    readonly StringBuilder _received = new(); // what came and was not waited for yet

    /// <summary>Plays the client's end of a connection.</summary>
    public ScriptedPeer(PipePair pipes) : this(pipes.Client, pipes.Reset) { }

    /// <summary>Plays one end of a connection.</summary>
    public ScriptedPeer(IDuplexPipe pipe, Action reset) => (_pipe, _reset) = (pipe, reset);

    /// <summary>What has been received and not been waited for.</summary>
    public string Rest => _received.ToString();

    /// <summary>Follows a script to its end; fails with the line where the other side does not.</summary>
    public async Task RunAsync(string script)
    {
        foreach (string line in script.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.Length == 0 || line[0] == '#') continue;
            try
            {
                await StepAsync(line[0], line[1..].TrimStart());
            }
            catch (Exception error) when (error is TimeoutException or EndOfStreamException or IOException)
            {
                throw new InvalidOperationException($"at '{line}': {error.Message}\n received: {_received}", error);
            }
        }
    }

    /// <summary>Waits for text that fits, and takes all that was received up to its end.</summary>
    public async Task<string> WaitAsync(Regex pattern)
    {
        try
        {
            while (true)
            {
                var match = pattern.Match(_received.ToString());
                if (!match.Success)
                {
                    if (!await ReceiveAsync()) throw new EndOfStreamException("the other side has ended");
                    continue;
                }
                _received.Remove(0, match.Index + match.Length);
                return match.Value;
            }
        }
        catch (Exception error) when (error is TimeoutException or EndOfStreamException or IOException)
        {
            throw new InvalidOperationException($"'{pattern}': {error.Message}\n received: {_received}", error);
        }
    }

    async Task StepAsync(char kind, string text)
    {
        switch (kind, text)
        {
            case ('>', _): await _pipe.Output.WriteAsync(Bytes(text)).AsTask().WaitAsync(TestClient.Patience); break;
            case ('<', _): await WaitForAsync(text); break;
            case ('!', "reset"): _reset(); break;
            case ('!', "end"): await _pipe.Output.CompleteAsync(); break;
            case ('!', "ended"): while (await ReceiveAsync()) { } break;
            default: throw new FormatException($"no step of a script: {kind} {text}");
        }
    }

    async Task WaitForAsync(string pattern)
    {
        int? end;
        while ((end = Match(pattern)) is null)
            if (!await ReceiveAsync()) throw new EndOfStreamException("the other side has ended");
        _received.Remove(0, end.Value);
    }

    /// <summary>Where the pattern ends in what was received, or null.</summary>
    int? Match(string pattern)
    {
        string text = _received.ToString();
        int at = 0;
        foreach (string part in pattern.Split('*'))
        {
            int found = text.IndexOf(part, at, StringComparison.Ordinal);
            if (found < 0) return null;
            at = found + part.Length;
        }
        return at;
    }

    async Task<bool> ReceiveAsync()
    {
        var result = await _pipe.Input.ReadAsync().AsTask().WaitAsync(TestClient.Patience);
        _received.Append(Encoding.UTF8.GetString(result.Buffer));
        bool any = !result.Buffer.IsEmpty;
        _pipe.Input.AdvanceTo(result.Buffer.End);
        return any || !result.IsCompleted;
    }

    static byte[] Bytes(string text)
    {
        var bytes = new List<byte>();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length && text[i + 1] == 'n')
            {
                bytes.Add((byte)'\n');
                i++;
            }
            else if (text[i] == '\\' && i + 3 < text.Length && text[i + 1] == 'x')
            {
                bytes.Add(byte.Parse(text.AsSpan(i + 2, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                i += 3;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text, i, char.IsHighSurrogate(text[i]) ? 2 : 1));
                if (char.IsHighSurrogate(text[i])) i++;
            }
        }
        return [.. bytes];
    }
}
