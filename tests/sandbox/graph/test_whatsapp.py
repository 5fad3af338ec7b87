"""WhatsApp's wire, as far as pywa does not show it: refusals, allowances, odd webhooks, faults."""

import hashlib
import hmac
from typing import Any

import httpx2
import pytest
from starlette.responses import Response

from tests.sandbox.graph.conftest import Shop, open_shop
from tests.sandbox.running import Ear, Stage

TEXT = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "Hi"}}


async def send(shop: Shop, to: str | None = None, **changes: Any) -> dict[str, Any]:
    return await shop.ok("POST", f"{shop.id}/messages", **{**TEXT, "to": to or shop.ada["id"], **changes})


async def refused(shop: Shop, **changes: Any) -> str:
    body = {
        name: value for name, value in {**TEXT, "to": shop.ada["id"], **changes}.items() if value is not None
    }
    return await shop.refusal("POST", f"{shop.id}/messages", **body)


def buttons(*titles: str, body: str = "Choose") -> dict[str, Any]:
    replies = [{"type": "reply", "reply": {"id": f"b-{n}", "title": title}} for n, title in enumerate(titles)]
    return {
        "type": "interactive",
        "interactive": {"type": "button", "body": {"text": body}, "action": {"buttons": replies}},
    }


def rows(count: int) -> dict[str, Any]:
    found = [{"id": f"r-{n}", "title": f"Row {n}"} for n in range(count)]
    action = {"button": "Open", "sections": [{"title": "All", "rows": found}]}
    return {
        "type": "interactive",
        "interactive": {"type": "list", "body": {"text": "Choose"}, "action": action},
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"messaging_product": None}, "100"),
        ({"to": None}, "100"),
        ({"type": "telepathy"}, "100"),
        ({"text": None}, "131008"),
        ({"text": {}}, "131008"),
        ({"text": {"body": "x" * 4097}}, "131009"),
        ({"to": "nobody"}, "131009"),
        (buttons("A", "B", "C", "D"), "131009"),
        (buttons("x" * 21), "131009"),
        (buttons("Same", "Same"), "131009"),
        (buttons("A", body="x" * 1025), "131009"),
        (rows(11), "131009"),
        ({"type": "image", "image": {}}, "131009"),
        ({"type": "image", "image": {"id": "4711"}}, "131009"),
        ({"type": "template", "template": {"name": "none", "language": {"code": "en"}}}, "132001"),
        ({"to": None, "recipient": "no-user-id"}, "131009"),
    ],
)
async def test_what_is_wrong_is_refused_and_not_accepted(
    number: Shop, changes: dict[str, Any], code: str
) -> None:
    assert await refused(number, **changes) == code
    assert await number.sends() == {"accepted": 0, "refused": {code: 1}, "by_own_id": {}, "by_text": {}}
    assert await number.statuses() == []


async def test_errors_are_shaped_as_by_the_graph_api(number: Shop) -> None:
    status, answer = await number.call(
        "POST", f"{number.id}/messages", **{**TEXT, "to": number.ada["id"], **buttons(*"ABCD")}
    )
    error = answer["error"]
    assert status == 400
    assert set(error) == {"message", "type", "code", "error_data", "fbtrace_id"}
    assert error["message"] == "(#131009) Parameter value is not valid"
    assert error["error_data"] == {
        "messaging_product": "whatsapp",
        "details": "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3.",
    }


async def test_a_send_is_answered_with_the_contact_and_the_message(number: Shop) -> None:
    answer = await send(number, to=f"+{number.ada['id']}")
    assert answer["messaging_product"] == "whatsapp"
    assert answer["contacts"] == [{"input": f"+{number.ada['id']}", "wa_id": number.ada["id"]}]
    assert answer["messages"][0]["id"].startswith("wamid.")


async def test_webhooks_are_signed_over_escaped_json(number: Shop) -> None:
    await number.act("say", text="Grüße / 😀")
    await number.stage.settled()
    [heard] = number.ear.heard
    assert rb"Gr\u00fc\u00dfe \/ \ud83d\ude00" in heard.body
    secret = number.account["secrets"]["app_secret"].encode()
    mac = hmac.new(secret, heard.body, hashlib.sha256).hexdigest()
    assert heard.headers["x-hub-signature-256"] == f"sha256={mac}"


async def test_statuses_carry_what_the_sender_attached_and_the_price(number: Shop) -> None:
    answer = await send(number, biz_opaque_callback_data="our-id-7")
    statuses = await number.statuses()
    assert {status["status"] for status in statuses} == {"sent", "delivered"}
    for status in statuses:
        assert status["id"] == answer["messages"][0]["id"]
        assert status["recipient_id"] == number.ada["id"]
        assert status["recipient_user_id"] == number.ada["details"]["user_id"]
        assert status["biz_opaque_callback_data"] == "our-id-7"
        assert status["pricing"] == {
            "billable": False,
            "pricing_model": "PMP",
            "category": "service",
            "type": "free_customer_service",
        }


