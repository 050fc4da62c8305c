using System.Globalization;
using Muster.Protocol.Addresses;

namespace Muster.Tests.Addresses;

public class NfcTests
{
    // In the form of NormalizationTest.txt: source; NFC; NFD. What each line is for stands behind it. The whole file is
    // run by Muster.Interop where the Unicode database is installed.
    const string Samples = """
        00C9; 00C9; 0045 0301                                   # composed already
        0045 0301; 00C9; 0045 0301                              # a pair
        1E14; 1E14; 0045 0304 0300                              # two levels
        0112 0300; 1E14; 0045 0304 0300                         # continues from half-composed
        0045 0300 0304; 00C8 0304; 0045 0300 0304               # the same class keeps its order and blocks
        1E0A 0323; 1E0C 0307; 0044 0323 0307                    # reordered, the lower class composes first
        0044 0307 0323; 1E0C 0307; 0044 0323 0307
        0061 0315 0300 05AE 0062; 00E0 05AE 0315 0062; 0061 05AE 0300 0315 0062
        212B; 00C5; 0041 030A                                   # singletons
        2126; 03A9; 03A9
        212A; 004B; 004B
        0340; 0300; 0300
        0374; 02B9; 02B9
        2000; 2002; 2002
        0344; 0308 0301; 0308 0301                              # a non-starter decomposition
        0958; 0915 093C; 0915 093C                              # composition exclusions
        FB1D; 05D9 05B4; 05D9 05B4
        0F43; 0F42 0FB7; 0F42 0FB7
        2ADC; 2ADD 0338; 2ADD 0338
        1D15E; 1D157 1D165; 1D157 1D165
        1D160; 1D158 1D165 1D16E; 1D158 1D165 1D16E
        2F800; 4E3D; 4E3D                                       # compatibility ideographs
        F900; 8C48; 8C48
        1FB7; 1FB7; 03B1 0342 0345                              # Greek with three marks
        1F82; 1F82; 03B1 0313 0300 0345
        03B1 0345 0313 0300; 1F82; 03B1 0313 0300 0345
        AC00; AC00; 1100 1161                                   # Hangul
        AC01; AC01; 1100 1161 11A8
        D7A3; D7A3; 1112 1175 11C2
        1100 1161 11A8; AC01; 1100 1161 11A8
        AC00 11A8; AC01; 1100 1161 11A8
        AC01 11A8; AC01 11A8; 1100 1161 11A8 11A8               # no second final
        AC00 11A7; AC00 11A7; 1100 1161 11A7                    # TBase itself is none
        1100 0301 1161; 1100 0301 1161; 1100 0301 1161          # blocked
        1100 1161 0301 11A8; AC00 0301 11A8; 1100 1161 0301 11A8
        0B47 0300 0B3E; 0B47 0300 0B3E; 0B47 0300 0B3E          # PRI 29: a starter does not jump over a mark
        1100 0300 1161 0323; 1100 0300 1161 0323; 1100 0300 1161 0323
        09C7 09BE; 09CB; 09C7 09BE                              # the second of the pair is a starter
        0DD9 0DCF 0DCA; 0DDD; 0DD9 0DCF 0DCA
        110A5 110BA; 110AB; 110A5 110BA                         # beyond the first plane
        1100 11A8; 1100 11A8; 1100 11A8
        0301 0045; 0301 0045; 0301 0045                         # a mark with nothing before it
        0301 0323; 0323 0301; 0323 0301
        00E9 0301; 00E9 0301; 0065 0301 0301
        """;

    [Fact]
    public void Samples_of_the_conformance_test_hold()
    {
        foreach (string line in Samples.Split('\n'))
        {
            int[][] column = [.. line.Split('#')[0].Split(';').Select(Parse)];
            Assert.Equal(3, column.Length);
            foreach (int[] text in column) Assert.Equal(column[1], Nfc.Normalize(text));
        }
    }

    static int[] Parse(string text) =>
        [.. from cp in text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            select int.Parse(cp, NumberStyles.HexNumber, CultureInfo.InvariantCulture)];

