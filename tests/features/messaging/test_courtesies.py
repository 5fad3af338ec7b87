"""Small things between us and a provider: reading, typing, names; and odd events that are put back."""

from datetime import timedelta
from typing import Any

import pytest

from chatwright.features.messaging.arrivals.operations import count_events, list_events, retry_event
from chatwright.features.messaging.courtesies import want_courtesy
from chatwright.features.messaging.errors import EventNotFound
from chatwright.features.messaging.operations import mark_read
from chatwright.ports.inbound import InboundMessage
from tests.conftest import Desk
from tests.features.messaging.office import Office, office, offices
from tests.features.messaging.postal import KINDS, PostalChannel, event, person, text

__all__ = ["office", "offices"]


class TestReading:
    async def test_the_contact_sees_that_we_have_read(self, office: Office) -> None:
        await office.write("one")
        last = await office.write("two")
        conversation = await office.conversation()
        for _ in range(2):
            await office.desk.call(mark_read, conversation_id=conversation["id"])
            await office.work()
        assert office.channel.provider.shown == [("read", "ann", last)]

    async def test_a_provider_that_trips_over_it_hurts_nobody(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def trip(*_: object) -> None:
            raise RuntimeError("no such thing")

        monkeypatch.setattr(PostalChannel, "mark_read", trip)
        await office.write("one")
        conversation = await office.conversation()
        await office.desk.call(mark_read, conversation_id=conversation["id"])
        await office.work()
        await office.write("two")
        assert len(await office.history()) == 2


class TestTyping:
    async def test_it_is_shown_once_while_it_is_news(self, office: Office) -> None:
        last = await office.write("one")
        (row,) = await office.rows("select id from conversations where inbox_id = $1")
        async with office.desk.product.database.autocommit():
            await want_courtesy(row["id"], "typing")
            await want_courtesy(row["id"], "typing")
        await office.work()
        assert office.channel.provider.shown == [("typing", "ann", last)]
        async with office.desk.product.database.transaction() as unit:
            await want_courtesy(row["id"], "typing")
            await unit.connection.execute(
                "update courtesies set created_at = now() - $2::interval where conversation_id = $1",
                row["id"],
                timedelta(minutes=1),
            )
        await office.work()
        assert len(office.channel.provider.shown) == 1


class TestNames:
    async def test_a_nameless_writer_is_asked_for(self, office: Office) -> None:
        office.channel.provider.names["7001"] = "Lan"
        nameless = {"identities": {"postal": "7001"}}
        await office.news("message", external_id="m", person=nameless, content=text("hi"))
        assert (await office.conversation())["contact_name"] == "Lan"


class TestOddEvents:
    async def odd(self, office: Office) -> dict[str, Any]:
        await office.call(
            event("message", "m", external_id="m", person=person(), content=text("from the future"))
        )
        await office.work()
        (found,) = (await office.desk.call(list_events, inbox_id=office.inbox_id))["items"]
        return found

    async def test_what_is_understood_later_is_worked_then(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known = dict(KINDS)
        with monkeypatch.context() as before:
            before.setattr("tests.features.messaging.postal._ADAPTERS", {})
            odd = await self.odd(office)
            assert (odd["state"], odd["unknown"], odd["error"]) == ("done", "message", None)
            assert odd["payload"]["news"]["content"]["text"] == "from the future"
            counts = await office.desk.call(count_events, inbox_id=office.inbox_id)
            assert (counts["waiting"], counts["failed"]) == (0, 0)
            assert [(one["kind"], one["seen"]) for one in counts["unknown"]] == [("message", 1)]
        assert known["message"] is InboundMessage
        await office.desk.call(retry_event, event_id=odd["id"])
        await office.work()
        assert await office.texts() == ["from the future"]
        assert (await office.desk.call(list_events, inbox_id=office.inbox_id))["items"] == []

    async def test_what_failed_is_shown_with_the_reason_and_worked_again(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as broken:

            def trip(*_: object) -> None:
                raise RuntimeError("a mistake of ours")

            broken.setattr(PostalChannel, "parse", trip)
            await office.call(event("message", "m", external_id="m", person=person(), content=text("hi")))
            for _ in range(8):
                await office.all_due("inbound_events")
                await office.work()
        page = await office.desk.call(list_events, inbox_id=office.inbox_id, kind="failed")
        (odd,) = page["items"]
        assert odd["error"] == "RuntimeError: a mistake of ours"
        assert (await office.desk.call(count_events, inbox_id=office.inbox_id))["failed"] == 1
        assert (await office.desk.call(list_events, inbox_id=office.inbox_id, kind="unknown"))["items"] == []
        await office.desk.call(retry_event, event_id=odd["id"])
        await office.work()
        assert await office.texts() == ["hi"]

    async def test_what_went_well_or_is_somebody_else_s_is_not_put_back(
        self, office: Office, stranger: Desk
    ) -> None:
        await office.write("hi")
        (row,) = await office.rows("select id from inbound_events where inbox_id = $1")
        with pytest.raises(EventNotFound):
            await office.desk.call(retry_event, event_id=str(row["id"]))
        await office.call(event("message", "f", box="nobody's", external_id="f", person=person()))
        await office.call(event("hologram", "h"))
        await office.work()
        odd = {
            one["unknown"]: one["id"]
            for one in (await office.desk.call(list_events, inbox_id=office.inbox_id))["items"]
        }
        assert odd.keys() == {"foreign account", "hologram"}
        with pytest.raises(EventNotFound):
            await office.desk.call(retry_event, event_id=odd["foreign account"])
        with pytest.raises(EventNotFound):
            await stranger.call(retry_event, event_id=odd["hologram"])
