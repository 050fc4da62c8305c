#:property PublishAot=false

// Writes src/Muster.Protocol/Addresses/UnicodeTables.g.cs from the files of the Unicode Character Database:
//
//     dotnet run scripts/unicode.cs -- /usr/share/unicode [output]
//
// The server must give the same answer about an address on every machine and for ever, so it asks neither the platform
// nor ICU; it asks these tables. They change only when somebody runs this again with a newer database. That is safe for
// stored addresses: normalised text stays normalised (the stability policies of Unicode), and code points that are
// unassigned today are refused today.

using System.Globalization;
using System.Text;

if (args.Length is < 1 or > 2)
{
    Console.Error.WriteLine("usage: dotnet run scripts/unicode.cs -- UCD-FOLDER [OUTPUT]");
    return 2;
}
string output = args.Length == 2 ? args[1] : "src/Muster.Protocol/Addresses/UnicodeTables.g.cs";
var ucd = new Database(args[0]);
File.WriteAllText(output, new TableWriter(ucd).Write());
return 0;

/// <summary>What the rules need of the database, by code point.</summary>
sealed class Database
{
    public const int CodePoints = 0x110000;

    readonly string _folder;

    public string Version { get; }
    public string[] Category { get; } = Filled("Cn");
    public string[] Bidi { get; } = Filled("");
    public string[] Script { get; } = Filled("");
    public string[] Joining { get; } = Filled("U");
    public int[] CombiningClass { get; } = new int[CodePoints];
    public SortedDictionary<int, int[]> Canonical { get; } = [];
    public SortedDictionary<int, int> Lower { get; } = [];
    public SortedDictionary<int, int> Width { get; } = [];
    public HashSet<int> DefaultIgnorable { get; }
    public HashSet<int> Noncharacter { get; }
    public HashSet<int> JoinControl { get; }
    public HashSet<int> WhiteSpace { get; }
    public HashSet<int> OldHangulJamo { get; }
    public HashSet<int> HasCompat { get; }
    public HashSet<int> Unstable { get; }
    public HashSet<int> NotNfc { get; }
    public HashSet<int> NeverComposed { get; }

    public Database(string folder)
    {
        _folder = folder;
        Version = ReadVersion();
        ReadUnicodeData();
        Assign("Scripts.txt", Script);
        Assign("extracted/DerivedJoiningType.txt", Joining);
        DefaultIgnorable = Set("DerivedCoreProperties.txt", "Default_Ignorable_Code_Point");
        // RFC 5892 §2.2 defines Unstable as cp != NFKC(casefold(NFKC(cp))). The database has it as CWKCF, which also
        // counts the default ignorables; those are disallowed by another rule anyway.
        Unstable = Set("DerivedNormalizationProps.txt", "Changes_When_NFKC_Casefolded");
        Noncharacter = Set("PropList.txt", "Noncharacter_Code_Point");
        JoinControl = Set("PropList.txt", "Join_Control");
        WhiteSpace = Set("PropList.txt", "White_Space");
        OldHangulJamo = Set("HangulSyllableType.txt", "L", "V", "T");
        // RFC 8264 §9.17: NFKC(cp) != cp, which is what "quick check: no" says of a single code point.
        HasCompat = Set("DerivedNormalizationProps.txt", "NFKC_QC; N");
        NotNfc = Set("DerivedNormalizationProps.txt", "NFC_QC; N", "NFC_QC; M");
        NeverComposed = Set("DerivedNormalizationProps.txt", "Full_Composition_Exclusion");
        CheckSpecialCasing();
    }

    static string[] Filled(string value)
    {
        var all = new string[CodePoints];
        Array.Fill(all, value);
        return all;
    }

    string ReadVersion()
    {
        string first = File.ReadLines(Path.Combine(_folder, "DerivedCoreProperties.txt")).First();
        return first["# DerivedCoreProperties-".Length..^".txt".Length];
    }

    void ReadUnicodeData()
    {
        int rangeStart = -1;
        foreach (string line in File.ReadLines(Path.Combine(_folder, "UnicodeData.txt")))
        {
            string[] field = line.Split(';');
            int cp = Hex(field[0]);
            if (field[1].EndsWith(", First>", StringComparison.Ordinal)) rangeStart = cp;
            int first = field[1].EndsWith(", Last>", StringComparison.Ordinal) ? rangeStart : cp;
            for (int i = first; i <= cp; i++)
            {
                Category[i] = field[2];
                CombiningClass[i] = int.Parse(field[3], CultureInfo.InvariantCulture);
                Bidi[i] = field[4];
            }
            string[] mapping = field[5].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (mapping is ["<wide>" or "<narrow>", var target]) Width[cp] = Hex(target);
            else if (mapping.Length > 0 && mapping[0][0] != '<') Canonical[cp] = [.. mapping.Select(Hex)];
            if (field[13].Length > 0) Lower[cp] = Hex(field[13]);
        }
    }

