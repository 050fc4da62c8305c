// An xmpp.js client over WebSocket that logs in with a password or a token, and tells the elements of its login.
// usage: node token_bot.mjs WS_URL DOMAIN USER AGENT password PASSWORD
//        node token_bot.mjs WS_URL DOMAIN USER AGENT token TOKEN
import { client, xml } from "@xmpp/client";
import WebSocket from "ws";

// Node.js has a WebSocket of its own only from version 22 on.
globalThis.WebSocket ??= WebSocket;

const [service, domain, username, agent, kind, secret] = process.argv.slice(2);
const credentials =
  kind === "token"
    ? { username, token: { mechanism: "HT-SHA-256-NONE", token: secret, expiry: "2999-01-01T00:00:00Z" } }
    : { username, password: secret };
const xmpp = client({ service, domain, credentials, resource: "bot", userAgent: xml("user-agent", { id: agent }) });
const limit = setTimeout(() => {
  console.log("timeout");
  process.exit(1);
}, 30_000);

xmpp.on("error", (error) => console.log("error", error.message));
xmpp.on("send", (element) => console.log("sent", element.name));
xmpp.on("element", (element) => console.log("received", element.name));
xmpp.on("online", async (address) => {
  console.log("online", address.toString());
  const pong = await xmpp.iqCaller.get(xml("ping", { xmlns: "urn:xmpp:ping" }), domain);
  console.log("pong", pong ? "with payload" : "empty");
  console.log("token", (await xmpp.fast.fetch())?.token ?? "none");
  await xmpp.stop();
  console.log("done");
  clearTimeout(limit);
  process.exit(0);
});
try {
  await xmpp.start();
} catch (error) {
  console.log("refused", error.condition ?? error.message);
  process.exit(2);
}
