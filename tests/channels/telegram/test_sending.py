"""What goes out, seen on the phones of the sandbox; and what its refusals, silences and settings come to."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatwright.channels.telegram.api import Refused
from chatwright.channels.telegram.refusals import reaction_to
from chatwright.kernel.ids import new_id
from chatwright.net.http import Web
from chatwright.ports.channel import DownloadFailed, HookRequest
from chatwright.ports.content import (
    Button,
    ButtonsContent,
    Card,
    CarouselContent,
    ContactCardContent,
    LocationContent,
    MediaContent,
    QuickRepliesContent,
    ReactionContent,
    ReplyContent,
    TextContent,
)
from chatwright.ports.inbound import InboundMessage
from chatwright.ports.sending import Outgoing, Reaction
from tests.channels.telegram.conftest import PNG, Office, a_file
from tests.sandbox.running import Ear
from tests.serving import serving

PLAIN = "Two *stars* and <b>no</b> markup_ at all."


def hello(office: Office) -> Outgoing:
    return Outgoing(new_id(), office.ada["id"], TextContent(text="Hello"))


class TestContents:
    async def test_text_goes_as_it_is(self, office: Office) -> None:
        outcome = await office.send(TextContent(text=PLAIN))
        bubble = await office.last_bubble()
        assert bubble["text"] == PLAIN
        assert outcome.external_id == f"{office.ada['id']}/{bubble['id']}"

    async def test_an_answer_names_what_it_answers(self, office: Office) -> None:
        asked = (await office.bubbles())[0]["id"]
        await office.send(TextContent(text="Yes"), reply_to=f"{office.ada['id']}/{asked}")
        assert (await office.last_bubble())["reply_to"] == asked

    @pytest.mark.parametrize("gone", ["424242", "callback/4242", "an id of somebody else's"])
    async def test_an_answer_to_what_is_gone_goes_all_the_same(self, office: Office, gone: str) -> None:
        outcome = await office.send(TextContent(text="Still here"), reply_to=f"{office.ada['id']}/{gone}")
        assert outcome.reaction is None
        assert (await office.last_bubble())["reply_to"] is None

    async def test_buttons_answer_with_their_payload_or_open_a_page(self, office: Office) -> None:
        buttons = [
            Button(label="Yes", payload="YES"),
            Button(label="Menu", url="https://m.example"),
            Button(label="No"),
        ]
        await office.send(ButtonsContent(text="Another?", buttons=buttons))
        shown = (await office.last_bubble())["buttons"]
        assert [(one["title"], one["kind"], one["payload"]) for one in shown] == [
            ("Yes", "callback", "YES"),
            ("Menu", "url", "https://m.example"),
            ("No", "callback", "No"),
        ]

    async def test_a_label_too_long_for_a_payload_comes_back_whole(self, office: Office, ear: Ear) -> None:
        label = "Cà phê sữa đá, " * 5
        await office.hear_with(ear)
        await office.send(ButtonsContent(text="Which?", buttons=[Button(label=label)]))
        bubble = await office.last_bubble()
        assert len(bubble["buttons"][0]["payload"].encode()) <= 64
        await office.stage.act(office.bot, office.ada, "press", bubble=bubble["id"], button="0.0")
        await office.stage.settled()
        (inbound,) = office.channel.parse(office.inbox, ear.events[-1])
        assert isinstance(inbound, InboundMessage)
        assert inbound.content == ReplyContent(text=label, payload=label)

    async def test_a_payload_that_no_button_carries_is_refused_before_it_is_sent(
        self, office: Office
    ) -> None:
        before = len(await office.bubbles())
        outcome = await office.send(
            ButtonsContent(text="Which?", buttons=[Button(label="A", payload="ä" * 33)])
        )
        assert outcome.reaction is Reaction.BAD_PAYLOAD
        assert len(await office.bubbles()) == before

    async def test_quick_replies_stand_where_the_keyboard_was(self, office: Office) -> None:
        await office.send(
            QuickRepliesContent(
                text="Size?", replies=[Button(label="Big"), Button(label="Small", payload="Small")]
            )
        )
        shown = (await office.last_bubble())["buttons"]
        assert [(one["title"], one["kind"]) for one in shown] == [("Big", "keyboard"), ("Small", "keyboard")]

    async def test_quick_replies_that_mean_more_than_they_say_are_buttons(self, office: Office) -> None:
        await office.send(QuickRepliesContent(text="Size?", replies=[Button(label="Big", payload="SIZE_L")]))
        (shown,) = (await office.last_bubble())["buttons"]
        assert (shown["kind"], shown["payload"]) == ("callback", "SIZE_L")

    @pytest.mark.parametrize(
        ("kind", "media_type", "shown"),
        [
            ("image", "image/png", "photo"),
            ("image", "image/gif", "animation"),
            ("video", "video/mp4", "video"),
            ("audio", "audio/mpeg", "audio"),
            ("voice", "audio/ogg", "voice"),
            ("sticker", "image/webp", "sticker"),
            ("file", "application/pdf", "document"),
        ],
    )
    async def test_files_are_uploaded(self, office: Office, kind: str, media_type: str, shown: str) -> None:
        content = MediaContent.model_validate({"kind": kind, "caption": "Here"})
        outcome = await office.send(content, file=a_file(PNG * 900, media_type, 'täglich "neu".bin'))
        assert outcome.reaction is None, outcome
        bubble = await office.last_bubble()
        assert bubble["kind"] == shown
        assert bubble["text"] == ("" if kind == "sticker" else "Here")
        (arrived,) = office.files_of_last_bubble()
        assert (arrived.content, arrived.mime_type) == (PNG * 900, media_type)

    async def test_a_file_with_an_address_is_fetched_by_telegram(self, office: Office) -> None:
        await office.send(MediaContent(kind="image", url="https://pictures.example/cup.png", caption="Cup"))
        bubble = await office.last_bubble()
        assert (bubble["kind"], bubble["media"][0]["url"]) == ("photo", "https://pictures.example/cup.png")

    async def test_places_and_cards(self, office: Office) -> None:
        await office.send(LocationContent(latitude=10.5, longitude=106.5))
        assert (await office.last_bubble())["kind"] == "location"
        await office.send(
            LocationContent(latitude=10.5, longitude=106.5, name="Bean Bar", address="1 Le Loi")
        )
        assert (await office.last_bubble())["text"] == "Bean Bar, 1 Le Loi"
        await office.send(
            ContactCardContent(
                name="Ben Orr", phones=["+84907654321", "+84900000000"], emails=["b@x.example"]
            )
        )
        bubble = await office.last_bubble()
        assert (bubble["kind"], bubble["text"]) == ("contact", "Ben Orr +84907654321")

    async def test_a_reaction_is_set_and_taken_back(self, office: Office) -> None:
        bubble = (await office.bubbles())[0]
        name = f"{office.ada['id']}/{bubble['id']}"
        outcome = await office.send(ReactionContent(message_id=name, emoji="❤️"))
        assert (outcome.reaction, outcome.external_id) == (None, None)
        assert (await office.bubbles())[0]["reactions"] == {"account": "❤"}
        await office.send(ReactionContent(message_id=name, emoji=""))
        assert (await office.bubbles())[0]["reactions"] == {}

    async def test_what_telegram_cannot_show_is_never_sent(self, office: Office) -> None:
        for content in (
            CarouselContent(cards=[Card(title="Beans")]),
            ContactCardContent(name="Nobody"),
            MediaContent(kind="image"),
            ReactionContent(message_id="unknown", emoji="👍"),
        ):
            assert (await office.send(content)).reaction is Reaction.BAD_PAYLOAD

    async def test_typing_is_seen(self, office: Office) -> None:
        await office.channel.show_typing(office.inbox, office.ada["id"], None)
        assert (await office.stage.phone(office.bot, office.ada))["typing"] is True
        await office.channel.show_typing(office.inbox, "nobody", None)


class TestPlaces:
    async def test_a_group_and_its_topic(self, office: Office) -> None:
        forum = await office.person(name="Regulars", details={"chat_type": "supergroup", "is_forum": True})
        outcome = await office.send(TextContent(text="Hello all"), to=f"{forum['id']}:40")
        bubble = await office.last_bubble(forum)
        assert bubble["details"]["message_thread_id"] == 40
        assert outcome.external_id == f"{forum['id']}/{bubble['id']}"

    async def test_a_group_that_moved_says_where_to(self, office: Office) -> None:
        group = await office.person(name="Night shift", details={"chat_type": "group"})
        await office.stage.act(office.bot, group, "happen", name="migrate")
        outcome = await office.send(TextContent(text="Anybody?"), to=group["id"])
        assert outcome.reaction is Reaction.RETRY
        assert outcome.moved_to is not None
        assert (await office.send(TextContent(text="Here!"), to=outcome.moved_to)).reaction is None

    @pytest.mark.parametrize("address", ["", "@ada", "five", "1/2/3", "1:2:3", "5" * 30])
    async def test_what_is_no_address_is_nobody(self, office: Office, address: str) -> None:
        outcome = await office.channel.send(office.inbox, replace(hello(office), to=address))
        assert outcome.reaction is Reaction.UNREACHABLE


class TestRefusals:
    async def test_who_blocked_the_bot_has_opted_out(self, office: Office) -> None:
        await office.stage.act(office.bot, office.ada, "block")
        outcome = await office.send(TextContent(text="Hello?"))
        assert (outcome.reaction, outcome.code) == (Reaction.OPTED_OUT, "403")

    async def test_who_is_gone_or_never_wrote_cannot_be_reached(self, office: Office) -> None:
        silent = await office.stage.person(office.bot, name="Silent")
        for to in (silent["id"], "9999999"):
            assert (await office.send(TextContent(text="Hello?"), to=to)).reaction is Reaction.UNREACHABLE
        await office.stage.act(office.bot, office.ada, "happen", name="deactivate")
        assert (await office.send(TextContent(text="Hello?"))).reaction is Reaction.UNREACHABLE

    async def test_too_fast_says_how_long_everybody_waits(self, office: Office) -> None:
        await office.stage.fault(office.bot, too_many=1, retry_after=7)
        outcome = await office.send(TextContent(text="Quick"))
        assert (outcome.reaction, outcome.retry_after, outcome.scope) == (Reaction.RETRY_AFTER, 7, "inbox")

    async def test_too_fast_in_a_group_holds_up_that_group_alone(self, office: Office) -> None:
        group = await office.person(name="Night shift", details={"chat_type": "group"})
        await office.stage.fault(office.bot, too_many=1, retry_after=35)
        outcome = await office.send(TextContent(text="Quick"), to=group["id"])
        assert (outcome.reaction, outcome.scope) == (Reaction.RETRY_AFTER, "pair")

    async def test_their_trouble_is_tried_again(self, office: Office) -> None:
        await office.stage.fault(office.bot, broken=1)
        assert (await office.send(TextContent(text="Hello"))).reaction is Reaction.RETRY

    async def test_silence_after_taking_it_is_uncertain(self, office: Office) -> None:
        await office.stage.fault(office.bot, silent=1)
        outcome = await office.send(TextContent(text="Once only"))
        assert outcome.reaction is Reaction.UNKNOWN
        assert [one["text"] for one in await office.bubbles()].count("Once only") == 1

    async def test_nobody_there_means_it_was_not_sent(self, office: Office) -> None:
        inbox = office.with_settings(base_url="http://127.0.0.1:9")
        outcome = await office.channel.send(inbox, hello(office))
        assert outcome.reaction is Reaction.RETRY
        assert inbox.settings.bot_token.get_secret_value() not in str(outcome)

    async def test_a_private_address_is_never_called(self, office: Office) -> None:
        guarded = type(office.channel)(Web())
        assert (await guarded.send(office.inbox, hello(office))).reaction is Reaction.RETRY
        assert "Hello" not in [one["text"] for one in await office.bubbles() if one["side"] == "account"]

    async def test_a_token_that_ended_needs_a_person(self, office: Office) -> None:
        await office.stage.occur(office.bot, "revoke_token")
        assert (await office.send(TextContent(text="Hello"))).reaction is Reaction.RECONNECT

    @pytest.mark.parametrize(
        ("code", "words", "reaction"),
        [
            (400, "Bad Request: chat not found", Reaction.UNREACHABLE),
            (400, "Bad Request: message thread not found", Reaction.UNREACHABLE),
            (400, "Bad Request: not enough rights to send text messages to the chat", Reaction.UNREACHABLE),
            (400, "Bad Request: file is too big", Reaction.BAD_PAYLOAD),
            (400, "Bad Request: can't parse entities: unexpected end", Reaction.BAD_PAYLOAD),
            (400, "Bad Request: wrong file identifier/HTTP URL specified", Reaction.BAD_PAYLOAD),
            (400, "Bad Request: BUSINESS_PEER_USAGE_MISSING", Reaction.WINDOW_CLOSED),
            (403, "Forbidden: bot was kicked from the supergroup chat", Reaction.UNREACHABLE),
            (403, "Forbidden: bot can't initiate conversation with a user", Reaction.UNREACHABLE),
            (403, "Forbidden: bot can't send messages to bots", Reaction.UNREACHABLE),
            (404, "Not Found", Reaction.RECONNECT),
            (409, "Conflict: terminated by other getUpdates request", Reaction.RETRY),
            (413, "Request Entity Too Large", Reaction.BAD_PAYLOAD),
            (500, "Internal Server Error", Reaction.RETRY),
        ],
    )
    def test_each_refusal_asks_for_one_thing(self, code: int, words: str, reaction: Reaction) -> None:
        assert reaction_to(Refused(code, words)) is reaction


class TestAnswersOnTheWay:
    @pytest.mark.parametrize(
        ("status", "body", "reaction"),
        [
            (200, b"<html>Log in to the hotel's network</html>", Reaction.UNKNOWN),
            (502, b"<html>Bad gateway</html>", Reaction.UNKNOWN),
            (504, b"", Reaction.UNKNOWN),
            (503, b"<html>Busy</html>", Reaction.RETRY),
            (200, b'{"ok": "maybe"}', Reaction.UNKNOWN),
            (400, b'{"ok": false}', Reaction.BAD_PAYLOAD),
            (200, b'{"ok": true, "result": 5}', None),
        ],
    )
    async def test_what_did_not_come_from_telegram_is_judged_by_what_it_may_hide(
        self, office: Office, status: int, body: bytes, reaction: Reaction | None
    ) -> None:
        async def answer(_: Request) -> Response:
            return Response(body, status)

        async with serving(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])) as url:
            outcome = await office.channel.send(office.with_settings(base_url=url), hello(office))
        assert outcome.reaction is reaction


class TestChecking:
    async def test_all_is_well_after_connecting(self, office: Office, ear: Ear) -> None:
        inbox = replace(office.inbox, hook_url=ear.url)
        assert [(one.name, one.ok) for one in await office.channel.connect(inbox)] == [
            ("token", True),
            ("webhook", True),
        ]
        assert [one.words for one in await office.channel.check(inbox)] == [
            "The token belongs to the bot @bean_bar_bot.",
            "Telegram sends its updates here.",
        ]

    async def test_connecting_has_the_calls_carry_our_secret(self, office: Office, ear: Ear) -> None:
        await office.hear_with(ear)
        await office.stage.act(office.bot, office.ada, "say", text="Hi")
        await office.stage.act(
            office.bot, office.ada, "react", bubble=(await office.bubbles())[0]["id"], emoji="🔥"
        )
        await office.stage.settled()
        for heard in ear.heard:
            office.channel.verify(office.inbox, HookRequest("POST", heard.headers, {}, heard.body))
        assert [set(event) - {"update_id"} for event in ear.events] == [{"message"}, {"message_reaction"}]

    async def test_without_a_webhook_nothing_arrives(self, office: Office, ear: Ear) -> None:
        _, webhook = await office.channel.check(office.inbox)
        assert (webhook.ok, "no webhook" in webhook.words) == (False, True)
        await office.channel.connect(replace(office.inbox, hook_url=ear.url))
        _, webhook = await office.channel.check(office.inbox)
        assert (webhook.ok, "another address" in webhook.words) == (False, True)
        await office.channel.disconnect(office.inbox)
        _, webhook = await office.channel.check(office.inbox)
        assert "no webhook" in webhook.words

    async def test_a_webhook_of_a_poorer_kind_is_told(self, office: Office, ear: Ear) -> None:
        await office.method("setWebhook", url=ear.url, allowed_updates=["message"])
        _, webhook = await office.channel.check(replace(office.inbox, hook_url=ear.url))
        assert not webhook.ok
        assert "message_reaction" in webhook.words

    async def test_what_cannot_be_delivered_is_told_in_telegram_s_words(self, office: Office) -> None:
        inbox = replace(office.inbox, hook_url="http://127.0.0.1:9/hook")
        await office.channel.connect(inbox)
        await office.stage.act(office.bot, office.ada, "say", text="Hi")
        async with asyncio.timeout(20):
            while (webhook := (await office.channel.check(inbox))[1]).ok:
                await asyncio.sleep(0.01)
        assert "Connection refused" in webhook.words
        assert "1 of them are waiting" in webhook.words
        await office.channel.disconnect(inbox)

    async def test_a_wrong_token_is_the_first_thing_said(self, office: Office) -> None:
        inbox = office.with_settings(bot_token=SecretStr("7000000009:" + "A" * 30))
        for findings in (await office.channel.check(inbox), await office.channel.connect(inbox)):
            (finding,) = findings
            assert (finding.ok, finding.reaction) == (False, Reaction.RECONNECT)
            assert "@BotFather" in finding.words

    async def test_a_server_that_is_away_is_no_fault_of_the_token(self, office: Office) -> None:
        (finding,) = await office.channel.check(office.with_settings(base_url="http://127.0.0.1:9"))
        assert (finding.ok, finding.reaction) == (False, Reaction.RETRY)
        assert office.inbox.settings.bot_token.get_secret_value() not in finding.words

    async def test_a_refused_webhook_is_told(self, office: Office) -> None:
        _, webhook = await office.channel.connect(replace(office.inbox, hook_url="https://"))
        assert (webhook.ok, "refused" in webhook.words) == (False, True)


class TestDownloads:
    async def test_a_file_is_fetched_by_its_id(self, office: Office, ear: Ear) -> None:
        download = await office.channel.download(office.inbox, await office.received_file(ear))
        assert (download.media_type, download.filename) == ("application/pdf", "bill.pdf")
        assert b"".join([piece async for piece in download.content]) == PNG

    async def test_an_address_with_the_token_is_in_nothing_that_is_kept_or_raised(
        self, office: Office, ear: Ear
    ) -> None:
        media = await office.received_file(ear)
        token = office.inbox.settings.bot_token.get_secret_value()
        with pytest.raises(DownloadFailed) as failure:
            await office.channel.download(office.with_settings(file_url="http://127.0.0.1:9"), media)
        assert token not in media + repr(failure.value) + repr(failure.value.__context__) + str(office.inbox)

    async def test_a_link_that_ended_is_a_failure(self, office: Office, ear: Ear) -> None:
        media = await office.received_file(ear)
        await office.stage.fault(office.bot, media_seconds=0)
        with pytest.raises(DownloadFailed, match="404"):
            await office.channel.download(office.inbox, media)

    @pytest.mark.parametrize(
        "media",
        ["", "no JSON", "[]", '{"id": "nobody knows"}', '{"id": "large", "size": 21000000}'],
    )
    async def test_what_telegram_does_not_give_out(self, office: Office, media: str) -> None:
        with pytest.raises(DownloadFailed):
            await office.channel.download(office.inbox, media)

    async def test_nobody_there(self, office: Office) -> None:
        with pytest.raises(DownloadFailed):
            await office.channel.download(office.with_settings(base_url="http://127.0.0.1:9"), '{"id": "x"}')
