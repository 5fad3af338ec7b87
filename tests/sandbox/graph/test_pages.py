"""Messenger's and Instagram's wire: sending, windows, receipts, echoes, and all that people do."""

from typing import Any

import httpx2
import pytest
from starlette.responses import Response

from tests.sandbox.graph.conftest import Shop, open_shop
from tests.sandbox.running import Ear, Stage


def text(shop: Shop, words: str = "Hi", **changes: Any) -> dict[str, Any]:
    return {"recipient": {"id": shop.ada["id"]}, "message": {"text": words}, **changes}


async def send(shop: Shop, **body: Any) -> dict[str, Any]:
    return await shop.ok("POST", "me/messages", **(body or text(shop)))


async def refused(shop: Shop, **body: Any) -> str:
    return await shop.refusal("POST", "me/messages", **body)


def template(shop: Shop, payload: dict[str, Any]) -> dict[str, Any]:
    message = {"attachment": {"type": "template", "payload": payload}}
    return {"recipient": {"id": shop.ada["id"]}, "message": message}


def buttons(count: int, title: str = "Press") -> list[dict[str, Any]]:
    return [{"type": "postback", "title": title, "payload": f"P{n}"} for n in range(count)]


async def test_messenger_answers_echoes_and_tells_of_deliveries(page: Shop) -> None:
    answer = await send(page, **text(page, message={"text": "Grüße", "metadata": "our-id-1"}))
    assert answer["recipient_id"] == page.ada["id"]
    items = await page.items()
    echo = next(item for item in items if "message" in item)
    assert (echo["sender"]["id"], echo["recipient"]["id"]) == (page.id, page.ada["id"])
    assert echo["message"] == {
        "mid": answer["message_id"],
        "is_echo": True,
        "app_id": int(page.account["details"]["app_id"]),
        "text": "Grüße",
        "metadata": "our-id-1",
    }
    delivery = next(item["delivery"] for item in items if "delivery" in item)
    assert delivery == {"mids": [answer["message_id"]], "watermark": echo["timestamp"]}
    await page.act("read")
    [read] = await page.items()
    assert read["read"] == {"watermark": echo["timestamp"]}
    assert (await page.bubbles())[-1]["tick"] == "read"


async def test_instagram_tells_reads_by_message_and_no_deliveries(insta: Shop) -> None:
    answer = await send(insta, **text(insta, message={"text": "Ciao", "metadata": "our-id-1"}))
    [echo] = await insta.items()
    assert echo["message"]["mid"] == answer["message_id"]
    assert "metadata" not in echo["message"]
    assert (await insta.stage.control("GET", f"/accounts/instagram/{insta.id}/sends?own_id=our-id-1"))[0][
        "answered"
    ]
    await insta.act("read")
    [seen] = await insta.items()
    assert seen["read"] == {"mid": answer["message_id"]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"recipient": None}, "100"),
        ({"recipient": {"id": "1"}}, "100/2018001"),
        ({"message": None}, "100/2018015"),
        ({"message": {}}, "100/2018015"),
        ({"message": {"text": "x" * 2001}}, "100"),
        ({"messaging_type": "SHOUT"}, "100"),
        ({"messaging_type": "MESSAGE_TAG"}, "100"),
        ({"messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE"}, "100"),
        ({"messaging_type": "UTILITY"}, "100"),
        (
            {
                "message": {
                    "text": "Hi",
                    "quick_replies": [{"content_type": "text", "title": "A", "payload": "a"}] * 14,
                }
            },
            "100",
        ),
        ({"message": {"attachment": {"type": "image", "payload": {"attachment_id": "1"}}}}, "100/2018074"),
        ({"sender_action": "dance"}, "100"),
    ],
)
async def test_what_is_wrong_is_refused(page: Shop, body: dict[str, Any], code: str) -> None:
    assert await refused(page, **text(page, **body)) == code
    assert (await page.sends())["accepted"] == 0


