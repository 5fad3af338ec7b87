"""Long work: told while its call lasts, watched after it."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from mcp.types import ElicitRequestParams, ElicitResult

from chatwright.infra.claimer import Claimer
from chatwright.surfaces.mcp import progress
from tests.conftest import Desk
from tests.surfaces.mcp.server import ERAS, connected, token_of

ROWS = 2000
SHEET = "name,email\n" + "".join(f"Person {number},p{number}@example.com\n" for number in range(ROWS))
LINE = "name\nAnn\n"
"""For imports that nobody works here: some later test's worker will."""


@pytest_asyncio.fixture(loop_scope="session")
async def worker(desk: Desk) -> AsyncGenerator[None]:
    """A worker of imports and exports."""
    product = desk.product
    tasks = [
        asyncio.create_task(Claimer(product.database, product.signals, ledger).run())
        for ledger in product.ledgers
        if ledger.table in {"contact_imports", "contact_exports"}
    ]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


class Heard:
    """What a client is told on the way."""

    def __init__(self) -> None:
        self.news: list[tuple[float, float | None, str | None]] = []

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        self.news.append((progress, total, message))


@pytest.mark.parametrize("mode", ERAS)
class TestImports:
    async def test_with_a_progress_token_the_call_stays_to_the_end(
        self, desk: Desk, mcp_url: str, worker: None, mode: str
    ) -> None:
        heard = Heard()
        async with connected(mcp_url, await token_of(desk), mode) as client:
            result = await client.call_tool("start_contact_import", {"csv": SHEET}, progress_callback=heard)
        assert not result.is_error
        assert result.structured_content is not None
        assert (result.structured_content["state"], result.structured_content["rows_created"]) == (
            "done",
            ROWS,
        )
        done = [each for each, _, _ in heard.news]
        assert done == sorted(set(done))
        assert (heard.news[-1][0], heard.news[-1][1]) == (ROWS, ROWS)
        assert heard.news[-1][2] == f"Done: {ROWS} of {ROWS} rows."

    async def test_without_one_it_answers_the_handle_at_once(
        self, desk: Desk, mcp_url: str, mode: str
    ) -> None:
        """There is no worker, so that nobody could stay to the end."""
        async with connected(mcp_url, await token_of(desk), mode) as client:
            result = await client.call_tool("start_contact_import", {"csv": LINE})
            assert result.structured_content is not None
            assert result.structured_content["state"] == "queued"
            uri = f"chatwright://imports/{result.structured_content['id']}"
            assert result.meta is not None
            assert result.meta["watch"] == uri
            shown = await client.read_resource(uri)
        assert '"queued"' in shown.contents[0].model_dump_json().replace("\\", "")

    async def test_a_call_that_has_to_end_says_how_far_it_is(
        self, desk: Desk, mcp_url: str, mode: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(progress, "STAY_SECONDS", 0.0)
        heard = Heard()
        async with connected(mcp_url, await token_of(desk), mode) as client:
            result = await client.call_tool("start_contact_import", {"csv": LINE}, progress_callback=heard)
        assert result.structured_content is not None
        assert result.structured_content["state"] == "queued"


async def test_an_export_is_confirmed_and_then_followed(desk: Desk, mcp_url: str, worker: None) -> None:
    async def agree(context: object, params: ElicitRequestParams) -> ElicitResult:
        del context, params
        return ElicitResult(action="accept", content={"go_ahead": True})

    heard = Heard()
    async with connected(mcp_url, await token_of(desk), elicitation_callback=agree) as client:
        result = await client.call_tool("start_contact_export", {}, progress_callback=heard)
    assert result.structured_content is not None
    assert result.structured_content["state"] == "done"
    assert heard.news
