"""Zalo's Official Account API by hand: tokens, sends, windows, uploads, events."""

import hashlib
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.responses import Response

from tests.sandbox.zalo.conftest import Corner

DAY = 24 * 3600
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


class TestTokens:
    async def test_a_refresh_token_works_once(self, corner: Corner) -> None:
        first = corner.account["secrets"]["refresh_token"]
        pair = await corner.grant(grant_type="refresh_token", refresh_token=first)
        assert pair["expires_in"] == "90000"
        assert pair["refresh_token"] != first
        again = await corner.grant(grant_type="refresh_token", refresh_token=first)
        assert (again["error"], "access_token" in again) == (-14014, False)
        assert "access_token" in await corner.grant(
            grant_type="refresh_token", refresh_token=pair["refresh_token"]
        )

    async def test_an_access_token_ends_after_25_hours(self, corner: Corner) -> None:
        await corner.stage.control("POST", "/clock", advance=90_000)
        assert (await corner.send(text="Late"))["error"] == -220
        corner.token = "made-up"
        assert (await corner.send(text="Late"))["error"] == -216

    async def test_consent_brings_a_code_for_ten_minutes(self, corner: Corner) -> None:
        challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        asked = {
            "app_id": corner.account["secrets"]["app_id"],
            "redirect_uri": "https://shop.example/back",
            "code_challenge": challenge,
            "state": "s1",
        }

        async def consent() -> dict[str, list[str]]:
            answer = await corner.stage.http.get(
                "/zalo/v4/oa/permission", params=asked | {"oa_id": corner.account["id"]}
            )
            return parse_qs(urlsplit(answer.headers["location"]).query)

        brought = await consent()
        assert (brought["oa_id"], brought["state"]) == ([corner.account["id"]], ["s1"])
        verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        form = {"grant_type": "authorization_code", "code": brought["code"][0], "code_verifier": verifier}
        assert (await corner.grant(secret="wrong", **form))["error"] == -14004
        assert "access_token" in await corner.grant(**form)
        assert (await corner.grant(**form))["error"] == -14010
        late = (await consent())["code"][0]
        await corner.stage.control("POST", "/clock", advance=601)
        assert (await corner.grant(**form | {"code": late}))["error"] == -14010


