"""Running the product: `up` (web and workers), `serve` (web only), `work` (workers only)."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
import uvicorn

from chatwright.app.first_run import found, keep_local_profile
from chatwright.app.listening import address_of, listen, serve_http
from chatwright.app.logs import configure_logs
from chatwright.app.server import build_app
from chatwright.app.settings import Settings, load_settings
from chatwright.app.welcome import welcome
from chatwright.app.wiring import Product, open_product
from chatwright.app.workers import run_workers
from chatwright.client.profiles import ProfileError
from chatwright.kernel.errors import Misconfigured

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Place:
    """Where the web part listens."""

    host: str
    port: int


def up(place: Place, data: Path) -> None:
    """Run everything until a signal comes."""
    _run_until_signalled(_serve(place, data, with_workers=True))


def serve(place: Place, data: Path) -> None:
    """Run the web part until a signal comes."""
    _run_until_signalled(_serve(place, data, with_workers=False))


def work(data: Path) -> None:
    """Run the workers until a signal comes."""
    _run_until_signalled(_work(data))


def _run_until_signalled(running: Coroutine[Any, Any, None]) -> None:
    configure_logs()
    # uvloop, where it is there.
    with asyncio.Runner(loop_factory=uvicorn.Config("", log_config=None).get_loop_factory()) as runner:
        runner.run(_until_signalled(running))


async def _until_signalled(running: Coroutine[Any, Any, None]) -> None:
    """SIGINT and SIGTERM cancel the one task, so that everything closes in order; again, and it hurries."""
    task = asyncio.create_task(running)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _serve(place: Place, data: Path, *, with_workers: bool) -> None:
    with listen(place.host, place.port) as listener:
        settings = _settings(data, address_of(listener))
        async with open_product(settings) as product:
            on_ready = await _first_run(product)
            async with _background(run_workers(product)) if with_workers else contextlib.nullcontext():
                await serve_http(build_app(product), listener, on_ready=on_ready)


async def _work(data: Path) -> None:
    async with open_product(_settings(data, "http://127.0.0.1")) as product:
        _log.info("workers.started")
        await run_workers(product)


async def _first_run(product: Product) -> Callable[[], None]:
    """Make what a first start needs; returns what shows the start screen."""
    founding = await found(product)
    settings = product.settings
    data = settings.data if settings.database_url is None else None
    local = data is not None and await _leave_profile(product, founding.workspace_id)

    def show() -> None:
        sys.stdout.write(welcome(settings.public_url, data, founding.setup_path, local=local))
        sys.stdout.flush()

    return show


async def _leave_profile(product: Product, workspace_id: UUID) -> bool:
    """Without a home that can be written to, the product runs all the same."""
    try:
        await keep_local_profile(product, workspace_id)
    except (ProfileError, OSError) as error:
        _log.warning("profile.not_kept", reason=str(error))
        return False
    return True


def _settings(data: Path, url: str) -> Settings:
    try:
        return load_settings(data=data, url=url)
    except OSError as error:
        message = f"The data folder {data} cannot be used: {error.strerror or error}."
        raise Misconfigured(message, hint="Choose another with --data.") from error


@asynccontextmanager
async def _background(running: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    task = asyncio.create_task(running)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