    [Fact]
    public void Every_hangul_syllable_is_its_jamo()
    {
        for (int l = 0; l < 19; l++)
        {
            for (int v = 0; v < 21; v++)
            {
                for (int t = 0; t < 28; t++)
                {
                    int syllable = 0xac00 + (l * 21 + v) * 28 + t;
                    int[] jamo = t == 0 ? [0x1100 + l, 0x1161 + v] : [0x1100 + l, 0x1161 + v, 0x11a7 + t];
                    Assert.Equal([syllable], Nfc.Normalize(jamo));
                    Assert.Equal([syllable], Nfc.Normalize([syllable]));
                }
            }
        }
    }

    [Fact]
    public void Random_texts_agree_with_the_definition_read_slowly()
    {
        var random = new RandomText(seed: 1);
        for (int i = 0; i < 8_000; i++)
        {
            int[] text = random.CodePoints(8);
            var fast = Nfc.Normalize(text);
            Assert.Equal(SlowNfc.Normalize(text), fast);
            Assert.Equal(fast, Nfc.Normalize([.. fast]));
            if (text.All(cp => CodePoint.Of(cp).IsNfcInert)) Assert.Equal(text, fast);
        }
    }

    [Fact]
    public void Normalising_in_pieces_that_begin_with_inert_characters_is_normalising()
    {
        var random = new RandomText(seed: 2);
        for (int i = 0; i < 5_000; i++)
        {
            int[] a = random.CodePoints(6), b = ['x', .. random.CodePoints(6)];
            Assert.Equal([.. Nfc.Normalize(a), .. Nfc.Normalize(b)], Nfc.Normalize([.. a, .. b]));
        }
    }
}

/// <summary>The definitions D108 to D117 of the Unicode Standard as they stand there, for comparison.</summary>
static class SlowNfc
{
    public static List<int> Normalize(IEnumerable<int> text)
    {
        var list = text.ToList();
        while (Expand(list)) { }
        while (Exchange(list)) { }
        while (Unite(list)) { }
        return list;
    }

    static bool Expand(List<int> list)
    {
        for (int i = 0; i < list.Count; i++)
        {
            int s = list[i] - 0xac00;
            bool hangul = s is >= 0 and < 11172;
            if (!hangul && !CodePoint.TryDecompose(list[i], out _, out _)) continue;
            int first, second;
            if (!hangul) CodePoint.TryDecompose(list[i], out first, out second);
            else if (s % 28 != 0) (first, second) = (0xac00 + s / 28 * 28, 0x11a7 + s % 28);
            else (first, second) = (0x1100 + s / 588, 0x1161 + s % 588 / 28);
            list[i] = first;
            if (second != 0) list.Insert(i + 1, second);
            return true;
        }
        return false;
    }

    // D108: a reorderable pair.
    static bool Exchange(List<int> list)
    {
        for (int i = 1; i < list.Count; i++)
        {
            int before = CodePoint.Of(list[i - 1]).CombiningClass;
            int here = CodePoint.Of(list[i]).CombiningClass;
            if (here == 0 || before <= here) continue;
            (list[i - 1], list[i]) = (list[i], list[i - 1]);
            return true;
        }
        return false;
    }

    // D117 for the first character that can be united with the last starter before it.
    static bool Unite(List<int> list)
    {
        for (int i = 1; i < list.Count; i++)
        {
            int starter = i - 1;
            while (starter >= 0 && CodePoint.Of(list[starter]).CombiningClass != 0) starter--;
            if (starter < 0) continue;
            int here = CodePoint.Of(list[i]).CombiningClass;
            bool blocked = false; // D115
            for (int b = starter + 1; b < i; b++) blocked |= CodePoint.Of(list[b]).CombiningClass >= here;
            if (blocked || Composite(list[starter], list[i]) is not { } composite) continue;
            list[starter] = composite;
            list.RemoveAt(i);
            return true;
        }
        return false;
    }

    static int? Composite(int first, int second)
    {
        for (int syllable = 0xac00; first is >= 0x1100 and <= 0x1112 && syllable < 0xd7a4; syllable += 28)
        {
            int s = syllable - 0xac00;
            if (0x1100 + s / 588 == first && 0x1161 + s % 588 / 28 == second) return syllable;
        }
        bool lv = first is >= 0xac00 and < 0xd7a4 && (first - 0xac00) % 28 == 0;
        if (lv && second is > 0x11a7 and < 0x11c3) return first + second - 0x11a7;
        return CodePoint.TryCompose(first, second, out int composed) ? composed : null;
    }
}
