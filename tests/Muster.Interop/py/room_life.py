"""The whole life of a members-only, password-protected, moderated, semi-anonymous room, with slixmpp's own calls.

usage: room_life.py HOST PORT
romeo owns the room, juliet is invited into it, nurse and paris are trouble. Prints one line per step; the first thing
that is not as it should be ends it with a traceback and exit code 1.
"""
import asyncio
import ssl
import sys

import slixmpp
from slixmpp.exceptions import IqError, PresenceError

ROOM = "garden-of-slixmpp@conference.localhost"
PATIENCE = 10


class Client(slixmpp.ClientXMPP):
    """One user; everything that arrives is kept until a step asks for it."""

    def __init__(self, name):
        super().__init__(f"{name}@localhost/slix", name)
        self.name, self.arrived, self.news = name, [], asyncio.Event()
        for plugin in ("xep_0004", "xep_0030", "xep_0045", "xep_0077", "xep_0199", "xep_0203", "xep_0249"):
            self.register_plugin(plugin)
        # The test's certificate is self-signed; that TLS is used is what matters here.
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.muc = self.plugin["xep_0045"]
        self.started = asyncio.get_event_loop().create_future()
        self.add_event_handler("session_start", lambda _: self.started.set_result(True))
        for event in ("message", "message_xform", "groupchat_message", "groupchat_subject", "groupchat_config_status",
                      "groupchat_presence", "groupchat_invite", "groupchat_message_error", "message_error"):
            self.add_event_handler(event, self.keep)

    def keep(self, stanza):
        if not any(stanza is seen for seen in self.arrived):
            self.arrived.append(stanza)
        self.news.set()

    async def until(self, what, fits):
        """The first stanza that fits, which is taken out."""
        async def search():
            while True:
                for stanza in self.arrived:
                    if fits(stanza):
                        self.arrived.remove(stanza)
                        return stanza
                self.news.clear()
                await self.news.wait()
        try:
            return await asyncio.wait_for(search(), PATIENCE)
        except asyncio.TimeoutError:
            raise AssertionError(f"{self.name} never received {what}; there is {self.arrived}") from None

    async def start(self, host, port):
        self.connect((host, port))
        await asyncio.wait_for(self.started, PATIENCE)
        await self.get_roster()
        self.send_presence()

    async def enter(self, nick, password=None):
        return await self.muc.join_muc_wait(ROOM, nick, password=password, maxstanzas=20, timeout=PATIENCE)

    def say(self, text):
        self.send_message(mto=ROOM, mbody=text, mtype="groupchat")


def codes(stanza):
    return {int(status.get("code")) for status in stanza.xml.iter("{http://jabber.org/protocol/muc#user}status")}


def item(stanza):
    return next(stanza.xml.iter("{http://jabber.org/protocol/muc#user}item"))


def said(text):
    return lambda stanza: stanza.name == "message" and stanza["body"] == text


def gone(nick):
    return lambda stanza: (stanza.name == "presence" and stanza["type"] == "unavailable"
                           and stanza["from"].resource == nick)


def shown(nick, **expected):
    return lambda stanza: (stanza.name == "presence" and stanza["type"] not in ("unavailable", "error")
                           and stanza["from"].resource == nick
                           and all(item(stanza).get(key) == value for key, value in expected.items()))


async def refused(condition, attempt):
    try:
        await attempt
    except (IqError, PresenceError) as error:
        found = error.condition if isinstance(error, IqError) else error.presence["error"]["condition"]
        assert found == condition, f"{found} instead of {condition}"
        return
    raise AssertionError(f"nothing was refused; {condition} was expected")


def step(text):
    print(f"ok: {text}", flush=True)


