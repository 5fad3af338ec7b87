from collections.abc import AsyncGenerator

import pytest_asyncio

from chatwright.app.wiring import Product
from tests.features.messaging.conftest import paper, post
from tests.serving import serving
from tests.surfaces.mcp.server import mcp_application

__all__ = ["paper", "post"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mcp_url(product: Product) -> AsyncGenerator[str]:
    """URL of the MCP face of this worker's product."""
    async with serving(mcp_application(product)) as url:
        yield f"{url}/mcp"