async def test_a_closed_window_fails_later_or_at_once(number: Shop) -> None:
    await number.change_ada(said_seconds_ago=24 * 3600 + 1)
    await send(number)
    [status] = await number.statuses()
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131047)
    await number.fault(errors_at_once=True)
    assert await refused(number) == "131047"


async def test_nobody_at_a_number_is_told_later(number: Shop) -> None:
    await send(number, to="15550000001")
    [status] = await number.statuses()
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131026)


async def test_an_ad_opens_a_free_entry_point(number: Shop) -> None:
    referral = {
        "source_url": "https://fb.me/1",
        "source_id": "120",
        "source_type": "ad",
        "ctwa_clid": "clid-1",
    }
    await number.act("say", text="Is this free?", details={"referral": referral})
    [message] = await number.messages()
    assert message["referral"]["ctwa_clid"] == "clid-1"
    await send(number)
    assert {status["pricing"]["type"] for status in await number.statuses()} == {"free_entry_point"}


async def _template(shop: Shop, name: str, category: str) -> dict[str, Any]:
    """A template that was approved, as a message."""
    waba = shop.account["details"]["waba_id"]
    body = {"type": "BODY", "text": "Hello {{1}}, there is news."}
    await shop.ok(
        "POST", f"{waba}/message_templates", name=name, language="en", category=category, components=[body]
    )
    [news] = await shop.values()
    assert news["event"] == "APPROVED"
    filled = [{"type": "body", "parameters": [{"type": "text", "text": "Ada"}]}]
    return {"type": "template", "template": {"name": name, "language": {"code": "en"}, "components": filled}}


async def test_templates_cross_a_closed_window_and_cost(number: Shop) -> None:
    message = await _template(number, "news_1", "UTILITY")
    await number.change_ada(said_seconds_ago=48 * 3600)
    await send(number, **message)
    statuses = await number.statuses()
    assert {status["status"] for status in statuses} == {"sent", "delivered"}
    assert {(one["pricing"]["billable"], one["pricing"]["category"]) for one in statuses} == {
        (True, "utility")
    }


@pytest.mark.parametrize(
    ("status", "code"), [("PAUSED", "132015"), ("DISABLED", "132016"), ("REJECTED", "132001")]
)
async def test_templates_out_of_use_are_refused(number: Shop, status: str, code: str) -> None:
    message = await _template(number, "news_1", "MARKETING")
    await number.occur("message_template_status_update", name="news_1", language="en", status=status)
    assert (await number.values())[0]["event"] == status
    assert await refused(number, **message) == code


async def test_marketing_respects_who_stopped_it_and_stays_out_of_the_us(number: Shop) -> None:
    message = await _template(number, "offer", "MARKETING")
    await send(number, **message)
    assert [status["errors"][0]["code"] for status in await number.statuses()] == [131049]
    await number.happen("user_preferences", value="stop")
    [value] = await number.values()
    assert value["user_preferences"][0]["value"] == "stop"
    await send(number, **message)
    assert [status["errors"][0]["code"] for status in await number.statuses()] == [131050]


async def test_codes_want_a_phone_number(number: Shop) -> None:
    waba = number.account["details"]["waba_id"]
    components = [
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
    ]
    template: dict[str, Any] = {"name": "code", "language": "en", "category": "AUTHENTICATION"}
    await number.ok("POST", f"{waba}/message_templates", components=components, **template)
    await number.stage.settled()
    code = [{"type": "text", "text": "4711"}]
    filled = [
        {"type": "body", "parameters": code},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": code},
    ]
    message: dict[str, Any] = {
        "type": "template",
        "template": {"name": "code", "language": {"code": "en"}, "components": filled},
    }
    await send(number, **message)
    await number.stage.settled()
    [*_, bubble] = await number.bubbles()
    assert "4711 is your verification code" in bubble["text"]
    assert bubble["buttons"][0]["payload"].endswith("code=4711")
    assert await refused(number, to=None, recipient=number.ada["details"]["user_id"], **message) == "131062"


