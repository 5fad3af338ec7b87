"""Files of messages: fetched from the provider, limited, retried, and gone when nobody wants them any more."""

import asyncio
from typing import Any
from uuid import UUID

import orjson
import pytest
from structlog.testing import capture_logs

from chatwright.features.contacts.operations import delete_contact
from chatwright.features.messaging.attachments.downloading import MOST_ATTEMPTS, sweep_files
from chatwright.features.messaging.attachments.operations import UPLOAD_LIMIT, get_attachment
from chatwright.kernel.errors import NotFound
from chatwright.net.downloads import FileGone
from chatwright.ports.channel import DownloadFailed
from tests.features.messaging.office import Office, office, offices
from tests.features.messaging.postal import person

__all__ = ["office", "offices"]

LINK = "https://files.example/photo?token=nobody-may-see-this"
PNG = ("image/png; charset=binary", b"a picture" * 50)


async def send_photo(office: Office, name: str = "photo", **content: Any) -> None:
    content = {"type": "media", "kind": "image", "caption": "look", **content}
    await office.news("message", name, external_id=name, person=person(), content=content, media=LINK)


async def stored_bytes(office: Office, attachment_id: str) -> bytes:
    (row,) = await office.rows(
        "select storage_key from attachments where $1::uuid is not null and id = $2", UUID(attachment_id)
    )
    storage = office.desk.product.storage
    return b"".join([piece async for piece in storage.read(row["storage_key"])])


async def downloads(office: Office) -> list[tuple[str, str | None, bytes | None]]:
    rows = await office.rows("select state, error, media from media_downloads where inbox_id = $1")
    return [(row["state"], row["error"], row["media"]) for row in rows]


class TestFetching:
    async def test_a_file_is_stored_and_linked(self, office: Office) -> None:
        office.channel.provider.files[LINK] = PNG
        await send_photo(office, url="https://files.example/open")
        (message,) = await office.history()
        content = message["content"]
        assert (content["caption"], content["filename"], content["url"]) == ("look", "image.png", None)
        facts = await office.desk.call(get_attachment, attachment_id=content["attachment_id"])
        assert (facts["media_type"], facts["size"]) == ("image/png", len(PNG[1]))
        assert await stored_bytes(office, content["attachment_id"]) == PNG[1]
        assert await office.events("message.updated") == [{"attachment_id": content["attachment_id"]}]
        assert await downloads(office) == [("done", None, None)]

    @pytest.mark.parametrize(
        "claimed", ["image/png\r\nset-cookie: a=b", "image/\N{CYRILLIC SMALL LETTER EF}", "/", "", "image"]
    )
    async def test_a_type_that_is_none_is_any(self, office: Office, claimed: str) -> None:
        office.channel.provider.files[LINK] = (claimed, b"bytes")
        await send_photo(office)
        (message,) = await office.history()
        facts = await office.desk.call(get_attachment, attachment_id=message["content"]["attachment_id"])
        assert facts["media_type"] == "application/octet-stream"

    async def test_what_it_is_fetched_by_is_shown_to_nobody(self, office: Office) -> None:
        office.channel.provider.files[LINK] = DownloadFailed("Not just now.")
        with capture_logs() as logs:
            await send_photo(office)
        rows = await office.rows(
            "select to_jsonb(d) as row from media_downloads d where inbox_id = $1 "
            "union all select to_jsonb(m) from messages m where inbox_id = $1 "
            "union all select to_jsonb(e) from event_log e where inbox_id = $1"
        )
        assert len(rows) >= 3
        seen = orjson.dumps([logs, [row["row"] for row in rows], await office.history()], default=str)
        assert b"nobody-may-see-this" not in seen
        assert b"nobody-may-see-this".hex().encode() not in seen

    async def test_it_is_tried_again_and_then_given_up_in_words(self, office: Office) -> None:
        office.channel.provider.files[LINK] = DownloadFailed("The store is closed.")
        await send_photo(office)
        for _ in range(MOST_ATTEMPTS):
            await office.all_due("media_downloads")
            await office.work()
        ((state, error, media),) = await downloads(office)
        assert (state, error, media) == ("failed", "The store is closed.", None)
        (message,) = await office.history()
        assert message["error"] == "The file could not be fetched: The store is closed."
        assert message["content"]["attachment_id"] is None

    async def test_a_provider_that_comes_back_in_time_is_asked_again(self, office: Office) -> None:
        office.channel.provider.files[LINK] = DownloadFailed("The store is closed.")
        await send_photo(office)
        office.channel.provider.files[LINK] = PNG
        await office.all_due("media_downloads")
        await office.work()
        (message,) = await office.history()
        assert message["content"]["attachment_id"] is not None

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (FileGone("It is gone."), "It is gone."),
            (("image/png", b"x" * (UPLOAD_LIMIT + 1)), f"The file is larger than {UPLOAD_LIMIT} bytes."),
        ],
    )
    async def test_what_will_never_do_is_given_up_at_once(
        self, office: Office, answer: Any, words: str
    ) -> None:
        office.channel.provider.files[LINK] = answer
        await send_photo(office)
        ((state, error, _),) = await downloads(office)
        assert (state, error) == ("failed", words)
        (message,) = await office.history()
        assert words in message["error"]


class TestSweeping:
    async def sweep(self, office: Office) -> int:
        product = office.desk.product
        return await sweep_files(product.database, product.storage)

    async def photo(self, office: Office) -> str:
        office.channel.provider.files[LINK] = PNG
        await send_photo(office)
        (message,) = await office.history()
        return message["content"]["attachment_id"]

    async def test_a_file_taken_back_is_deleted(self, office: Office) -> None:
        attachment_id = await self.photo(office)
        await self.sweep(office)
        assert await stored_bytes(office, attachment_id) == PNG[1]
        await office.news("unsend", external_id="photo", person=person())
        with pytest.raises(NotFound):
            await self._swept(office, attachment_id)
        with pytest.raises(NotFound):
            await office.desk.call(get_attachment, attachment_id=attachment_id)

    async def test_a_deleted_contact_s_files_and_raw_events_go_too(self, office: Office) -> None:
        attachment_id = await self.photo(office)
        contact_id = (await office.conversation())["contact_id"]
        await office.desk.call(delete_contact, contact_id=contact_id)
        await office.work()
        with pytest.raises(NotFound):
            await self._swept(office, attachment_id)
        assert await office.stored() == [{}]

    async def test_what_a_killed_worker_left_is_deleted(self, office: Office) -> None:
        office.channel.provider.files[LINK] = DownloadFailed("Not just now.")
        await send_photo(office)
        rows = await office.rows(
            "select id from attachments where $1::uuid is not null and workspace_id = $2 "
            "and unwanted_at > now()",
            office.desk.caller.workspace_id,
        )
        assert len(rows) == 1
        async with office.desk.product.database.transaction() as unit:
            await unit.connection.execute(
                "update attachments set unwanted_at = now() where id = $1", rows[0]["id"]
            )
        await self.sweep(office)
        assert (
            await office.rows("select 1 from attachments where $1::uuid <> id and id = $2", rows[0]["id"])
            == []
        )

    async def _swept(self, office: Office, attachment_id: str) -> None:
        (row,) = await office.rows(
            "select storage_key from attachments where $1::uuid is not null and id = $2", UUID(attachment_id)
        )
        # News of what was deleted waits for the oldest transaction that still runs, whoever has it.
        async with asyncio.timeout(10):
            while not await self.sweep(office):
                await office.work()
        storage = office.desk.product.storage
        assert [piece async for piece in storage.read(row["storage_key"])] == []