    /// <summary>The server knows of one lower-casing to two code points; a database with more must not pass.</summary>
    void CheckSpecialCasing()
    {
        var longer = from line in Lines("SpecialCasing.txt")
                     let field = line.Split(';', StringSplitOptions.TrimEntries)
                     where field[1].Contains(' ', StringComparison.Ordinal) && field[4].Length == 0
                     select field[0];
        if (!longer.SequenceEqual(["0130"])) throw new InvalidDataException("SpecialCasing.txt: a new long lower case");
    }

    IEnumerable<string> Lines(string file) =>
        from line in File.ReadLines(Path.Combine(_folder, file))
        let text = line.Split('#')[0].Trim()
        where text.Length > 0
        select text;

    IEnumerable<(int First, int Last, string Value)> Ranges(string file)
    {
        foreach (string line in Lines(file))
        {
            string[] field = line.Split(';', 2, StringSplitOptions.TrimEntries);
            string[] range = field[0].Split("..");
            yield return (Hex(range[0]), Hex(range[^1]), field[1]);
        }
    }

    void Assign(string file, string[] property)
    {
        foreach (var (first, last, value) in Ranges(file)) Array.Fill(property, value, first, last - first + 1);
    }

    HashSet<int> Set(string file, params string[] values)
    {
        var set = new HashSet<int>();
        foreach (var (first, last, value) in Ranges(file))
        {
            if (values.Contains(value)) set.UnionWith(Enumerable.Range(first, last - first + 1));
        }
        if (set.Count == 0) throw new InvalidDataException($"{file}: nothing is {string.Join(" or ", values)}");
        return set;
    }

    static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}