async def create(romeo):
    own, _, _, _ = await romeo.enter("Romeo")
    assert codes(own) >= {110, 201}, codes(own)
    form = await romeo.muc.get_room_config(ROOM)
    wanted = {
        "muc#roomconfig_roomname": "Slixmpp's garden",
        "muc#roomconfig_persistentroom": True,
        "muc#roomconfig_membersonly": True,
        "muc#roomconfig_moderatedroom": True,
        "muc#roomconfig_passwordprotectedroom": True,
        "muc#roomconfig_roomsecret": "pilgrim",
        "muc#roomconfig_whois": "moderators",
        "muc#roomconfig_changesubject": False,
    }
    fields = form.get_fields()
    for var, value in wanted.items():
        assert var in fields, f"{var} is not in the form"
        fields[var]["value"] = value
    await romeo.muc.set_room_config(ROOM, form)
    info = await romeo.plugin["xep_0030"].get_info(jid=ROOM)
    features = info["disco_info"]["features"]
    for feature in ("muc_persistent", "muc_membersonly", "muc_moderated", "muc_passwordprotected",
                    "muc_semianonymous"):
        assert feature in features, f"{feature} is not in {features}"
    step("created and configured")


async def invite(romeo, juliet, nurse):
    await refused("registration-required", nurse.enter("Nurse", "pilgrim"))
    romeo.muc.invite(ROOM, "juliet@localhost", "come to the balcony")
    invited = await juliet.until("an invitation", lambda s: s.name == "message" and "pilgrim" in str(s))
    assert "come to the balcony" in str(invited)
    await refused("not-authorized", juliet.enter("Juliet"))
    await refused("not-authorized", juliet.enter("Juliet", "guess"))
    own, subject, occupants, history = await juliet.enter("Juliet", "pilgrim")
    assert 110 in codes(own) and 100 not in codes(own), codes(own)
    assert (item(own).get("affiliation"), item(own).get("role")) == ("member", "participant")
    # Semi-anonymous: a participant does not see who Romeo is; Romeo, a moderator, sees everybody.
    assert all("jid" not in item(o).attrib for o in occupants if o["from"].resource != "Juliet"), occupants
    await romeo.until("Juliet with her address", shown("Juliet", jid="juliet@localhost/slix"))
    step("invited, and only with the password")


async def register(romeo, juliet, nurse):
    iq = juliet.make_iq_get(queryxmlns="jabber:iq:register", ito=ROOM)
    form = (await iq.send()).xml
    assert form.find(".//*[@var='muc#register_roomnick']") is not None
    iq = juliet.make_iq_set(ito=ROOM)
    iq.enable("register")
    submit = juliet.plugin["xep_0004"].make_form(ftype="submit")
    submit.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/muc#register")
    submit.add_field(var="muc#register_roomnick", value="Juliet")
    iq["register"].append(submit)
    await iq.send()
    info = await juliet.plugin["xep_0030"].get_info(jid=ROOM, node="x-roomuser-item")
    assert any(identity[3] == "Juliet" for identity in info["disco_info"]["identities"])
    await romeo.muc.set_affiliation(ROOM, "member", jid="nurse@localhost")
    await refused("conflict", nurse.enter("Juliet", "pilgrim"))
    step("nick registered, and nobody else's")


async def talk(romeo, juliet, nurse):
    await nurse.enter("Nurse", "pilgrim")
    await romeo.until("Nurse", shown("Nurse", role="participant"))
    await romeo.muc.set_role(ROOM, "Nurse", "visitor", reason="listen first")
    await nurse.until("her role", shown("Nurse", role="visitor"))
    nurse.say("may I?")
    await nurse.until("a refusal", lambda s: s.name == "message" and s["type"] == "error"
                      and s["error"]["condition"] == "forbidden")
    nurse.muc.request_voice(ROOM, "participant")
    asked = await romeo.until("the request for voice", lambda s: "muc#request_allow" in str(s))
    answer = asked["form"]
    answer["type"] = "submit"
    answer.get_fields()["muc#request_allow"]["value"] = True
    reply = romeo.make_message(mto=ROOM)
    reply.append(answer)
    reply.send()
    await nurse.until("her role", shown("Nurse", role="participant"))
    nurse.say("now I may")
    for hearer in (romeo, juliet, nurse):
        await hearer.until("nurse's line", said("now I may"))
    step("voice asked for and given")

    romeo.send_message(mto=f"{ROOM}/Juliet", mbody="psst", mtype="chat")
    private = await juliet.until("a private message", said("psst"))
    assert private["type"] == "chat" and private["from"] == f"{ROOM}/Romeo"
    await asyncio.sleep(0.2)
    assert not any(said("psst")(stanza) for stanza in nurse.arrived)
    step("private message")

    juliet.muc.set_subject(ROOM, "mine")
    await juliet.until("a refusal", lambda s: s.name == "message" and s["type"] == "error"
                       and s["error"]["condition"] == "forbidden")
    romeo.muc.set_subject(ROOM, "By yonder blessed moon")
    for reader in (romeo, juliet, nurse):
        await reader.until("the subject", lambda s: s.name == "message" and s["subject"] == "By yonder blessed moon")
    step("subject by moderators only")


