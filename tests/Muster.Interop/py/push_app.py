"""A push service (XEP-0357 "app server") written with slixmpp: a component with the pubsub side of the protocol. It
answers each publish and prints it.

usage: push_app.py DOMAIN SECRET HOST PORT
Prints "taken" each time that the server has taken it, and for each push one line
    push FROM NODE COUNT SENDER SECRET BODY
with "-" for what is not told. Ends when it is killed.
"""
import asyncio
import sys

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

PUSH = "urn:xmpp:push:0"
PUBSUB = "{http://jabber.org/protocol/pubsub}"
FORM = "{jabber:x:data}"


def values(form):
    """The fields of a form of which only the first value matters."""
    if form is None:
        return {}
    return {field.get("var"): field.findtext(f"{FORM}value") for field in form.iter(f"{FORM}field")}


class PushApp(slixmpp.ComponentXMPP):
    def __init__(self, domain, secret, host, port):
        super().__init__(domain, secret, host, port)
        for plugin in ("xep_0004", "xep_0030", "xep_0060"):
            self.register_plugin(plugin)
        self["xep_0030"].add_identity(category="pubsub", itype="push", name="Push")
        self["xep_0030"].add_feature(PUSH)
        self.register_handler(Callback("publish", StanzaPath("iq@type=set/pubsub/publish"), self.published))
        self.add_event_handler("session_start", lambda _: print("taken", flush=True))
        self.add_event_handler("disconnected", self.gone)

    def published(self, iq):
        pubsub = iq.xml.find(f"{PUBSUB}pubsub")
        publish = pubsub.find(f"{PUBSUB}publish")
        notification = publish.find(f"{PUBSUB}item/{{{PUSH}}}notification")
        if notification is None:
            iq.reply().error().send()
            return
        summary = values(notification.find(f"{FORM}x"))
        options = values(pubsub.find(f"{PUBSUB}publish-options/{FORM}x"))
        print("push", iq["from"], publish.get("node"), summary.get("message-count") or "-",
              summary.get("last-message-sender") or "-", options.get("secret") or "-",
              summary.get("last-message-body") or "-", flush=True)
        iq.reply().send()

    def gone(self, _):
        asyncio.get_event_loop().call_later(0.3, self.connect)


async def main():
    domain, secret, host, port = sys.argv[1:5]
    app = PushApp(domain, secret, host, int(port))
    app.connect()
    await asyncio.get_event_loop().create_future()


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