class TestSending:
    async def test_text_reaches_the_phone_and_is_echoed(self, corner: Corner) -> None:
        answer = await corner.send(text="Chào bạn ☕")
        assert (answer["error"], answer["data"]["user_id"]) == (0, corner.ada["id"])
        echo, received = await corner.heard()
        assert (echo["event_name"], echo["message"]["text"]) == ("oa_send_text", "Chào bạn ☕")
        assert (echo["sender"]["id"], "admin_id" in echo["sender"]) == (corner.account["id"], False)
        assert received["event_name"] == "user_received_message"
        assert received["message"]["msg_id"] == answer["data"]["message_id"]
        await corner.act("read")
        (seen,) = await corner.heard()
        assert (seen["event_name"], seen["sender"]["id"]) == ("user_seen_message", corner.account["id"])
        assert seen["message"]["msg_ids"] == [answer["data"]["message_id"]]
        assert (await corner.bubbles())[-1]["tick"] == "read"

    async def test_uploads_and_everything_made_of_them(self, corner: Corner) -> None:
        async def upload(kind: str, name: str, content: bytes) -> dict[str, Any]:
            files = {"file": (name, content)}
            return (await corner.answer("POST", f"/v2.0/oa/upload/{kind}", files=files)).json()

        image = (await upload("image", "cup.png", PNG))["data"]["attachment_id"]
        file = (await upload("file", "menu.pdf", b"%PDF"))["data"]["token"]
        assert (await upload("image", "big.png", PNG + bytes(1024 * 1024)))["error"] == -201
        assert (await upload("image", "cup.webp", PNG))["error"] == -201
        picture: dict[str, Any] = {"media_type": "image", "attachment_id": image}
        attachments: list[dict[str, Any]] = [
            {"type": "file", "payload": {"token": file}},
            {"type": "template", "payload": {"template_type": "media", "elements": [picture]}},
            {
                "type": "template",
                "payload": {"template_type": "request_user_info", "elements": [{"title": "Your details"}]},
            },
        ]
        assert [(await corner.send(text="", attachment=one))["error"] for one in attachments] == [0, 0, 0]
        shown = (await corner.bubbles())[-3:]
        assert [bubble["kind"] for bubble in shown] == ["file", "image", "request_user_info"]
        await corner.act("press", bubble=shown[-1]["id"], button="share")
        events = await corner.heard()
        assert events[-1]["event_name"] == "user_submit_info"
        assert events[-1]["info"]["phone"] == "84901234567"
        await corner.stage.control("POST", "/clock", advance=7 * DAY)
        corner.token = (
            await corner.grant(
                grant_type="refresh_token", refresh_token=corner.account["secrets"]["refresh_token"]
            )
        )["access_token"]
        await corner.act("say", text="Still there?")
        assert (await corner.send(attachment=attachments[0]))["error"] == -100

    async def test_buttons_speak_for_people(self, corner: Corner) -> None:
        buttons = [
            {"title": "Show", "type": "oa.query.show", "payload": "#show"},
            {"title": "Hide", "type": "oa.query.hide", "payload": "#hide"},
            {"title": "Open", "type": "oa.open.url", "payload": {"url": "https://shop.example"}},
        ]
        payload: dict[str, Any] = {"buttons": buttons}
        await corner.send(text="Pick", attachment={"type": "template", "payload": payload})
        bubble = (await corner.bubbles())[-1]
        await corner.heard()
        for button in bubble["buttons"]:
            await corner.act("press", bubble=bubble["id"], button=button["id"])
        events = await corner.heard()
        assert [event["message"]["text"] for event in events] == ["#show", "#hide"]
        assert [found["text"] for found in await corner.bubbles()][-2:] == ["Pick", "#show"]

    @pytest.mark.parametrize(
        "message",
        list[dict[str, Any]](
            [
                {},
                {"text": "x" * 2001},
                {"text": "x", "quote_message_id": "none"},
                {"attachment": {"type": "template", "payload": {"template_type": "list", "elements": [{}]}}},
                {
                    "attachment": {
                        "type": "template",
                        "payload": {"template_type": "media", "elements": ["x"]},
                    }
                },
                {"text": "x", "attachment": {"type": "template", "payload": {"buttons": [{}] * 6}}},
                {
                    "text": "x",
                    "attachment": {"type": "template", "payload": {"buttons": [{"title": "x" * 101}]}},
                },
            ]
        ),
    )
    async def test_what_is_not_in_order_is_refused(self, corner: Corner, message: dict[str, Any]) -> None:
        assert (await corner.send(**message))["error"] == -201

    async def test_windows_close(self, corner: Corner) -> None:
        stranger = await corner.stage.person(corner.account)
        recipient = {"user_id": stranger["id"]}
        told = await corner.post("/v3.0/oa/message/cs", recipient=recipient, message={"text": "Hi"})
        assert told["error"] == -213
        path = f"/accounts/zalo/{corner.account['id']}/people/{corner.ada['id']}"
        for seconds, error in ((7 * DAY - 60, 0), (7 * DAY + 60, -230)):
            await corner.stage.control("PATCH", path, said_seconds_ago=seconds)
            assert (await corner.send(text="Hi"))["error"] == error
        await corner.act("follow")
        assert (await corner.send(text="Hi"))["error"] == 0
        await corner.act("block")
        assert (await corner.send(text="Hi"))["error"] == -217

    async def test_templates_by_phone_carry_our_id_and_count(self, corner: Corner) -> None:
        call: dict[str, Any] = {
            "phone": "84901234567",
            "template_id": "1",
            "template_data": {"name": "Ada"},
            "tracking_id": "t-1",
        }
        answer = await corner.post("/message/template", **call)
        assert answer["data"]["quota"] == {"dailyQuota": "500", "remainingQuota": "499"}
        assert (await corner.bubbles())[-1]["text"] == "Hi Ada, it is on its way."
        (received,) = await corner.heard()
        assert received["message"]["tracking_id"] == "t-1"
        sends = await corner.stage.control("GET", f"/accounts/zalo/{corner.account['id']}/sends?own_id=t-1")
        assert len(sends) == 1
        changes: list[dict[str, Any]] = [
            {"phone": "0901"},
            {"phone": "84900000000"},
            {"template_id": "9"},
            {"template_id": "3"},
            {"template_data": {}},
            {"template_data": {"other": "x"}},
        ]
        refused = [
            (await corner.post("/message/template", **{**call, **change}))["error"] for change in changes
        ]
        assert refused == [-108, -118, -109, -131, -111, -112]
        by_id = {"user_id": corner.ada["id"], "template_id": "1", "template_data": {"name": "Ada"}}
        assert (await corner.post("/v3.0/oa/message/template", **by_id))["error"] == 0

    async def test_promotions_sleep_at_night(self, corner: Corner) -> None:
        now = datetime.fromisoformat((await corner.stage.control("GET", "/clock"))["now"]).astimezone(UTC)
        for hour, errors in ((23, (-234, -133)), (9, (0, 0))):
            then = now.replace(hour=(hour - 7) % 24, minute=30) + timedelta(days=1)
            while then < now:
                then += timedelta(days=1)
            await corner.stage.control("POST", "/clock", advance=(then - now).total_seconds())
            now = then
            secrets = (await corner.stage.control("GET", f"/accounts/zalo/{corner.account['id']}"))["secrets"]
            pair = await corner.grant(grant_type="refresh_token", refresh_token=secrets["refresh_token"])
            corner.token = pair["access_token"]
            sale: dict[str, Any] = {"template_id": "2", "template_data": {"code": "SPRING"}}
            answers = (
                await corner.post("/v3.0/oa/message/template", user_id=corner.ada["id"], **sale),
                await corner.post("/message/template", phone="84901234567", **sale),
            )
            assert tuple(answer["error"] for answer in answers) == errors

    async def test_faults_and_limits(self, corner: Corner) -> None:
        await corner.stage.fault(corner.account, too_many=1)
        assert (await corner.send(text="x"))["error"] == -32
        await corner.stage.fault(corner.account, too_many=0, refused={corner.ada["id"][-4:]: "-211"})
        assert (await corner.send(text="x"))["error"] == -211
        await corner.stage.fault(corner.account, refused={}, silent=1)
        with pytest.raises(httpx2.RemoteProtocolError):
            await corner.send(text="Into the dark")
        assert (await corner.bubbles())[-1]["text"] == "Into the dark"
        small = await corner.stage.account("zalo", details={"calls_per_minute": 2})
        corner.token = small["secrets"]["access_token"]
        answers = [await corner.answer("GET", "/v2.0/oa/getoa") for _ in range(3)]
        assert [answer.json()["error"] for answer in answers] == [0, 0, -32]
        assert [answer.headers.get("x-ratelimit-remain") for answer in answers] == ["1", "0", None]


