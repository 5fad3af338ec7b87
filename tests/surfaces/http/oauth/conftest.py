"""A person and a program, strangers to each other."""

from collections.abc import AsyncGenerator

import httpx2
import pytest_asyncio
from starlette.types import ASGIApp

from tests.conftest import Desk
from tests.surfaces.http.oauth.driving import Person, Program, registered, somebody


@pytest_asyncio.fixture(loop_scope="session")
async def person(app: ASGIApp, desk: Desk) -> AsyncGenerator[Person]:
    async with somebody(app, desk) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="session")
async def program(http: httpx2.AsyncClient) -> Program:
    return await registered(http)