async def test_messenger_cuts_titles_and_counts_buttons(page: Shop) -> None:
    await send(
        page, **template(page, {"template_type": "button", "text": "Go", "buttons": buttons(3, "x" * 30)})
    )
    assert [button["title"] for button in (await page.bubbles())[-1]["buttons"]] == ["x" * 20] * 3
    four = {"template_type": "button", "text": "Go", "buttons": buttons(4)}
    assert await refused(page, **template(page, four)) == "100/2018041"
    eleven = {"template_type": "generic", "elements": [{"title": "A", "subtitle": "B"}] * 11}
    assert await refused(page, **template(page, eleven)) == "100"


async def test_instagram_counts_bytes(insta: Shop) -> None:
    await send(insta, **text(insta, "ä" * 500))
    assert await refused(insta, **text(insta, "ä" * 501)) == "100"


@pytest.mark.parametrize(("kind", "code"), [("messenger", "10/2018278"), ("instagram", "10/2534022")])
async def test_windows_close_and_people_at_the_desk_have_a_week(
    stage: Stage, ear: Ear, kind: str, code: str
) -> None:
    shop = await open_shop(stage, ear, kind)
    await shop.change_ada(said_seconds_ago=25 * 3600)
    assert await refused(shop, **text(shop)) == code
    tagged = text(shop, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")
    await send(shop, **tagged)
    await shop.change_ada(said_seconds_ago=7 * 24 * 3600 + 60)
    assert await refused(shop, **tagged) == code


async def test_utility_templates_cross_the_window_without_a_receipt(page: Shop) -> None:
    body = {"type": "BODY", "text": "Your order {{1}} is ready."}
    created = await page.ok(
        "POST",
        f"{page.id}/message_templates",
        name="ready",
        language="en",
        category="UTILITY",
        components=[body],
    )
    await page.stage.settled()
    assert (await page.ok("GET", created["id"], fields="status"))["status"] == "APPROVED"
    await page.change_ada(said_seconds_ago=25 * 3600)
    page.ear.heard.clear()
    parameters = [{"type": "text", "text": "12"}]
    call = {
        "name": "ready",
        "language": {"code": "en"},
        "components": [{"type": "body", "parameters": parameters}],
    }
    await send(page, **text(page, messaging_type="UTILITY", message={"template": call}))
    assert (await page.bubbles())[-1]["text"] == "Your order 12 is ready."
    assert not any("delivery" in item for item in await page.items())


async def test_people_who_block_are_not_available(page: Shop) -> None:
    await page.act("block")
    assert await refused(page, **text(page)) == "551/1545041"
    await page.act("unblock")
    await send(page)


@pytest.mark.parametrize("kind", ["messenger", "instagram"])
async def test_a_comment_is_answered_privately_once_within_a_week(stage: Stage, ear: Ear, kind: str) -> None:
    shop = await open_shop(stage, ear, kind, details={"login": "facebook"})
    comment = await shop.act("comment", text="Price?")
    [value] = await shop.values()
    assert comment in {value.get("comment_id"), value.get("id")}
    assert value["from"]["id"] == shop.ada["id"]
    reply = {"recipient": {"comment_id": comment}, "message": {"text": "12 euros"}}
    await send(shop, **reply)
    assert await refused(shop, **reply) == "10900"
    late = await shop.act("comment", text="Still there?")
    await stage.control("POST", "/clock", advance=7 * 24 * 3600 + 1)
    assert await refused(shop, recipient={"comment_id": late}, message={"text": "Yes"}) == "10903"


async def test_comments_of_instagram_login_stand_on_the_entry(insta: Shop) -> None:
    comment = await insta.act("comment", text="Wow")
    await insta.stage.settled()
    [entry] = insta.ear.events[0]["entry"]
    assert (entry["field"], entry["value"]["id"]) == ("comments", comment)


async def test_what_people_press_comes_back(page: Shop) -> None:
    replies = [{"content_type": "text", "title": "Yes", "payload": "Y"}]
    await send(page, **text(page, message={"text": "Sure?", "quick_replies": replies}))
    await page.items()
    [*_, bubble] = await page.bubbles()
    await page.act("press", bubble=bubble["id"], button="q0")
    [item] = await page.items()
    assert (item["message"]["text"], item["message"]["quick_reply"]) == ("Yes", {"payload": "Y"})
    await send(page, **template(page, {"template_type": "button", "text": "Go", "buttons": buttons(1)}))
    await page.items()
    [*_, bubble] = await page.bubbles()
    await page.act("press", bubble=bubble["id"], button="b0")
    [item] = await page.items()
    assert (item["postback"]["title"], item["postback"]["payload"]) == ("Press", "P0")


async def test_people_change_what_they_said(insta: Shop) -> None:
    said = await insta.act("say", text="Helo")
    await insta.act("edit", bubble=said, text="Hello")
    await insta.act("unsend", bubble=said)
    items = await insta.items()
    edit = next(item["message_edit"] for item in items if "message_edit" in item)
    assert edit == {"mid": said, "text": "Hello", "num_edit": 1}
    deleted = next(item["message"] for item in items if item.get("message", {}).get("is_deleted"))
    assert deleted == {"mid": said, "is_deleted": True}


async def test_people_react_and_take_it_back(page: Shop) -> None:
    mid = (await send(page))["message_id"]
    await page.items()
    await page.act("react", bubble=mid, emoji="❤️")
    [item] = await page.items()
    assert item["reaction"] == {"mid": mid, "action": "react", "reaction": "love", "emoji": "❤️"}
    await page.act("react", bubble=mid, emoji="")
    [item] = await page.items()
    assert item["reaction"] == {"mid": mid, "action": "unreact"}


async def test_links_open_a_chat_and_open_it_again(stage: Stage, ear: Ear, page: Shop) -> None:
    bob = await stage.person(page.account, name="Bob")
    await stage.act(page.account, bob, "follow", ref="poster-7")
    [item] = await page.items()
    assert item["postback"]["referral"] == {"ref": "poster-7", "source": "SHORTLINK", "type": "OPEN_THREAD"}
    await stage.act(page.account, bob, "follow", ref="poster-8")
    [item] = await page.items()
    assert item["referral"]["ref"] == "poster-8"


async def test_files_come_by_address_and_go_by_id(page: Shop) -> None:
    await page.act("media", kind="image", content="aGVsbG8=", mime_type="image/png")
    [item] = await page.items()
    [attachment] = item["message"]["attachments"]
    assert attachment["type"] == "image"
    assert (await page.stage.http.get(attachment["payload"]["url"])).content == b"hello"
    upload = {
        "attachment": {"type": "image", "payload": {"url": attachment["payload"]["url"], "is_reusable": True}}
    }
    kept = await page.ok("POST", "me/message_attachments", message=upload)
    by_id = {"attachment": {"type": "image", "payload": {"attachment_id": kept["attachment_id"]}}}
    await send(page, **text(page, message=by_id))
    assert (await page.bubbles())[-1]["media"][0]["content"] == 5
    gone = {"attachment": {"type": "image", "payload": {"url": f"{page.stage.url}/graph/files/none"}}}
    assert await refused(page, **text(page, message=gone)) == "100/2018008"
    wrong = {"attachment": {"type": "video", "payload": {"url": attachment["payload"]["url"]}}}
    assert await refused(page, **text(page, message=wrong)) == "100/2018047"


async def test_people_at_the_business_echo_without_our_app(page: Shop) -> None:
    mid = await page.occur("human_echo", person=page.ada["id"], text="Let me see")
    [item] = await page.items()
    assert item["message"] == {"mid": mid, "is_echo": True, "text": "Let me see"}


async def test_leads_are_ids_that_are_read_later(page: Shop) -> None:
    lead = await page.occur("leadgen", fields={"email": "ada@example.com"})
    [value] = await page.values()
    assert (value["leadgen_id"], value["page_id"]) == (lead, page.id)
    read = await page.ok("GET", lead, fields="field_data,form_id")
    assert read["field_data"] == [{"name": "email", "values": ["ada@example.com"]}]
    assert set(read) == {"id", "field_data", "form_id"}


async def test_profiles_want_consent(stage: Stage, page: Shop, insta: Shop) -> None:
    shown = await page.ok("GET", page.ada["id"], fields="first_name,last_name")
    assert (shown["first_name"], shown["last_name"]) == ("Ada", "Byron")
    assert (await insta.ok("GET", insta.ada["id"]))["username"] == "ada.byron"
    stranger = await stage.person(page.account, name="Bob")
    assert await page.refusal("GET", stranger["id"]) == "100/2018218"


async def test_webhooks_come_for_subscribed_fields_alone(stage: Stage, ear: Ear) -> None:
    account = await stage.account("instagram")
    shop = Shop(stage, ear, account, await stage.person(account))
    await stage.control("PATCH", f"/accounts/instagram/{shop.id}", webhook_url=ear.url)
    await shop.act("say", text="Anybody?")
    assert await shop.items() == []
    assert (
        await shop.refusal("POST", f"{shop.id}/subscribed_apps", subscribed_fields="messages,telepathy")
        == "100"
    )
    await shop.ok("POST", f"{shop.id}/subscribed_apps", subscribed_fields="messages")
    said = await shop.act("say", text="Anybody?")
    await shop.act("react", bubble=said, emoji="👍")
    assert [item["message"]["mid"] for item in await shop.items()] == [said]


async def test_instagram_tokens_are_refreshed_after_a_day(insta: Shop) -> None:
    me = await insta.ok("GET", "me", fields="user_id,username")
    assert me["user_id"] == insta.id != me["id"]
    refresh = {"grant_type": "ig_refresh_token", "access_token": insta.token}
    url = f"{insta.stage.url}/graph/refresh_access_token"
    assert (await insta.stage.http.get(url, params=refresh)).status_code == 400
    await insta.stage.control("POST", "/clock", advance=24 * 3600 + 1)
    fresh = (await insta.stage.http.get(url, params=refresh)).json()
    assert fresh["expires_in"] == 60 * 24 * 3600
    assert await insta.refusal("GET", "me") == "190"
    insta.account["secrets"]["access_token"] = fresh["access_token"]
    await insta.ok("GET", "me")
    await insta.stage.control("POST", "/clock", advance=60 * 24 * 3600)
    assert await insta.refusal("GET", "me") == "190/463"


async def test_faults_of_pages(page: Shop) -> None:
    await page.fault(too_many=1)
    assert await refused(page, **text(page)) == "613"
    await page.fault(too_many=0, restricted="10/1893063")
    assert await refused(page, **text(page)) == "10/1893063"
    await page.fault(restricted=None, broken=1)
    assert await refused(page, **text(page)) == "2"
    await page.fault(broken=0, silent=1)
    with pytest.raises(httpx2.RemoteProtocolError):
        await send(page, **text(page, message={"text": "Hm", "metadata": "uncertain"}))
    items = await page.items()
    assert [item["message"]["metadata"] for item in items if "message" in item] == ["uncertain"]
    found = await page.ok("GET", f"t_{page.ada['id']}/messages")
    assert found["data"][0]["message"] == "Hm"


async def test_an_echo_may_come_before_the_answer(page: Shop) -> None:
    await page.fault(echo_first=True)
    page.ear.answers = [Response()]
    answer = await send(page)
    assert page.ear.events[0]["entry"][0]["messaging"][0]["message"]["mid"] == answer["message_id"]
