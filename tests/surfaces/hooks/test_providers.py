"""The door for providers: handshakes, signatures, several accounts in one call, and bodies as odd as they come."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest

from chatwright.features.messaging.inboxes.operations import create_inbox, get_inbox
from chatwright.features.messaging.inboxes.secrets import hook_token
from chatwright.features.messaging.operations import list_conversations
from chatwright.kernel.ids import new_id
from tests.conftest import Desk
from tests.features.messaging.office import KEY, Office, PostOffices, office, offices
from tests.features.messaging.postal import SIGNATURE, event, person, signed, text

__all__ = ["office", "offices"]


def written(words: str, box: str | None = None, sender: str = "ann") -> dict[str, Any]:
    news = {"external_id": f"{sender}:{words}:{box}", "person": person(sender), "content": text(words)}
    return event("message", f"{sender}:{words}:{box}", lane=sender, box=box, **news)


class TestHandshake:
    async def test_who_knows_the_token_is_answered_to_the_letter(self, office: Office) -> None:
        shown = await office.desk.call(get_inbox, inbox_id=office.inbox_id)
        query = {"token": shown["hook_token"], "challenge": "11 58<b>"}
        answer = await office.client.get(f"/hooks/{office.inbox_id}", params=query)
        assert (answer.status_code, answer.text) == (200, "11 58<b>")
        assert answer.headers["content-type"].startswith("text/plain")

    @pytest.mark.parametrize("token", ["", "wrong", "é" * 32])
    async def test_who_does_not_is_refused(self, office: Office, token: str) -> None:
        for inbox_id in (office.inbox_id, new_id()):
            answer = await office.client.get(f"/hooks/{inbox_id}", params={"token": token, "challenge": "x"})
            assert answer.status_code in {403, 404}
            assert answer.json()["code"] in {"FORBIDDEN", "INBOX_NOT_FOUND"}

    async def test_an_inbox_that_is_being_connected_is_confirmed_already(self, offices: PostOffices) -> None:
        """Some providers call while the webhook is being set, before the inbox is committed."""
        early = new_id()
        query = {"token": hook_token(early), "challenge": "1158"}
        answer = await offices.client.get(f"/hooks/{early}", params=query)
        assert (answer.status_code, answer.text) == (200, "1158")


class TestSignatures:
    async def test_altered_and_unsigned_calls_are_refused_before_they_are_read(self, office: Office) -> None:
        body = orjson.dumps({"events": [written("hi")]})
        altered = body.replace(b"hi", b"ho")
        for content, signature in (
            (altered, signed(KEY, body)),
            (body, signed("another key", body)),
            (body, ""),
            (body, "é"),
            (b"\xff not even text", "0" * 64),
        ):
            answer = await office.client.post(
                f"/hooks/{office.inbox_id}",
                content=content,
                headers={SIGNATURE.encode(): signature.encode("latin-1")},
            )
            assert answer.status_code == 401, answer.text
        assert await office.stored() == []

    async def test_a_signed_call_is_taken_whatever_its_media_type(self, office: Office) -> None:
        answer = await office.call(written("hi"), media_type="text/weird; charset=utf-16")
        assert answer.json() == {"events": 1, "new": 1}
        await office.work()
        assert await office.texts() == ["hi"]


class TestAccounts:
    async def test_each_event_goes_to_the_inbox_of_its_account(
        self, offices: PostOffices, desk: Desk
    ) -> None:
        one, two = await offices.office(desk), await offices.office(desk)
        answer = await one.call(written("to one", one.box), written("to two", two.box), written("to none"))
        assert answer.json() == {"events": 3, "new": 3}
        await one.work()
        assert (await one.texts(), await two.texts()) == (["to none"], ["to two"])
        page = await desk.call(list_conversations)
        assert len(page["items"]) == 2

    async def test_another_inbox_is_reached_only_with_its_own_secret(
        self, offices: PostOffices, desk: Desk, stranger: Desk
    ) -> None:
        """Else whoever has a key here could write into the conversations of others."""
        ours, theirs = await offices.office(desk), await offices.office(stranger, "another key")
        answer = await ours.call(written("a forged word", theirs.box), written("hi", ours.box))
        assert answer.json() == {"events": 2, "new": 2}
        await ours.work()
        assert (await ours.texts(), await theirs.texts()) == (["hi"], [])
        assert (await ours.unknown(), await theirs.unknown()) == ({"foreign account": 1}, {})

    async def test_an_inbox_whose_account_is_not_shown_to_be_its_own_has_its_own_calls_alone(
        self, offices: PostOffices, desk: Desk, stranger: Desk
    ) -> None:
        ours = await offices.office(desk)
        box, settings = new_id().hex, {"key": KEY}
        made = await stranger.call(
            create_inbox, channel="postal", name="Post", settings=settings | {"box": box}
        )
        theirs = replace(ours, desk=stranger, inbox_id=UUID(made["id"]), box=box)
        await ours.call(written("by account", box))
        assert (await theirs.call(written("by address", box))).json() == {"events": 1, "new": 1}
        await ours.work()
        assert (await ours.texts(), await theirs.texts()) == ([], ["by address"])
        assert await ours.unknown() == {"foreign account": 1}
        refused = await theirs.call(written("forged", box), key="another key")
        assert refused.status_code == 401

    async def test_what_is_for_nobody_here_is_kept_and_counted(self, office: Office) -> None:
        await office.call(written("to nobody", "a box nobody has"))
        await office.work()
        assert await office.unknown() == {"foreign account": 1}
        assert await office.texts() == []
        (kept,) = await office.stored()
        assert kept["news"]["content"]["text"] == "to nobody"


class TestOddBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"\xff\xfe\x00",
            b"[" * 100_000,
            b'{"a":' * 500 + b"1" + b"}" * 500,
            b'{"events": [{"id": "deep", "a": ' + b"[" * 150 + b"]" * 150 + b"}]}",
            b"NaN",
            b"null",
            b'"\\u0000"',
            b'{"events": {"a": 1}}',
            b'{"events": [null, 1, "x", {"id": 5}]}',
            b'{"events": [{"id": "' + b"long" * 2000 + b'", "lane": "' + bytes(range(65, 91)) * 300 + b'"}]}',
            b'{"events": [{"id": "\\u0000", "kind": "message", "news": {"external_id": "\\u0000"}}]}',
        ],
    )
    async def test_what_is_signed_is_kept_and_answered_200(self, office: Office, body: bytes) -> None:
        answer = await office.call(content=body)
        assert answer.status_code == 200, answer.text
        kept = await office.stored()
        assert len(kept) == answer.json()["new"] > 0
        again = await office.call(content=body)
        assert again.json()["new"] == 0
        await office.work()
        assert sum((await office.unknown()).values()) == len(kept)

    async def test_a_call_of_three_megabytes_is_taken_and_one_of_five_refused(self, office: Office) -> None:
        for megabytes, status in ((3, 200), (5, 413)):
            answer = await office.call({"id": str(megabytes), "filling": "x" * 1024 * 1024 * megabytes})
            assert answer.status_code == status

    async def test_a_channel_that_trips_over_a_call_loses_nothing(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def trip(*_: object) -> None:
            raise RecursionError("too deep for me")

        monkeypatch.setattr(office.channel, "split", trip)
        assert (await office.call(written("hi"))).status_code == 200
        (kept,) = await office.stored()
        assert "hi" in kept["unreadable"]
        monkeypatch.setattr(office.channel, "verify", trip)
        assert (await office.call(written("hi"))).status_code == 401

    async def test_more_events_than_one_are_all_kept(self, office: Office) -> None:
        events = [written(f"{number}", sender=f"s{number}") for number in range(300)]
        assert (await office.call(*events)).json() == {"events": 300, "new": 300}
