"""Copies of a mail count once; other mails are never taken for copies."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import httpx2
import pytest_asyncio

from chatwright.features.messaging.inboxes.opening import find_inbox
from chatwright.features.messaging.inboxes.operations import create_inbox
from chatwright.features.messaging.operations import list_conversations, list_messages
from chatwright.features.workspaces.limits import RateLimiter
from chatwright.infra.claimer import Claimer
from chatwright.kernel.ids import new_id
from chatwright.surfaces.hooks.routes import hook_routes
from tests.channels.email.test_reading import letter
from tests.conftest import Desk
from tests.serving import serving

TO_HELP = b"Delivered-To: help@shop.test\r\nReceived: by mx1.shop.test; Fri, 20 Nov 2026 09:00:01 +0000\r\n"
TO_SALES = b"Delivered-To: sales@shop.test\r\nReceived: by mx2.shop.test; Fri, 20 Nov 2026 09:00:05 +0000\r\n"
DATE = "Fri, 20 Nov 2026 10:00:00 +0100"


@dataclass(frozen=True)
class Mailbox:
    """An inbox to which another server delivers by HTTP."""

    desk: Desk
    client: httpx2.AsyncClient
    inbox_id: UUID
    token: str

    async def deliver(self, *mails: bytes) -> None:
        for raw in mails:
            headers = {"authorization": f"Bearer {self.token}", "content-type": "message/rfc822"}
            answer = await self.client.post(f"/hooks/{self.inbox_id}", content=raw, headers=headers)
            assert answer.status_code == 200, answer.text
        # Two mails of one id that are worked at the same moment meet, and one of them is put back.
        for _ in range(2):
            await self.work()

    async def work(self) -> None:
        """Work what is there, whenever it is due."""
        product = self.desk.product
        async with product.database.transaction() as unit:
            await unit.connection.execute(
                "update inbound_events set due_at = now() where inbox_id = $1 and state = 'queued'",
                self.inbox_id,
            )
        ledger = next(ledger for ledger in product.ledgers if ledger.table == "inbound_events")
        while await Claimer(product.database, product.signals, ledger).run_once():
            pass

    async def conversations(self) -> list[list[dict[str, Any]]]:
        """The contents of each conversation, oldest first, those begun first at the front."""
        found = (await self.desk.call(list_conversations, inbox_id=self.inbox_id))["items"]
        pages = [
            await self.desk.call(list_messages, conversation_id=one["id"])
            for one in sorted(found, key=lambda one: one["created_at"])
        ]
        return [[message["content"] for message in page["items"][::-1]] for page in pages]

    async def texts(self) -> list[list[str]]:
        return [[one.get("text") or one["filename"] for one in each] for each in await self.conversations()]


@pytest_asyncio.fixture(loop_scope="session")
async def mailbox(desk: Desk) -> AsyncGenerator[Mailbox]:
    host = "mail.shop.test"
    settings = {"address": f"{new_id().hex}@shop.test", "password": "x", "imap_host": host, "smtp_host": host}
    made = await desk.call(create_inbox, channel="email", name="Help", settings=settings)
    async with desk.product.database.autocommit():
        inbox = await find_inbox(UUID(made["id"]))
    assert inbox is not None
    routes = hook_routes(desk.product.database, desk.product.signals, RateLimiter(desk.product.database))
    async with serving(routes) as url, httpx2.AsyncClient(base_url=url, timeout=20) as client:
        yield Mailbox(desk, client, UUID(made["id"]), inbox.view.hook_token)


def mail(text: str = "Hello", **headers: str) -> EmailMessage:
    return letter(text, **{"Date": DATE, **headers})


async def test_a_mail_that_comes_by_two_addresses_counts_once(mailbox: Mailbox) -> None:
    raw = mail().as_bytes().replace(b"\n", b"\r\n")
    await mailbox.deliver(TO_HELP + raw, TO_SALES + raw, raw.replace(b"\r\n", b"\n") + b"\n\n")
    assert await mailbox.texts() == [["Hello"]]


async def test_so_does_one_that_a_server_wrote_anew(mailbox: Mailbox) -> None:
    with_file = mail("See the bill")
    with_file.add_attachment(b"PDF", maintype="application", subtype="pdf", filename="bill.pdf")
    for boundary in ("==anything-1==", "==another-2=="):
        with_file.set_boundary(boundary)
        await mailbox.deliver(with_file.as_bytes())
    assert await mailbox.texts() == [["See the bill", "bill.pdf"]]


async def test_so_does_one_without_an_id(mailbox: Mailbox) -> None:
    lines = mail("No id").as_bytes().splitlines(keepends=True)
    raw = b"".join(line for line in lines if not line.startswith(b"Message-ID"))
    await mailbox.deliver(TO_HELP + raw, TO_SALES + raw)
    assert await mailbox.texts() == [["No id"]]
    await mailbox.deliver(raw.replace(b"No id", b"No id either"))
    assert await mailbox.texts() == [["No id", "No id either"]]


async def test_other_mails_of_the_same_id_are_all_shown_once(mailbox: Mailbox) -> None:
    mails = [
        mail("Backup done"),
        mail("Backup failed"),
        mail("Backup done", Date="Sat, 21 Nov 2026 10:00:00 +0100"),
        mail("Backup done", Subject="Disk"),
    ]
    for _ in range(2):
        await mailbox.deliver(*(TO_HELP + one.as_bytes() for one in mails))
        assert await mailbox.texts() == [["Backup done", "Backup failed", "Backup done", "Backup done"]]


async def test_somebody_else_s_mail_of_the_same_id_is_theirs_with_its_files(mailbox: Mailbox) -> None:
    first, second = mail("Mine"), mail("Mine, too", From="Bob <bob@people.test>")
    for one, name in ((first, "ann.pdf"), (second, "bob.pdf")):
        one.add_attachment(b"PDF", maintype="application", subtype="pdf", filename=name)
    await mailbox.deliver(first.as_bytes(), second.as_bytes())
    assert sorted(await mailbox.texts()) == [["Mine", "ann.pdf"], ["Mine, too", "bob.pdf"]]


async def test_working_an_event_again_shows_nothing_twice(mailbox: Mailbox) -> None:
    await mailbox.deliver(mail("one").as_bytes(), mail("two").as_bytes())
    async with mailbox.desk.product.database.transaction() as unit:
        await unit.connection.execute(
            "update inbound_events set state = 'queued' where inbox_id = $1", mailbox.inbox_id
        )
    await mailbox.work()
    assert await mailbox.texts() == [["one", "two"]]


async def test_an_answer_to_either_stays_in_the_thread(mailbox: Mailbox) -> None:
    await mailbox.deliver(mail("one").as_bytes(), mail("two").as_bytes())
    answer = mail("An answer", Message_ID="<b1@people.test>", In_Reply_To="<a1@people.test>")
    del answer["From"]
    answer["From"] = "Bob <bob@people.test>"
    await mailbox.deliver(answer.as_bytes())
    assert await mailbox.texts() == [["one", "two", "An answer"]]
