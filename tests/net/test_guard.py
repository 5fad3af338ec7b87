"""Where the product can be led by an address that somebody else wrote: nowhere that is not the open internet.

Python's own audit hook sees every connect of this process, whichever library makes it.
"""

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any

import pytest
import pytest_asyncio

from chatwright.net.addresses import is_metadata, is_public
from chatwright.net.http import NoAnswer, NotSent, Web
from tests.net.test_http import answer, read_request, server

# ruff: noqa: S104 - nobody binds to these.
LOOPBACK = [
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "0", "0.0.0.0", "2130706433", "0x7f000001", "0x7f.1",
    "0x7F.0x0.0x0.0x1", "0177.0.0.1", "017700000001", "127.0.0.1.", "localhost", "LOCALHOST", "localhost.",
    "①②⑦.⓪.⓪.①", "127。0。0。1", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::127.0.0.1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[2001:4860::5efe:7f00:1]",
]  # fmt: skip
CLOUD = [
    "169.254.169.254", "169.254.170.2", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518",
    "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]", "100.100.100.200", "192.0.0.192", "168.63.129.16", "169.254.169.254.",
]  # fmt: skip
INNER = [
    "10.0.0.1", "10.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "3232235777", "100.64.0.1", "198.18.0.1",
    "192.0.2.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1", "[fe80::1]",
    "[fc00::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[::ffff:10.0.0.1]",
]  # fmt: skip
DISGUISED = [
    "https://example.com@127.0.0.1/", "https://example.com:443@10.0.0.1/", "https://127.0.0.1#@example.com/",
    "https://127.0.0.1?@example.com/", "https://127.0.0.1\\@example.com/", "https://%31%32%37.0.0.1/",
    "https://127.0.0.1%00.example.com/", "https://127.0.0.1:443%40example.com/", "https:127.0.0.1/",
    "https:///127.0.0.1/", "//127.0.0.1/", "https://127.0.0.1\r\nhost: example.com/", "https://[::1%25lo]/",
    "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:6379/_INFO", "dict://127.0.0.1:11211/",
    "ldap://127.0.0.1/", "data:text/plain,x", "unix:///var/run/docker.sock", "http+unix://%2Fsock/",
    "ws://127.0.0.1/", "jar:https://127.0.0.1!/", "http://93.184.215.14/",
]  # fmt: skip
HOSTS = [*LOOPBACK, *CLOUD, *INNER]
URLS = [*(f"https://{host}/" for host in HOSTS), *DISGUISED]

_watched: list[str] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is not None and event == "socket.connect" and arguments[0].family != socket.AF_UNIX:
        _watched.append(str(arguments[1][0]))


sys.addaudithook(_hook)


@contextmanager
def connects() -> Generator[list[str]]:
    """The addresses that this process connects to meanwhile."""
    global _watched  # noqa: PLW0603 - an audit hook is for ever, so it is told when to look.
    _watched = []
    try:
        yield _watched
    finally:
        _watched = None


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def out() -> AsyncGenerator[Web]:
    made = Web()
    yield made
    await made.close()


def test_the_table_is_long_enough_and_says_nothing_twice() -> None:
    assert len(URLS) == len(set(URLS)) >= 60


async def test_the_watch_sees_a_connect() -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader, writer

    async with server(close) as place:
        allowed = Web([place])
        with connects() as made, pytest.raises(Exception, match="broke the connection off"):
            await allowed.call("GET", f"http://{place}/")
        await allowed.close()
    assert made == ["127.0.0.1"]


class TestAddressesInUrls:
    @pytest.mark.parametrize("url", URLS)
    async def test_a_call_goes_nowhere(self, out: Web, url: str) -> None:
        with connects() as made, pytest.raises(NotSent):
            await out.call("POST", url, json={})
        assert made == []

    @pytest.mark.parametrize("url", URLS)
    async def test_a_download_goes_nowhere(self, out: Web, url: str) -> None:
        with connects() as made, pytest.raises(NotSent):
            async with out.stream(url):
                pass
        assert made == []

    @pytest.mark.parametrize("host", HOSTS)
    async def test_a_connection_for_another_protocol_goes_nowhere(self, out: Web, host: str) -> None:
        with connects() as made, pytest.raises(NotSent):
            await out.dial(host.strip("[]"), 993, encrypted=True)
        assert made == []

    @pytest.mark.parametrize("url", URLS)
    async def test_a_redirect_leads_nowhere(self, url: str) -> None:
        location = url.replace("\r\n", "%0d%0a").encode("ascii", "ignore").decode()

        async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(answer("302 Found", b"", f"location: {location}"))

        async with server(redirect) as place:
            allowed = Web([place])
            # What is no other address by then is this very server again, up to the last redirect.
            with connects() as made, suppress(NotSent, NoAnswer):
                async with allowed.stream(f"http://{place}/"):
                    pass
            await allowed.close()
        assert set(made) <= {"127.0.0.1"}
        assert len(made) <= 4


