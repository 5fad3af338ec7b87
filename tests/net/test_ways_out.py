"""Every way out of the product leads through the guard: by its imports, and by what is done with bad addresses."""

import ast
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chatwright.app.plugins import channels
from chatwright.app.server import build_app
from chatwright.app.wiring import Product
from chatwright.features.messaging.errors import InboxNotReady, ProviderNotReached
from chatwright.features.messaging.inboxes.operations import connect_inbox
from chatwright.kernel.errors import InvalidInput
from chatwright.net.http import Web
from chatwright.ports.channel import DownloadFailed, channel_named, register_channel
from tests.channels.contract import an_inbox
from tests.conftest import Desk
from tests.net.test_guard import connects
from tests.surfaces.http.oauth.driving import BACK, Program, somebody

CALLERS = frozenset(
    {"httpx", "httpx2", "httpcore2", "aiohttp", "requests", "urllib3", "websockets", "ftplib", "telnetlib"}
    | {"urllib.request", "http.client", "socket", "smtplib", "imaplib", "poplib", "aiosmtplib", "imap_tools"}
    | {"asyncpg", "grpc", "opentelemetry.exporter"}
)
"""Modules that can open a connection by themselves."""
REASONS = {
    "net/http.py": "It is the guard.",
    "channels/email/fetching.py": "It speaks IMAP over a socket that the guard connected.",
    "channels/email/sending.py": "It speaks SMTP over a socket that the guard connected.",
    "client/": "It is the program of a person on their own machine, which calls their own server.",
    "sandbox/": "It stands in for providers, and calls the webhooks of the product beside it.",
    "infra/": "It calls the database of the operator's settings.",
    "app/": "It listens, and sends traces where the operator's settings say.",
}

HOSTS = ["127.0.0.1", "localhost", "0.0.0.0", "2130706433", "0x7f.1", "0177.0.0.1", "169.254.169.254"]  # noqa: S104
ADDRESSES = [
    *(
        f"https://{host}/"
        for host in [*HOSTS, "[::1]", "[::ffff:10.0.0.1]", "[fd00:ec2::254]", "127。0。0。1"]
    ),
    "http://169.254.169.254/latest",
    "http://10.0.0.1/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1\\@example.com/",
    "https:///127.0.0.1/",
    "gopher://127.0.0.1:6379/_INFO",
    "file:///etc/passwd",
]


def _imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def _can_call(name: str) -> bool:
    return any(name == caller or name.startswith(f"{caller}.") for caller in CALLERS)


def test_nothing_else_can_open_a_connection(repository: Path) -> None:
    source = repository / "src" / "chatwright"
    found = {
        str(path.relative_to(source)): sorted(filter(_can_call, _imported(path.read_text())))
        for path in source.rglob("*.py")
    }
    callers = {path for path, names in found.items() if names}
    unexplained = {path for path in callers if not path.startswith(tuple(REASONS))}
    assert unexplained == set()
    assert {reason for reason in REASONS if not any(path.startswith(reason) for path in callers)} == set()


def test_plain_connections_are_opened_by_the_guard_alone(repository: Path) -> None:
    source = repository / "src" / "chatwright"
    opening = ("open_connection(", "create_connection(", "sock_connect(", "urlopen(")
    found = {
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        if any(word in path.read_text() for word in opening)
    }
    assert {path for path in found if not path.startswith(("client/", "sandbox/", "app/"))} == {"net/http.py"}


def _settings(channel: str, address: str) -> dict[str, Any]:
    secret = "abcdefghijklmnopqrstuvwxyz"
    match channel:
        case "telegram":
            return {"bot_token": f"12345678:{secret}", "base_url": address}
        case "zalo":
            urls = dict.fromkeys(("oauth_url", "api_url", "business_url"), address)
            names = ("app_secret", "oa_secret_key", "access_token", "refresh_token")
            return {"app_id": "1", "oa_id": "2", **urls, **dict.fromkeys(names, secret)}
        case _:
            ids = {
                "whatsapp": {"phone_number_id": "1", "waba_id": "2"},
                "messenger": {"page_id": "1"},
                "instagram": {"account_id": "1"},
            }
            return {**ids[channel], "access_token": secret, "app_secrets": [secret], "base_url": address}


@pytest_asyncio.fixture(autouse=True)
async def _channels_of_its_own(product: Product) -> AsyncGenerator[None]:
    """The channels on a way out that is open: other tests leave theirs behind, closed."""
    web = Web()
    ours = channels(product.cipher, product.settings.public_url, web)
    before: list[Any] = [channel_named(channel.name) for channel in ours]
    for channel in ours:
        register_channel(channel)
    yield
    for channel in before:
        register_channel(channel)
    await web.close()


async def connect(desk: Desk, channel: str, settings: dict[str, Any]) -> None:
    """Connect an inbox, each as somebody else: live looks are limited."""
    somebody_else = desk.caller_with("inboxes:write")
    await desk.call(connect_inbox, as_=somebody_else, channel=channel, name="Inner", settings=settings)


@pytest.mark.parametrize("channel", ["whatsapp", "messenger", "instagram", "telegram", "zalo"])
async def test_an_inbox_is_connected_to_no_inner_address(desk: Desk, channel: str) -> None:
    for address in ADDRESSES:
        settings = _settings(channel, address)
        with (
            connects() as made,
            pytest.raises((InvalidInput, ProviderNotReached, InboxNotReady)),
        ):
            await connect(desk, channel, settings)
        assert made == [], address


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
async def test_mail_is_fetched_from_no_inner_host(desk: Desk, security: str) -> None:
    for host in [*HOSTS, "::1", "[::1]", "127.0.0.1/x", "user@127.0.0.1"]:
        settings = {
            "address": "help@example.com",
            "password": "a long one",
            "imap_host": host,
            "smtp_host": host,
            "imap_security": security,
            "smtp_security": security,
        }
        with connects() as made, pytest.raises((InvalidInput, ProviderNotReached, InboxNotReady)):
            await connect(desk, "email", settings)
        assert made == [], host


@pytest.mark.parametrize("name", ["messenger", "instagram", "zalo"])
async def test_a_customers_file_is_fetched_from_no_inner_address(product: Product, name: str) -> None:
    channel: Any = channel_named(name)
    settings = channel.Settings.model_validate(_settings(name, "https://provider.example"))
    for address in ADDRESSES:
        with connects() as made, pytest.raises(DownloadFailed):
            await channel.download(an_inbox(settings), address)
        assert made == [], address


async def test_a_clients_document_is_fetched_from_no_inner_address(product: Product, desk: Desk) -> None:
    async with somebody(build_app(product), desk) as person:
        for address in ADDRESSES:
            program = Program(person.browser, {"client_id": f"{address}client.json", "redirect_uris": [BACK]})
            with connects() as made:
                answer = await person.ask(**program.request())
            assert made == [], address
            assert answer.status_code == 400, address
