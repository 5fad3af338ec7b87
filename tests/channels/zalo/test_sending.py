"""What goes out, seen on the phones of the sandbox; and what its refusals, silences and tokens come to."""

import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatwright.channels.zalo.api import Refused
from chatwright.channels.zalo.refusals import MEANINGS, meaning_of, outcome_of, seconds_until
from chatwright.channels.zalo.settings import ZaloSettings
from chatwright.kernel.errors import Unavailable
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import CredentialsLost, DownloadFailed, HookRequest, ProviderRefused
from chatwright.ports.content import (
    Button,
    ButtonsContent,
    LocationContent,
    MediaContent,
    ReactionContent,
    ReplyContent,
    TemplateContent,
    TextContent,
)
from chatwright.ports.inbound import (
    Inbound,
    InboundEcho,
    InboundMessage,
    InboundProfile,
    InboundStatus,
    Person,
)
from chatwright.ports.sending import Outgoing, Reaction
from chatwright.ports.templates import TemplateDraft
from tests.channels.zalo.conftest import PNG, Office, a_file
from tests.sandbox.running import Ear
from tests.serving import serving

GIF = b"GIF89a" + struct.pack("<HH", 320, 240) + bytes(30)
HELLO = TextContent(text="Hello")


def template(name: str = "300001", **parameters: str) -> TemplateContent:
    return TemplateContent(name=name, language="vi", parameters=parameters or {"name": "Ada"})


async def hears(office: Office, ear: Ear) -> None:
    """Have the account's events go to this ear."""
    path = f"/accounts/zalo/{office.account['id']}"
    await office.stage.control("PATCH", path, webhook_url=ear.url)


async def heard_by(office: Office, ear: Ear) -> list[Inbound]:
    """What our channel makes of all that was heard, after it was verified."""
    await office.stage.settled()
    found: list[Inbound] = []
    for heard in ear.heard:
        request = HookRequest("POST", heard.headers, {}, heard.body)
        for raw in office.channel.split(office.inbox, request, office.channel.verify(office.inbox, request)):
            found += office.channel.parse(office.inbox, raw.payload)
    return found


