"""A page and an Instagram account connected to the whole product: through its own programs and the hook door."""

import base64
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from chatwright.sandbox.graph.provider import Graph
from tests.e2e.shops import PATIENCE_SECONDS, Premises, Shop, open_premises, soon

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(32)).decode()

pytestmark = pytest.mark.timeout(4 * PATIENCE_SECONDS)


def page_settings(account: dict[str, Any], url: str) -> dict[str, Any]:
    return {
        "page_id": account["id"],
        "access_token": account["secrets"]["access_token"],
        "app_secrets": [account["secrets"]["app_secret"]],
        "app_id": account["details"]["app_id"],
        "comments": True,
        "leads": True,
        "base_url": f"{url}/graph",
    }


def instagram_settings(account: dict[str, Any], url: str) -> dict[str, Any]:
    return {
        "login": account["details"]["login"],
        "account_id": account["id"],
        "access_token": account["secrets"]["access_token"],
        "app_secrets": [account["secrets"]["app_secret"]],
        "app_id": account["details"]["app_id"],
        "base_url": f"{url}/graph",
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def premises(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Premises]:
    async with open_premises(tmp_path_factory.mktemp("meta"), Graph) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def messenger(premises: Premises) -> Shop:
    return await premises.open("messenger", page_settings)


@pytest_asyncio.fixture(loop_scope="session", params=["instagram", "facebook"])
async def instagram(premises: Premises, request: pytest.FixtureRequest) -> Shop:
    shop = await premises.open("instagram", instagram_settings, details={"login": request.param})
    if request.param == "instagram":
        # With Instagram Login a person enters the address in the app's dashboard.
        path = f"/accounts/instagram/{shop.account['id']}"
        await shop.stage.control("PATCH", path, webhook_url=shop.inbox["hook_url"])
    return shop


async def test_a_conversation_on_messenger(messenger: Shop) -> None:
    shop = messenger
    assert {finding["name"]: finding["ok"] for finding in shop.findings} == {
        "token": True,
        "permissions": True,
        "subscription": True,
        "webhook": True,
    }
    await converse(shop)
    await sent_once(shop)

    await shop.stage.occur(shop.account, "human_echo", person=shop.ada["id"], text="Anna here")
    told = await shop.message(text="Anna here")
    conversation = await shop.get(f"/conversations/{told['conversation_id']}")
    assert (told["direction"], conversation["owner"]) == ("out", "human")


async def test_a_conversation_on_instagram(instagram: Shop) -> None:
    assert [finding["name"] for finding in instagram.findings if not finding["ok"]] == []
    await converse(instagram)


async def sent_once(shop: Shop) -> None:
    """Nothing that the product sent was taken twice, and nothing was refused."""
    path = f"/accounts/{shop.account['kind']}/{shop.account['id']}/sends/copies"
    sends = await shop.stage.control("GET", path)
    assert (sends["by_own_id"], sends["by_text"], sends["refused"]) == ({}, {}, {})
    assert sends["accepted"] > 0


async def introduced(shop: Shop, message: dict[str, Any]) -> None:
    """Webhooks name nobody: the contact's name has been asked for."""
    conversation = await shop.get(f"/conversations/{message['conversation_id']}")

    async def named() -> bool:
        return (await shop.get(f"/contacts/{conversation['contact_id']}"))["name"] == "Ada Byron"

    assert await soon(named)


async def converse(shop: Shop) -> None:
    """Ada asks, is answered with buttons, reads them and presses one; what she sends and takes back comes and goes."""
    await shop.act("say", text="Grüß Gott 😀 / offen?")
    heard = await shop.message(text="Grüß Gott 😀 / offen?")
    assert (heard["direction"], heard["status"]) == ("in", "received")
    await introduced(shop, heard)

    content = {
        "type": "buttons",
        "text": "Until six. Come by?",
        "buttons": [{"label": "Yes"}, {"label": "No"}],
    }
    sent = await shop.answer(content, heard)
    bubble = await shop.bubble("Until six. Come by?")
    await shop.act("read")
    assert (await shop.message("read", text="Until six. Come by?"))["id"] == sent["id"]
    await shop.act("press", bubble=bubble["id"], button=bubble["buttons"][0]["id"])
    pressed = await shop.message(type="reply")
    assert pressed["content"] == {"type": "reply", "text": "Yes", "payload": "Yes"}

    await shop.act("media", kind="image", content=PNG, mime_type="image/png", caption="The door")

    async def stored() -> str | None:
        return (await shop.message(type="media", caption="The door"))["content"].get("attachment_id")

    kept = await shop.get(f"/attachments/{await soon(stored)}")
    assert (kept["media_type"], kept["size"]) == ("image/png", 40)

    gone = await shop.act("say", text="A secret")
    secret = await shop.message(text="A secret")
    await shop.act("unsend", bubble=gone)

    async def forgotten() -> bool:
        return all(one["content"].get("text") != "A secret" for one in await shop.messages())

    assert await soon(forgotten)
    assert secret["id"] in {one["id"] for one in await shop.messages()}


async def test_what_another_app_takes_over_is_left_to_it(messenger: Shop) -> None:
    shop = messenger
    await shop.act("say", text="Hello")
    heard = await shop.message(text="Hello")
    taken = {"take_thread_control": {"previous_owner_app_id": shop.account["details"]["app_id"]}}
    values = {"field": "messaging_handovers", "item": taken}
    await shop.act("happen", name="item", values=values)

    async def left() -> bool:
        return (await shop.get(f"/conversations/{heard['conversation_id']}"))["owner"] == "human"

    assert await soon(left)


async def test_copies_count_once_and_forgeries_not_at_all(messenger: Shop) -> None:
    shop = messenger
    await shop.stage.fault(shop.account, copies=4, batch=3)
    for number in range(5):
        await shop.act("say", text=f"Message {number}")
    await shop.stage.settled()
    await shop.stage.fault(shop.account, copies=1, batch=1, wrong_signature=True)
    await shop.act("say", text="Believe me")
    await shop.stage.fault(shop.account, wrong_signature=False)
    await shop.act("say", text="The last one")
    last = await shop.message(text="The last one")
    said = (await shop.get(f"/conversations/{last['conversation_id']}/messages"))["items"]
    texts = [message["content"]["text"] for message in said]
    assert sorted(texts) == [*(f"Message {number}" for number in range(5)), "The last one"]


async def test_a_send_whose_answer_is_lost_is_settled_by_its_echo(messenger: Shop) -> None:
    shop = messenger
    await shop.act("say", text="Hello")
    heard = await shop.message(text="Hello")
    await shop.stage.fault(shop.account, silent=1)
    await shop.answer({"type": "text", "text": "Once"}, heard)
    await shop.message("delivered", text="Once")
    await shop.stage.fault(shop.account, silent=0)
    await sent_once(shop)


async def test_a_comment_is_answered_privately(messenger: Shop) -> None:
    shop = messenger
    await shop.act("comment", text="How much is it?")
    comment = await shop.message(type="story_reference", kind="comment")
    path = f"/conversations/{comment['conversation_id']}/messages"
    await shop.post(path, text="Twelve. Shall I keep one?", reply_to=comment["id"])
    assert (await shop.bubble("Twelve. Shall I keep one?"))["side"] == "account"


async def test_a_form_becomes_a_contact(messenger: Shop) -> None:
    shop = messenger
    fields = {"full_name": "Ben Lead", "email": "ben@example.com"}
    await shop.stage.occur(shop.account, "leadgen", fields=fields)

    async def known() -> dict[str, Any] | None:
        found = (await shop.get("/contacts"))["items"]
        return next((one for one in found if one["emails"] == ["ben@example.com"]), None)

    assert (await soon(known))["name"] == "Ben Lead"


async def test_no_secret_reaches_a_log(premises: Premises, messenger: Shop) -> None:
    await messenger.act("say", text="Hello there")
    await messenger.message(text="Hello there")
    secrets = messenger.account["secrets"]
    assert [name for name, secret in secrets.items() if secret in premises.log()] == []