async def moderate(romeo, juliet, nurse, paris):
    await romeo.muc.set_role(ROOM, "Nurse", "none", reason="madam calls")
    out = await nurse.until("her going", gone("Nurse"))
    assert codes(out) >= {110, 307} and "madam calls" in str(out), out
    assert 307 in codes(await juliet.until("nurse's going", gone("Nurse")))
    step("kicked")

    await romeo.muc.set_affiliation(ROOM, "member", jid="paris@localhost")
    await paris.enter("Paris", "pilgrim")
    await refused("forbidden", juliet.muc.set_affiliation(ROOM, "outcast", jid="paris@localhost"))
    await romeo.muc.set_affiliation(ROOM, "outcast", jid="paris@localhost", reason="to the tomb")
    out = await paris.until("his going", gone("Paris"))
    assert codes(out) >= {110, 301} and "to the tomb" in str(out), out
    await refused("forbidden", paris.enter("Paris", "pilgrim"))
    assert await romeo.muc.get_affiliation_list(ROOM, "outcast") == ["paris@localhost"]
    await romeo.muc.set_affiliation(ROOM, "none", jid="paris@localhost")
    await refused("registration-required", paris.enter("Paris", "pilgrim"))
    step("banned and pardoned")

    await romeo.muc.set_affiliation(ROOM, "admin", jid="juliet@localhost")
    await juliet.until("her affiliation", shown("Juliet", affiliation="admin", role="moderator"))
    assert await juliet.muc.get_affiliation_list(ROOM, "admin") == ["juliet@localhost"]
    await romeo.muc.set_affiliation(ROOM, "owner", jid="juliet@localhost")
    assert sorted(await juliet.muc.get_affiliation_list(ROOM, "owner")) == ["juliet@localhost", "romeo@localhost"]
    await romeo.muc.set_affiliation(ROOM, "member", jid="juliet@localhost")
    await juliet.until("her affiliation", shown("Juliet", affiliation="member", role="participant"))
    await refused("conflict", romeo.muc.set_affiliation(ROOM, "none", jid="romeo@localhost"))
    step("affiliations given and taken; the last owner stays")


async def come_back(romeo, juliet, nurse):
    nurse.arrived.clear()
    _, subject, occupants, history = await nurse.enter("Nurse", "pilgrim")
    assert subject["subject"] == "By yonder blessed moon", subject
    assert [line["body"] for line in history] == ["now I may"], history
    assert {o["from"].resource for o in occupants} >= {"Romeo", "Juliet"}, occupants
    step("history and subject for who comes back")


async def destroy(romeo, juliet, nurse):
    await refused("forbidden", juliet.muc.destroy(ROOM))
    await romeo.muc.destroy(ROOM, "the sun rises", "hall@conference.localhost")
    for visitor, nick in ((juliet, "Juliet"), (nurse, "Nurse")):
        out = await visitor.until("the end of the room", gone(nick))
        end = out.xml.find(".//{http://jabber.org/protocol/muc#user}destroy")
        assert end.get("jid") == "hall@conference.localhost" and "the sun rises" in str(out), out
    await refused("gone", nurse.enter("Nurse", "pilgrim"))
    step("destroyed, with where to go instead")


async def main():
    host, port = sys.argv[1], int(sys.argv[2])
    clients = [Client(name) for name in ("romeo", "juliet", "nurse", "paris")]
    for client in clients:
        await client.start(host, port)
    romeo, juliet, nurse, paris = clients
    await create(romeo)
    await invite(romeo, juliet, nurse)
    await register(romeo, juliet, nurse)
    await talk(romeo, juliet, nurse)
    await moderate(romeo, juliet, nurse, paris)
    await come_back(romeo, juliet, nurse)
    await destroy(romeo, juliet, nurse)
    for client in clients:
        await client.disconnect(wait=2)


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
