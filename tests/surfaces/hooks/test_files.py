"""Files that providers fetch by their address."""

from collections.abc import AsyncGenerator, AsyncIterator
from urllib.parse import urlsplit
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio

from chatwright.features.messaging.attachments.links import file_behind, file_url
from chatwright.features.messaging.attachments.operations import new_key, register_attachment
from chatwright.kernel.ids import new_id
from chatwright.surfaces.hooks.routes import file_routes
from tests.conftest import Desk
from tests.serving import serving

PICTURE = b"\x89PNG" + bytes(range(256)) * 2000


async def stored(desk: Desk, media_type: str = "image/png", filename: str = "a b.png") -> str:
    """The path of a stored file."""

    async def content() -> AsyncIterator[bytes]:
        yield PICTURE

    key = new_key(desk.caller)
    size = await desk.product.storage.put(key, content(), limit=10**7)
    made = await desk.call(
        register_attachment, storage_key=key, filename=filename, media_type=media_type, size=size
    )
    return path_of(UUID(made["id"]))


def path_of(attachment_id: UUID, **more: float) -> str:
    return urlsplit(file_url(attachment_id, **more)).path


@pytest_asyncio.fixture(loop_scope="session")
async def web(desk: Desk) -> AsyncGenerator[httpx2.AsyncClient]:
    product = desk.product
    async with (
        serving(file_routes(product.database, product.storage)) as url,
        httpx2.AsyncClient(base_url=url) as client,
    ):
        yield client


async def test_a_provider_gets_the_bytes_and_their_type_without_a_password(
    desk: Desk, web: httpx2.AsyncClient
) -> None:
    answer = await web.get(await stored(desk))
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(PICTURE))
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''a%20b.png"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "media_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "application/pdf"]
)
async def test_nothing_that_could_run_is_shown_in_place(
    desk: Desk, web: httpx2.AsyncClient, media_type: str
) -> None:
    answer = await web.get(await stored(desk, media_type, "page"))
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_an_address_is_over_after_its_time(desk: Desk, web: httpx2.AsyncClient) -> None:
    path = path_of(new_id(), lifetime=-1)
    assert (await web.get(path)).status_code == 404


async def test_an_address_of_somebody_s_own_making_opens_nothing(desk: Desk, web: httpx2.AsyncClient) -> None:
    path = await stored(desk)
    token = path.removeprefix("/files/")
    for altered in (token[:-2] + "AA", "A" + token[1:], token[:20], "é", "~", token + "A"):
        if altered != token:
            assert (await web.get(f"/files/{altered}")).status_code == 404


async def test_a_file_whose_bytes_are_gone_is_not_found(desk: Desk, web: httpx2.AsyncClient) -> None:
    made = await desk.call(
        register_attachment,
        storage_key=new_key(desk.caller),
        filename="a.png",
        media_type="image/png",
        size=4,
    )
    path = path_of(UUID(made["id"]))
    assert (await web.get(path)).status_code == 404


def test_a_token_names_its_file(desk: Desk) -> None:
    attachment_id = new_id()
    assert file_behind(file_url(attachment_id).rpartition("/")[2]) == attachment_id