class TestContents:
    async def test_text_and_how_much_of_the_minute_is_used(self, office: Office) -> None:
        outcome = await office.send(TextContent(text="Chào Ada!"))
        bubble = await office.last_bubble()
        assert (bubble["text"], outcome.external_id) == ("Chào Ada!", bubble["id"])
        assert outcome.load is not None
        assert 0 < outcome.load < 0.01

    async def test_an_answer_names_what_it_answers(self, office: Office) -> None:
        asked = (await office.bubbles())[0]["id"]
        await office.send(HELLO, reply_to=asked)
        assert (await office.last_bubble())["reply_to"] == asked

    async def test_an_answer_to_what_is_gone_goes_all_the_same_and_once(self, office: Office) -> None:
        outcome = await office.send(TextContent(text="Still here"), reply_to="gone")
        assert outcome.reaction is None
        assert [one["text"] for one in await office.bubbles()].count("Still here") == 1

    async def test_buttons(self, office: Office, ear: Ear) -> None:
        await hears(office, ear)
        menu = Button(label="Menu", url="https://m.example")
        buttons = [Button(label="Yes", payload="YES PLEASE"), menu, Button(label="No")]
        await office.send(ButtonsContent(text="Another?", buttons=buttons))
        bubble = await office.last_bubble()
        assert [(one["title"], one["kind"]) for one in bubble["buttons"]] == [
            ("Yes", "oa.query.hide"),
            ("Menu", "oa.open.url"),
            ("No", "oa.query.show"),
        ]
        for number in "02":
            await office.stage.act(office.account, office.ada, "press", bubble=bubble["id"], button=number)
        said = [one.content for one in await heard_by(office, ear) if isinstance(one, InboundMessage)]
        assert said == [ReplyContent(text="YES PLEASE", payload="YES PLEASE"), TextContent(text="No")]

    @pytest.mark.parametrize(
        ("kind", "media_type", "filename", "content"),
        [
            ("image", "image/png", "cup.png", PNG * 20),
            ("image", "image/jpeg", "cup", b"\xff\xd8\xff" + PNG),
            ("image", "image/gif", "steam.gif", GIF),
            ("file", "application/pdf", "bill", b"%PDF-1.7" * 50),
            ("file", "text/csv", "täglich.txt", b"a;b"),
        ],
    )
    async def test_files_are_uploaded_first(
        self, office: Office, kind: str, media_type: str, filename: str, content: bytes
    ) -> None:
        caption = "Here" if kind == "image" else None
        media = MediaContent.model_validate({"kind": kind, "caption": caption})
        outcome = await office.send(media, file=a_file(content, media_type, filename))
        assert outcome.reaction is None, outcome
        (arrived,) = office.files_of_last_bubble()
        assert (arrived.content, arrived.mime_type) == (content, media_type)
        assert (await office.last_bubble())["text"] == (caption or "")

    async def test_a_picture_with_an_address_is_fetched_by_zalo(self, office: Office) -> None:
        await office.send(MediaContent(kind="image", url="https://pictures.example/cup.jpg"))
        assert (await office.last_bubble())["media"][0]["url"] == "https://pictures.example/cup.jpg"

    async def test_a_file_that_is_refused_makes_no_message(self, office: Office) -> None:
        before = len(await office.bubbles())
        file = a_file(b"no picture at all", "image/png")
        assert (await office.send(MediaContent(kind="image"), file=file)).reaction is Reaction.BAD_PAYLOAD
        assert len(await office.bubbles()) == before

    async def test_a_request_for_their_details(self, office: Office, ear: Ear) -> None:
        await hears(office, ear)
        outcome = await office.send(
            template("request_user_info", title="Your details", subtitle="For delivery")
        )
        assert outcome.reaction is None, outcome
        bubble = await office.last_bubble()
        await office.stage.act(office.account, office.ada, "press", bubble=bubble["id"], button="share")
        profile = [one for one in await heard_by(office, ear) if isinstance(one, InboundProfile)]
        assert [(one.person.name, one.person.phone) for one in profile] == [("Ada Byron", "84901234567")]

    async def test_a_reaction_is_set_and_taken_back_and_is_no_message(self, office: Office) -> None:
        asked = (await office.bubbles())[0]["id"]
        outcome = await office.send(ReactionContent(message_id=asked, emoji="❤️"))
        assert (outcome.reaction, outcome.external_id) == (None, None)
        assert (await office.bubbles())[0]["reactions"] == {"account": "❤"}
        await office.send(ReactionContent(message_id=asked, emoji=""))
        assert (await office.bubbles())[0]["reactions"] == {}

    async def test_what_zalo_cannot_show_is_never_sent(self, office: Office) -> None:
        for content in (
            LocationContent(latitude=1, longitude=2),
            MediaContent(kind="image"),
            MediaContent(kind="video", url="https://v.example/a.mp4"),
            ReactionContent(message_id="m", emoji="🦄"),
        ):
            assert (await office.send(content)).reaction is Reaction.BAD_PAYLOAD

    @pytest.mark.parametrize("address", ["", "Ada Byron", "+84", "a/b/c", "/"])
    async def test_what_is_no_address_is_nobody(self, office: Office, address: str) -> None:
        outcome = await office.channel.send(office.inbox, Outgoing(new_id(), address, HELLO))
        assert outcome.reaction is Reaction.UNREACHABLE

    async def test_our_messages_come_back_as_ours_and_are_seen_to_arrive(
        self, office: Office, ear: Ear
    ) -> None:
        await hears(office, ear)
        outcome = await office.send(HELLO)
        await office.stage.act(office.account, office.ada, "read")
        found = await heard_by(office, ear)
        echoes = [one for one in found if isinstance(one, InboundEcho)]
        assert [(one.external_id, one.by_app) for one in echoes] == [(outcome.external_id, True)]
        statuses = {(one.message_id, one.status.value) for one in found if isinstance(one, InboundStatus)}
        assert statuses == {(outcome.external_id, "delivered"), (outcome.external_id, "read")}

    async def test_a_person_in_zalo_s_own_tool_is_told_from_us(self, office: Office, ear: Ear) -> None:
        await hears(office, ear)
        await office.stage.occur(
            office.account, "staff_message", user_id=office.ada["id"], text="I take over", admin_id="77"
        )
        (echo,) = await heard_by(office, ear)
        assert isinstance(echo, InboundEcho)
        assert (echo.by_app, echo.author) == (False, "77")


