"""A mailbox connected to the whole product: its own programs between real mail servers and a customer."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from chatwright.kernel.ids import new_id
from tests.channels.email.conftest import settings_for
from tests.e2e.programs import Home, Program, free_port, web, worker
from tests.e2e.shops import PATIENCE_SECONDS, soon
from tests.mail.authority import HOST
from tests.mail.servers import MailServers, mail_servers

pytestmark = pytest.mark.timeout(6 * PATIENCE_SECONDS)
LEASE_SECONDS = 3


@dataclass(frozen=True)
class Office:
    """A running product with two workers, and mail servers."""

    servers: MailServers
    owner: httpx2.AsyncClient
    workers: list[Program]

    async def connect(self) -> "Inbox":
        """Connect a mailbox of its own."""
        address = self.servers.account(f"help-{new_id().hex[-12:]}")
        new = {"channel": "email", "name": "Help", "settings": settings_for(self.servers, address)}
        answer = await self.owner.post("/inboxes/connect", json=new)
        assert answer.status_code == 200, answer.text
        assert [finding["ok"] for finding in answer.json()["findings"]] == [True, True]
        assert "correct horse" not in answer.text
        return Inbox(self, address, answer.json()["inbox"]["id"])

    def customer(self, domain: str = "people.test") -> str:
        """The address of somebody's new mailbox."""
        name = f"customer-{new_id().hex[-12:]}"
        self.servers.account(name)
        return f"{name}@{domain}"

    async def received(self, address: str, count: int = 1) -> EmailMessage:
        """The newest mail of somebody, once there are so many."""

        async def there() -> EmailMessage | None:
            mails = await asyncio.to_thread(self.servers.mails, address.partition("@")[0])
            return message_from_bytes(mails[-1], policy=default) if len(mails) >= count else None

        return await soon(there)


@dataclass(frozen=True)
class Inbox:
    """A connected mailbox."""

    office: Office
    address: str
    id: str

    async def write(self, sender: str, text: str, *, to: str | None = None, **headers: str) -> str:
        """Somebody writes; returns the Message-ID."""
        mail = EmailMessage()
        mail["From"], mail["To"] = sender, to or self.address
        mail["Message-ID"] = f"<{new_id()}@people.test>"
        mail["Subject"] = headers.pop("Subject", "Where is my parcel?")
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        if "file" in text:
            mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="bill.pdf")
        await asyncio.to_thread(self.office.servers.post, mail, sender=sender, to=to or self.address)
        return mail["Message-ID"]

    async def messages(self) -> list[dict[str, Any]]:
        """Every message, each conversation's in its order."""
        found: list[dict[str, Any]] = []
        for conversation in (await self._get("/conversations", inbox_id=self.id))["items"]:
            page = await self._get(f"/conversations/{conversation['id']}/messages", limit=200)
            found += page["items"][::-1]
        return found

    async def message(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async def there() -> dict[str, Any] | None:
            return next(filter(wanted, await self.messages()), None)

        return await soon(there)

    async def heard(self, text: str) -> dict[str, Any]:
        """The message with this text, once it came in."""
        return await self.message(lambda one: one["content"].get("text") == text and one["direction"] == "in")

    async def answer(self, heard: dict[str, Any], text: str) -> dict[str, Any]:
        return await self.post(f"/conversations/{heard['conversation_id']}/messages", text=text)

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.office.owner.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ended(self, message_id: str, status: str) -> dict[str, Any]:
        """The message, once it has this status."""
        return await self.message(lambda one: one["id"] == message_id and one["status"] == status)

    async def _get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = await self.office.owner.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Office]:
    settings = {"CHATWRIGHT_ALLOWED_HOSTS": HOST, "CHATWRIGHT_LEASE_SECONDS": str(LEASE_SECONDS)}
    home, port = Home(tmp_path_factory.mktemp("email"), settings), free_port()
    server, workers = web(home, port), [worker(home, number) for number in range(2)]
    with mail_servers() as servers:
        await server.up()
        try:
            for hand in workers:
                await hand.up()
            async with httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{port}/api/v1",
                headers={"authorization": f"Bearer {home.token()}"},
                timeout=30,
            ) as owner:
                yield Office(servers, owner, workers)
        finally:
            for hand in workers:
                hand.stop()
            server.stop()


