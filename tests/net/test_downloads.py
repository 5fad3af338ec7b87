"""Files of providers: opened, read piece by piece, closed, and told of when they are not to be had."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from chatwright.net.downloads import FileGone, download
from chatwright.net.http import Web
from chatwright.ports.channel import DownloadFailed
from tests.serving import serving


class CutShort(Response):
    """Half of what it promises."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"10"), (b"content-type", b"image/png")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"12345", "more_body": True})


async def answer(request: Request) -> Response:
    status = int(request.query_params.get("status", "200"))
    if request.url.path == "/cut":
        return CutShort()
    if request.headers.get("authorization", "let in") not in {"let in", "Bearer t"}:
        return Response(status_code=403)
    kind = request.query_params.get("kind")
    return Response(b"a cup", status, {"content-type": kind} if kind else {})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url() -> AsyncGenerator[str]:
    async with serving(Starlette(routes=[Route("/{path:path}", answer)])) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def web() -> AsyncGenerator[Web]:
    opened = Web(["127.0.0.1"])
    yield opened
    await opened.close()


async def test_a_file_has_a_type_and_perhaps_a_name(web: Web, url: str) -> None:
    file = await download(web, f"{url}/v/two%20cups.png?kind=image/png%3B+a%3Db&oe=1")
    assert (file.media_type, file.filename) == ("image/png", "two cups.png")
    assert b"".join([piece async for piece in file.content]) == b"a cup"
    bare = await download(web, f"{url}/asset")
    assert (bare.media_type, bare.filename) == ("application/octet-stream", None)
    assert [piece async for piece in bare.content] == [b"a cup"]


async def test_headers_go_along(web: Web, url: str) -> None:
    file = await download(web, f"{url}/a", {"authorization": "Bearer t"})
    assert [piece async for piece in file.content] == [b"a cup"]
    with pytest.raises(FileGone):
        await download(web, f"{url}/a", {"authorization": "Bearer other"})


@pytest.mark.parametrize(
    ("status", "again"), [(404, False), (403, False), (410, False), (429, True), (500, True)]
)
async def test_what_is_refused_is_asked_for_again_where_that_may_help(
    web: Web, url: str, status: int, *, again: bool
) -> None:
    with pytest.raises(DownloadFailed) as failed:
        await download(web, f"{url}/a?status={status}")
    assert failed.value.retryable is again


async def test_a_file_that_breaks_off_is_told_of(web: Web, url: str) -> None:
    file = await download(web, f"{url}/cut")
    with pytest.raises(DownloadFailed) as failed:
        _ = [piece async for piece in file.content]
    assert failed.value.retryable


async def test_an_address_nobody_may_call_is_told_of(url: str) -> None:
    guarded = Web()
    with pytest.raises(DownloadFailed):
        await download(guarded, f"{url}/a")
    await guarded.close()
