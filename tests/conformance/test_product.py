"""The conformance suite against the product's own tools, resources and prompts."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from chatwright.app.server import build_app
from chatwright.app.wiring import Product
from tests.conformance.suite import WithToken, judge, told
from tests.conftest import open_desk
from tests.surfaces.mcp.server import serving, token_of

BOTH: Final = {
    "tools-list",
    "resources-list",
    "prompts-list",
    "dns-rebinding-protection",
    "server-sse-multiple-streams",
}
ANY_SERVER: Final = {
    "2025-11-25": BOTH | {"server-initialize", "server-session-lifecycle", "ping"},
    "2026-07-28": BOTH
    | {
        "server-stateless",
        "caching",
        "http-header-validation",
        "sep-2164-resource-not-found",
        "input-required-result-unsupported-methods",
    },
}
"""The scenarios that ask for no tool, resource or prompt by name."""
NEEDING_A_FIXTURE: Final = {
    "2025-11-25": set[str](),
    "2026-07-28": {
        "sep-2575-server-rejects-undeclared-capability",
        "sep-2575-missing-capability-http-400",
        "sep-2575-http-server-no-independent-requests-on-stream",
        "sep-2575-server-no-log-without-loglevel",
    },
}
"""The checks of server-stateless that call a tool which only the conformance registry has."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(product: Product) -> AsyncGenerator[str]:
    """Where the product shows its catalogue to the owner of a workspace."""
    token = await token_of(await open_desk(product))
    async with serving(WithToken(build_app(product), token)) as base:
        yield f"{base}/mcp"


@pytest.mark.parametrize("revision", ANY_SERVER)
async def test_all_that_asks_for_no_fixture_is_green(url: str, tmp_path: Path, revision: str) -> None:
    verdict = await judge(url, revision, tmp_path)
    assert verdict.scenarios >= ANY_SERVER[revision]
    failures = [check for check in verdict.failures if check.scenario in ANY_SERVER[revision]]
    assert {check.name for check in failures} == NEEDING_A_FIXTURE[revision], told(failures)
