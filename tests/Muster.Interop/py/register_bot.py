"""A slixmpp client that registers with a room by its own plugin (xep_0077), to get what is said while it is away.

usage: register_bot.py JID PASSWORD HOST PORT ROOM NICK
Enters, reads the form, submits it, reads it again, removes the registration. Prints one line per step; exits 0 when all
went well.
"""
import asyncio
import ssl
import sys

import slixmpp

OFFLINE = "{http://tigase.org/protocol/muc}offline"


class Bot(slixmpp.ClientXMPP):
    def __init__(self, jid, password, room, nick):
        super().__init__(jid, password)
        self.room, self.nick = room, nick
        self.done = asyncio.get_event_loop().create_future()
        for plugin in ("xep_0004", "xep_0030", "xep_0045"):
            self.register_plugin(plugin)
        self.register_plugin("xep_0077", {"force_registration": False, "create_account": False})
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.add_event_handler("session_start", self.started)

    async def started(self, _):
        try:
            await self.register()
            self.done.set_result(0)
        except Exception as error:  # told to the test
            print(f"failed {error!r}", flush=True)
            self.done.set_result(1)

    async def form(self):
        answer = await self["xep_0077"].get_registration(jid=self.room)
        return answer["register"]

    async def register(self):
        self.send_presence()
        await self["xep_0045"].join_muc_wait(self.room, self.nick, maxstanzas=0, timeout=20)
        before = await self.form()
        fields = before["form"].get_fields()
        print("required", fields["muc#register_roomnick"]["required"], flush=True)
        print("nick", fields["muc#register_roomnick"]["value"], flush=True)
        print("offline", fields[OFFLINE]["value"], flush=True)
        iq = self.make_iq_set(ito=self.room)
        form = self["xep_0004"].make_form(ftype="submit")
        form.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/muc#register")
        form.add_field(var="muc#register_roomnick", value=self.nick)
        form.add_field(var=OFFLINE, ftype="boolean", value=True)
        iq["register"].append(form)
        await iq.send()
        after = await self.form()
        print("registered", after["registered"], after["username"], flush=True)
        print("offline now", after["form"].get_fields()[OFFLINE]["value"], flush=True)
        iq = self.make_iq_set(ito=self.room)
        iq["register"]["remove"] = True
        await iq.send()
        print("registered then", (await self.form())["registered"], flush=True)


async def main():
    jid, password, host, port, room, nick = sys.argv[1:7]
    bot = Bot(jid, password, room, nick)
    bot.connect((host, int(port)))
    code = await asyncio.wait_for(bot.done, 40)
    await bot.disconnect(wait=2)
    return code


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
sys.exit(loop.run_until_complete(main()))