class TestNames:
    """What a name server says is only believed once, and never where it points inside."""

    @pytest.fixture
    def said(self, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
        """Answers of the name server, one for each question, the last for all that follow."""
        answers: list[list[str]] = []

        async def getaddrinfo(_: object, host: str, port: int, **__: object) -> list[tuple[Any, ...]]:
            del host
            now = answers.pop(0) if len(answers) > 1 else answers[0]
            kinds = {4: socket.AF_INET, 6: socket.AF_INET6}
            return [(kinds[ip_address(one).version], socket.SOCK_STREAM, 6, "", (one, port)) for one in now]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
        return answers

    @pytest.mark.parametrize(
        "addresses",
        [["127.0.0.1"], ["169.254.169.254"], ["10.0.0.7"], ["::1"], ["::ffff:192.168.0.1"], ["fd00::1"],
         ["93.184.215.14", "127.0.0.1"], ["2606:4700::1111", "::1"], []],
    )  # fmt: skip
    async def test_a_name_that_points_inside_is_not_called(
        self, out: Web, said: list[list[str]], addresses: list[str]
    ) -> None:
        said.append(addresses)
        with connects() as made:
            with pytest.raises(NotSent):
                await out.call("GET", "https://shop.example/")
            with pytest.raises(NotSent):
                await out.dial("shop.example", 993, encrypted=True)
        assert made == []

    async def test_a_second_answer_changes_nothing(self, out: Web, said: list[list[str]]) -> None:
        said.extend([["2001:4860:4860::8888"], ["127.0.0.1"]])
        with connects() as made, pytest.raises((NotSent, NoAnswer)):
            await out.call("GET", "https://shop.example/", seconds=0.5)
        assert set(made) <= {"2001:4860:4860::8888"}

    @pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254"])
    async def test_the_keys_of_a_cloud_are_not_fetched_even_where_the_name_is_allowed(
        self, said: list[list[str]], address: str
    ) -> None:
        said.append([address])
        allowed = Web(["inner.example", "inner.example:993"])
        with connects() as made:
            with pytest.raises(NotSent, match="may not call"):
                await allowed.call("GET", "http://inner.example/")
            with pytest.raises(NotSent, match="may not call"):
                await allowed.dial("inner.example", 993, encrypted=False)
        await allowed.close()
        assert made == []


class TestAllowances:
    """A host that is allowed by name is allowed as itself, and nothing beside it is."""

    @pytest.mark.parametrize(
        ("allowed", "url"),
        [("127.0.0.1:9", "http://127.0.0.1:10/"), ("127.0.0.1:9", "http://127.1:9/"),
         ("127.0.0.1:9", "http://localhost:9/"), ("localhost", "http://127.0.0.1/"),
         ("127.0.0.1", "http://[::ffff:127.0.0.1]/"), ("10.0.0.1", "http://10.0.0.1@127.0.0.1/"),
         ("127.0.0.1", "http://127.0.0.1.nip.example/"), ("example.com", "http://127.0.0.1/?example.com")],
    )  # fmt: skip
    async def test_another_spelling_or_port_is_not(self, allowed: str, url: str) -> None:
        narrow = Web([allowed])
        with connects() as made, pytest.raises(NotSent):
            await narrow.call("GET", url)
        await narrow.close()
        assert made == []


@pytest.mark.parametrize("host", HOSTS)
def test_no_literal_address_of_the_table_counts_as_public(host: str) -> None:
    assert not is_public(host.strip("[]"))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_the_internet_is_open(address: str) -> None:
    assert is_public(address)
    assert not is_metadata(address)
