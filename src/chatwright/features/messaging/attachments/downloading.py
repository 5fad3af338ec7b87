"""Files of messages, fetched from where the provider keeps them, which is often for minutes only."""

import mimetypes
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from uuid import UUID

from chatwright.features.messaging import events
from chatwright.features.messaging.attachments import store
from chatwright.features.messaging.attachments.operations import UPLOAD_LIMIT
from chatwright.features.messaging.attachments.store import WantedFile
from chatwright.features.messaging.inboxes.opening import OpenInbox, find_inbox
from chatwright.features.messaging.store import FIND_CONVERSATION
from chatwright.kernel.errors import ChatwrightError, PayloadTooLarge
from chatwright.kernel.ids import new_id
from chatwright.net.downloads import FileGone
from chatwright.ports.channel import Download, DownloadFailed, Downloading, InboxView, Unpacking
from chatwright.ports.database import Database, emit, wake
from chatwright.ports.ledger import Claim, Ledger
from chatwright.ports.site import this_site
from chatwright.ports.storage import Storage

DOWNLOADS: Final = "media_downloads"
MOST_ATTEMPTS: Final = 6
"""Providers' addresses end within minutes, so there is no sense in trying for hours."""
BY_CHANNEL: Final = "channel"
"""Who made a file that came in."""
UNKNOWN_TYPE: Final = "application/octet-stream"
_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_LONGEST_NAME = 200
_LONGEST_TYPE = 100


async def want_download(inbox: InboxView[Any], message_id: UUID, media: str) -> None:
    """Have a message's file fetched. What it is fetched by can hold a token: it is kept sealed, and logged nowhere."""
    download_id = new_id()
    sealed = this_site().cipher.seal(media.encode(), _context(download_id))
    await store.INSERT_DOWNLOAD.run(download_id, inbox.workspace_id, inbox.id, message_id, sealed)
    wake(DOWNLOADS)


def download_ledger(database: Database, storage: Storage) -> Ledger:
    """The ledger of files to fetch."""

    async def work(claim: Claim) -> None:
        try:
            await _fetch(claim, database, storage)
        except ChatwrightError as error:
            if error.retryable and claim.attempts < MOST_ATTEMPTS:
                raise
            await _give_up(claim, error.message)

    return Ledger(DOWNLOADS, work, max_attempts=MOST_ATTEMPTS)


async def sweep_files(database: Database, storage: Storage) -> int:
    """Delete files that nobody wants any more, bytes first; returns how many."""
    async with database.autocommit():
        unwanted = await store.UNWANTED.all()
    for file in unwanted:
        await storage.delete(file.storage_key)
        async with database.autocommit():
            await store.FORGET_ATTACHMENT.run(file.id)
    return len(unwanted)


async def _fetch(claim: Claim, database: Database, storage: Storage) -> None:
    async with database.autocommit():
        wanted = await store.WANTED_FILE.first(claim.row["message_id"])
        inbox = await find_inbox(claim.row["inbox_id"])
    if wanted is None or inbox is None:
        message = "The message or its inbox is gone."
        raise FileGone(message)
    kind = str(wanted.content.get("kind"))
    attachment_id = new_id()
    key = f"{wanted.workspace_id}/attachments/{attachment_id.hex}"
    async with claim.holding():
        # Unwanted until the message has it: what a killed worker leaves behind is swept.
        await store.BEGIN_ATTACHMENT.run(attachment_id, wanted.workspace_id, key, BY_CHANNEL)
    async with claim.keeping():
        download = await _opened(claim, inbox, wanted)
        _check_type(inbox, kind, download.media_type)
        size = await _stored(storage, key, download, _limit(inbox, kind))
    name = _name(wanted.content, download)
    async with claim.settling():
        linked = await store.LINK_ATTACHMENT.first(wanted.message_id, attachment_id, name)
        if linked is not None:
            await store.FINISH_ATTACHMENT.run(attachment_id, name, _type_of(download.media_type), size)
        await store.FORGET_MEDIA.run(claim.id)
        if linked is not None:
            await _announce(wanted, attachment_id)


async def _opened(claim: Claim, inbox: OpenInbox, wanted: WantedFile) -> Download:
    channel: object = inbox.channel
    media = this_site().cipher.open(claim.row["media"], _context(claim.id)).decode()
    if isinstance(channel, Downloading):
        return await channel.download(inbox.view, media)
    if isinstance(channel, Unpacking) and wanted.payload is not None:
        return await channel.unpack(inbox.view, wanted.payload, media)
    message = "This channel has no files to fetch."
    raise FileGone(message)


async def _stored(storage: Storage, key: str, download: Download, limit: int) -> int:
    content: AsyncIterator[bytes] = download.content
    try:
        return await storage.put(key, content, limit=limit)
    except PayloadTooLarge:
        message = f"The file is larger than {limit} bytes."
        raise PayloadTooLarge(message) from None


def _check_type(inbox: OpenInbox, kind: str, media_type: str) -> None:
    """A provider's file of a type that it does not have is no file of that kind, but may be an error page."""
    taken = inbox.channel.capabilities.media_types.get(kind)
    if taken is not None and _type_of(media_type) not in taken and media_type.startswith("text/html"):
        message = "The provider answered with a page instead of the file."
        raise DownloadFailed(message)


def _limit(inbox: OpenInbox, kind: str) -> int:
    return max(UPLOAD_LIMIT, inbox.channel.capabilities.files.get(kind, 0))


def _type_of(media_type: str) -> str:
    """The type that a provider, or the writer of a mail, claims, as headers of ours can carry it."""
    bare = media_type.partition(";")[0].strip().lower()
    return bare if _TYPE.fullmatch(bare) and len(bare) <= _LONGEST_TYPE else UNKNOWN_TYPE


def _name(content: Mapping[str, Any], download: Download) -> str:
    given = content.get("filename") or download.filename
    if given:
        return str(given).replace("\0", "")[:_LONGEST_NAME]
    extension = mimetypes.guess_extension(_type_of(download.media_type)) or ""
    return f"{content.get('kind', 'file')}{extension}"


async def _give_up(claim: Claim, words: str) -> None:
    async with claim.settling("failed", error=words):
        await store.FORGET_MEDIA.run(claim.id)
        wanted = await store.WANTED_FILE.first(claim.row["message_id"])
        if wanted is not None:
            await store.NOTE_MISSING.run(wanted.message_id, f"The file could not be fetched: {words}")
            await _announce(wanted, None)


async def _announce(wanted: WantedFile, attachment_id: UUID | None) -> None:
    """`message.updated`, with the file it has now, or none where it could not be had."""
    conversation = await FIND_CONVERSATION.one(wanted.workspace_id, wanted.conversation_id)
    data = {"attachment_id": attachment_id and str(attachment_id)}
    emit(events.message_changed(conversation, wanted.message_id, "updated", **data))


def _context(download_id: UUID) -> str:
    return f"media:{download_id}"