class TestTemplates:
    async def test_to_somebody_known_by_id(self, office: Office) -> None:
        assert (await office.send(template())).reaction is None
        assert (await office.last_bubble())["text"] == "Ada, it is on its way."

    async def test_to_a_number_with_our_id_which_comes_back(self, office: Office, ear: Ear) -> None:
        await hears(office, ear)
        outgoing = Outgoing(new_id(), "+84901234567", template())
        outcome = await office.channel.send(office.inbox, outgoing)
        assert outcome.external_id == (await office.last_bubble())["id"]
        (received,) = await heard_by(office, ear)
        assert isinstance(received, InboundStatus)
        assert (received.message_id, received.external_id) == (str(outgoing.message_id), outcome.external_id)

    async def test_a_number_gets_nothing_else(self, office: Office) -> None:
        assert (await office.send(HELLO, to="+84901234567")).reaction is Reaction.BAD_PAYLOAD

    @pytest.mark.parametrize(
        ("content", "to", "reaction"),
        [
            (template("300003"), None, Reaction.BAD_PAYLOAD),
            (template("999999"), None, Reaction.BAD_PAYLOAD),
            (template("300001", other="x"), None, Reaction.BAD_PAYLOAD),
            (template(), "+84900000000", Reaction.UNREACHABLE),
            (template(), "+4930123456", Reaction.BAD_PAYLOAD),
        ],
    )
    async def test_what_is_wrong_with_one(
        self, office: Office, content: TemplateContent, to: str | None, reaction: Reaction
    ) -> None:
        assert (await office.send(content, to=to)).reaction is reaction

    async def test_the_daily_quota_pauses_the_inbox_until_midnight(self, office: Office) -> None:
        office.official.daily_quota = 1
        assert (await office.send(template(), to="+84901234567")).reaction is None
        outcome = await office.send(template(), to="+84901234567")
        assert (outcome.reaction, outcome.code) == (Reaction.PAUSE_CHANNEL, "-144")
        assert outcome.retry_after == pytest.approx(seconds_until(0, datetime.now(UTC)), abs=60)

    async def test_they_are_listed(self, office: Office) -> None:
        found = await office.channel.list_templates(office.inbox)
        assert [(one.name, one.status, one.category, one.language) for one in found] == [
            ("300001", "approved", "utility", "vi"),
            ("300002", "approved", "marketing", "vi"),
            ("300003", "pending", "utility", "vi"),
        ]

    async def test_they_are_made_elsewhere(self, office: Office) -> None:
        with pytest.raises(ProviderRefused):
            await office.channel.create_template(office.inbox, TemplateDraft("n", "vi", "utility", []))
        with pytest.raises(ProviderRefused):
            await office.channel.delete_template(office.inbox, "300001", "vi")
        with pytest.raises(ProviderRefused, match="-216"):
            await office.channel.list_templates(office.with_settings(access_token=SecretStr("wrong")))


