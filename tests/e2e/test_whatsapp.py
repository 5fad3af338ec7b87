"""A number of WhatsApp connected to the whole product: both ways, through its own programs and the hook door."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import pytest
import pytest_asyncio

from chatwright.sandbox.graph.provider import Graph
from tests.e2e.programs import Home, free_port, web, worker
from tests.sandbox.running import Stage, staged

T = TypeVar("T")
PATIENCE_SECONDS = 60
PICTURE = base64.b64decode("/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////")

pytestmark = pytest.mark.timeout(3 * PATIENCE_SECONDS)


@dataclass
class Business:
    """A running product, and the number that is connected to it."""

    stage: Stage
    account: dict[str, Any]
    ada: dict[str, Any]
    owner: httpx2.AsyncClient
    checked: dict[str, Any]

    async def act(self, type_: str, **action: Any) -> Any:
        return await self.stage.act(self.account, self.ada, type_, **action)

    async def phone(self) -> list[dict[str, Any]]:
        return (await self.stage.phone(self.account, self.ada))["bubbles"]

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = await self.owner.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.owner.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def conversation(self) -> dict[str, Any] | None:
        """The newest conversation of the number; None when there is none yet."""
        items = (await self.get("/conversations", inbox_id=self.checked["inbox"]["id"]))["items"]
        return items[0] if items else None

    async def messages(self) -> list[dict[str, Any]]:
        found = await self.conversation()
        if found is None:
            return []
        return (await self.get(f"/conversations/{found['id']}/messages"))["items"]

    async def message_with(self, **content: Any) -> dict[str, Any] | None:
        """A message whose content has these parts."""
        for message in await self.messages():
            if content.items() <= message["content"].items():
                return message
        return None


async def soon(look: Callable[[], Awaitable[T | None]]) -> T:
    """What there is to see, as soon as it is there."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await look()):
            await asyncio.sleep(0.05)
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owner(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[httpx2.AsyncClient]:
    """Somebody who runs the product: a server and a worker."""
    home = Home(tmp_path_factory.mktemp("whatsapp"), {"CHATWRIGHT_ALLOWED_HOSTS": "127.0.0.1"})
    port = free_port()
    server, hand = web(home, port), worker(home, 1)
    try:
        await server.up()
        await hand.up()
        headers = {"authorization": f"Bearer {home.token()}"}
        url = f"http://127.0.0.1:{port}/api/v1"
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
            yield client
    finally:
        hand.stop()
        server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def business(owner: httpx2.AsyncClient) -> AsyncGenerator[Business]:
    async with staged([Graph]) as stage:
        account = await stage.account("whatsapp")
        settings = {
            "phone_number_id": account["id"],
            "waba_id": account["details"]["waba_id"],
            "access_token": account["secrets"]["access_token"],
            "app_secrets": [account["secrets"]["app_secret"]],
            "base_url": f"{stage.url}/graph",
        }
        new = {"channel": "whatsapp", "name": "Boots", "settings": settings}
        answer = await owner.post("/inboxes/connect", json=new)
        assert answer.status_code == 200, answer.text
        yield Business(stage, account, await stage.person(account), owner, answer.json())
        await owner.delete(f"/inboxes/{answer.json()['inbox']['id']}")


async def test_a_conversation_on_whatsapp(business: Business) -> None:
    findings = business.checked["findings"]
    assert [finding["name"] for finding in findings if not finding["ok"]] == []

    await business.act("say", text="Grüß Gott 😀 / offen?")
    heard = await soon(lambda: business.message_with(text="Grüß Gott 😀 / offen?"))
    assert (heard["direction"], heard["status"]) == ("in", "received")
    conversation = await business.conversation()
    assert conversation is not None

    content = {
        "type": "buttons",
        "text": "Until six. Come by?",
        "buttons": [{"label": "Yes"}, {"label": "No"}],
    }
    path = f"/conversations/{conversation['id']}/messages"
    sent = await business.post(path, content=content)

    async def arrived() -> dict[str, Any] | None:
        last = (await business.phone())[-1]
        return last if last["side"] == "account" else None

    bubble = await soon(arrived)
    assert bubble["text"] == "Until six. Come by?"

    await business.act("read")

    async def was_read() -> dict[str, Any] | None:
        message = await business.message_with(text="Until six. Come by?")
        return message if message is not None and message["status"] == "read" else None

    assert (await soon(was_read))["id"] == sent["id"]

    await business.act("press", bubble=bubble["id"], button=bubble["buttons"][0]["id"])
    pressed = await soon(lambda: business.message_with(type="reply"))
    assert pressed["content"] == {"type": "reply", "text": "Yes", "payload": "Yes"}

    sends = await business.stage.control("GET", f"/accounts/whatsapp/{business.account['id']}/sends/copies")
    assert (sends["accepted"], sends["by_own_id"]) == (1, {})


async def test_copies_count_once_and_forgeries_not_at_all(business: Business) -> None:
    await business.stage.fault(business.account, copies=4, batch=3, milliseconds=True)
    for number in range(5):
        await business.act("say", text=f"Message {number}")
    await business.stage.settled()
    await business.stage.fault(business.account, copies=1, batch=1, wrong_signature=True)
    await business.act("say", text="Believe me")
    await business.stage.fault(business.account, wrong_signature=False)
    await business.act("say", text="The last one")
    await soon(lambda: business.message_with(text="The last one"))
    texts = [message["content"]["text"] for message in await business.messages()]
    assert sorted(texts) == [*(f"Message {number}" for number in range(5)), "The last one"]


async def test_a_picture_is_kept_here(business: Business) -> None:
    sent = {"kind": "image", "mime_type": "image/jpeg", "content": base64.b64encode(PICTURE).decode()}
    await business.act("media", **sent, caption="The broken one")

    async def stored() -> str | None:
        message = await business.message_with(type="media", caption="The broken one")
        return message["content"].get("attachment_id") if message is not None else None

    attachment_id = await soon(stored)
    shown = await business.get(f"/attachments/{attachment_id}")
    assert (shown["media_type"], shown["size"]) == ("image/jpeg", len(PICTURE))


async def test_an_answer_that_was_lost_is_settled_by_the_status(business: Business) -> None:
    await business.act("say", text="Hello?")
    conversation = await soon(business.conversation)
    await business.stage.fault(business.account, silent=1, status_delay=1)
    await business.post(f"/conversations/{conversation['id']}/messages", text="Did you get this?")

    async def delivered() -> dict[str, Any] | None:
        message = await business.message_with(text="Did you get this?")
        return message if message is not None and message["status"] == "delivered" else None

    await soon(delivered)
    texts = [bubble["text"] for bubble in await business.phone()]
    assert texts == ["Hello?", "Did you get this?"]


async def test_a_template_reaches_somebody_who_wrote_long_ago(business: Business) -> None:
    await business.act("say", text="See you next month")
    conversation = await soon(business.conversation)
    person = f"/accounts/whatsapp/{business.account['id']}/people/{business.ada['id']}"
    await business.stage.control("PATCH", person, said_seconds_ago=30 * 3600)
    inbox_id = business.checked["inbox"]["id"]
    draft = {
        "name": "next_month",
        "language": "en",
        "category": "utility",
        "components": [{"type": "BODY", "text": "Hi {{1}}!", "example": {"body_text": [["Jo"]]}}],
    }
    made = await business.post(f"/inboxes/{inbox_id}/templates", **draft)
    assert made["status"] == "pending"
    again = await business.post(f"/inboxes/{inbox_id}/templates", **draft)
    assert again["id"] == made["id"]
    other = {**draft, "components": [{"type": "BODY", "text": "Bye!"}]}
    taken = await business.owner.post(f"/inboxes/{inbox_id}/templates", json=other)
    assert (taken.status_code, taken.json()["code"]) == (409, "TEMPLATE_TAKEN")

    async def approved() -> bool:
        return (await business.get(f"/templates/{made['id']}"))["status"] == "approved"

    await soon(approved)
    content = {"type": "template", "name": "next_month", "language": "en", "parameters": {"1": "Ada"}}
    await business.post(f"/conversations/{conversation['id']}/messages", content=content)

    async def seen() -> bool:
        return (await business.phone())[-1]["text"] == "Hi Ada!"

    await soon(seen)
