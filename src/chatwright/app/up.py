"""Running the product: `up` (web and workers), `serve` (web only), `work` (workers only)."""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
import uvicorn

from chatwright.app.first_run import found, keep_local_profile
from chatwright.app.listening import Manners, address_of, listen, serve_http
from chatwright.app.logs import configure_logs
from chatwright.app.observing.tracing import start_tracing
from chatwright.app.server import build_app, probes_of
from chatwright.app.settings import Settings, load_settings
from chatwright.app.welcome import welcome
from chatwright.app.wiring import Product, open_product
from chatwright.app.workers import run_workers
from chatwright.client.profiles import ProfileError
from chatwright.kernel.errors import Misconfigured
from chatwright.surfaces.http.probes import probe_app

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Place:
    """Where the web part listens."""

    host: str
    port: int


def up(place: Place, data: Path, *, sandbox_port: int | None = None) -> None:
    """Run everything until a signal comes; the provider sandbox too, when it is given a port."""
    _run_until_signalled(_serve_all(place, data, sandbox_port))


def serve(place: Place, data: Path) -> None:
    """Run the web part until a signal comes."""
    _run_until_signalled(_serve_alone(place, data))


def work(data: Path) -> None:
    """Run the workers until a signal comes."""
    _run_until_signalled(_work(data))


def sandbox(place: Place, product_url: str) -> None:
    """Run the provider sandbox until a signal comes."""
    from chatwright.app.sandbox import serve_sandbox

    _run_until_signalled(serve_sandbox(place.host, place.port, product_url))


def _run_until_signalled(running: Coroutine[Any, Any, None]) -> None:
    configure_logs()
    start_tracing()
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


async def _serve_alone(place: Place, data: Path) -> None:
    with listen(place.host, place.port) as listener:
        async with open_product(_settings(data, address_of(listener))) as product:
            on_ready = await _first_run(product)
            await _serve(product, listener, on_ready)


async def _serve_all(place: Place, data: Path, sandbox_port: int | None) -> None:
    with listen(place.host, place.port) as listener:
        settings = _settings(data, address_of(listener))
        async with (
            _sandbox_beside(place.host, sandbox_port, settings) as sandbox_url,
            open_product(_allowing(settings, sandbox_url)) as product,
        ):
            on_ready = await _first_run(product, sandbox_url)
            async with _background(run_workers(product)):
                await _serve(product, listener, on_ready)


async def _serve(product: Product, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    settings = product.settings
    manners = Manners(settings.certificate, settings.drain_seconds, product.duty.leave)
    app = build_app(product)
    _leave_out_of_collections()
    await serve_http(app, listener, on_ready=on_ready, manners=manners)


def _leave_out_of_collections() -> None:
    """Spare what lasts as long as the process: 240,000 objects, and looking through them takes 0.1 s.

    Collections were a fourteenth of the processor's time under load, and a pause for every call that came meanwhile.
    """
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def _sandbox_beside(host: str, port: int | None, settings: Settings) -> AsyncGenerator[str | None]:
    """Serve the sandbox meanwhile, if there is a port for it; gives its URL."""
    if port is None:
        yield None
        return
    from chatwright.app.sandbox import serve_beside

    with listen(host, port) as listener:
        async with _background(serve_beside(listener, settings.public_url, settings.data)):
            yield address_of(listener)


def _allowing(settings: Settings, sandbox_url: str | None) -> Settings:
    """Let the product call the sandbox, which is neither public nor encrypted."""
    if sandbox_url is None:
        return settings
    return replace(settings, allowed_hosts=(*settings.allowed_hosts, urlsplit(sandbox_url).netloc))


async def _work(data: Path) -> None:
    async with open_product(_settings(data, "http://127.0.0.1")) as product, _probes_beside(product):
        _log.info("workers.started")
        _leave_out_of_collections()
        await run_workers(product)


@asynccontextmanager
async def _probes_beside(product: Product) -> AsyncGenerator[None]:
    """Answer probes meanwhile, where the settings say at which address."""
    if product.settings.worker_probes is None:
        yield
        return
    place = _place(product.settings.worker_probes)
    with listen(place.host, place.port) as listener:
        app = probe_app(probes_of(product, product.numbers.text))
        async with _background(serve_http(app, listener, on_ready=lambda: None)):
            yield


def _place(text: str) -> Place:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise Misconfigured("CHATWRIGHT_WORKER_PROBES is a host and a port, as in 0.0.0.0:9100.")
    return Place(host.strip("[]"), int(port))


async def _first_run(product: Product, sandbox_url: str | None = None) -> Callable[[], None]:
    """Make what a first start needs; returns what shows the start screen."""
    founding = await found(product)
    settings = product.settings
    data = settings.data if settings.database_url is None else None
    local = data is not None and await _leave_profile(product, founding.workspace_id)

    def show() -> None:
        screen = welcome(settings.public_url, data, founding.setup_path, local=local, sandbox_url=sandbox_url)
        sys.stdout.write(screen)
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
