"""A slixmpp client in a room that resumes its session (its plugin xep_0198) whenever its connection breaks.

usage: resume_bot.py JID PASSWORD HOST PORT ROOM NICK
Reads commands (say ID, quit) and prints one line per event.
"""
import asyncio
import ssl
import sys

import slixmpp


class Bot(slixmpp.ClientXMPP):
    def __init__(self, jid, password, address, room, nick):
        super().__init__(jid, password)
        self.address, self.room, self.nick = address, room, nick
        self.leaving = False
        for plugin in ("xep_0030", "xep_0045", "xep_0198"):
            self.register_plugin(plugin)
        # The test's certificate is self-signed; that TLS is used is what matters here.
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("session_resumed", lambda _: print("resumed", flush=True))
        self.add_event_handler("sm_failed", lambda _: print("failed", flush=True))
        self.add_event_handler("groupchat_message", lambda message: print("heard", message["id"], flush=True))
        self.add_event_handler("disconnected", self.lost)

    async def started(self, _):
        print("started", flush=True)
        self.send_presence()
        await self.plugin["xep_0045"].join_muc_wait(self.room, self.nick, maxstanzas=0, timeout=20)
        print("joined", flush=True)

    async def lost(self, reason):
        print("lost", reason, flush=True)
        if not self.leaving:
            await asyncio.sleep(0.1)
            self.connect(self.address)

    def say(self, id):
        message = self.make_message(mto=self.room, mbody=id, mtype="groupchat")
        message["id"] = id
        message.send()


async def main():
    jid, password, host, port, room, nick = sys.argv[1:7]
    bot = Bot(jid, password, (host, int(port)), room, nick)
    bot.connect(bot.address)
    commands = asyncio.StreamReader()
    await asyncio.get_event_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := (await commands.readline()).decode().split():
        if line[0] == "say":
            bot.say(line[1])
        else:
            bot.leaving = True
            await bot.disconnect(wait=2)
            print("done", flush=True)
            return


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
