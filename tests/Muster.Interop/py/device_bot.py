"""One device of a person: a slixmpp client that does what it is told, by the plugins of its library where it has them
(rooms xep_0045, registration xep_0077, archives xep_0313, stream management xep_0198), and resumes its session when it
is told that its network is back. Of push (XEP-0357) and of mentions (XEP-0372) slixmpp has no plugin: these stanzas are
written out.

usage: device_bot.py JID PASSWORD HOST PORT
Reads commands from its input, prints one line per event:
    join ROOM NICK              joined ROOM
    open ROOM                   opened ROOM             (one that was made by entering it)
    register ROOM NICK          registered ROOM NICK
    supports JID FEATURE        supports JID FEATURE True
    enable JID NODE SECRET TO   enabled TO              (TO "-" is the own account)
    disable JID NODE TO         disabled TO
    say ROOM ID                 heard ROOM ID           (the text is the id)
    mention ROOM ID NICK        heard ROOM ID
    read ROOM                   read ROOM ID, ID ...    (the archive, oldest first)
    drop                        the connection is given up without a word, and made anew: resumed
    quit                        done
"""
import asyncio
import ssl
import sys
from xml.etree import ElementTree as ET

import slixmpp

PUSH = "urn:xmpp:push:0"


def tell(*words):
    print(*words, flush=True)


class Device(slixmpp.ClientXMPP):
    def __init__(self, jid, password, address):
        super().__init__(jid, password)
        self.address = address
        self.leaving = False
        for plugin in ("xep_0004", "xep_0030", "xep_0045", "xep_0059", "xep_0198", "xep_0313"):
            self.register_plugin(plugin)
        self.register_plugin("xep_0077", {"force_registration": False, "create_account": False})
        # The test's certificate is self-signed; that TLS is used is what matters here.
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("session_resumed", lambda _: tell("resumed"))
        self.add_event_handler("sm_failed", lambda _: tell("failed"))
        self.add_event_handler("groupchat_message", self.heard)
        self.add_event_handler("disconnected", self.lost)

    async def started(self, _):
        self.send_presence()
        tell("started")

    def heard(self, message):
        if message["body"]:
            tell("heard", message["from"].bare, message["id"])

    async def lost(self, _):
        if not self.leaving:
            await asyncio.sleep(0.1)
            self.connect(self.address)

    async def join(self, room, nick):
        await self["xep_0045"].join_muc_wait(room, nick, maxstanzas=0, timeout=20)
        tell("joined", room)

    async def open(self, room):
        await self["xep_0045"].set_room_config(room, self["xep_0004"].make_form(ftype="submit"))
        tell("opened", room)

    async def register(self, room, nick):
        form = await self["xep_0077"].get_registration(jid=room)
        assert form["register"]["form"].get_fields()["muc#register_roomnick"]["required"]
        iq = self.make_iq_set(ito=room)
        submit = self["xep_0004"].make_form(ftype="submit")
        submit.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/muc#register")
        submit.add_field(var="muc#register_roomnick", value=nick)
        iq["register"].append(submit)
        await iq.send()
        form = await self["xep_0077"].get_registration(jid=room)
        tell("registered", room, form["register"]["username"])

    async def supports(self, jid, feature):
        info = await self["xep_0030"].get_info(jid=jid)
        tell("supports", jid, feature, feature in info["disco_info"]["features"])

    async def enable(self, jid, node, secret, to):
        enable = ET.Element(f"{{{PUSH}}}enable", jid=jid, node=node)
        form = self["xep_0004"].make_form(ftype="submit")
        form.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/pubsub#publish-options")
        form.add_field(var="secret", value=secret)
        enable.append(form.xml)
        await self.push(enable, to)
        tell("enabled", to)

    async def disable(self, jid, node, to):
        await self.push(ET.Element(f"{{{PUSH}}}disable", jid=jid, node=node), to)
        tell("disabled", to)

    async def push(self, payload, to):
        iq = self.make_iq_set(ito=None if to == "-" else to)
        iq.append(payload)
        await iq.send()

    async def say(self, room, id):
        self.speak(room, id, id).send()

    async def mention(self, room, id, nick):
        message = self.speak(room, id, f"{nick}, look")
        message.append(ET.Element("{urn:xmpp:reference:0}reference", {
            "type": "mention", "begin": "0", "end": str(len(nick)), "uri": f"xmpp:{room}/{nick}"}))
        message.send()

    def speak(self, room, id, text):
        message = self.make_message(mto=room, mbody=text, mtype="groupchat")
        message["id"] = id
        return message

    async def read(self, room):
        ids = []
        async for result in self["xep_0313"].iterate(jid=room, rsm={"max": 5}):
            stanza = result["mam_result"]["forwarded"]["stanza"]
            if stanza["body"]:
                ids.append(stanza["id"])
        tell("read", room, " ".join(ids))

    async def drop(self):
        self.abort()


async def main():
    jid, password, host, port = sys.argv[1:5]
    device = Device(jid, password, (host, int(port)))
    device.connect(device.address)
    commands = asyncio.StreamReader()
    await asyncio.get_event_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := (await commands.readline()).decode().split():
        if line[0] == "quit":
            device.leaving = True
            await device.disconnect(wait=2)
            tell("done")
            return
        try:
            await getattr(device, line[0])(*line[1:])
        except Exception as error:  # told to the test
            tell("error", line[0], repr(error))


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
