"""A bot of Telegram connected to the whole product: both ways, through its own programs and the hook door."""

import base64
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from chatwright.sandbox.telegram.bot import Bot
from chatwright.sandbox.telegram.provider import Telegram
from tests.e2e.shops import PATIENCE_SECONDS, Premises, Shop, open_premises, soon

PDF = b"%PDF-1.7 one page"

pytestmark = pytest.mark.timeout(6 * PATIENCE_SECONDS)


def settings_of(account: dict[str, Any], url: str) -> dict[str, Any]:
    return {"bot_token": account["secrets"]["token"], "base_url": f"{url}/telegram"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def premises(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Premises]:
    async with open_premises(tmp_path_factory.mktemp("telegram"), Telegram) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def shop(premises: Premises) -> Shop:
    return await premises.open("telegram", settings_of, details={"chat_per_second": 10})


def bot_of(shop: Shop) -> Bot:
    bot = shop.stage.sandbox.world.account("telegram", shop.account["id"])
    assert isinstance(bot, Bot)
    return bot


async def test_a_conversation_on_telegram(shop: Shop) -> None:
    assert [finding["name"] for finding in shop.findings if not finding["ok"]] == []
    await shop.act("follow", ref="spring")
    await shop.act("say", text="Grüß Gott 😀 / offen?")
    heard = await shop.message(text="Grüß Gott 😀 / offen?")
    assert (heard["direction"], heard["status"]) == ("in", "received")

    buttons = [{"label": "Yes", "payload": "COME"}, {"label": "No"}]
    sent = await shop.answer({"type": "buttons", "text": "Until six. Come by?", "buttons": buttons}, heard)
    bubble = await shop.bubble("Until six. Come by?")
    assert (await shop.message("sent", text="Until six. Come by?"))["id"] == sent["id"]

    await shop.act("press", bubble=bubble["id"], button=bubble["buttons"][0]["id"])
    pressed = await shop.message(type="reply")
    assert pressed["content"] == {"type": "reply", "text": "Yes", "payload": "COME"}
    await shop.stage.settled()
    assert bot_of(shop).queries == {}, "The press was not confirmed."

    spoken = (await shop.bubbles())[1]
    await shop.act("edit", bubble=spoken["id"], text="Are you open?")
    await shop.message(text="Are you open?")


async def test_reactions_go_both_ways(shop: Shop) -> None:
    await shop.act("say", text="Thank you!")
    heard = await shop.message(text="Thank you!")
    await shop.answer({"type": "reaction", "message_id": heard["id"], "emoji": "👍"}, heard)

    async def seen() -> bool:
        return (await shop.bubbles())[0]["reactions"] == {"account": "👍"}

    await soon(seen)
    sent = await shop.answer({"type": "text", "text": "Any time"}, heard)
    bubble = await shop.bubble("Any time")
    await shop.message("sent", text="Any time")
    await shop.act("react", bubble=bubble["id"], emoji="🔥")

    async def noted() -> list[str]:
        message = next(one for one in await shop.messages() if one["id"] == sent["id"])
        return [reaction["emoji"] for reaction in message["reactions"]]

    assert await soon(noted) == ["🔥"]


async def test_copies_count_once_and_forgeries_not_at_all(shop: Shop) -> None:
    await shop.stage.fault(shop.account, copies=4)
    for number in range(5):
        await shop.act("say", text=f"Message {number}")
    await shop.stage.settled()
    await shop.stage.fault(shop.account, copies=1, wrong_signature=True)
    ben = await shop.stage.person(shop.account, name="Ben")
    await shop.act("say", who=ben, text="Believe me")
    await shop.stage.fault(shop.account, wrong_signature=False)
    await shop.act("say", text="The last one")
    await shop.message(text="The last one")
    texts = [message["content"]["text"] for message in await shop.messages()]
    assert sorted(texts) == [*(f"Message {number}" for number in range(5)), "The last one"]


async def test_a_file_is_kept_here_and_its_address_nowhere(shop: Shop, premises: Premises) -> None:
    content = base64.b64encode(PDF).decode()
    await shop.act(
        "media", kind="document", content=content, mime_type="application/pdf", filename="bill.pdf"
    )

    async def stored() -> str | None:
        return (await shop.message(type="media"))["content"].get("attachment_id")

    attachment_id = await soon(stored)
    shown = await shop.get(f"/attachments/{attachment_id}")
    assert (shown["filename"], shown["media_type"], shown["size"]) == (
        "bill.pdf",
        "application/pdf",
        len(PDF),
    )

    connection = await premises.home.connect()
    try:
        kept = await connection.fetchval(
            "select string_agg(m::text, '') from messages m where m.inbox_id = $1", UUID(shop.inbox["id"])
        )
        kept += await connection.fetchval(
            "select string_agg(e::text, '') from inbound_events e where e.inbox_id = $1",
            UUID(shop.inbox["id"]),
        )
    finally:
        await connection.close()
    token = shop.account["secrets"]["token"]
    assert "bill.pdf" in kept
    assert token not in kept
    assert token not in premises.log()


async def test_who_blocks_the_bot_is_written_to_no_more(shop: Shop) -> None:
    await shop.act("say", text="Hello")
    heard = await shop.message(text="Hello")
    await shop.act("block")

    async def refused() -> str | None:
        path = f"/conversations/{heard['conversation_id']}/messages"
        answer = await shop.owner.post(path, json={"text": "Come back?"})
        return answer.json()["code"] if answer.status_code >= 400 else None

    assert await soon(refused) == "OPTED_OUT"


async def test_a_group_that_moves_is_answered_where_it_is(shop: Shop) -> None:
    group = await shop.stage.person(shop.account, name="Night shift", details={"chat_type": "group"})
    await shop.act("say", who=group, text="Who is in?")
    heard = await shop.message(text="Who is in?")
    await shop.act("happen", who=group, name="migrate")
    await shop.answer({"type": "text", "text": "All of us"}, heard)
    await shop.message("sent", text="All of us")
    (moved,) = bot_of(shop).migrated.values()
    assert "All of us" in [one["text"] for one in await shop.bubbles({"id": moved})]
    assert len(await shop.conversations()) == 1
