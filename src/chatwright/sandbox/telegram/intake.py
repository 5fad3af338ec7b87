"""Files that come with a call: uploaded, known already, or lying at an address."""

from urllib.parse import urlsplit

import httpx2

from chatwright.sandbox.telegram.bot import Bot, StoredFile
from chatwright.sandbox.telegram.files import PHOTO_LIMIT, store
from chatwright.sandbox.telegram.parameters import Parameters, Upload
from chatwright.sandbox.telegram.refusals import bad_request
from chatwright.sandbox.world import Media

URL_LIMIT = 20 * 1024 * 1024
URL_PHOTO_LIMIT = 5 * 1024 * 1024
FETCH_SECONDS = 10.0
HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_ATTACHED = "attach://"
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"BM")


async def file_named(bot: Bot, parameters: Parameters, name: str, kind: str) -> StoredFile:
    """The file of a parameter; raises Refused when there is none, or none of this kind."""
    upload = parameters.uploads.get(name)
    if upload is not None:
        return _uploaded(bot, kind, upload)
    value = parameters.text(name)
    if not value:
        raise bad_request(f"there is no {name.replace('_', ' ')} in the request")
    return await file_meant(bot, parameters, value, kind)


async def file_meant(bot: Bot, parameters: Parameters, value: str, kind: str) -> StoredFile:
    """The file that a text means: attached to the call, known by its id, or at an address."""
    if value.startswith(_ATTACHED):
        upload = parameters.uploads.get(value.removeprefix(_ATTACHED))
        if upload is None:
            raise bad_request(f'file "{value}" not found in the request')
        return _uploaded(bot, kind, upload)
    if (known := bot.files.get(value.removesuffix("-s"))) is not None:
        return known
    if urlsplit(value).scheme in {"http", "https"}:
        return await _fetched(bot, kind, value)
    raise bad_request("wrong remote file identifier specified: Wrong string length")


def _uploaded(bot: Bot, kind: str, upload: Upload) -> StoredFile:
    if not upload.data:
        raise bad_request("file must be non-empty")
    _check_picture(kind, upload.data, PHOTO_LIMIT)
    return store(bot, Media(kind, upload.content_type, upload.data, filename=upload.filename))


async def _fetched(bot: Bot, kind: str, url: str) -> StoredFile:
    """What lies at an address on this machine is fetched, as there; the sandbox calls nobody outside of it."""
    parts = urlsplit(url)
    filename = parts.path.rpartition("/")[2]
    if parts.hostname not in HERE:
        return store(bot, Media(kind, "", url=url, filename=filename))
    try:
        async with httpx2.AsyncClient(
            timeout=FETCH_SECONDS, trust_env=False, follow_redirects=True
        ) as client:
            answer = await client.get(url)
    except httpx2.HTTPError:
        answer = None
    limit = URL_PHOTO_LIMIT if kind == "photo" else URL_LIMIT
    if answer is None or not answer.is_success or not 0 < len(answer.content) <= limit:
        raise bad_request("failed to get HTTP URL content")
    mime_type = answer.headers.get("content-type", "").partition(";")[0]
    if kind == "photo" and not mime_type.startswith("image/"):
        raise bad_request("wrong type of the web page content")
    return store(bot, Media(kind, mime_type, answer.content, url, filename))


def _check_picture(kind: str, content: bytes, limit: int) -> None:
    if kind != "photo":
        return
    if len(content) > limit:
        raise bad_request("file is too big")
    if not content.startswith(_PICTURES):
        raise bad_request("IMAGE_PROCESS_FAILED")
