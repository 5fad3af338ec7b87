"""The Bot API by hand: how parameters come in, what is refused and in which words, and how webhooks go out."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from starlette.responses import Response

from chatwright.sandbox.telegram.bot import Allowance
from chatwright.sandbox.telegram.refusals import Refused
from tests.sandbox.running import Ear
from tests.sandbox.telegram.conftest import Corner

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


class TestCalls:
    async def test_take_parameters_in_every_way(self, corner: Corner) -> None:
        http, path = corner.stage.http, f"/telegram/bot{corner.token}"
        markup = json.dumps({"inline_keyboard": [[{"text": "Go", "url": "https://example.org"}]]})
        values = {"chat_id": str(corner.chat), "text": "Hi", "reply_markup": markup}
        answers = [
            await http.get(f"{path}/sendMessage", params=values),
            await http.post(f"{path}/SENDMESSAGE", data=values),
            await http.post(f"{path}/sendMessage", data=values, files={"unused": ("a", b"b")}),
            await http.post(f"{path}/sendMessage", json=values),
            await http.post(f"{path}/sendMessage", json={**values, "reply_markup": json.loads(markup)}),
        ]
        assert [answer.json()["result"]["reply_markup"] for answer in answers] == [json.loads(markup)] * 5

    async def test_know_their_files_for_an_hour(self, corner: Corner) -> None:
        path = f"{corner.stage.url}/telegram/bot{corner.token}/sendPhoto"
        files = {"photo": ("cup.png", PNG, "image/png")}
        sent = await corner.stage.http.post(path, data={"chat_id": str(corner.chat)}, files=files)
        file_id = sent.json()["result"]["photo"][-1]["file_id"]
        await corner.stage.fault(corner.bot, media_seconds=3600)
        link = f"/telegram/file/bot{corner.token}/{(await corner.result('getFile', file_id=file_id))['file_path']}"
        assert (await corner.stage.http.get(link)).content == PNG
        await corner.stage.control("POST", "/clock", advance=3601)
        assert (await corner.stage.http.get(link)).status_code == 404

    @pytest.mark.parametrize(
        ("method", "parameters", "told"),
        [
            ("sendMessage", {"text": " "}, "message text is empty"),
            ("sendMessage", {"text": "<b> </b>", "parse_mode": "HTML"}, "text must be non-empty"),
            ("sendMessage", {"text": "x", "parse_mode": "Word"}, "unsupported parse_mode"),
            (
                "sendMessage",
                {"text": "*a", "parse_mode": "MarkdownV2"},
                "find end of Bold entity at byte offset 0",
            ),
            ("sendMessage", {"text": "1.", "parse_mode": "MarkdownV2"}, "Character '.' is reserved"),
            (
                "sendMessage",
                {"text": "_a", "parse_mode": "Markdown"},
                "find end of the entity starting at byte",
            ),
            ("sendMessage", {"text": "<i>a</b>", "parse_mode": "HTML"}, 'expected "</i>", found "</b>"'),
            ("sendMessage", {"text": "<h1>a</h1>", "parse_mode": "HTML"}, 'Unsupported start tag "h1"'),
            (
                "sendMessage",
                {"text": "a", "reply_parameters": {"message_id": 9}},
                "message to be replied not found",
            ),
            ("sendMessage", {"text": "a", "reply_markup": "{"}, "can't parse reply markup JSON object"),
            ("sendMessage", {"text": "a", "reply_markup": []}, "object expected as reply markup"),
            ("sendPhoto", {}, "there is no photo in the request"),
            ("sendPhoto", {"photo": "nonsense"}, "wrong remote file identifier"),
            ("sendPhoto", {"photo": "http://127.0.0.1:1/x.png"}, "failed to get HTTP URL content"),
            ("sendDocument", {"document": "attach://gone"}, "not found in the request"),
            ("sendLocation", {"latitude": 91, "longitude": 1}, "wrong latitude specified"),
            ("sendContact", {"phone_number": "1"}, "first_name is empty"),
            ("sendMediaGroup", {"media": "x"}, "can't parse media JSON object"),
            ("editMessageText", {"text": "a", "message_id": 0}, "message to edit not found"),
            ("deleteMessage", {"message_id": 99}, "message to delete not found"),
            ("sendChatAction", {"action": "dance"}, "wrong parameter action"),
            ("getFile", {"file_id": "none"}, "wrong file_id"),
            ("answerCallbackQuery", {"callback_query_id": "1"}, "query is too old"),
            ("answerCallbackQuery", {"callback_query_id": "1", "text": "x" * 201}, "MESSAGE_TOO_LONG"),
            ("setWebhook", {"url": "shop.example"}, "bad webhook"),
            ("setWebhook", {"url": "https://shop.example", "secret_token": "a b"}, "unallowed characters"),
        ],
    )
    async def test_are_refused_in_its_words(
        self, corner: Corner, method: str, parameters: dict[str, Any], told: str
    ) -> None:
        code, description = await corner.refusal(method, chat_id=corner.chat, **parameters)
        assert code == 400
        assert description.startswith("Bad Request: ")
        assert told in description

    async def test_format_by_both_notations(self, corner: Corner) -> None:
        texts = {
            "HTML": '<b>bold</b> <i>it<u>al</u>ic</i> &lt;<a href="https://e.org">l</a><code>c</code>',
            "MarkdownV2": "*bold* _it__al__ic_ <[l](https://e.org)`c`",
        }
        shown = [
            await corner.result("sendMessage", chat_id=corner.chat, text=text, parse_mode=mode)
            for mode, text in texts.items()
        ]
        assert [message["text"] for message in shown] == ["bold italic <lc"] * 2
        assert shown[0]["entities"] == shown[1]["entities"]
        kinds = [(entity["type"], entity["offset"], entity["length"]) for entity in shown[0]["entities"]]
        assert kinds == [
            *(("bold", 0, 4), ("italic", 5, 6), ("underline", 7, 2)),
            *(("text_link", 13, 1), ("code", 14, 1)),
        ]

    async def test_that_come_too_fast_are_refused(self, corner: Corner) -> None:
        bot = await corner.stage.account("telegram", name="Fast")
        person = await corner.stage.person(bot)
        await corner.stage.act(bot, person, "say", text="Hi")
        fast = Corner(corner.stage, bot, person)
        answers = [await fast.call("sendMessage", chat_id=fast.chat, text="x") for _ in range(6)]
        assert [answer["ok"] for answer in answers] == [True] * 5 + [False]
        assert answers[-1]["error_code"] == 429
        assert answers[-1]["parameters"] == {"retry_after": 5}

    def test_are_thirty_a_second_in_the_long_run_and_as_many_at_once(self) -> None:
        allowance, now = Allowance(), datetime.now(UTC)
        for chat in range(30):
            allowance.take(str(chat), now)
        with pytest.raises(Refused, match="retry after 1"):
            allowance.take("30", now)
        for chat in range(30, 60):
            now += timedelta(seconds=1 / 30)
            allowance.take(str(chat), now)
        with pytest.raises(Refused):
            allowance.take("60", now)

    async def test_may_be_done_without_an_answer(self, corner: Corner) -> None:
        await corner.stage.fault(corner.bot, silent=1)
        with pytest.raises(httpx2.RemoteProtocolError):
            await corner.call("sendMessage", chat_id=corner.chat, text="Into the dark")
        (send,) = await corner.stage.control("GET", f"/accounts/telegram/{corner.bot['id']}/sends")
        assert (send["text"], send["answered"]) == ("Into the dark", False)

    async def test_meet_people_who_cannot_be_written_to(self, corner: Corner) -> None:
        silent = await corner.stage.person(corner.bot)
        gone = await corner.stage.person(corner.bot)
        await corner.stage.act(corner.bot, gone, "happen", name="deactivate")
        await corner.stage.fault(corner.bot, refused={"77": "400/chat not found"})
        refusals = [
            await corner.refusal("sendMessage", chat_id=chat, text="Hi")
            for chat in (silent["id"], gone["id"], "1177")
        ]
        assert refusals == [
            (403, "Forbidden: bot can't initiate conversation with a user"),
            (403, "Forbidden: user is deactivated"),
            (400, "Bad Request: chat not found"),
        ]

    async def test_need_the_newest_token(self, corner: Corner) -> None:
        await corner.stage.occur(corner.bot, "revoke_token")
        assert await corner.refusal("getMe") == (401, "Unauthorized")


class TestWebhooks:
    async def test_are_tried_again_in_order(self, corner: Corner, ear: Ear) -> None:
        await corner.result("setWebhook", url=ear.url, secret_token="abc")
        ear.answers += [Response(status_code=500), Response(status_code=503, headers={"retry-after": "120"})]
        other = await corner.stage.person(corner.bot)
        await corner.act("say", text="one")
        await corner.act("say", text="two")
        await corner.stage.settled()
        await corner.stage.act(corner.bot, other, "say", text="three")
        await corner.stage.settled()
        texts = [event["message"]["text"] for event in ear.events]
        assert texts == ["one", "one", "one", "two", "three"]
        assert (await corner.result("getWebhookInfo"))["pending_update_count"] == 0

    async def test_carry_the_secret_or_a_wrong_one(self, corner: Corner, ear: Ear) -> None:
        await corner.result("setWebhook", url=ear.url, secret_token="abc")
        await corner.act("say", text="right")
        await corner.stage.settled()
        await corner.stage.fault(corner.bot, wrong_signature=True, copies=3)
        await corner.act("say", text="wrong")
        await corner.stage.settled()
        secrets = [heard.headers["x-telegram-bot-api-secret-token"] for heard in ear.heard]
        assert secrets == ["abc", *["abc-wrong"] * 3]
        assert len({event["update_id"] for event in ear.events}) == 2

    async def test_are_taken_down_by_a_day_of_410(self, corner: Corner, ear: Ear) -> None:
        await corner.result("setWebhook", url=ear.url)
        ear.answers += [Response(status_code=410)] * 1000
        await corner.act("say", text="Anybody?")
        while not ear.heard:
            await asyncio.sleep(0.01)
        await corner.stage.control("POST", "/clock", advance=23 * 3600)
        await corner.stage.settled()
        info = await corner.result("getWebhookInfo")
        assert (info["url"], info["pending_update_count"]) == ("", 1)
        assert [update["message"]["text"] for update in await corner.updates()] == ["Anybody?"]

    async def test_that_move_take_what_waits_along(self, corner: Corner, ear: Ear) -> None:
        await corner.result("setWebhook", url="http://127.0.0.1:9/nobody")
        await corner.act("say", text="one")
        while not (await corner.result("getWebhookInfo")).get("last_error_message"):
            await asyncio.sleep(0.01)
        await corner.result("setWebhook", url=ear.url)
        await corner.stage.settled()
        assert [event["message"]["text"] for event in ear.events] == ["one"]

    async def test_leave_out_what_was_not_asked_for(self, corner: Corner, ear: Ear) -> None:
        await corner.result("setWebhook", url=ear.url)
        first = (await corner.bubbles())[0]["id"]
        await corner.act("react", bubble=first, emoji="👍")
        await corner.result("setWebhook", url=ear.url, allowed_updates=["message_reaction"])
        await corner.act("say", text="unheard")
        await corner.act("react", bubble=first, emoji="👎")
        await corner.stage.settled()
        assert [event.keys() - {"update_id"} for event in ear.events] == [{"message_reaction"}]

    async def test_need_https_where_the_account_is_strict(self, corner: Corner) -> None:
        bot = await corner.stage.account("telegram", name="Strict", details={"strict_webhooks": True})
        strict = Corner(corner.stage, bot, corner.ada)
        for url, told in (("http://e.org", "HTTPS URL must be"), ("https://e.org:8800", "only on ports")):
            _, description = await strict.refusal("setWebhook", url=url)
            assert told in description
        await strict.result("setWebhook", url="https://e.org:8443/hook")


class TestPolling:
    async def test_confirms_what_lies_before_the_offset(self, corner: Corner) -> None:
        for text in ("one", "two", "three"):
            await corner.act("say", text=text)
        first, *_ = found = await corner.result("getUpdates", limit=2)
        assert [update["message"]["text"] for update in found] == ["one", "two"]
        rest = await corner.result("getUpdates", offset=first["update_id"] + 1)
        assert [update["message"]["text"] for update in rest] == ["two", "three"]
        last = await corner.result("getUpdates", offset=-1)
        assert [update["message"]["text"] for update in last] == ["three"]

    async def test_waits_for_news_and_gives_way_to_another(self, corner: Corner) -> None:
        waiting = asyncio.create_task(corner.call("getUpdates", timeout=30))
        await asyncio.sleep(0.05)
        heir = asyncio.create_task(corner.call("getUpdates", timeout=30))
        ended = await waiting
        assert (ended["error_code"], "other getUpdates" in ended["description"]) == (409, True)
        await corner.act("say", text="News")
        assert [update["message"]["text"] for update in (await heir)["result"]] == ["News"]
