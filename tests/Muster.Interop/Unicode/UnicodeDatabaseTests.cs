using System.Globalization;
using Muster.Interop.Servers;
using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Interop.Unicode;

/// <summary>The tables and NFC against the Unicode Character Database itself, as Debian ships it. Where the machine has
/// another version than the tables, there is nothing to compare and both tests pass at once.</summary>
public sealed class UnicodeDatabaseTests
{
    const string Folder = "/usr/share/unicode";

    static bool IsVersionOfTheTables =>
        File.ReadLines($"{Folder}/DerivedCoreProperties.txt").First()
            .EndsWith($"-{UnicodeTables.Version}.txt", StringComparison.Ordinal);

    [RealPeerFact("unicode-data")]
    public async Task TheTablesAreWhatTheScriptWrites()
    {
        if (!IsVersionOfTheTables) return;
        string written = Path.GetTempFileName();
        var result = await Command.RunAsync(
            "dotnet", ["run", "scripts/unicode.cs", "--", Folder, written], TimeSpan.FromMinutes(3));
        Assert.True(result.Exit == 0, result.Output);
        string checkedIn = Path.Combine(Repository.Root, "src/Muster.Protocol/Addresses/UnicodeTables.g.cs");
        Assert.Equal(await File.ReadAllTextAsync(checkedIn), await File.ReadAllTextAsync(written));
        File.Delete(written);
    }

    // The demands are those in the head of NormalizationTest.txt, as far as they concern NFC.
    [RealPeerFact("unicode-data", "bzip2")]
    public async Task NfcConforms()
    {
        if (!IsVersionOfTheTables) return;
        var file = await Command.RunAsync("bzip2", ["-dc", $"{Folder}/NormalizationTest.txt.bz2"]);
        Assert.Equal(0, file.Exit);
        var named = new HashSet<int>();
        int lines = 0;
        bool inPart1 = false;
        foreach (string line in file.Output.Split('\n'))
        {
            if (line.StartsWith('@')) inPart1 = line.StartsWith("@Part1", StringComparison.Ordinal);
            string[] columns = line.Split('#')[0].Split(';');
            if (columns.Length < 5) continue;
            lines++;
            int[][] text = [.. columns[..5].Select(Parse)];
            if (inPart1) named.Add(text[0][0]);
            foreach (int i in new[] { 0, 1, 2 }) Assert.Equal(text[1], Nfc.Normalize(text[i]));
            foreach (int i in new[] { 3, 4 }) Assert.Equal(text[3], Nfc.Normalize(text[i]));
        }
        Assert.True(lines > 15_000, $"only {lines} lines");
        for (int cp = 0; cp < 0x110000; cp++)
        {
            // What part 1 does not name stays itself.
            if (cp is >= 0xd800 and <= 0xdfff || named.Contains(cp)) continue;
            Assert.True(Nfc.Normalize([cp]) is [var same] && same == cp, $"U+{cp:X4}");
        }
    }

    static int[] Parse(string text) =>
        [.. from cp in text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            select int.Parse(cp, NumberStyles.HexNumber, CultureInfo.InvariantCulture)];
}
