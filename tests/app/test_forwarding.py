"""Whose word about a client counts, and whose does not."""

from dataclasses import replace

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from chatwright.app.forwarding import Forwarding, read_networks
from chatwright.app.server import build_app
from chatwright.app.wiring import Product
from chatwright.kernel.errors import Misconfigured

PROXIES = ("127.0.0.1", "10.0.0.0/8", "2001:db8:a::/48")
Headers = list[tuple[str, str]]


async def _show(request: Request) -> JSONResponse:
    url = request.url
    host = request.client.host if request.client else None
    return JSONResponse({"client": host, "scheme": url.scheme, "host": request.headers["host"]})


async def seen(peer: str, headers: Headers, *, trusted: tuple[str, ...] = PROXIES) -> dict[str, str]:
    """What the application sees of a request from a peer."""
    app = Forwarding(Starlette(routes=[Route("/", _show)]), read_networks(trusted))
    transport = httpx2.ASGITransport(app, client=(peer, 4321))
    async with httpx2.AsyncClient(transport=transport, base_url="http://inside.test") as client:
        return (await client.get("/", headers=headers)).json()


class TestClient:
    @pytest.mark.parametrize(
        ("peer", "headers", "client"),
        [
            ("127.0.0.1", [("X-Forwarded-For", "203.0.113.7")], "203.0.113.7"),
            ("::ffff:127.0.0.1", [("X-Forwarded-For", "203.0.113.7")], "203.0.113.7"),
            ("10.3.2.1", [("X-Forwarded-For", "203.0.113.7:4711")], "203.0.113.7"),
            ("2001:db8:a::1", [("X-Forwarded-For", "2001:db8:b::7")], "2001:db8:b::7"),
            ("127.0.0.1", [("X-Forwarded-For", "[2001:db8:b::7]:4711")], "2001:db8:b::7"),
            ("127.0.0.1", [("X-Forwarded-For", "::ffff:203.0.113.7")], "203.0.113.7"),
            # Two proxies of ours, whose own address the second one says.
            ("127.0.0.1", [("X-Forwarded-For", "203.0.113.7, 10.0.0.5")], "203.0.113.7"),
            (
                "127.0.0.1",
                [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-For", "10.0.0.5")],
                "203.0.113.7",
            ),
            # What the client itself wrote stands before what the proxy saw.
            ("127.0.0.1", [("X-Forwarded-For", "198.51.100.1, 203.0.113.7")], "203.0.113.7"),
            ("127.0.0.1", [("X-Forwarded-For", "10.0.0.9, 203.0.113.7, 10.0.0.5")], "203.0.113.7"),
            ("127.0.0.1", [("X-Forwarded-For", "10.0.0.9, 10.0.0.5")], "10.0.0.9"),
            ("127.0.0.1", [("X-Forwarded-For", "nonsense")], "127.0.0.1"),
            ("127.0.0.1", [("X-Forwarded-For", "203.0.113.7, unknown, 10.0.0.5")], "10.0.0.5"),
            ("127.0.0.1", [("X-Forwarded-For", "")], "127.0.0.1"),
            ("127.0.0.1", [("X-Forwarded-For", "fe80::1%eth0")], "127.0.0.1"),
            ("127.0.0.1", [("Forwarded", "for=203.0.113.7;proto=https")], "203.0.113.7"),
            ("127.0.0.1", [("Forwarded", 'For="[2001:db8:b::7]:4711"')], "2001:db8:b::7"),
            (
                "127.0.0.1",
                [("Forwarded", 'for=198.51.100.1, for="203.0.113.7:80", for=10.0.0.5')],
                "203.0.113.7",
            ),
            ("127.0.0.1", [("Forwarded", "for=_hidden")], "127.0.0.1"),
            ("127.0.0.1", [("Forwarded", 'for="203.0.113.7')], "127.0.0.1"),
            # A proxy that writes one of them lets the other through as the client sent it.
            (
                "127.0.0.1",
                [("Forwarded", "for=198.51.100.1"), ("X-Forwarded-For", "203.0.113.7")],
                "127.0.0.1",
            ),
            (
                "127.0.0.1",
                [("Forwarded", "for=203.0.113.7"), ("X-Forwarded-For", "203.0.113.7")],
                "203.0.113.7",
            ),
            # Nobody asked these.
            ("203.0.113.9", [("X-Forwarded-For", "127.0.0.1")], "203.0.113.9"),
            ("203.0.113.9", [("Forwarded", "for=127.0.0.1")], "203.0.113.9"),
            ("2001:db8:c::1", [("X-Forwarded-For", "203.0.113.7")], "2001:db8:c::1"),
            ("11.0.0.1", [("X-Forwarded-For", "203.0.113.7")], "11.0.0.1"),
        ],
    )
    async def test_is_the_first_that_is_no_proxy_of_ours(
        self, peer: str, headers: Headers, client: str
    ) -> None:
        assert (await seen(peer, headers))["client"] == client

    async def test_nobody_is_trusted_by_default(self) -> None:
        headers = [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https")]
        found = await seen("127.0.0.1", headers, trusted=())
        assert found == {"client": "127.0.0.1", "scheme": "http", "host": "inside.test"}


class TestAddress:
    @pytest.mark.parametrize(
        ("headers", "scheme", "host"),
        [
            ([("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "chat.example")], "https", "chat.example"),
            ([("Forwarded", "for=203.0.113.7;host=chat.example;proto=https")], "https", "chat.example"),
            ([("X-Forwarded-Proto", "gopher"), ("X-Forwarded-Host", "a b")], "http", "inside.test"),
        ],
    )
    async def test_is_what_the_nearest_proxy_says(self, headers: Headers, scheme: str, host: str) -> None:
        found = await seen("127.0.0.1", headers)
        assert (found["scheme"], found["host"]) == (scheme, host)

    async def test_others_cannot_say_it(self) -> None:
        headers = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example")]
        found = await seen("203.0.113.9", headers)
        assert (found["scheme"], found["host"]) == ("http", "inside.test")


class TestRateLimits:
    @pytest.mark.parametrize(("trusted", "refused"), [(("203.0.113.50",), False), ((), True)])
    async def test_sign_in_counts_by_the_real_address(
        self, product: Product, trusted: tuple[str, ...], *, refused: bool
    ) -> None:
        """Behind a proxy everybody has the same peer; and who is not behind ours cannot wear other addresses."""
        peer = "203.0.113.50" if trusted else "203.0.113.51"
        settings = replace(product.settings, trusted_proxies=trusted)
        transport = httpx2.ASGITransport(build_app(replace(product, settings=settings)), client=(peer, 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            answers = [
                await client.post(
                    "/auth/sign-in", json={}, headers={"X-Forwarded-For": f"198.51.100.{number}"}
                )
                for number in range(25)
            ]
        assert (429 in {answer.status_code for answer in answers}) is refused


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(Misconfigured):
        read_networks(["10.0.0.1/8"])
