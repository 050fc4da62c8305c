// An xmpp.js client in a room over WebSocket that resumes its session whenever its connection breaks: its own
// reconnect and stream management. Reads commands (say ID, quit) and prints one line per event.
// usage: node resume_bot.mjs WS_URL DOMAIN USER PASSWORD ROOM NICK
import readline from "node:readline";
import { client, xml } from "@xmpp/client";
import WebSocket from "ws";

// Node.js has a WebSocket of its own only from version 22 on.
globalThis.WebSocket ??= WebSocket;

const [service, domain, username, password, room, nick] = process.argv.slice(2);
const xmpp = client({ service, domain, username, password });
xmpp.reconnect.delay = 100;

xmpp.on("error", (error) => console.log("error", error.condition ?? error.message));
xmpp.streamManagement.on("resumed", () => console.log("resumed"));
xmpp.streamManagement.on("fail", () => console.log("failed"));
xmpp.on("online", async () => {
  console.log("started");
  await xmpp.send(xml("presence"));
  await xmpp.send(
    xml("presence", { to: `${room}/${nick}` },
      xml("x", { xmlns: "http://jabber.org/protocol/muc" }, xml("history", { maxstanzas: "0" }))),
  );
});
xmpp.on("stanza", (stanza) => {
  const x = stanza.getChild("x", "http://jabber.org/protocol/muc#user");
  if (stanza.is("presence") && x?.getChildren("status").some((status) => status.attrs.code === "110"))
    console.log(stanza.attrs.type === "unavailable" ? "left" : "joined");
  if (stanza.is("message") && stanza.attrs.type === "groupchat" && stanza.getChild("body"))
    console.log("heard", stanza.attrs.id);
});

readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const [command, id] = line.split(" ");
  if (command === "say") {
    // What cannot be written waits in the queue of stream management.
    xmpp.send(xml("message", { to: room, type: "groupchat", id }, xml("body", {}, id))).catch(() => {});
    return;
  }
  await xmpp.stop();
  console.log("done");
  process.exit(0);
});
await xmpp.start();
