"""The conformance suite against the conformance registry, in the product's application."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from chatwright.app.server import build_app, mcp_face
from chatwright.app.wiring import Product
from chatwright.surfaces.mcp.face import Registry
from chatwright.surfaces.mcp.sessions import Sessions
from tests.conformance.registry import SCOPES, conformance_server
from tests.conformance.suite import WithToken, expected_failures, judge, told
from tests.conftest import open_desk
from tests.serving import serving
from tests.surfaces.mcp.server import token_of


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(product: Product) -> AsyncGenerator[str]:
    """Where the product's application shows the conformance registry."""
    face = mcp_face(product, Registry(conformance_server(), SCOPES), sessions=Sessions())
    token = await token_of(await open_desk(product))
    async with serving(WithToken(build_app(product, mcp=face), token)) as base:
        yield f"{base}/mcp"


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
async def test_all_that_is_scored_is_green_and_no_more_fails_than_expected(
    url: str, tmp_path: Path, revision: str
) -> None:
    verdict = await judge(url, revision, tmp_path)
    failed = {check.scenario for check in verdict.failures}
    assert failed == expected_failures() & verdict.scenarios, told(verdict.failures)
    assert verdict.conforms
