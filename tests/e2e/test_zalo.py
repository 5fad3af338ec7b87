"""An Official Account of Zalo connected to the whole product, and two workers that must not waste its refresh token."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from chatwright.sandbox.zalo.account import OfficialAccount
from chatwright.sandbox.zalo.provider import Zalo
from tests.channels.zalo.conftest import settings_of
from tests.e2e.shops import PATIENCE_SECONDS, Premises, Shop, open_premises, soon

CUSTOMERS = 6
PDF = b"%PDF-1.7 one page"

pytestmark = pytest.mark.timeout(6 * PATIENCE_SECONDS)


def fresh_settings_of(account: dict[str, Any], url: str) -> dict[str, Any]:
    """Tokens that are known to be young, so that nobody exchanges them but who has to."""
    return settings_of(account, url) | {"tokens_at": datetime.now(UTC).isoformat()}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def premises(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Premises]:
    async with open_premises(tmp_path_factory.mktemp("zalo"), Zalo, workers=2) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def shop(premises: Premises) -> Shop:
    opened = await premises.open("zalo", fresh_settings_of)
    path = f"/accounts/zalo/{opened.account['id']}"
    await opened.stage.control("PATCH", path, webhook_url=opened.inbox["hook_url"])
    return opened


def official(shop: Shop) -> OfficialAccount:
    found = shop.stage.sandbox.world.account("zalo", shop.account["id"])
    assert isinstance(found, OfficialAccount)
    return found


async def test_a_conversation_on_zalo(shop: Shop) -> None:
    assert [finding["name"] for finding in shop.findings if not finding["ok"]] == []
    await shop.act("follow")
    await shop.act("say", text="Quán mở cửa không? 😀")
    heard = await shop.message(text="Quán mở cửa không? 😀")
    buttons = [{"label": "Yes", "payload": "COME"}, {"label": "No"}]
    sent = await shop.answer({"type": "buttons", "text": "Until six. Come by?", "buttons": buttons}, heard)
    bubble = await shop.bubble("Until six. Come by?")
    await shop.act("read")
    assert (await shop.message("read", text="Until six. Come by?"))["id"] == sent["id"]
    await shop.act("press", bubble=bubble["id"], button=bubble["buttons"][0]["id"])
    assert (await shop.message(type="reply"))["content"]["payload"] == "COME"
    assert [one["text"] for one in await shop.bubbles()].count("Until six. Come by?") == 1


async def test_who_writes_gets_the_name_of_their_profile(shop: Shop) -> None:
    await shop.act("say", text="Hello")
    heard = await shop.message(text="Hello")
    conversation = await shop.get(f"/conversations/{heard['conversation_id']}")

    async def named() -> str | None:
        return (await shop.get(f"/contacts/{conversation['contact_id']}"))["name"]

    assert await soon(named) == "Ada Byron"


async def test_a_file_is_kept_here(shop: Shop) -> None:
    content = base64.b64encode(PDF).decode()
    await shop.act("media", kind="file", content=content, mime_type="application/pdf", filename="bill.pdf")

    async def stored() -> str | None:
        return (await shop.message(type="media"))["content"].get("attachment_id")

    shown = await shop.get(f"/attachments/{await soon(stored)}")
    assert (shown["filename"], shown["media_type"], shown["size"]) == (
        "bill.pdf",
        "application/pdf",
        len(PDF),
    )


async def test_copies_count_once_and_forgeries_not_at_all(shop: Shop) -> None:
    await shop.stage.fault(shop.account, copies=4)
    for number in range(5):
        await shop.act("say", text=f"Message {number}")
    await shop.stage.settled()
    await shop.stage.fault(shop.account, copies=1, wrong_signature=True)
    await shop.act("say", text="Believe me")
    await shop.stage.fault(shop.account, wrong_signature=False)
    await shop.act("say", text="The last one")
    await shop.message(text="The last one")
    texts = [message["content"]["text"] for message in await shop.messages()]
    assert sorted(texts) == [*(f"Message {number}" for number in range(5)), "The last one"]


async def test_what_zalo_refuses_after_seven_days_is_told_with_its_code(shop: Shop) -> None:
    await shop.act("say", text="Hello")
    heard = await shop.message(text="Hello")
    path = f"/accounts/zalo/{shop.account['id']}/people/{shop.ada['id']}"
    await shop.stage.control("PATCH", path, said_seconds_ago=8 * 24 * 3600)
    await shop.answer({"type": "text", "text": "Still there?"}, heard)
    failed = await shop.message("failed", text="Still there?")
    detail = await shop.get(f"/messages/{failed['id']}")
    assert "-230" in str(detail)


async def test_two_workers_exchange_the_tokens_once(shop: Shop) -> None:
    people = [await shop.stage.person(shop.account, name=f"Guest {number}") for number in range(CUSTOMERS)]
    for number, person in enumerate(people):
        await shop.act("say", who=person, text=f"Hello from {number}")
    heard = [await shop.message(text=f"Hello from {number}") for number in range(CUSTOMERS)]
    account = official(shop)
    before = len(account.access_tokens)
    # The old token is worth nothing from now on, and everybody finds out at the same moment.
    await shop.stage.occur(shop.account, "expire_token")
    await asyncio.gather(
        *(shop.answer({"type": "text", "text": f"Hello {number}"}, one) for number, one in enumerate(heard))
    )
    for number in range(CUSTOMERS):
        await shop.message("delivered", text=f"Hello {number}")
    assert len(account.access_tokens) == before + 1
    assert len(account.refresh_tokens) == 1
    assert [accepted.text for accepted in account.accepted].count("Hello 0") == 1
    assert len(account.accepted) == CUSTOMERS
    assert (await shop.get(f"/inboxes/{shop.inbox['id']}"))["health"] == "ok"


async def test_a_refresh_token_that_was_used_elsewhere_is_told(shop: Shop) -> None:
    await shop.act("say", text="Hello")
    heard = await shop.message(text="Hello")
    account = official(shop)
    account.refresh_tokens.clear()
    await shop.stage.occur(shop.account, "expire_token")
    await shop.answer({"type": "text", "text": "Good morning"}, heard)

    async def lost() -> str | None:
        inbox = await shop.get(f"/inboxes/{shop.inbox['id']}")
        return inbox["health_words"] if inbox["health"] == "reconnect" else None

    assert "permit the app again" in await soon(lost)
    assert account.accepted == []