class TestRefusals:
    async def test_after_seven_days_only_templates_go(self, office: Office) -> None:
        path = f"/accounts/zalo/{office.account['id']}/people/{office.ada['id']}"
        await office.stage.control("PATCH", path, said_seconds_ago=8 * 24 * 3600)
        outcome = await office.send(HELLO)
        assert (outcome.reaction, outcome.code) == (Reaction.WINDOW_CLOSED, "-230")

    async def test_who_blocked_the_account_has_opted_out(self, office: Office) -> None:
        await office.stage.act(office.account, office.ada, "block")
        assert (await office.send(HELLO)).reaction is Reaction.OPTED_OUT

    async def test_who_never_came_cannot_be_reached(self, office: Office) -> None:
        ben = await office.stage.person(office.account, name="Ben")
        assert (await office.send(HELLO, to=ben["id"])).reaction is Reaction.UNREACHABLE

    async def test_a_token_that_ended_is_to_be_exchanged(self, office: Office) -> None:
        await office.stage.occur(office.account, "expire_token")
        outcome = await office.send(HELLO)
        assert (outcome.reaction, outcome.code) == (Reaction.REFRESH_TOKEN, "-220")
        wrong = office.with_settings(access_token=SecretStr("nobody's"))
        refused = await office.channel.send(wrong, Outgoing(new_id(), office.ada["id"], HELLO))
        assert (refused.reaction, refused.code) == (Reaction.REFRESH_TOKEN, "-216")
        file = a_file()
        assert (await office.send(MediaContent(kind="image"), file=file)).reaction is Reaction.REFRESH_TOKEN

    async def test_the_app_s_limit_is_over_in_a_minute(self, office: Office) -> None:
        office.official.calls_per_minute = 1
        await office.send(HELLO)
        outcome = await office.send(HELLO)
        assert (outcome.reaction, outcome.retry_after, outcome.scope) == (Reaction.RETRY_AFTER, 60, "inbox")

    async def test_trouble_and_silence(self, office: Office) -> None:
        await office.stage.fault(office.account, broken=1)
        assert (await office.send(HELLO)).reaction is Reaction.RETRY
        await office.stage.fault(office.account, broken=0, silent=1)
        assert (await office.send(TextContent(text="Once only"))).reaction is Reaction.UNKNOWN
        assert [one["text"] for one in await office.bubbles()].count("Once only") == 1

    async def test_a_lost_upload_is_no_lost_message(self, office: Office) -> None:
        async def answer(_: Request) -> Response:
            return Response("gateway", 502)

        async with serving(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])) as url:
            inbox = office.with_settings(api_url=url)
            media = Outgoing(new_id(), office.ada["id"], MediaContent(kind="image"), file=a_file())
            assert (await office.channel.send(inbox, media)).reaction is Reaction.RETRY
            text = Outgoing(new_id(), office.ada["id"], HELLO)
            assert (await office.channel.send(inbox, text)).reaction is Reaction.UNKNOWN

    async def test_nobody_there_means_it_was_not_sent(self, office: Office) -> None:
        inbox = office.with_settings(api_url="http://127.0.0.1:9")
        outcome = await office.channel.send(inbox, Outgoing(new_id(), office.ada["id"], HELLO))
        assert outcome.reaction is Reaction.RETRY

    async def test_somebody_not_logged_in_is_answered_in_their_conversation(self, office: Office) -> None:
        asked: list[dict[str, Any]] = []

        async def answer(request: Request) -> Response:
            asked.append({"path": request.url.path, **await request.json()})
            return Response(b'{"data":{"message_id":"x-1"},"error":0,"message":"Success"}')

        async with serving(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])) as url:
            outgoing = Outgoing(new_id(), "an0n/c9", HELLO)
            outcome = await office.channel.send(office.with_settings(api_url=url), outgoing)
        assert outcome.external_id == "x-1"
        recipient = {"anonymous_id": "an0n", "conversation_id": "c9"}
        assert asked == [{"path": "/v2.0/oa/message", "recipient": recipient, "message": {"text": "Hello"}}]

    @pytest.mark.parametrize(
        ("codes", "reaction"),
        [
            ((-216, -220, -124), Reaction.REFRESH_TOKEN),
            ((-32, -234, -133, -218, -147, -1441, -1471, -1472), Reaction.RETRY_AFTER),
            ((-100, -1, -99999, 500, 503), Reaction.RETRY),
            ((-211, -144, -115, -224, -136, -137, -320, -321), Reaction.PAUSE_CHANNEL),
            ((-213, -227, -244, -114, -118, -119), Reaction.UNREACHABLE),
            ((-217, -139, -140, -141), Reaction.OPTED_OUT),
            ((-230, -232), Reaction.WINDOW_CLOSED),
            (
                (-201, -108, -109, -112, -1121, -1124, -113, -1131, -131, -233, -249, -240, -248),
                Reaction.BAD_PAYLOAD,
            ),
            ((-204, -205, -209, -212, -219, -221, -223, -135, -1351, -138), Reaction.RECONNECT),
        ],
    )
    def test_each_code_asks_for_one_thing(self, codes: tuple[int, ...], reaction: Reaction) -> None:
        assert {meaning_of(code).reaction for code in codes} == {reaction}

    def test_every_code_that_waits_says_how_long(self) -> None:
        for code, meaning in MEANINGS.items():
            outcome = outcome_of(Refused(code, "why"), datetime.now(UTC))
            assert (outcome.retry_after is not None) == (
                meaning.reaction is Reaction.RETRY_AFTER or meaning.until_hour is not None
            )

    @pytest.mark.parametrize(
        ("now", "seconds"),
        [
            # 23:30 in Vietnam, and 02:00, and 05:59:59.
            (datetime(2026, 11, 22, 16, 30, tzinfo=UTC), 6.5 * 3600),
            (datetime(2026, 11, 22, 19, 0, tzinfo=UTC), 4 * 3600),
            (datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC), 1),
            (datetime(2026, 11, 22, 23, 0, tzinfo=UTC), 24 * 3600),
        ],
    )
    def test_promotions_wait_for_the_morning_of_vietnam(self, now: datetime, seconds: float) -> None:
        for code in (-234, -133):
            outcome = outcome_of(Refused(code, "at night"), now)
            assert (outcome.reaction, outcome.retry_after, outcome.scope) == (
                Reaction.RETRY_AFTER,
                seconds,
                "pair",
            )