async def test_a_conversation_by_mail(office: Office) -> None:
    inbox, ann = await office.connect(), office.customer()
    question = await inbox.write(ann, "It should be here by now.\n\n-- \nAnn")
    heard = await inbox.heard("It should be here by now.")
    assert heard["content"]["subject"] == "Where is my parcel?"
    assert heard["content"]["quoted"] == "--\nAnn"

    sent = await inbox.answer(heard, "It comes tomorrow.")
    mail = first = await office.received(ann)
    assert mail["Subject"] == "Re: Where is my parcel?"
    assert mail["In-Reply-To"] == mail["References"] == question
    assert mail["Message-ID"].endswith("@shop.test>")
    assert (await inbox.ended(sent["id"], "sent"))["error"] is None

    thanked = await inbox.write(ann, "Thank you!", In_Reply_To=mail["Message-ID"])
    thanks = await inbox.heard("Thank you!")
    assert thanks["conversation_id"] == heard["conversation_id"]
    await inbox.ended(sent["id"], "read")

    await inbox.answer(thanks, "You are welcome.")
    mail = await office.received(ann, 2)
    assert mail["References"].split() == [question, first["Message-ID"], thanked]

    bob = office.customer("else.test")
    await inbox.write(bob, "I live there too.", to=mail["Reply-To"], Subject="Something else")
    too = await inbox.heard("I live there too.")
    assert too["conversation_id"] == heard["conversation_id"]


async def test_by_its_subject_alone_nobody_comes_into_a_conversation(office: Office) -> None:
    inbox = await office.connect()
    await inbox.write(office.customer(), "This is Ann.")
    await inbox.write(office.customer(), "This is Bob.", Subject="Re: Where is my parcel?")
    ann, bob = await inbox.heard("This is Ann."), await inbox.heard("This is Bob.")
    assert ann["conversation_id"] != bob["conversation_id"]


async def test_a_file_is_kept(office: Office) -> None:
    inbox = await office.connect()
    await inbox.write(office.customer(), "Here is the file.")
    kept = await inbox.message(lambda one: one["content"].get("attachment_id") is not None)
    assert kept["content"]["filename"] == "bill.pdf"
    answer = await office.owner.get(f"/attachments/{kept['content']['attachment_id']}/content")
    assert answer.content == b"%PDF-1.7"


async def test_a_bounce_ends_the_message_and_the_address(office: Office) -> None:
    inbox = await office.connect()
    stranger = f"nobody-{new_id().hex}@people.test"
    await inbox.write(stranger, "Can you reach me?")
    heard = await inbox.heard("Can you reach me?")
    sent = await inbox.answer(heard, "No.")
    failed = await inbox.ended(sent["id"], "failed")
    assert "5.1.1" in failed["error"]
    check = await inbox.post("/messages/check", conversation_id=heard["conversation_id"])
    assert check["options"][0]["may"] == "nothing"
    assert "5.1.1" in check["options"][0]["evidence"]["unreachable"]

    await inbox.write(stranger, "You can now.")
    await inbox.heard("You can now.")
    check = await inbox.post("/messages/check", conversation_id=heard["conversation_id"])
    assert check["options"][0]["may"] == "free"


async def test_what_a_machine_wrote_is_shown_as_such(office: Office) -> None:
    inbox = await office.connect()
    await inbox.write(office.customer(), "I am away until Monday.", Auto_Submitted="auto-replied")
    assert await inbox.heard("I am away until Monday.")


async def test_a_connection_that_was_cut_off_is_made_again(office: Office) -> None:
    inbox, ann = await office.connect(), office.customer()
    await inbox.write(ann, "Before")
    await inbox.heard("Before")
    await asyncio.to_thread(office.servers.cut_off, inbox.address.partition("@")[0])
    await inbox.write(ann, "Meanwhile")
    await inbox.heard("Meanwhile")


async def test_killed_workers_lose_and_repeat_nothing(office: Office) -> None:
    inbox, ann = await office.connect(), office.customer()
    texts = [f"Mail {number}" for number in range(12)]
    for number, text in enumerate(texts):
        await inbox.write(ann, text)
        hand = office.workers[number % 2]
        if number % 3 == 0:
            hand.kill()
            await hand.up()

    async def all_there() -> list[str] | None:
        found = [one["content"]["text"] for one in await inbox.messages()]
        return found if len(found) >= len(texts) else None

    assert sorted(await soon(all_there)) == sorted(texts)
