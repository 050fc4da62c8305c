namespace Muster.Core.Sessions;

// The client's state (XEP-0352): what waits while nobody looks at it.
public sealed partial class Session
{
    /// <summary>Takes what the client says of itself (XEP-0352 §3). What has waited is sent when it is
    /// active.</summary>
    /// <param name="isActive">What it says.</param>
    /// <param name="waitingMax">Stanzas that may wait.</param>
    public void SetActive(bool isActive, int waitingMax)
    {
        lock (_lock)
        {
            if (_ended || _link is null) return;
            if (!isActive)
            {
                _waiting ??= new WaitingStanzas(waitingMax);
                return;
            }
            SendWaiting();
            _waiting = null;
            if (_managed is { } managed && managed.Queue.UnackedCount > 0) Request(managed, force: true);
        }
    }

    void SendWaiting()
    {
        if (_waiting is not { } waiting) return;
        foreach (var (stanza, to) in waiting.Take()) Send(stanza, to);
    }

    void SendWaitingToQueue(ManagedStream managed)
    {
        if (_waiting is not { } waiting) return;
        foreach (var (stanza, to) in waiting.Take())
            managed.Queue.Push(stanza, to, managed.Watcher.Now, managed.Lost);
    }
}
