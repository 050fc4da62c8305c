using Muster.Core.Delivery;
using Muster.Protocol.Stanzas;
using Muster.Server.Storage;

namespace Muster.Server.Routing;

// Messages that a room sends to the bare JID of a member who is not inside (muc-offline-delivery.md §6). RFC 6121
// §8.5.2.1.1: they are for no session. The account's devices are told, or the message is kept, or it goes back.
sealed partial class LocalDomain
{
    async ValueTask TakeRoomMessage(Message message)
    {
        var account = message.To;
        // XEP-0191 §3.3: whom the account blocks is not heard, and a room learns nothing of it.
        if ((await _accounts.BlockedOf(account)).Blocks(message.From)) return;
        bool isTaken = await _pushService.Notify(account, message, PushReason.BareGroupchat);
        if (_policy.StoresRoomMessages(account))
            isTaken |= await Append(account, message, receivedAt: null) == OfflineAppend.Stored;
        // The same answer when there is no such account (RFC 6120 §13.11).
        if (!isTaken) await Refuse(message, StanzaError.ServiceUnavailable);
    }
}