async def test_cards_of_a_template_are_filled_one_by_one(number: Shop) -> None:
    waba = number.account["details"]["waba_id"]
    card = {
        "components": [
            {"type": "HEADER", "format": "IMAGE"},
            {"type": "BODY", "text": "Now {{1}} euros."},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Take it"}]},
        ]
    }
    components = [{"type": "BODY", "text": "Look!"}, {"type": "CAROUSEL", "cards": [card, card]}]
    await number.ok(
        "POST",
        f"{waba}/message_templates",
        name="cards",
        language="en",
        category="UTILITY",
        components=components,
    )
    await number.stage.settled()

    def filled(index: int) -> dict[str, Any]:
        image = {"type": "image", "image": {"link": f"https://example.com/{index}.png"}}
        price = {"type": "text", "text": str(10 + index)}
        payload = {"type": "payload", "payload": f"take-{index}"}
        return {
            "card_index": index,
            "components": [
                {"type": "header", "parameters": [image]},
                {"type": "body", "parameters": [price]},
                {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [payload]},
            ],
        }

    def message(*cards: dict[str, Any]) -> dict[str, Any]:
        called = {
            "name": "cards",
            "language": {"code": "en"},
            "components": [{"type": "carousel", "cards": cards}],
        }
        return {"type": "template", "template": called}

    assert await refused(number, **message(filled(0))) == "132012"
    await send(number, **message(filled(0), filled(1)))
    await number.values()
    [*_, bubble] = await number.bubbles()
    assert [one["title"] for one in bubble["cards"]] == ["Now 10 euros.", "Now 11 euros."]
    await number.act("press", bubble=bubble["id"], button="1.0")
    [pressed] = await number.messages()
    assert pressed["button"] == {"payload": "take-1", "text": "Take it"}


async def test_a_rejected_template_says_why(number: Shop) -> None:
    waba = number.account["details"]["waba_id"]
    await number.ok(
        "POST",
        f"{waba}/message_templates",
        name="please_reject",
        language="en",
        category="UTILITY",
        components=[{"type": "BODY", "text": "Hello"}],
    )
    [news] = await number.values()
    assert (news["event"], news["reason"]) == ("REJECTED", "INVALID_FORMAT")
    assert await number.ok("DELETE", f"{waba}/message_templates", name="please_reject") == {"success": True}
    assert (await number.ok("GET", f"{waba}/message_templates"))["data"] == []


async def test_the_pair_and_the_number_have_allowances(stage: Stage, ear: Ear) -> None:
    # Ada's own message counts too, and so does the send that the pair's allowance refuses.
    slow = {"mps": 0.001, "mps_burst": 4, "pair_seconds": 1000, "pair_burst": 2}
    shop = await open_shop(stage, ear, "whatsapp", details=slow)
    await send(shop)
    await send(shop)
    assert await refused(shop) == "131056"
    bob = await stage.person(shop.account, name="Bob")
    assert await refused(shop, to=bob["id"]) == "130429"


async def test_rates_decide_the_fate_of_sends(number: Shop) -> None:
    await number.fault(too_many=1)
    assert await refused(number) == "130429"
    await number.fault(too_many=0, broken=1)
    assert await refused(number) == "131000"
    await number.fault(broken=0, silent=1)
    with pytest.raises(httpx2.RemoteProtocolError):
        await send(number, biz_opaque_callback_data="uncertain")
    assert (await number.sends())["accepted"] == 1
    assert {status["biz_opaque_callback_data"] for status in await number.statuses()} == {"uncertain"}


async def test_faults_pick_recipients_by_the_end_of_their_number(number: Shop) -> None:
    ending = number.ada["id"][-3:]
    await number.fault(refused={ending: "131031"})
    assert await refused(number) == "131031"
    await number.fault(refused={}, failed={ending: "131042"})
    await send(number)
    assert [status["errors"][0]["code"] for status in await number.statuses()] == [131042]


async def test_statuses_may_come_twice_and_in_any_order(number: Shop) -> None:
    await number.fault(status_copies=3, status_shuffle=True, auto_read=True)
    await send(number)
    found = [status["status"] for status in await number.statuses()]
    assert sorted(found) == sorted(["sent", "delivered", "read"] * 3)
    [*_, bubble] = await number.bubbles()
    assert bubble["tick"] == "read"


async def test_webhooks_may_come_several_times_and_in_any_order(number: Shop) -> None:
    await number.fault(copies=3, jitter=200)
    for count in range(5):
        await number.act("say", text=str(count))
    found = [message["text"]["body"] for message in await number.messages()]
    assert sorted(found) == sorted("01234" * 3)
    assert found != sorted(found)


async def test_events_are_batched(number: Shop) -> None:
    await number.fault(batch=4, milliseconds=True, nameless=True)
    for count in range(4):
        await number.act("say", text=f"Message {count}")
    await number.stage.settled()
    [event] = number.ear.events
    [entry] = event["entry"]
    messages = [change["value"]["messages"][0] for change in entry["changes"]]
    assert [message["text"]["body"] for message in messages] == [f"Message {count}" for count in range(4)]
    assert {len(message["timestamp"]) for message in messages} == {13}
    assert not any("from" in message for message in messages)
    assert not any("wa_id" in change["value"]["contacts"][0] for change in entry["changes"])


