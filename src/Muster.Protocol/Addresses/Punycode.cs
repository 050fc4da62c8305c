using System.Diagnostics.CodeAnalysis;

namespace Muster.Protocol.Addresses;

/// <summary>Punycode (RFC 3492) with the parameters of IDNA: what stands in a label after "xn--". Only for texts that
/// fit into a label; longer ones are refused, so the simple quadratic form is enough.</summary>
static class Punycode
{
    const int Base = 36, TMin = 1, TMax = 26, Skew = 38, Damp = 700, InitialBias = 72, InitialN = 0x80;
    const int LengthMax = 63; // RFC 1034 §3.1

    /// <summary>RFC 3492 §6.2. Null when the text is no Punycode. Capital letters must be lower-cased before.</summary>
    public static List<int>? Decode(ReadOnlySpan<int> text)
    {
        if (text.Length > LengthMax) return null;
        int basicLength = Math.Max(0, text.LastIndexOf('-'));
        var output = new List<int>(text.Length);
        output.AddRange(text[..basicLength]);
        long n = InitialN, i = 0;
        int bias = InitialBias;
        for (int at = basicLength > 0 ? basicLength + 1 : 0; at < text.Length;)
        {
            long start = i, weight = 1;
            for (int k = Base; ; k += Base)
            {
                if (at == text.Length || !TryDigit(text[at++], out int digit)) return null;
                i += digit * weight;
                int t = Threshold(k, bias);
                if (digit < t) break;
                weight *= Base - t;
                // A delta beyond 32 bits can only lead out of Unicode; the RFC asks to detect overflow.
                if (weight > int.MaxValue || i > int.MaxValue) return null;
            }
            bias = Adapt(i - start, output.Count + 1, first: start == 0);
            n += i / (output.Count + 1);
            i %= output.Count + 1;
            if (n is > 0x10ffff or (>= 0xd800 and <= 0xdfff)) return null;
            output.Insert((int)i++, (int)n);
        }
        return output;
    }

    /// <summary>RFC 3492 §6.3. False when the result has no room in a label.</summary>
    public static bool TryEncode(ReadOnlySpan<int> text, [NotNullWhen(true)] out List<int>? encoded)
    {
        encoded = null;
        if (text.Length > LengthMax) return false; // Each character takes one at least.
        var output = new List<int>(LengthMax);
        foreach (int cp in text)
        {
            if (cp < InitialN) output.Add(cp);
        }
        int basicLength = output.Count, handled = basicLength, n = InitialN, bias = InitialBias;
        if (basicLength > 0) output.Add('-');
        long delta = 0;
        while (handled < text.Length)
        {
            int next = int.MaxValue;
            foreach (int cp in text)
            {
                if (cp >= n && cp < next) next = cp;
            }
            delta += (long)(next - n) * (handled + 1);
            n = next;
            foreach (int cp in text)
            {
                if (cp < n) delta++;
                if (cp != n) continue;
                WriteDelta(delta, bias, output);
                bias = Adapt(delta, handled + 1, first: handled == basicLength);
                delta = 0;
                handled++;
            }
            delta++;
            n++;
        }
        encoded = output.Count <= LengthMax ? output : null;
        return encoded is not null;
    }

    static void WriteDelta(long delta, int bias, List<int> output)
    {
        for (int k = Base; ; k += Base)
        {
            int t = Threshold(k, bias);
            if (delta < t) break;
            output.Add(Digit((int)(t + (delta - t) % (Base - t))));
            delta = (delta - t) / (Base - t);
        }
        output.Add(Digit((int)delta));
    }

    static int Threshold(int k, int bias) => Math.Clamp(k - bias, TMin, TMax);

    // RFC 3492 §6.1
    static int Adapt(long delta, int length, bool first)
    {
        delta = first ? delta / Damp : delta / 2;
        delta += delta / length;
        int k = 0;
        for (; delta > (Base - TMin) * TMax / 2; k += Base) delta /= Base - TMin;
        return (int)(k + (Base - TMin + 1) * delta / (delta + Skew));
    }

    static int Digit(int value) => value < 26 ? 'a' + value : '0' + value - 26;

    static bool TryDigit(int cp, out int value)
    {
        value = cp is >= 'a' and <= 'z' ? cp - 'a' : cp is >= '0' and <= '9' ? cp - '0' + 26 : -1;
        return value >= 0;
    }
}
