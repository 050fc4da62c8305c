// An xmpp.js client in a room over WebSocket: join, say a line, wait for another, leave.
// usage: node room_bot.mjs WS_URL DOMAIN USER PASSWORD ROOM NICK SAY WAIT_FOR
import { client, xml } from "@xmpp/client";
import WebSocket from "ws";

// Node.js has a WebSocket of its own only from version 22 on.
globalThis.WebSocket ??= WebSocket;

const [service, domain, username, password, room, nick, say, waitFor] = process.argv.slice(2);
const xmpp = client({ service, domain, username, password });
const limit = setTimeout(() => {
  console.log("timeout");
  process.exit(1);
}, 30_000);

xmpp.on("error", (error) => console.log("error", error.message));
xmpp.on("online", async (address) => {
  console.log("online", address.toString());
  await xmpp.send(xml("presence"));
  await xmpp.send(xml("presence", { to: `${room}/${nick}` }, xml("x", { xmlns: "http://jabber.org/protocol/muc" })));
});
xmpp.on("stanza", async (stanza) => {
  if (stanza.is("presence") && stanza.attrs.from === `${room}/${nick}`) {
    const x = stanza.getChild("x", "http://jabber.org/protocol/muc#user");
    if (x && x.getChildren("status").some((s) => s.attrs.code === "110") && stanza.attrs.type !== "unavailable") {
      console.log("joined");
      await xmpp.send(xml("message", { to: room, type: "groupchat", id: "m1" }, xml("body", {}, say)));
    }
  }
  const body = stanza.is("message") && stanza.attrs.type === "groupchat" && stanza.getChildText("body");
  if (body) {
    console.log(`<${stanza.attrs.from.split("/")[1]}> ${body}`);
    if (body.includes(waitFor)) {
      await xmpp.send(xml("presence", { to: `${room}/${nick}`, type: "unavailable" }));
      await xmpp.stop();
      console.log("done");
      clearTimeout(limit);
      process.exit(0);
    }
  }
});
await xmpp.start();
