namespace Muster.Protocol.Payloads;

/// <summary>The long-lived association of a user with a room (XEP-0045 §5.2), ordered from least to most
/// privilege.</summary>
/// <remarks>The numbers are stored on disk and never change. The default value is <see cref="None"/>.</remarks>
public enum Affiliation
{
    /// <summary>Banned from the room.</summary>
    Outcast = -1,
    /// <summary>No association.</summary>
    None = 0,
    /// <summary>May enter a members-only room.</summary>
    Member = 1,
    /// <summary>May ban, and grant membership and moderation.</summary>
    Admin = 2,
    /// <summary>May configure and destroy the room.</summary>
    Owner = 3,
}

/// <summary>What an occupant may do during this visit (XEP-0045 §5.1), ordered from least to most privilege.</summary>
public enum Role
{
    /// <summary>Not in the room.</summary>
    None = 0,
    /// <summary>May listen; in a moderated room may not speak.</summary>
    Visitor = 1,
    /// <summary>May speak.</summary>
    Participant = 2,
    /// <summary>May kick, and grant or revoke voice.</summary>
    Moderator = 3,
}

/// <summary>The names of affiliations and roles on the wire (XEP-0045 §19.2 #schemas-user): lower case, nothing else is
/// accepted.</summary>
public static class MucNames
{
    /// <summary>The name on the wire.</summary>
    public static string ToName(this Affiliation affiliation) => affiliation switch
    {
        Affiliation.Outcast => "outcast",
        Affiliation.Member => "member",
        Affiliation.Admin => "admin",
        Affiliation.Owner => "owner",
        _ => "none",
    };

    /// <summary>The name on the wire.</summary>
    public static string ToName(this Role role) => role switch
    {
        Role.Visitor => "visitor",
        Role.Participant => "participant",
        Role.Moderator => "moderator",
        _ => "none",
    };

    /// <summary>Reads an affiliation's name; false when it is none of the five.</summary>
    public static bool TryAffiliation(string? name, out Affiliation affiliation)
    {
        Affiliation? found = name switch
        {
            "outcast" => Affiliation.Outcast,
            "none" => Affiliation.None,
            "member" => Affiliation.Member,
            "admin" => Affiliation.Admin,
            "owner" => Affiliation.Owner,
            _ => null,
        };
        affiliation = found ?? Affiliation.None;
        return found is not null;
    }

    /// <summary>Reads a role's name; false when it is none of the four.</summary>
    public static bool TryRole(string? name, out Role role)
    {
        Role? found = name switch
        {
            "none" => Role.None,
            "visitor" => Role.Visitor,
            "participant" => Role.Participant,
            "moderator" => Role.Moderator,
            _ => null,
        };
        role = found ?? Role.None;
        return found is not null;
    }
}