/// <summary>Derives the properties of RFC 8264 and RFC 5892 and writes the tables. The numbers of the values are those
/// of the enumerations in CodePoint.cs.</summary>
sealed class TableWriter(Database ucd)
{
    static readonly string[] BidiClasses = ["", "L", "R", "AL", "AN", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"];
    static readonly string[] JoiningTypes = ["", "L", "D", "R", "T"];
    static readonly string[] Letters = ["Ll", "Lu", "Lo", "Nd", "Lm", "Mn", "Mc"];

    // RFC 5892 §2.6 and RFC 8264 §9.6, the same in both.
    static readonly int[] AlwaysValid = [0xdf, 0x3c2, 0x6fd, 0x6fe, 0xf0b, 0x3007];
    static readonly int[] NeverValid = [0x640, 0x7fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b];

    const int Disallowed = 0, Valid = 1, Contextual = 2, Freeform = 3;
    readonly StringBuilder _text = new();

    static bool InContextO(int cp) =>
        cp is 0xb7 or 0x375 or 0x5f3 or 0x5f4 or 0x30fb or (>= 0x660 and <= 0x669) or (>= 0x6f0 and <= 0x6f9);

    /// <summary>What both RFCs decide first: exceptions and what is not assigned. Null: look further.</summary>
    int? Common(int cp)
    {
        if (AlwaysValid.Contains(cp)) return Valid;
        if (NeverValid.Contains(cp)) return Disallowed;
        if (InContextO(cp)) return Contextual;
        if (ucd.Category[cp] == "Cn" && !ucd.Noncharacter.Contains(cp)) return Disallowed;
        return null;
    }

    // RFC 8264 §8, in its order.
    int Precis(int cp)
    {
        if (Common(cp) is int common) return common;
        if (cp is >= 0x21 and <= 0x7e) return Valid;
        if (ucd.JoinControl.Contains(cp)) return Contextual;
        if (ucd.OldHangulJamo.Contains(cp)) return Disallowed;
        if (ucd.DefaultIgnorable.Contains(cp) || ucd.Noncharacter.Contains(cp)) return Disallowed;
        if (ucd.Category[cp] == "Cc") return Disallowed;
        if (ucd.HasCompat.Contains(cp)) return Freeform;
        if (Letters.Contains(ucd.Category[cp])) return Valid;
        return ucd.Category[cp] is "Lt" or "Nl" or "No" or "Me" or "Zs" || ucd.Category[cp][0] is 'S' or 'P'
            ? Freeform : Disallowed;
    }

    // RFC 5892 §3, in its order.
    int Idna(int cp)
    {
        if (Common(cp) is int common) return common;
        if (cp == '-' || cp is (>= '0' and <= '9') or (>= 'a' and <= 'z')) return Valid;
        if (ucd.JoinControl.Contains(cp)) return Contextual;
        if (ucd.Unstable.Contains(cp) || ucd.DefaultIgnorable.Contains(cp)) return Disallowed;
        if (ucd.WhiteSpace.Contains(cp) || ucd.Noncharacter.Contains(cp)) return Disallowed;
        if (InIgnorableBlocks(cp) || ucd.OldHangulJamo.Contains(cp)) return Disallowed;
        return Letters.Contains(ucd.Category[cp]) ? Valid : Disallowed;
    }

    // RFC 5892 §2.4: marks for symbols, musical symbols, ancient Greek musical notation.
    static bool InIgnorableBlocks(int cp) =>
        cp is (>= 0x20d0 and <= 0x20ff) or (>= 0x1d100 and <= 0x1d1ff) or (>= 0x1d200 and <= 0x1d24f);

    int Script(int cp) => ucd.Script[cp] switch
    {
        "Greek" => 1,
        "Hebrew" => 2,
        "Hiragana" or "Katakana" or "Han" => 3,
        _ => 0,
    };

    /// <summary>All properties of a code point in one number; CodePoint.cs takes it apart.</summary>
    int Properties(int cp)
    {
        int precis = Precis(cp), idna = Idna(cp);
        // Nothing more is ever asked of a code point that no rule allows, except how it is normalised.
        bool refused = precis == Disallowed && idna == Disallowed;
        int properties = precis | idna << 2;
        if (!refused)
        {
            properties |= Math.Max(0, Array.IndexOf(BidiClasses, ucd.Bidi[cp])) << 4;
            properties |= Math.Max(0, Array.IndexOf(JoiningTypes, ucd.Joining[cp])) << 8;
            properties |= Script(cp) << 11;
        }
        if (ucd.Category[cp][0] == 'M') properties |= 1 << 13;
        if (ucd.Category[cp] == "Zs") properties |= 1 << 14;
        if (ucd.CombiningClass[cp] == 0 && !ucd.NotNfc.Contains(cp)) properties |= 1 << 15;
        bool mapped = ucd.Lower.ContainsKey(cp) || ucd.Width.ContainsKey(cp);
        return properties | (mapped ? 0 : 1 << 16) | ucd.CombiningClass[cp] << 17;
    }

    public string Write()
    {
        _text.Append($"""
            // Written by scripts/unicode.cs from the Unicode Character Database {ucd.Version}; do not edit.
            // Derived from data files of Unicode, Inc., under the Unicode License (unicode.org/license.txt).

            namespace Muster.Protocol.Addresses;

            /// <summary>Properties and mappings of code points; <see cref="CodePoint"/> reads them.</summary>
            static class UnicodeTables
            {"{"}
                /// <summary>The version of the Unicode Character Database.</summary>
                public const string Version = "{ucd.Version}";

            """);
        WriteProperties();
        WriteMap("Lower", "Simple lower-case mappings: code points in order.", ucd.Lower);
        WriteMap("Width", "Fullwidth and halfwidth forms: code points in order.", ucd.Width);
        WriteDecompositions();
        WriteCompositions();
        return _text.Append("}\n").ToString();
    }

    void WriteProperties()
    {
        var kinds = new List<int>();
        var starts = new List<long>();
        int last = -1;
        for (int cp = 0; cp < Database.CodePoints; cp++)
        {
            int properties = Properties(cp);
            if (properties == last) continue;
            last = properties;
            int kind = kinds.IndexOf(properties);
            if (kind < 0)
            {
                kind = kinds.Count;
                kinds.Add(properties);
            }
            starts.Add((long)cp << 8 | (uint)kind);
        }
        if (kinds.Count > 256) throw new InvalidDataException("more than 256 kinds of code points");
        WriteTable("int", "Kinds", "Each combination of properties that occurs.", kinds.ConvertAll(k => (long)k));
        WriteTable("int", "Runs", "Where a run of one kind begins: code point &lt;&lt; 8 | index in Kinds.", starts);
    }

    void WriteMap(string name, string what, SortedDictionary<int, int> map)
    {
        WriteTable("int", name + "From", what, [.. map.Keys]);
        WriteTable("int", name + "To", $"What {name}From becomes.", [.. map.Values]);
    }

    void WriteDecompositions()
    {
        WriteTable("int", "DecomposedFrom", "Code points with a canonical decomposition, in order.",
            [.. ucd.Canonical.Keys]);
        WriteTable("long", "DecomposedTo", "One level of it: first &lt;&lt; 21 | second; a second of 0 is none.",
            [.. ucd.Canonical.Values.Select(Pair)]);
    }

    void WriteCompositions()
    {
        var pairs = new SortedDictionary<long, int>();
        foreach (var (cp, parts) in ucd.Canonical)
        {
            if (!ucd.NeverComposed.Contains(cp)) pairs.Add(Pair(parts), cp);
        }
        WriteTable("long", "ComposedFrom", "Pairs that compose, first &lt;&lt; 21 | second, in order.",
            [.. pairs.Keys]);
        WriteTable("int", "ComposedTo", "What ComposedFrom becomes.", [.. pairs.Values]);
    }

    static long Pair(int[] parts) => (long)parts[0] << 21 | (uint)(parts.Length > 1 ? parts[1] : 0);

    void WriteTable(string type, string name, string what, IReadOnlyList<long> numbers)
    {
        _text.Append($"\n    /// <summary>{what}</summary>\n    public static readonly {type}[] {name} =\n    [\n");
        var line = new StringBuilder();
        foreach (long number in numbers)
        {
            string item = number < 10 ? $"{number}," : $"0x{number:x},";
            if (line.Length + item.Length > 112) Flush();
            line.Append(item);
        }
        Flush();
        _text.Append("    ];\n");

        void Flush()
        {
            _text.Append("        ").Append(line).Append('\n');
            line.Clear();
        }
    }
}