class TestTokens:
    async def test_the_pair_is_exchanged_and_the_old_one_is_worthless(self, office: Office) -> None:
        renewed = await office.channel.renew(office.inbox)
        assert isinstance(renewed, ZaloSettings)
        assert renewed.refresh_token != office.inbox.settings.refresh_token
        assert renewed.tokens_at is not None
        assert abs(renewed.tokens_at - datetime.now(UTC)) < timedelta(minutes=1)
        view = replace(office.inbox, settings=renewed)
        assert (await office.channel.send(view, Outgoing(new_id(), office.ada["id"], HELLO))).reaction is None
        with pytest.raises(CredentialsLost, match="permit the app again"):
            await office.channel.renew(office.inbox)
        assert isinstance(await office.channel.renew(view), ZaloSettings)

    async def test_a_wrong_app_secret_is_told(self, office: Office) -> None:
        with pytest.raises(CredentialsLost, match="secret key is wrong"):
            await office.channel.renew(office.with_settings(app_secret=SecretStr("wrong")))

    @pytest.mark.parametrize("body", [b"<html>busy</html>", b"{}", b"[]", b""])
    async def test_what_is_no_answer_loses_nothing(self, office: Office, body: bytes) -> None:
        async def answer(_: Request) -> Response:
            return Response(body, 503)

        async with serving(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])) as url:
            with pytest.raises(Unavailable):
                await office.channel.renew(office.with_settings(oauth_url=url))
        with pytest.raises(Unavailable):
            await office.channel.renew(office.with_settings(oauth_url="http://127.0.0.1:9"))


class TestChecking:
    async def test_all_is_well(self, office: Office) -> None:
        findings = await office.channel.check(office.inbox)
        assert [(one.name, one.ok) for one in findings] == [
            ("token", True),
            ("account", True),
            ("webhook", True),
        ]
        assert "Bean Bar" in findings[1].words
        assert office.inbox.hook_url in findings[2].words

    async def test_an_ended_token_is_no_reason_to_connect_again(self, office: Office) -> None:
        await office.stage.occur(office.account, "expire_token")
        token, _ = await office.channel.check(office.inbox)
        assert (token.ok, token.reaction) == (False, None)

    async def test_tokens_of_another_account_are(self, office: Office) -> None:
        _, account, _ = await office.channel.check(office.with_settings(oa_id="1"))
        assert (account.ok, account.reaction) == (False, Reaction.RECONNECT)

    async def test_a_server_that_is_away_is_no_fault_of_the_account(self, office: Office) -> None:
        (token,) = await office.channel.check(office.with_settings(api_url="http://127.0.0.1:9"))
        assert (token.ok, token.reaction) == (False, Reaction.RETRY)


class TestIntroducing:
    async def test_the_profile_has_the_name(self, office: Office) -> None:
        assert await office.channel.introduce(office.inbox, office.ada["id"]) == Person(
            {"zalo": office.ada["id"]}, name="Ada Byron"
        )

    async def test_what_they_shared_counts_more(self, office: Office) -> None:
        shared = {"shared_info": {"name": "Ada B. King", "phone": 84901234567}}
        office.official.person(office.ada["id"]).details.update(shared)
        found = await office.channel.introduce(office.inbox, office.ada["id"])
        assert found == Person({"zalo": office.ada["id"]}, name="Ada B. King", phone="84901234567")

    @pytest.mark.parametrize("address", ["17", "an0n/c9", "+84901234567", ""])
    async def test_of_others_nothing_is_told(self, office: Office, address: str) -> None:
        assert await office.channel.introduce(office.inbox, address) is None

    async def test_nobody_there(self, office: Office) -> None:
        away = office.with_settings(api_url="http://127.0.0.1:9")
        assert await office.channel.introduce(away, office.ada["id"]) is None


class TestDownloads:
    async def test_a_file_is_fetched_from_where_the_event_says(self, office: Office, ear: Ear) -> None:
        await hears(office, ear)
        content = "JVBERi0xLjc="
        sent = {"kind": "file", "content": content, "mime_type": "application/pdf", "filename": "bill.pdf"}
        await office.stage.act(office.account, office.ada, "media", **sent)
        (inbound,) = await heard_by(office, ear)
        assert isinstance(inbound, InboundMessage)
        download = await office.channel.download(office.inbox, inbound.media or "")
        assert download.media_type == "application/pdf"
        assert await _whole(download.content) == b"%PDF-1.7"

    @pytest.mark.parametrize("media", ["", "no address", "http://127.0.0.1:9/gone", "https://[::1"])
    async def test_what_cannot_be_fetched(self, office: Office, media: str) -> None:
        with pytest.raises(DownloadFailed):
            await office.channel.download(office.inbox, media)


async def _whole(content: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in content])
