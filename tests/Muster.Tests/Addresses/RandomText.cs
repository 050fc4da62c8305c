using System.Text;
using Muster.Protocol.Addresses;

namespace Muster.Tests.Addresses;

/// <summary>Texts from the whole code space, the same for the same seed. Even choice would hit letters without any
/// property almost always, so half of the characters come from where the rules have something to say.</summary>
sealed class RandomText(int seed)
{
    static readonly int[] Telling =
    [
        'a', 'A', 'l', '1', '-', '.', '_', '@', '/', ' ', '\'', 0x7f, 0xa0, 0xb7, 0xdf, 0xe9, 0x130, 0x300, 0x301,
        0x307, 0x323, 0x345, 0x34f, 0x375, 0x3a3, 0x3b1, 0x3c2, 0x5d0, 0x5f3, 0x627, 0x628, 0x640, 0x660, 0x661,
        0x6f0, 0x915, 0x94d, 0x958, 0x1100, 0x1161, 0x11a8, 0x1e9b, 0x1fb7, 0x200b, 0x200c, 0x200d, 0x2126, 0x212a,
        0x212b, 0x2163, 0x265a, 0x3000, 0x3002, 0x30a2, 0x30ab, 0x30fb, 0x3099, 0xac00, 0xd7a3, 0xfb1d, 0xfe0f,
        0xff0e, 0xff20, 0xff21, 0xff61, 0xff76, 0xff9e, 0xfffd, 0x10400, 0x1d15e, 0x1f600, 0x2f800, 0xe000, 0x10ffff,
    ];

    readonly Random _random = new(seed);

    public int[] CodePoints(int lengthMax)
    {
        var text = new int[_random.Next(1, lengthMax + 1)];
        for (int i = 0; i < text.Length; i++) text[i] = CodePoint();
        return text;
    }

    public string Next(int lengthMax) => Of(CodePoints(lengthMax));

    /// <summary>As <see cref="Next"/>, but with a surrogate that stands alone here and there.</summary>
    public string NextBroken(int lengthMax)
    {
        string text = Next(lengthMax);
        int at = _random.Next(text.Length + 1);
        return string.Concat(text[..at], ((char)_random.Next(0xd800, 0xe000)).ToString(), text[at..]);
    }

    public static string Of(IEnumerable<int> codePoints)
    {
        var text = new StringBuilder();
        foreach (int cp in codePoints) text.Append(new Rune(cp));
        return text.ToString();
    }

    int CodePoint() => _random.Next(8) switch
    {
        < 4 => Telling[_random.Next(Telling.Length)],
        4 => _random.Next('a', 'z' + 1),
        5 => Scalar(_random.Next(0x3000)),
        6 => FirstOfRun(),
        _ => Scalar(_random.Next(0x110000)),
    };

    // Where the properties change: the neighbourhood of a beginning of a run in the tables.
    int FirstOfRun()
    {
        var runs = UnicodeTables.Runs;
        return Scalar(Math.Max(0, (runs[_random.Next(runs.Length)] >> 8) - _random.Next(2)));
    }

    static int Scalar(int cp) => cp is >= 0xd800 and <= 0xdfff ? cp - 0xd800 : cp;
}
