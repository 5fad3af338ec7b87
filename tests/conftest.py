"""What every test may ask for: a product on a real PostgreSQL, and a workspace of its own."""

import base64
import functools
import gc
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
import pytest_asyncio
import structlog
from argon2 import PasswordHasher

from chatwright.app.extensions.offering import Offering
from chatwright.app.settings import Settings
from chatwright.app.wiring import Product, open_product
from chatwright.features.workspaces.authentication import Sessions
from chatwright.features.workspaces.founding import found_workspace
from chatwright.features.workspaces.rules import SCOPES
from chatwright.infra.cipher import read_key
from chatwright.infra.postgres import start_embedded
from chatwright.kernel.caller import Caller, PrincipalKind, Surface
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import AnyOperation

TEST_KEY = base64.b64encode(bytes(range(32))).decode()
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hundreds of people sign in here, and their passwords guard nothing."""


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: nobody need look through it for garbage."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _certificates() -> Generator[None]:
    """The authorities' certificates are read once: that takes 40 ms, and thousands of clients here never need them."""
    path = "httpx2._transports.default.create_ssl_context"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(path, functools.cache(httpx2.create_ssl_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def _logs(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Logs go to a file: servers run in the process of the tests, beside commands whose output is looked at."""
    with (tmp_path_factory.getbasetemp() / "log.txt").open("w", errors="backslashreplace") as file:
        structlog.configure(
            # As the product has it. The tracebacks that structlog makes by itself take a second each.
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.dev.ConsoleRenderer(
                    colors=False, exception_formatter=structlog.dev.plain_traceback
                ),
            ],
            logger_factory=lambda *_: structlog.WriteLogger(file),
        )
        yield
        structlog.reset_defaults()


@pytest.fixture(scope="session", autouse=True)
def _offering() -> None:
    """What the product offers by itself, for tests that open none."""
    Offering().register()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> str:
    """DSN of the run's PostgreSQL: one embedded server that all xdist workers share.

    It does not wait for the disk, as nothing here has to outlive a crash of the machine.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    dsn = start_embedded(shared / "postgres").dsn
    connection = await asyncpg.connect(dsn)
    try:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            await connection.execute(f"alter system set {setting} = off")
        await connection.execute("select pg_reload_conf()")
    finally:
        await connection.close()
    return dsn


async def create_database(postgres: str, name: str) -> str:
    """An empty database on the run's server; returns its DSN."""
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()
    return postgres.replace("/postgres?", f"/{name}?")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def settings(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of this worker's product, on an empty database of its own."""
    return Settings(
        data=tmp_path_factory.mktemp("data"),
        database_url=await create_database(postgres, f"test_{new_id().hex}"),
        key=read_key(TEST_KEY, source="the tests' key"),
        public_url="http://testserver",
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def product(settings: Settings) -> AsyncGenerator[Product]:
    """One product for all tests of this worker; they keep apart by workspace."""
    async with cheap_product(settings) as opened:
        yield opened


@asynccontextmanager
async def cheap_product(settings: Settings) -> AsyncGenerator[Product]:
    """A product where passwords are no work."""
    async with open_product(settings) as opened:
        yield replace(opened, sessions=Sessions(opened.database, CHEAP))


Call = Callable[..., Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Desk:
    """A workspace for one test, its owner, and the pipeline to call operations through."""

    product: Product
    caller: Caller

    async def call(
        self, operation: AnyOperation, *, as_: Caller | None = None, **arguments: Any
    ) -> dict[str, Any]:
        """Run an operation as any face would; returns the result as JSON values."""
        outcome = await self.product.pipeline.run(as_ or self.caller, operation, arguments)
        return outcome.value

    def caller_with(self, *scopes: str, **changes: Any) -> Caller:
        """Another principal of the same workspace."""
        return replace(
            self.caller, principal_id=str(new_id()), name="Somebody", scopes=frozenset(scopes), **changes
        )


async def open_desk(product: Product) -> Desk:
    """A fresh agency and workspace with an owner."""
    async with product.database.transaction():
        workspace_id = await found_workspace("Test", agency="Tests")
    return Desk(product, owner_of(workspace_id))


def owner_of(workspace_id: UUID) -> Caller:
    return Caller(
        workspace_id=workspace_id,
        kind=PrincipalKind.TOKEN,
        principal_id=str(new_id()),
        name="Owner",
        scopes=SCOPES,
        surface=Surface.HTTP,
        client="tests",
    )


@pytest_asyncio.fixture(loop_scope="session")
async def desk(product: Product) -> Desk:
    """The workspace of one test."""
    return await open_desk(product)


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(product: Product) -> Desk:
    """Another workspace, of another agency."""
    return await open_desk(product)


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parents[1]
