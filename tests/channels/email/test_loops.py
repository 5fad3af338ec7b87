"""Two machines that answer each other without a sign of it."""

from uuid import UUID

from chatwright.channels.email.wire import mail_event
from chatwright.features.messaging.inboxes.opening import find_inbox
from chatwright.features.messaging.inboxes.operations import create_inbox
from chatwright.features.messaging.receiving import Arrival, accept
from chatwright.infra.claimer import Claimer
from chatwright.kernel.ids import new_id
from tests.channels.email.test_reading import letter
from tests.conftest import Desk

LIMIT = 20


async def write(desk: Desk, inbox_id: UUID, number: int, *, files: int = 0) -> None:
    """One more mail of the same sender comes in."""
    mail = letter(f"{number}", Message_ID=f"<{new_id()}@people.test>")
    for _ in range(files):
        mail.add_attachment(b"x", maintype="application", subtype="pdf", filename="bill.pdf")
    async with desk.product.database.transaction():
        inbox = await find_inbox(inbox_id)
        assert inbox
        await accept([Arrival(inbox.view, mail_event(mail.as_bytes()))])
    ledger = next(ledger for ledger in desk.product.ledgers if ledger.table == "inbound_events")
    while await Claimer(desk.product.database, desk.product.signals, ledger).run_once():
        pass


async def taken_for_a_machine(desk: Desk, inbox_id: UUID) -> list[bool]:
    """Of each mail, in order."""
    async with desk.product.database.autocommit() as unit:
        rows = await unit.connection.fetch(
            "select automatic from messages where inbox_id = $1 and content ->> 'type' = 'email' order by position",
            inbox_id,
        )
    return [row["automatic"] for row in rows]


async def new_inbox(desk: Desk) -> UUID:
    host = "mail.shop.test"
    settings = {"address": f"{new_id().hex}@shop.test", "password": "x", "imap_host": host, "smtp_host": host}
    return UUID((await desk.call(create_inbox, channel="email", name="Help", settings=settings))["id"])


async def test_too_many_mails_within_an_hour_are_taken_for_a_machine_s(desk: Desk) -> None:
    inbox_id = await new_inbox(desk)
    for number in range(LIMIT + 3):
        await write(desk, inbox_id, number)
    assert await taken_for_a_machine(desk, inbox_id) == [False] * LIMIT + [True] * 3
    async with desk.product.database.transaction() as unit:
        await unit.connection.execute(
            "update messages set created_at = created_at - interval '2 hours' where inbox_id = $1", inbox_id
        )
    await write(desk, inbox_id, 99)
    assert (await taken_for_a_machine(desk, inbox_id))[-1] is False


async def test_many_files_are_not_many_mails(desk: Desk) -> None:
    inbox_id = await new_inbox(desk)
    for number in range(3):
        await write(desk, inbox_id, number, files=15)
    assert await taken_for_a_machine(desk, inbox_id) == [False] * 3
