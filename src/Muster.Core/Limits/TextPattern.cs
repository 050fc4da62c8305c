using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;

namespace Muster.Core.Limits;

/// <summary>A test of one part of an address: equal to a text, or matching a regular expression or a shell
/// pattern.</summary>
/// <remarks>Matching takes time linear in the length of the part, whatever the expression: addresses come from
/// outside.</remarks>
public sealed class TextPattern
{
    // NonBacktracking is what makes it linear; it knows no look-around and no back references.
    const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    readonly string _text;
    readonly Regex? _regex;

    TextPattern(string text, Regex? regex) => (_text, _regex) = (text, regex);

    /// <summary>Equal to the text, which must be in its normal form.</summary>
    public static TextPattern Exactly(string text) => new(text, null);

    /// <summary>Matching a regular expression, anywhere in the part unless it has anchors. False when it is none, or
    /// one that needs backtracking.</summary>
    public static bool TryRegexp(string expression, [NotNullWhen(true)] out TextPattern? pattern)
    {
        pattern = null;
        try
        {
            pattern = new TextPattern(expression, new Regex(expression, Options));
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return false;
        }
        return true;
    }

    /// <summary>Matching a shell pattern as a whole: <c>*</c> any characters, <c>?</c> one, <c>[a-z]</c> and
    /// <c>[!a-z]</c> one of, or none of, those. False when a bracket is not closed.</summary>
    public static bool TryGlob(string glob, [NotNullWhen(true)] out TextPattern? pattern)
    {
        pattern = null;
        var expression = new StringBuilder("^(?s:");
        for (int i = 0; i < glob.Length; i++)
        {
            if (glob[i] is not '[')
            {
                expression.Append(glob[i] switch { '*' => ".*", '?' => ".", var c => Regex.Escape(c.ToString()) });
                continue;
            }
            bool negated = i + 1 < glob.Length && glob[i + 1] == '!';
            int start = i + (negated ? 2 : 1);
            int end = start + 1 < glob.Length ? glob.IndexOf(']', start + 1) : -1;   // []a] has the bracket in it
            if (end < 0) return false;
            string set = glob[start..end].Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal)
                .Replace("^", "\\^", StringComparison.Ordinal);
            expression.Append(negated ? "[^" : "[").Append(set).Append(']');
            i = end;
        }
        return TryRegexp(expression.Append(")\\z").ToString(), out pattern);
    }

    /// <summary>Whether a part of an address passes.</summary>
    public bool Matches(ReadOnlySpan<char> part) => _regex?.IsMatch(part) ?? part.SequenceEqual(_text);
}
