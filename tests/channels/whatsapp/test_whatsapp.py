"""The WhatsApp channel: the contract, and both ways against the sandbox's Cloud API."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from chatwright.features.messaging.deliveries.degrading import degrade
from chatwright.kernel.errors import Forbidden
from chatwright.kernel.ids import new_id
from chatwright.net.downloads import FileGone
from chatwright.ports.channel import (
    AnyChannel,
    Connecting,
    CredentialsLost,
    DownloadFailed,
    Downloading,
    Handshaking,
    HookRequest,
    InboxView,
    MarkingRead,
    ProviderRefused,
    Renewing,
    TemplateTaken,
    Templating,
    Typing,
)
from chatwright.ports.content import (
    Button,
    ButtonsContent,
    CarouselContent,
    ContactCardContent,
    Content,
    ListContent,
    ListRow,
    ListSection,
    LocationContent,
    MediaContent,
    QuickRepliesContent,
    ReactionContent,
    ReplyContent,
    TemplateContent,
    TextContent,
)
from chatwright.ports.inbound import (
    DeliveryStatus,
    InboundConsent,
    InboundEcho,
    InboundEdit,
    InboundIdentity,
    InboundMessage,
    InboundReaction,
    InboundStatus,
    InboundTemplate,
    InboundUnsend,
)
from chatwright.ports.sending import Outgoing, Reaction
from chatwright.ports.templates import TemplateDraft
from tests.channels.contract import ChannelContract
from tests.channels.whatsapp import payloads as wa
from tests.channels.whatsapp.conftest import Line, hook, inbox_of, stored
from tests.channels.whatsapp.test_parsing import CHANNEL, INBOX

PICTURE = base64.b64decode("/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////")


class TestContract(ChannelContract):
    @pytest_asyncio.fixture(autouse=True, loop_scope="session")
    async def on_the_sandbox(self, line: Line) -> None:
        self.line = line

    def channel(self) -> AnyChannel:
        return self.line.channel

    def inbox(self) -> InboxView[Any]:
        secrets = [*self.line.inbox.settings.app_secrets, *INBOX.settings.app_secrets]
        waba = {"waba_id": wa.WABA, "phone_number": wa.NUMBER}
        return self.line.with_settings(app_secrets=secrets, **waba).inbox

    def samples(self) -> Sequence[HookRequest]:
        return [
            wa.said(*wa.MESSAGES.values()),
            wa.said(*wa.SYSTEM.values(), *wa.CHANGES.values()),
            wa.statuses(*(wa.status(word) for word in ("sent", "delivered", "read", "failed", "in_orbit"))),
            *(wa.happened(*one) for one in wa.ACCOUNT.values()),
            *(wa.happened(*one) for one in wa.KEPT.values()),
        ]

    def forgeries(self) -> Mapping[str, HookRequest]:
        good = wa.said(wa.MESSAGES["text"])
        signature = good.headers["x-hub-signature-256"]
        return {
            "unsigned": HookRequest("POST", {}, {}, good.body),
            "altered": replace(good, body=good.body.replace(b"klar", b"wahr")),
            "of another app": wa.call(wa.entry(), secret="somebody else's"),
            "with half a signature": replace(good, headers={"x-hub-signature-256": signature[:40]}),
            "with the older kind of signature": HookRequest(
                "POST", {"x-hub-signature": signature}, {}, good.body
            ),
        }

    def outgoing(self) -> Outgoing:
        return Outgoing(new_id(), self.line.ada["id"], TextContent(text="Good morning"))


def test_it_offers_what_the_provider_does() -> None:
    ports = (Handshaking, Connecting, Renewing, Downloading, Typing, MarkingRead, Templating)
    assert [port for port in ports if not isinstance(CHANNEL, port)] == []


def test_the_handshake_wants_the_inbox_s_own_token() -> None:
    inbox = replace(INBOX, hook_token="t0ken")
    query = {"hub.mode": "subscribe", "hub.verify_token": "t0ken", "hub.challenge": "12345"}
    assert CHANNEL.handshake(inbox, HookRequest("GET", {}, query, b"")) == "12345"
    with pytest.raises(Forbidden):
        CHANNEL.handshake(inbox, HookRequest("GET", {}, query | {"hub.verify_token": "x"}, b""))


class TestSending:
    async def test_a_text_arrives_and_its_statuses_carry_our_id(self, line: Line) -> None:
        outgoing = Outgoing(new_id(), line.ada["id"], TextContent(text="Zwölf Äpfel 🍏 https://example.com"))
        outcome = await line.channel.send(line.inbox, outgoing)
        bubble = await line.last_bubble()
        assert (outcome.external_id, outcome.reaction) == (bubble["id"], None)
        assert bubble["text"] == "Zwölf Äpfel 🍏 https://example.com"
        assert outcome.load == 0.05
        await line.act("read")
        statuses = [found for found in await line.heard() if isinstance(found, InboundStatus)]
        assert {(found.message_id, found.external_id) for found in statuses} == {
            (str(outgoing.message_id), bubble["id"])
        }
        assert [found.status for found in statuses] == [
            DeliveryStatus.SENT,
            DeliveryStatus.DELIVERED,
            DeliveryStatus.READ,
        ]
        assert any(found.pricing and found.pricing.category == "service" for found in statuses)

    async def test_somebody_known_by_a_user_id_alone_is_reached_by_it(self, line: Line) -> None:
        await line.happen("hide_phone", username="ada")
        await line.act("say", text="Who am I?")
        (said,) = [found for found in await line.heard() if isinstance(found, InboundMessage)]
        address = next(iter(said.person.identities.values()))
        assert address == line.ada["details"]["user_id"]
        assert said.person.username == "ada"
        outcome = await line.send(TextContent(text="Ada, of course"), to=address)
        assert outcome.reaction is None
        assert (await line.last_bubble())["text"] == "Ada, of course"

    async def test_an_answer_quotes_what_it_answers(self, line: Line) -> None:
        asked = await line.act("say", text="Open today?")
        await line.send(TextContent(text="Until six"), reply_to=asked)
        assert (await line.last_bubble())["reply_to"] == asked

    @pytest.mark.parametrize(
        ("kind", "filename", "media_type", "shown"),
        [
            ("image", "boot.jpg", "image/jpeg", "image"),
            ("video", "boot.mp4", "video/mp4", "video"),
            ("audio", "song.mp3", "audio/mpeg", "audio"),
            ("voice", "note.ogg", "audio/ogg", "audio"),
            ("file", "Rechnung.pdf", "application/pdf", "document"),
        ],
    )
    async def test_a_file_is_uploaded(
        self, line: Line, kind: Any, filename: str, media_type: str, shown: str
    ) -> None:
        content = MediaContent(kind=kind, caption="See here", filename=filename)
        outcome = await line.send(content, file=stored(PICTURE, filename, media_type))
        bubble = await line.last_bubble()
        assert (outcome.external_id, bubble["kind"]) == (bubble["id"], shown)
        assert bubble["media"][0]["content"] == len(PICTURE)
        assert bubble["text"] == ("" if shown == "audio" else "See here")
        if kind == "file":
            assert bubble["media"][0]["filename"] == filename

    def test_a_text_beside_a_sound_follows_it(self) -> None:
        spoken = MediaContent(kind="voice", caption="Listen", url="https://a.example/v.ogg")
        seen = MediaContent(kind="image", caption="Look", url="https://a.example/i.png")
        assert degrade(spoken, CHANNEL.capabilities).parts == [
            spoken.model_copy(update={"caption": None}),
            TextContent(text="Listen"),
        ]
        assert degrade(seen, CHANNEL.capabilities).parts == [seen]

    async def test_a_file_can_be_fetched_from_us_instead(self, line: Line) -> None:
        linking = line.with_settings(send_links=True)
        file = stored(PICTURE, "boot.jpg", "image/jpeg", url=f"{line.stage.url}/nowhere.jpg")
        outcome = await linking.send(MediaContent(kind="image"), file=file)
        assert outcome.external_id
        # Nothing is there: WhatsApp took the message, and says later that it could not fetch the file.
        failed = [found for found in await line.heard() if isinstance(found, InboundStatus)][-1]
        assert (failed.status, failed.code, failed.reaction) == (
            DeliveryStatus.FAILED,
            "131053",
            Reaction.RETRY,
        )

    async def test_buttons_and_rows_are_pressed_and_come_back(self, line: Line) -> None:
        await line.send(
            ButtonsContent(text="Which?", buttons=[Button(label="Red", payload="r"), Button(label="Blue")])
        )
        bubble = await line.last_bubble()
        assert [button["title"] for button in bubble["buttons"]] == ["Red", "Blue"]
        await line.act("press", bubble=bubble["id"], button=bubble["buttons"][1]["id"])
        rows = [ListRow(title="Tue 9:00", description="in Graz", payload="tue"), ListRow(title="Wed 9:00")]
        await line.send(ListContent(text="When?", button="Times", sections=[ListSection(rows=rows)]))
        bubble = await line.last_bubble()
        await line.act("press", bubble=bubble["id"], button=bubble["buttons"][0]["id"])
        pressed = [found for found in await line.heard() if isinstance(found, InboundMessage)]
        assert [found.content for found in pressed] == [
            ReplyContent(text="Blue", payload="Blue"),
            ReplyContent(text="Tue 9:00", payload="tue"),
        ]
        assert pressed[1].reply_to == bubble["id"]

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (
                QuickRepliesContent(text="Sure?", replies=[Button(label="Yes"), Button(label="No")]),
                "interactive",
            ),
            (
                ButtonsContent(text="Pay", buttons=[Button(label="Open", url="https://a.example")]),
                "interactive",
            ),
            (
                ListContent(
                    text="What?",
                    button="All",
                    sections=[
                        ListSection(
                            title="Shoes " * 9, rows=[ListRow(title="Boots", description="Warm " * 20)]
                        ),
                        ListSection(rows=[ListRow(title="Laces")]),
                    ],
                ),
                "interactive",
            ),
            (LocationContent(latitude=47.07, longitude=15.43, name="Shop", address="Graz"), "location"),
            (ContactCardContent(name="Mira", phones=["+436605550199"], emails=["m@example.com"]), "contacts"),
        ],
        ids=["quick replies", "link", "sections", "place", "card"],
    )
    async def test_everything_else_that_whatsapp_shows(self, line: Line, content: Content, kind: str) -> None:
        outcome = await line.send(content)
        assert outcome.reaction is None, outcome
        assert (await line.last_bubble())["kind"] == kind

    async def test_a_reaction_is_set_and_taken_back(self, line: Line) -> None:
        asked = await line.act("say", text="Thank you!")
        for emoji, seen in (("❤️", {"account": "❤️"}), ("", {})):
            outcome = await line.send(ReactionContent(message_id=asked, emoji=emoji))
            assert outcome.reaction is None
            assert (await line.last_bubble())["reactions"] == seen

    async def test_what_whatsapp_cannot_show_is_not_sent(self, line: Line) -> None:
        outcome = await line.send(CarouselContent(cards=[{"title": "Boots"}]))  # pyright: ignore[reportArgumentType]
        assert outcome.reaction is Reaction.BAD_PAYLOAD
        assert (await line.send(MediaContent(kind="image"))).reaction is Reaction.BAD_PAYLOAD
        assert (await line.send(TextContent(text="hi"), to="@ada")).reaction is Reaction.UNREACHABLE

    async def test_typing_and_reading_show(self, line: Line) -> None:
        asked = await line.act("say", text="Anybody there?")
        await line.channel.mark_read(line.inbox, line.ada["id"], asked)
        assert (await line.last_bubble())["tick"] == "read"
        await line.channel.show_typing(line.inbox, line.ada["id"], asked)
        assert (await line.stage.phone(line.account, line.ada))["typing"]
        await line.channel.show_typing(line.inbox, line.ada["id"], None)
        await line.channel.mark_read(line.inbox, line.ada["id"], "wamid.nothing")


class TestRefusals:
    @pytest.mark.parametrize(
        ("fault", "reaction", "scope"),
        [
            ("131047", Reaction.WINDOW_CLOSED, "inbox"),
            ("131056", Reaction.RETRY_AFTER, "pair"),
            ("131026", Reaction.UNREACHABLE, "inbox"),
            ("131050", Reaction.OPTED_OUT, "inbox"),
            ("190", Reaction.REFRESH_TOKEN, "inbox"),
            ("190/463", Reaction.RECONNECT, "inbox"),
            ("368", Reaction.PAUSE_CHANNEL, "inbox"),
            ("132001", Reaction.BAD_PAYLOAD, "inbox"),
        ],
    )
    async def test_a_refusal_says_what_it_asks(
        self, line: Line, fault: str, reaction: Reaction, scope: str
    ) -> None:
        await line.stage.fault(line.account, restricted=fault)
        outcome = await line.send(TextContent(text="hi"))
        assert (outcome.reaction, outcome.code, outcome.scope) == (reaction, fault, scope)
        assert outcome.external_id is None

    @pytest.mark.parametrize(
        ("fault", "reaction", "accepted"),
        [
            ("too_many", Reaction.RETRY_AFTER, 0),
            ("broken", Reaction.RETRY, 0),
            ("silent", Reaction.UNKNOWN, 1),
        ],
    )
    async def test_trouble_on_the_way(
        self, line: Line, fault: str, reaction: Reaction, accepted: int
    ) -> None:
        await line.stage.fault(line.account, **{fault: 1})
        outcome = await line.send(TextContent(text="hi"))
        sends = await line.stage.control("GET", f"/accounts/whatsapp/{line.account['id']}/sends/copies")
        assert (outcome.reaction, sends["accepted"]) == (reaction, accepted)

    async def test_a_token_that_was_refused_once_is_tried_again(self, line: Line) -> None:
        assert line.channel.renew_at(line.inbox) is None
        assert await line.channel.renew(line.inbox) == line.inbox.settings
        ended = inbox_of(line.account, line.stage.url, access_token="ended")
        with pytest.raises(CredentialsLost):
            await line.channel.renew(ended)

    async def test_a_closed_window_is_told_by_a_status(self, line: Line) -> None:
        person = f"/accounts/whatsapp/{line.account['id']}/people/{line.ada['id']}"
        await line.stage.control("PATCH", person, said_seconds_ago=25 * 3600)
        assert (await line.send(TextContent(text="Still there?"))).reaction is None
        (status,) = [found for found in await line.heard() if isinstance(found, InboundStatus)]
        assert (status.status, status.reaction) == (DeliveryStatus.FAILED, Reaction.WINDOW_CLOSED)

    async def test_the_quota_s_end_is_told(self, line: Line) -> None:
        await line.stage.fault(line.account, usage=95, throttled_minutes=3)
        outcome = await line.send(TextContent(text="hi"))
        assert (outcome.load, outcome.retry_after) == (1.0, 180)


class TestHearing:
    async def test_what_people_do_on_their_phones(self, line: Line) -> None:
        first = await line.act("say", text="Grüße / 😀")
        await line.act("edit", bubble=first, text="Grüße!")
        await line.act("unsend", bubble=first)
        sent = await line.send(TextContent(text="Hello"))
        await line.act("react", bubble=sent.external_id, emoji="👍")
        await line.happen("user_preferences", value="stop")
        found = {type(one): one for one in await line.heard()}
        said, edited, reacted = found[InboundMessage], found[InboundEdit], found[InboundReaction]
        assert isinstance(said, InboundMessage)
        assert said.content == TextContent(text="Grüße / 😀")
        assert isinstance(edited, InboundEdit)
        assert (edited.external_id, edited.content) == (first, TextContent(text="Grüße!"))
        assert found[InboundUnsend] == InboundUnsend(first, said.person)
        assert isinstance(reacted, InboundReaction)
        assert (reacted.external_id, reacted.emoji) == (sent.external_id, "👍")
        stopped = found[InboundConsent]
        assert isinstance(stopped, InboundConsent)
        assert not stopped.given

    async def test_somebody_of_ours_wrote_in_the_business_app(self, line: Line) -> None:
        await line.stage.occur(line.account, "smb_message_echoes", person=line.ada["id"], text="I am on it")
        (echo,) = await line.heard()
        assert isinstance(echo, InboundEcho)
        assert (echo.content, echo.by_app) == (TextContent(text="I am on it"), False)
        assert echo.person.identities["wa_id"] == line.ada["id"]

    async def test_somebody_with_another_number_stays_the_same(self, line: Line) -> None:
        await line.happen("user_changed_number", wa_id="15557654321")
        moves = [found for found in await line.heard() if isinstance(found, InboundIdentity)]
        assert moves[0].person.identities["wa_id"] == line.ada["id"]
        assert moves[0].now.identities["wa_id"] == "15557654321"
        assert moves[1].person.identities["bsuid"] == line.ada["details"]["user_id"]
        assert moves[1].now.identities["bsuid"] != line.ada["details"]["user_id"]

    async def test_copies_milliseconds_and_names_left_out(self, line: Line) -> None:
        await line.stage.fault(line.account, copies=3, milliseconds=True, nameless=True)
        await line.act("say", text="Only once")
        await line.stage.settled()
        calls = [HookRequest("POST", heard.headers, {}, heard.body) for heard in line.ear.heard]
        events = [
            event
            for call in calls
            for event in line.channel.split(line.inbox, call, CHANNEL.verify(line.inbox, call))
        ]
        assert len(events) == 3
        assert len({event.dedupe_key for event in events}) == 1
        found = await line.heard()
        assert found[0] == found[2]
        assert isinstance(found[0], InboundMessage)
        assert found[0].sent_at is not None
        assert found[0].sent_at.year < 3000
        assert found[0].person.identities["bsuid"] == line.ada["details"]["user_id"]


class TestFiles:
    async def picture(self, line: Line) -> str:
        sent = {"kind": "image", "mime_type": "image/jpeg", "content": base64.b64encode(PICTURE).decode()}
        await line.act("media", **sent, caption="Mine")
        (found,) = [found for found in await line.heard() if isinstance(found, InboundMessage)]
        assert found.content == MediaContent(kind="image", caption="Mine")
        assert found.media
        return found.media

    async def fetch(self, line: Line, media: str) -> tuple[str, bytes]:
        opened = await line.channel.download(line.inbox, media)
        return opened.media_type, b"".join([piece async for piece in opened.content])

    async def test_a_file_is_fetched_with_the_token(self, line: Line) -> None:
        assert await self.fetch(line, await self.picture(line)) == ("image/jpeg", PICTURE)

    async def test_another_file_than_was_announced_is_not_taken(self, line: Line) -> None:
        name = (await self.picture(line)).partition(" ")[0]
        other = base64.b64encode(bytes(32)).decode()
        with pytest.raises(DownloadFailed, match="damaged"):
            await self.fetch(line, f"{name} {other}")

    async def test_a_file_that_is_gone_is_not_asked_for_again(self, line: Line) -> None:
        with pytest.raises(FileGone):
            await self.fetch(line, "998877")


class TestTemplates:
    DRAFT = TemplateDraft(
        "pickup_ready",
        "de",
        "utility",
        [{"type": "BODY", "text": "Hallo {{1}}, bereit am {{2}}.", "example": {"body_text": [["Jo", "Di"]]}}],
    )

    async def test_a_template_lives(self, line: Line) -> None:
        made = await line.channel.create_template(line.inbox, self.DRAFT)
        assert (made.status, made.category, made.name) == ("pending", "utility", "pickup_ready")
        news = [found for found in await line.heard() if isinstance(found, InboundTemplate)]
        assert [(found.name, found.status, found.template_id) for found in news] == [
            ("pickup_ready", "approved", made.template_id)
        ]
        (listed,) = await line.channel.list_templates(line.inbox)
        assert (listed.status, listed.language, listed.components) == (
            "approved",
            "de",
            self.DRAFT.components,
        )
        sent = await line.send(
            TemplateContent(name="pickup_ready", language="de", parameters={"1": "Ada", "2": "Mittwoch"})
        )
        assert sent.reaction is None, sent
        assert "Hallo Ada, bereit am Mittwoch." in (await line.last_bubble())["text"]
        await line.channel.delete_template(line.inbox, "pickup_ready", "de")
        assert await line.channel.list_templates(line.inbox) == []
        refused = await line.send(TemplateContent(name="pickup_ready", language="de"))
        assert (refused.reaction, refused.code) == (Reaction.BAD_PAYLOAD, "132001")

    async def test_a_template_that_is_not_taken(self, line: Line) -> None:
        made = await line.channel.create_template(line.inbox, self.DRAFT)
        longer = replace(self.DRAFT, name=f"{self.DRAFT.name}_2")
        await line.channel.create_template(line.inbox, longer)
        with pytest.raises(TemplateTaken) as taken:
            await line.channel.create_template(line.inbox, self.DRAFT)
        assert taken.value.there.template_id == made.template_id
        nothing = replace(self.DRAFT, name="bare", components=[{"type": "FOOTER", "text": "x"}])
        with pytest.raises(ProviderRefused, match="exactly one body") as refused:
            await line.channel.create_template(line.inbox, nothing)
        assert refused.value.code == "PROVIDER_REFUSED"


class TestLooking:
    async def words(self, line: Line) -> dict[str, tuple[bool, str]]:
        return {found.name: (found.ok, found.words) for found in await line.channel.check(line.inbox)}

    async def test_everything_is_in_place(self, line: Line) -> None:
        inbox = replace(line.inbox, hook_url=line.ear.url)
        findings = await line.channel.check(inbox)
        assert [(found.name, found.ok) for found in findings] == [
            (name, True) for name in ("token", "number", "account", "webhook", "limit", "quality")
        ]
        told = " ".join(found.words for found in findings)
        assert "2,000 people" in told
        assert line.inbox.settings.access_token.get_secret_value() not in told

    async def test_what_is_not_yet_ours_is_told(self, line: Line) -> None:
        found = await self.words(line)
        assert found["webhook"][0] is False
        assert "another server" in found["webhook"][1]

    @pytest.mark.parametrize(
        ("changes", "name", "reaction"),
        [
            ({"access_token": "wrong"}, "token", Reaction.RECONNECT),
            ({"app_secrets": ["wrong"]}, "app_secret", Reaction.RECONNECT),
            ({"phone_number_id": "404"}, "number", Reaction.RECONNECT),
            ({"waba_id": "404"}, "account", Reaction.RECONNECT),
        ],
    )
    async def test_what_is_wrong_is_said_in_words(
        self, line: Line, changes: dict[str, Any], name: str, reaction: Reaction
    ) -> None:
        inbox = inbox_of(line.account, line.stage.url, **changes)
        faults = [found for found in await line.channel.check(inbox) if found.reaction is not None]
        assert [(found.name, found.ok, found.reaction) for found in faults] == [(name, False, reaction)]
        assert "wrong" not in faults[0].words

    async def test_a_proof_is_only_made_where_it_is_wanted(self, line: Line) -> None:
        inbox = inbox_of(line.account, line.stage.url, app_secrets=["wrong"], prove_calls=False)
        assert (await line.channel.check(inbox))[0].ok

    async def test_nobody_there_is_no_reason_to_reconnect(self, line: Line) -> None:
        inbox = inbox_of(line.account, "http://127.0.0.1:9")
        (found,) = await line.channel.check(inbox)
        assert (found.ok, found.reaction) == (False, Reaction.RETRY)

    async def test_a_number_s_troubles_show(self, line: Line) -> None:
        account = f"/accounts/whatsapp/{line.account['id']}"
        details = {"quality_rating": "RED", "status": "DISCONNECTED", "messaging_limit_tier": "TIER_250"}
        await line.stage.control("PATCH", account, details=details)
        found = await self.words(line)
        assert [found[name][0] for name in ("number", "quality", "limit")] == [False, False, True]
        assert "250 people" in found["limit"][1]

    async def test_a_webhook_nobody_answers_at_is_told(self, line: Line) -> None:
        inbox = replace(line.inbox, hook_url="http://127.0.0.1:9/hooks/x", hook_token="t")
        (found,) = await asyncio.wait_for(line.channel.connect(inbox), 20)
        assert (found.name, found.ok) == ("webhook", False)
        assert "t0ken" not in found.words
        await line.channel.disconnect(inbox)

    async def test_connecting_points_it_here_and_disconnecting_away(self, line: Line) -> None:
        async with hook("t0ken") as (url, came):
            inbox = replace(line.inbox, hook_url=url, hook_token="t0ken")
            for _ in range(2):
                assert [found.ok for found in await line.channel.connect(inbox)] == [True]
            assert all(found.ok for found in await line.channel.check(inbox))
            await line.act("say", text="Here?")
            await line.stage.settled()
            assert len(came) == 1
            assert line.ear.heard == []
            await line.channel.disconnect(inbox)
            await line.act("say", text="And now?")
            await line.stage.settled()
            assert (len(came), len(line.ear.heard)) == (1, 1)

    async def test_the_account_s_webhook_stays_where_another_inbox_has_taken_it(self, line: Line) -> None:
        async with hook("one") as (first, _), hook("two") as (second, _):
            ours = replace(line.inbox, hook_url=first, hook_token="one")
            others = replace(line.inbox, hook_url=second, hook_token="two")
            await line.channel.connect(ours)
            await line.channel.connect(others)
            await line.channel.disconnect(ours)
            account = await line.stage.control("GET", f"/accounts/whatsapp/{line.account['id']}")
            assert account["details"]["webhook_overrides"] == {"whatsapp_business_account": second}
