namespace Muster.Server.Features;

/// <summary>How much of a specification is there.</summary>
enum Support
{
    /// <summary>All that the specification asks of a server.</summary>
    Complete,
    /// <summary>Part of it; the note says which.</summary>
    Partial,
}

/// <summary>What a feature implements: feeds docs/specs.md, the DOAP file and <c>muster features</c>.</summary>
/// <param name="Xep">Number of the XEP, or 0 for an RFC or a legacy protocol named in <paramref name="Note"/>.</param>
/// <param name="Version">Version of the specification that was followed.</param>
/// <param name="Support">How much of it.</param>
/// <param name="Note">What is left out, or the name of the protocol without a number.</param>
sealed record FeatureInfo(int Xep, string Version, Support Support, string Note = "");

/// <summary>One specification in one file: it says what it is and takes the slots it fills. Listed in
/// <see cref="All"/>.</summary>
abstract class Feature
{
    /// <summary>What it implements.</summary>
    public abstract FeatureInfo Info { get; }

    /// <summary>Fills slots. Called once at start.</summary>
    public abstract void Register(Slots slots);
}