class TestAsking:
    async def test_parameters_travel_as_one(self, corner: Corner) -> None:
        user = await corner.get("/v3.0/oa/user/detail", user_id=corner.ada["id"])
        assert (user["data"]["display_name"], user["data"]["user_is_follower"]) == ("Ada Byron", False)
        plainly = await corner.answer("GET", "/v3.0/oa/user/detail", params={"user_id": corner.ada["id"]})
        assert plainly.json()["error"] == -201
        listed = await corner.get("/v3.0/oa/user/getlist", offset=0, count=10)
        assert listed["data"]["users"] == [{"user_id": corner.ada["id"]}]
        for odd in ({"count": "ten"}, {"count": 51}, {"offset": -1}, {"offset": None}):
            assert (await corner.get("/v3.0/oa/user/getlist", **odd))["error"] == -201
        quota = await corner.post("/v3.0/oa/quota/message", user_id=corner.ada["id"])
        assert quota["data"]["cs_reply"]["remain"] == 8

    async def test_templates_are_listed(self, corner: Corner) -> None:
        listed = (await corner.answer("GET", "/template/all")).json()["data"]
        assert [(found["templateId"], found["status"]) for found in listed] == [
            *(("1", "ENABLE"), ("2", "ENABLE"), ("3", "PENDING_REVIEW")),
        ]
        info = (await corner.answer("GET", "/template/info/v2", params={"template_id": "1"})).json()["data"]
        assert [param["name"] for param in info["listParams"]] == ["name"]

    async def test_what_was_shut_down_stays_so(self, corner: Corner) -> None:
        assert (await corner.post("/v3.0/oa/message/promotion"))["error"] == -240


