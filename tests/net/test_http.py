"""The way out: what it refuses to call, and what it says became of a call."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from typing import cast

import pytest

from chatwright.net.addresses import is_public
from chatwright.net.forms import FormFile
from chatwright.net.http import MOST_BYTES, NoAnswer, NotSent, Web

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handle: Handle) -> AsyncGenerator[str]:
    """A real server that does with each connection what the test says; gives its `host:port`."""
    seen: list[asyncio.Task[object]] = []

    async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        seen.append(task)
        try:
            await handle(reader, writer)
        finally:
            writer.close()

    running = await asyncio.start_server(tracked, "127.0.0.1", 0)
    async with running:
        yield f"127.0.0.1:{running.sockets[0].getsockname()[1]}"
    for task in seen:
        task.cancel()
    await asyncio.gather(*seen, return_exceptions=True)


@asynccontextmanager
async def web(*allowed: str) -> AsyncGenerator[Web]:
    made = Web(allowed)
    yield made
    await made.close()


async def read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0
    )
    return head, await reader.readexactly(length)


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class TestCall:
    async def test_it_sends_json_and_reads_the_answer(self) -> None:
        requests: list[tuple[bytes, bytes]] = []

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            requests.append(await read_request(reader))
            writer.write(answer("201 Created", b'{"ok":true}', "X-Left: 7"))

        async with server(handle) as place, web(place) as out:
            said = await out.call(
                "POST", f"http://{place}/a", params={"q": "ä b"}, json={"n": 1}, headers={"x-k": "v"}
            )
        assert (said.status, said.json(), said.headers["x-left"]) == (201, {"ok": True}, "7")
        head, body = requests[0]
        assert head.startswith((b"POST /a?q=%C3%A4%20b HTTP/1.1", b"POST /a?q=%C3%A4+b HTTP/1.1"))
        assert b"x-k: v" in head.lower()
        assert body == b'{"n":1}'

    async def test_a_form_with_a_file_arrives_as_one(self) -> None:
        requests: list[tuple[bytes, bytes]] = []

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            requests.append(await read_request(reader))
            writer.write(answer("200 OK"))

        async def content() -> AsyncIterator[bytes]:
            yield b"\x00pic"
            yield b"ture\r\n"

        async with server(handle) as place, web(place) as out:
            picture = FormFile("file", 'my "cat".png', "image/png", content(), 10)
            await out.call("POST", f"http://{place}/", form={"type": "image/png"}, files=[picture])
        head, body = requests[0]
        kind = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-type"))
        parts = cast("list[EmailMessage]", message_from_bytes(kind + b"\r\n\r\n" + body).get_payload())
        assert [part.get_param("name", header="content-disposition") for part in parts] == ["type", "file"]
        assert parts[1].get_payload(decode=True) == b"\x00picture\r\n"
        assert parts[1].get_content_type() == "image/png"

    async def test_a_refused_connection_was_not_sent(self) -> None:
        async with server(lambda _reader, _writer: asyncio.sleep(0)) as place:
            pass
        async with web(place) as out:
            with pytest.raises(NotSent, match="nobody listens"):
                await out.call("POST", f"http://{place}/secret-token")

    async def test_a_connection_cut_after_the_request_may_have_been_taken(self) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            del writer
            await read_request(reader)

        async with server(handle) as place, web(place) as out:
            with pytest.raises(NoAnswer) as caught:
                await out.call("POST", f"http://{place}/secret-token", json={})
        assert "secret-token" not in caught.value.message

    async def test_silence_may_be_an_accepted_call(self) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            await asyncio.sleep(60)
            writer.write(answer("200 OK"))

        async with server(handle) as place, web(place) as out:
            with pytest.raises(NoAnswer):
                await out.call("GET", f"http://{place}/", seconds=0.2)

    async def test_an_endless_answer_is_cut_off(self) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(answer("200 OK", b"x" * (MOST_BYTES + 1)))
            await writer.drain()

        async with server(handle) as place, web(place) as out:
            with pytest.raises(NoAnswer, match="more than"):
                await out.call("GET", f"http://{place}/")

    async def test_a_caller_may_want_less(self) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(answer("200 OK", b"x" * 1001))
            await writer.drain()

        async with server(handle) as place, web(place) as out:
            assert len((await out.call("GET", f"http://{place}/", most=1001)).body) == 1001
            with pytest.raises(NoAnswer, match="more than 1000 bytes"):
                await out.call("GET", f"http://{place}/", most=1000)

    async def test_a_redirect_is_an_answer_and_not_followed(self) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(answer("302 Found", b"", "location: http://169.254.169.254/"))

        async with server(handle) as place, web(place) as out:
            assert (await out.call("GET", f"http://{place}/")).status == 302


class TestGuard:
    @pytest.mark.parametrize(
        "url",
        ["https://127.0.0.1:1/", "https://localhost:1/", "https://[::1]:1/", "https://[::ffff:127.0.0.1]:1/",
         "https://169.254.169.254/latest", "https://10.0.0.1/", "https://0/", "https://2130706433/",
         "https://0x7f.1/", "https://017700000001/", "https://[64:ff9b::7f00:1]/", "https://0.0.0.0/"],
    )  # fmt: skip
    async def test_inner_addresses_are_never_called(self, url: str) -> None:
        async with web() as out:
            with pytest.raises(NotSent, match=r"may not call|no such host|not a valid"):
                await out.call("GET", url)

    @pytest.mark.parametrize(
        "url", ["", "nonsense", "http://", "file:///etc/passwd", "gopher://x/", "https://[::1"]
    )
    async def test_what_is_no_web_address_is_refused(self, url: str) -> None:
        async with web() as out:
            with pytest.raises(NotSent):
                await out.call("GET", url)

    async def test_encryption_is_a_must_elsewhere(self) -> None:
        async with web("127.0.0.1:9") as out:
            with pytest.raises(NotSent, match="without encryption"):
                await out.call("GET", "http://example.com/")

    async def test_a_redirect_of_a_download_is_judged_too(self) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(answer("302 Found", b"", "location: http://127.0.0.2:1/"))

        async with server(handle) as place, web(place) as out:
            with pytest.raises(NotSent, match="without encryption"):
                async with out.stream(f"http://{place}/"):
                    pass

    async def test_only_the_named_port_of_a_host_is_allowed(self) -> None:
        async with web("127.0.0.1:9") as out:
            with pytest.raises(NotSent, match="may not call"):
                await out.call("GET", "https://127.0.0.1:10/")

    @pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
    def test_public_ones(self, address: str) -> None:
        assert is_public(address)

    @pytest.mark.parametrize(
        "address",
        ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "100.64.0.1", "169.254.169.254", "224.0.0.1",
         "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "x", ""],
    )  # fmt: skip
    def test_inner_ones(self, address: str) -> None:
        assert not is_public(address)


class TestDial:
    async def test_a_connection_speaks_whatever_its_caller_does(self) -> None:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 hello\r\n")
            await writer.drain()

        async with server(greet) as host, web(host) as calling:
            name, _, port = host.partition(":")
            connection = await calling.dial(name, int(port), encrypted=False)
            with connection:
                assert await asyncio.get_running_loop().sock_recv(connection, 100) == b"220 hello\r\n"

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "no-such-host.invalid", "a" * 70])
    async def test_only_public_addresses_are_dialled(self, host: str) -> None:
        async with web() as calling:
            with pytest.raises(NotSent, match="could not be reached"):
                await calling.dial(host, 993, encrypted=True)

    async def test_encryption_is_a_must_elsewhere(self) -> None:
        async with web() as calling:
            with pytest.raises(NotSent, match="without encryption"):
                await calling.dial("mail.example.com", 143, encrypted=False)

    async def test_nobody_listens(self) -> None:
        async with web("127.0.0.1") as calling:
            with pytest.raises(NotSent, match="nobody listens there"):
                await calling.dial("127.0.0.1", 1, encrypted=True)
