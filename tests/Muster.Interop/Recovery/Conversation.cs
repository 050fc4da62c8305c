namespace Muster.Interop.Recovery;

/// <summary>A message as a client has it.</summary>
/// <param name="Id">Its id, which its sender chose and nobody could guess.</param>
/// <param name="ArchiveId">Its id in the archive.</param>
readonly record struct Heard(string Id, string ArchiveId);

/// <summary>What a client has of one archive, a room's or its account's: each message once, in the order of the archive
/// (XEP-0313, XEP-0359).</summary>
/// <remarks>After a lost session the client asks the archive for all since the last message that it has. What is said
/// meanwhile waits; it may be in the answer too. The archive may also answer before a message arrives that it has
/// already. Both are told by the id in the archive, once for each message; nothing else may come twice.</remarks>
sealed class Conversation(string address)
{
    readonly HashSet<string> _known = [];
    readonly List<Heard> _heard = [];
    readonly List<Heard> _waiting = [];
    readonly HashSet<string> _ahead = []; // read from the archive in this session, not heard yet

    /// <summary>The room, or the account itself.</summary>
    public string Address { get; } = address;

    /// <summary>Whether the client is in the room, as far as it knows.</summary>
    public bool IsInside { get; set; }

    /// <summary>Whether it is asking the archive for what it has missed.</summary>
    public bool IsCatchingUp { get; private set; }

    /// <summary>The last message it has, or null.</summary>
    public string? LastArchiveId => _heard.Count == 0 ? null : _heard[^1].ArchiveId;

    /// <summary>How many it has.</summary>
    public int Count { get { lock (_heard) return _heard.Count; } }

    /// <summary>All it has.</summary>
    public Heard[] All { get { lock (_heard) return [.. _heard]; } }

    /// <summary>The session is new: what has not been put in its place yet will come again.</summary>
    public void Forget()
    {
        IsInside = false;
        IsCatchingUp = false;
        Question = null;
        _waiting.Clear();
        _ahead.Clear();
    }

    /// <summary>The question to the archive that is not answered yet, or null. Answers to an older one do not
    /// count.</summary>
    public string? Question { get; private set; }

    /// <summary>From now on what is said waits for the archive.</summary>
    public void StartCatchingUp(string? question)
    {
        IsCatchingUp = true;
        Question = question;
    }

    /// <summary>Something is said. Null, or what is wrong with it.</summary>
    public string? Hear(Heard message)
    {
        if (IsCatchingUp)
        {
            _waiting.Add(message);
            return null;
        }
        return Add(message) || _ahead.Remove(message.ArchiveId) ? null : "was shown again";
    }

    /// <summary>The archive tells of something. Null, or what is wrong with it.</summary>
    public string? Read(Heard message)
    {
        if (!Add(message)) return "came from the archive again";
        _ahead.Add(message.ArchiveId);
        return null;
    }

    /// <summary>The archive has told all. Null, or what is wrong.</summary>
    public string? EndCatchingUp()
    {
        IsCatchingUp = false;
        Question = null;
        bool isNew = false;
        foreach (var message in _waiting)
        {
            if (Add(message)) isNew = true;
            else if (!_ahead.Remove(message.ArchiveId)) return $"{message.Id} was shown again";
            else if (isNew) return $"{message.Id} was in the archive, one said before it was not";
        }
        _waiting.Clear();
        return null;
    }

    bool Add(Heard message)
    {
        if (!_known.Add(message.ArchiveId)) return false;
        lock (_heard) _heard.Add(message);
        return true;
    }
}