class TestEvents:
    async def test_messages_of_every_kind(self, corner: Corner) -> None:
        await corner.act("say", text="Hi 🙂")
        await corner.act("say", text="https://shop.example/menu")
        for kind in ("image", "audio", "video", "sticker", "document"):
            content = b64encode(PNG).decode()
            await corner.act("media", kind=kind, content=content, mime_type="image/png", filename="a.png")
        await corner.act("location", latitude=10.5, longitude=106.5)
        await corner.act("contact", name="Minh", phone="84911")
        events = await corner.heard()
        assert [event["event_name"].removeprefix("user_send_") for event in events] == [
            *("text", "link", "image", "audio", "video", "sticker", "file", "location", "business_card"),
        ]
        assert {event["recipient"]["id"] for event in events} == {corner.account["id"]}
        payloads = [event["message"]["attachments"][0]["payload"] for event in events[1:]]
        assert payloads[6]["coordinates"] == {"latitude": "10.5", "longitude": "106.5"}
        assert payloads[7]["description"].startswith('{"phone":"84911"')
        fetched = await corner.stage.http.get(payloads[1]["url"])
        assert fetched.content == PNG

    async def test_everything_else_people_do(self, corner: Corner) -> None:
        sent = (await corner.send(text="Like?"))["data"]["message_id"]
        await corner.heard()
        await corner.act("react", bubble=sent, emoji="👍")
        await corner.act("follow", ref="qr")
        await corner.act("unfollow")
        await corner.act("happen", name="user_click_chatnow", values={"source": "profile"})
        reacted, followed, unfollowed, clicked = await corner.heard()
        assert reacted["message"] == {"msg_id": sent, "react_icon": "/-strong"}
        assert (followed["event_name"], followed["follower"], followed["source"]) == (
            "follow",
            {"id": corner.ada["id"]},
            "qr",
        )
        assert (unfollowed["event_name"], clicked["source"]) == ("unfollow", "profile")
        await corner.stage.occur(corner.account, "staff_message", user_id=corner.ada["id"], text="It is me")
        await corner.stage.occur(corner.account, "change_template_status", template_id="3", status="ENABLE")
        by_staff, changed = await corner.heard()
        assert (by_staff["event_name"], by_staff["sender"]["admin_id"]) == ("oa_send_text", "1001")
        assert changed["oa_id"] == corner.account["id"]

    async def test_are_signed_by_either_id(self, corner: Corner) -> None:
        secrets, account_id = corner.account["secrets"], corner.account["id"]
        path = f"/accounts/zalo/{account_id}"
        for form, name, first in (
            ("app_id", "say", secrets["app_id"]),
            ("oa_id", "say", account_id),
            ("mixed", "say", secrets["app_id"]),
            ("mixed", "follow", account_id),
        ):
            await corner.stage.control("PATCH", path, details={"mac_form": form})
            await corner.act(name, **({"text": "Ký ✍"} if name == "say" else {}))
            await corner.stage.settled()
            heard = corner.ear.heard.pop()
            signed = (
                first.encode()
                + heard.body
                + heard.event["timestamp"].encode()
                + secrets["oa_secret"].encode()
            )
            assert heard.headers["x-zevent-signature"] == f"mac={hashlib.sha256(signed).hexdigest()}"

    async def test_come_again_and_then_never(self, corner: Corner) -> None:
        corner.ear.answers += [Response(status_code=500)] * 6
        await corner.act("say", text="Anybody?")
        await corner.stage.settled()
        retries = [heard.headers.get("num_retry") for heard in corner.ear.heard]
        assert retries == [None, "1", "2", "3", "4", "5"]
        assert len({heard.body for heard in corner.ear.heard}) == 1
        await corner.act("say", text="Nobody.")
        await corner.stage.settled()
        assert len(corner.ear.heard) == 6
        shown = await corner.stage.control("GET", f"/accounts/zalo/{corner.account['id']}")
        assert shown["webhook_url"] is None

    async def test_are_not_waited_for_longer_than_two_seconds(self, corner: Corner) -> None:
        corner.ear.delays.append(2.2)
        await corner.act("say", text="Slow?")
        await corner.stage.settled()
        assert [heard.headers.get("num_retry") for heard in corner.ear.heard] == [None, "1"]

    async def test_an_echo_may_come_before_the_answer(self, corner: Corner) -> None:
        await corner.stage.fault(corner.account, echo_first=True, no_statuses=True)
        await corner.send(text="First?")
        assert [event["event_name"] for event in corner.ear.events] == ["oa_send_text"]