async def test_media_urls_want_the_token_and_live_five_minutes(number: Shop) -> None:
    await number.act("media", kind="image", content="aGVsbG8=", mime_type="image/jpeg")
    [message] = await number.messages()
    shown = await number.ok("GET", message["image"]["id"])
    assert (shown["file_size"], shown["sha256"]) == (5, message["image"]["sha256"])
    bearer = {"authorization": f"Bearer {number.token}"}
    assert (await number.stage.http.get(shown["url"])).status_code == 404
    assert (await number.stage.http.get(shown["url"], headers=bearer)).content == b"hello"
    await number.stage.control("POST", "/clock", advance=301)
    assert (await number.stage.http.get(shown["url"], headers=bearer)).status_code == 404


async def test_tokens_expire_and_are_taken_back(number: Shop) -> None:
    await number.occur("token_fault", subcode=460)
    assert await refused(number) == "190/460"
    assert await number.refusal("GET", number.id) == "190/460"
    await number.occur("token_fault", subcode=None)
    await send(number)
    number.account["secrets"]["access_token"] = "no-token-at-all"
    assert await refused(number) == "190"


async def test_a_proof_of_the_secret_can_be_required(number: Shop) -> None:
    path = f"/accounts/whatsapp/{number.id}"
    await number.stage.control("PATCH", path, details={"require_appsecret_proof": True})
    assert await refused(number) == "100"
    secret = number.account["secrets"]["app_secret"].encode()
    proof = hmac.new(secret, number.token.encode(), hashlib.sha256).hexdigest()
    await number.ok("POST", f"{number.id}/messages?appsecret_proof={proof}", **TEXT, to=number.ada["id"])


async def test_answers_tell_the_usage(number: Shop) -> None:
    await number.fault(usage=91, throttled_minutes=7)
    answer = await number.stage.http.get(
        f"/graph/v26.0/{number.id}", headers={"authorization": f"Bearer {number.token}"}
    )
    assert answer.headers["x-app-usage"] == '{"call_count": 91, "total_cputime": 91, "total_time": 91}'
    assert '"estimated_time_to_regain_access": 7' in answer.headers["x-business-use-case-usage"]


async def test_people_move_and_their_old_addresses_reach_nobody(number: Shop) -> None:
    old = number.ada["details"]["user_id"]
    await number.happen("user_changed_number", wa_id="4915112345678")
    moved, renamed = await number.values()
    if "user_id_update" in moved:
        moved, renamed = renamed, moved
    assert "contacts" not in moved
    assert moved["messages"][0]["system"]["wa_id"] == "4915112345678"
    assert renamed["user_id_update"][0]["user_id"]["previous"] == old
    await send(number)
    await number.ok("POST", f"{number.id}/messages", **TEXT, recipient=old)
    failed = [status for status in await number.statuses() if status["status"] == "failed"]
    assert {status["errors"][0]["code"] for status in failed} == {131026}


async def test_people_without_a_number_move_under_their_user_id(number: Shop) -> None:
    old = number.ada["details"]["user_id"]
    await number.happen("hide_phone")
    await number.happen("user_changed_number", wa_id="4915112345679", user_id="DE.1234567890")
    values = await number.values()
    system = next(value["messages"][0] for value in values if "messages" in value)
    assert (system["system"]["type"], system["system"]["user_id"]) == (
        "user_changed_user_id",
        "DE.1234567890",
    )
    assert "from" not in system
    update = next(value["user_id_update"][0] for value in values if "user_id_update" in value)
    assert update["user_id"] == {"previous": old, "current": "DE.1234567890"}
    assert "wa_id" not in update


async def test_people_at_the_business_write_too(number: Shop) -> None:
    await number.occur("smb_message_echoes", person=number.ada["id"], text="I'll look into it")
    [value] = await number.values()
    [echo] = value["message_echoes"]
    assert (echo["to"], echo["text"]["body"]) == (number.ada["id"], "I'll look into it")
    assert (await number.bubbles())[-1]["text"] == "I'll look into it"


async def test_refused_webhooks_come_again(number: Shop) -> None:
    number.ear.answers = [Response(status_code=500), Response(status_code=503)]
    await number.act("say", text="Are you there?")
    await number.stage.settled()
    assert len({heard.body for heard in number.ear.heard}) == 1
    [*_, hook] = await number.hooks()
    assert [attempt["status"] for attempt in hook["attempts"]] == [500, 503, 200]
    assert hook["state"] == "delivered"
