"""The conformance suite against the product's own tools, resources and prompts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from chatwright.app.server import build_app
from chatwright.app.wiring import Product
from tests.conformance.suite import WithToken, judge, told
from tests.conftest import open_desk
from tests.serving import serving
from tests.surfaces.mcp.server import token_of

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


@asynccontextmanager
async def shown(product: Product, *, sessions: bool) -> AsyncGenerator[str]:
    """The product, showing its catalogue to the owner of a workspace; gives the URL of its MCP face."""
    settings = replace(product.settings, mcp_sessions=sessions)
    token = await token_of(await open_desk(product))
    async with serving(WithToken(build_app(replace(product, settings=settings)), token)) as base:
        yield f"{base}/mcp"


@pytest.mark.parametrize(
    ("revision", "sessions"), [("2025-11-25", False), ("2025-11-25", True), ("2026-07-28", False)]
)
async def test_all_that_asks_for_no_fixture_is_green(
    product: Product, tmp_path: Path, revision: str, *, sessions: bool
) -> None:
    async with shown(product, sessions=sessions) as url:
        verdict = await judge(url, revision, tmp_path)
    assert verdict.scenarios >= ANY_SERVER[revision]
    failures = [check for check in verdict.failures if check.scenario in ANY_SERVER[revision]]
    assert {check.name for check in failures} == NEEDING_A_FIXTURE[revision], told(failures)
    kept = {check.status for check in verdict.checks if check.scenario == "server-session-lifecycle"}
    assert ("SUCCESS" in kept) == sessions
