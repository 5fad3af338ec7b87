"""Files: what a message tells of them, and where their bytes are for whoever has the bot's token."""

from collections.abc import Callable, Mapping
from typing import Any

from chatwright.sandbox.telegram.bot import Bot, StoredFile
from chatwright.sandbox.telegram.refusals import bad_request, not_found
from chatwright.sandbox.world import Media, World, unique

DOWNLOAD_LIMIT = 20 * 1024 * 1024
PHOTO_LIMIT = 10 * 1024 * 1024
LINK_SECONDS = 3600
KINDS = frozenset({"photo", "video", "animation", "audio", "voice", "video_note", "document", "sticker"})
_ALSO = {"image": "photo", "file": "document", "gif": "animation"}
_ENDINGS = {
    "photo": ("image/jpeg", "jpg"),
    "video": ("video/mp4", "mp4"),
    "animation": ("video/mp4", "mp4"),
    "audio": ("audio/mpeg", "mp3"),
    "voice": ("audio/ogg", "oga"),
    "video_note": ("video/mp4", "mp4"),
    "document": ("application/octet-stream", "bin"),
    "sticker": ("image/webp", "webp"),
}


def kind_of(name: str) -> str:
    """The provider's kind of a file, by any of its names."""
    kind = _ALSO.get(name, name)
    return kind if kind in KINDS else "document"


def store(bot: Bot, media: Media) -> StoredFile:
    """Give a file an id."""
    kind = kind_of(media.kind)
    mime_type, ending = _ENDINGS[kind]
    number = len(bot.files) + 1
    named = media.filename.rpartition(".")[2] if "." in media.filename else ending
    file = StoredFile(
        id=f"AgACAg{unique()}",
        unique_id=f"AQAD{unique()[-12:]}",
        path=f"{kind}s/file_{number}.{named}",
        mime_type=media.mime_type or mime_type,
        filename=media.filename or f"file_{number}.{named}",
        content=media.content,
        url=media.url,
    )
    bot.files[file.id] = file
    return file


def part_of(kind: str, file: StoredFile) -> dict[str, Any]:
    """The part of a message that tells of a file."""
    named = {
        "file_id": file.id,
        "file_unique_id": file.unique_id,
        "file_size": len(file.content),
    }
    return {kind: _PARTS[kind](named, file)}


Part = Callable[[dict[str, Any], StoredFile], Any]
_PICTURE = {"width": 640, "height": 480}
_CLIP = {"width": 640, "height": 360, "duration": 3}


def _photo(named: Mapping[str, Any], file: StoredFile) -> list[dict[str, Any]]:
    """Smallest first; the last is the one to fetch."""
    small = {"file_id": f"{file.id}-s", "file_unique_id": f"{file.unique_id}s", "file_size": 0}
    return [small | {"width": 90, "height": 67}, dict(named) | _PICTURE]


def _typed(extra: Mapping[str, Any], *, named: bool) -> Part:
    def part(about: dict[str, Any], file: StoredFile) -> dict[str, Any]:
        return (
            about
            | dict(extra)
            | {"mime_type": file.mime_type}
            | ({"file_name": file.filename} if named else {})
        )

    return part


def _video_note(named: dict[str, Any], _: StoredFile) -> dict[str, Any]:
    return named | {"length": 240, "duration": 3}


def _sticker(named: dict[str, Any], _: StoredFile) -> dict[str, Any]:
    look = {"width": 512, "height": 512, "is_animated": False, "is_video": False, "type": "regular"}
    return named | look | {"emoji": "\N{WAVING HAND SIGN}"}


_PARTS: Mapping[str, Part] = {
    "photo": _photo,
    "video": _typed(_CLIP, named=True),
    "animation": _typed(_CLIP, named=True),
    "audio": _typed({"duration": 3}, named=True),
    "voice": _typed({"duration": 3}, named=False),
    "video_note": _video_note,
    "document": _typed({}, named=True),
    "sticker": _sticker,
}


def link(bot: Bot, world: World, file_id: str) -> dict[str, Any]:
    """Answer getFile: where a file can be fetched for an hour."""
    file = bot.files.get(file_id.removesuffix("-s"))
    if file is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if len(file.content) > DOWNLOAD_LIMIT:
        raise bad_request("file is too big")
    seconds = LINK_SECONDS if bot.faults.media_seconds is None else bot.faults.media_seconds
    file.open_until = world.clock.after(seconds)
    return {
        "file_id": file_id,
        "file_unique_id": file.unique_id,
        "file_size": len(file.content),
        "file_path": file.path,
    }


def fetched(bot: Bot, world: World, path: str) -> StoredFile:
    """The file behind a link; raises Refused when it has none, or no longer."""
    now = world.clock.now()
    for file in bot.files.values():
        if file.path == path and file.open_until is not None and now < file.open_until:
            return file
    raise not_found()
