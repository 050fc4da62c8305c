"""An external component written with slixmpp (ComponentXMPP): it answers every message with what it heard, and comes
back whenever its connection ends.

usage: component_bot.py DOMAIN SECRET HOST PORT
Prints "taken" each time that the server has taken it; ends when it is killed, or "refused" when it is refused.
"""
import asyncio
import sys

import slixmpp


class Component(slixmpp.ComponentXMPP):
    def __init__(self, domain, secret, host, port):
        super().__init__(domain, secret, host, port)
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0199")
        self["xep_0030"].add_identity(category="component", itype="generic", name="Echo")
        self.add_event_handler("session_start", lambda _: print("taken", flush=True))
        self.add_event_handler("message", self.heard)
        self.add_event_handler("disconnected", self.gone)
        self.add_event_handler("stream_error", lambda e: print(f"stream error {e['condition']}", flush=True))

    def heard(self, message):
        if message["type"] in ("chat", "normal"):
            message.reply(f"echo: {message['body']}").send()

    def gone(self, _):
        print("disconnected", flush=True)
        asyncio.get_event_loop().call_later(0.3, self.connect)


async def main():
    domain, secret, host, port = sys.argv[1:5]
    component = Component(domain, secret, host, int(port))
    component.connect()
    await asyncio.get_event_loop().create_future()


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
