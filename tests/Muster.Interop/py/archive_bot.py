"""A slixmpp client that reads archives with its own plugin (xep_0313): a room's and its account's.

usage: archive_bot.py JID PASSWORD HOST PORT ROOM NICK COUNT
Says COUNT lines in the room and sends COUNT messages to itself, then reads both archives page by page, forwards and
backwards. Prints one line per result; exits 0 when all came in order.
"""
import asyncio
import ssl
import sys

import slixmpp


class Bot(slixmpp.ClientXMPP):
    def __init__(self, jid, password, room, nick, count):
        super().__init__(jid, password)
        self.room, self.nick, self.count = room, nick, count
        self.done = asyncio.get_event_loop().create_future()
        self.echoes = 0
        self.complete = asyncio.get_event_loop().create_future()
        for plugin in ("xep_0030", "xep_0045", "xep_0059", "xep_0280", "xep_0313"):
            self.register_plugin(plugin)
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("groupchat_message", self.heard)

    def heard(self, message):
        if message["body"].startswith("line "):
            self.echoes += 1
            if self.echoes == self.count and not self.complete.done():
                self.complete.set_result(True)

    async def started(self, _):
        try:
            await self.read()
            self.done.set_result(0)
        except Exception as error:  # told to the test
            print(f"failed {error!r}", flush=True)
            self.done.set_result(1)

    async def read(self):
        self.send_presence()
        await self.plugin["xep_0280"].enable()
        await self.plugin["xep_0045"].join_muc_wait(self.room, self.nick, maxstanzas=0, timeout=20)
        for i in range(self.count):
            self.send_message(mto=self.room, mbody=f"line {i}", mtype="groupchat")
            self.send_message(mto=self.boundjid.bare, mbody=f"note {i}", mtype="chat")
        await asyncio.wait_for(self.complete, 20)
        for name, jid, word in (("room", self.room, "line"), ("account", self.boundjid.bare, "note")):
            for reverse in (False, True):
                bodies = []
                async for result in self.plugin["xep_0313"].iterate(
                        jid=jid, rsm={"max": 7}, reverse=reverse):
                    bodies.append(result["mam_result"]["forwarded"]["stanza"]["body"])
                bodies = [body for body in bodies if body.startswith(word)]
                expected = [f"{word} {i}" for i in range(self.count)]
                if reverse:
                    expected.reverse()
                print(name, "backwards" if reverse else "forwards", len(bodies), bodies == expected, flush=True)
                if bodies != expected:
                    raise ValueError(f"{bodies}")
        fields = await self.plugin["xep_0313"].get_fields(jid=self.room)
        print("fields", sorted(field for field in fields.get_fields() if field != "FORM_TYPE"), flush=True)
        metadata = await self.plugin["xep_0313"].get_archive_metadata(jid=self.room)
        print("metadata", bool(metadata["mam_metadata"]["start"]["id"]), flush=True)


async def main():
    jid, password, host, port, room, nick, count = sys.argv[1:8]
    bot = Bot(jid, password, room, nick, int(count))
    bot.connect((host, int(port)))
    code = await asyncio.wait_for(bot.done, 50)
    await bot.disconnect(wait=2)
    return code


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
sys.exit(loop.run_until_complete(main()))
