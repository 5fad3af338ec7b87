"""Files of providers, fetched piece by piece."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from urllib.parse import unquote, urlsplit

from chatwright.net.http import NoAnswer, NotSent, Streamed, Web
from chatwright.ports.channel import Download, DownloadFailed

ANY_TYPE = "application/octet-stream"
_LONGEST_NAME = 200


class FileGone(DownloadFailed):
    """The provider has the file no longer, or never had it: asking again is of no use."""

    code = "FILE_GONE"
    retryable = False


async def download(web: Web, url: str, headers: Mapping[str, str] | None = None) -> Download:
    """Open a file at an address that a provider gave; raises DownloadFailed or FileGone."""
    async with AsyncExitStack() as opening:
        try:
            answer = await opening.enter_async_context(web.stream(url, headers=headers))
        except (NotSent, NoAnswer) as error:
            raise DownloadFailed(error.message) from error
        if answer.status >= 300:
            words = f"The provider answered with status {answer.status} instead of the file."
            raise (
                FileGone(words)
                if 400 <= answer.status < 500 and answer.status != 429
                else DownloadFailed(words)
            )
        media_type = answer.headers.get("content-type", ANY_TYPE).partition(";")[0].strip()
        # From here on the reader of the file closes it.
        content = _read(answer, opening.pop_all())
        return Download(media_type or ANY_TYPE, content, _name_in(url))


async def _read(answer: Streamed, opened: AsyncExitStack) -> AsyncIterator[bytes]:
    try:
        async with opened:
            async for piece in answer.content:
                yield piece
    except NoAnswer as error:
        raise DownloadFailed(error.message) from error


def _name_in(url: str) -> str | None:
    """The last word of an address, where it looks like the name of a file."""
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    return name[:_LONGEST_NAME] if "." in name.strip(".") else None
