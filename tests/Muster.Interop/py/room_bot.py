"""A slixmpp client in a room: STARTTLS with SCRAM, join, talk until a given text has been seen, leave.

usage: room_bot.py JID PASSWORD HOST PORT ROOM NICK SAY WAIT_FOR
Prints one line per event; exits 0 when WAIT_FOR was seen, and with 1 after 30 seconds without it.
"""
import asyncio
import ssl
import sys

import slixmpp


class Bot(slixmpp.ClientXMPP):
    def __init__(self, jid, password, room, nick, say, wait_for):
        super().__init__(jid, password)
        self.room, self.nick, self.say, self.wait_for = room, nick, say, wait_for
        self.seen = asyncio.get_event_loop().create_future()
        for plugin in ("xep_0030", "xep_0045", "xep_0199", "xep_0092"):
            self.register_plugin(plugin)
        # The test's certificate is self-signed; that TLS is used is what matters here.
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("groupchat_message", self.heard)
        self.add_event_handler("failed_auth", lambda _: print("failed auth", flush=True))
        self.add_event_handler("stream_error", lambda error: print(f"stream error {error}", flush=True))

    async def started(self, _):
        print(f"mechanism {self['feature_mechanisms'].mech.name}", flush=True)
        print(f"tls {self.transport.get_extra_info('ssl_object') is not None}", flush=True)
        await self.get_roster()
        self.send_presence()
        info = await self.plugin["xep_0030"].get_info(jid=slixmpp.JID(self.room).domain)
        print("muc feature", "http://jabber.org/protocol/muc" in info["disco_info"]["features"], flush=True)
        await self.plugin["xep_0045"].join_muc_wait(self.room, self.nick, maxstanzas=50, timeout=20)
        print("joined", flush=True)
        if self.say:
            self.send_message(mto=self.room, mbody=self.say, mtype="groupchat")

    def heard(self, message):
        print(f"<{message['mucnick']}> {message['body']}", flush=True)
        if self.wait_for in message["body"] and not self.seen.done():
            self.seen.set_result(True)


async def main():
    jid, password, host, port, room, nick, say, wait_for = sys.argv[1:9]
    bot = Bot(jid, password, room, nick, say, wait_for)
    bot.connect((host, int(port)))
    try:
        await asyncio.wait_for(bot.seen, 30)
    except asyncio.TimeoutError:
        print("timeout", flush=True)
        return 1
    bot.plugin["xep_0045"].leave_muc(room, nick)
    await bot.disconnect(wait=2)
    print("done", flush=True)
    return 0


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
sys.exit(loop.run_until_complete(main()))
