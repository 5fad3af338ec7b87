"""Clients known by the address of a document: fetched with care, kept for a while, and believed as far as allowed."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from chatwright.app.server import build_app
from chatwright.app.wiring import Product
from chatwright.features.workspaces.oauth.policy import OAuthPolicy, read_clients
from chatwright.features.workspaces.oauth.server import AuthorizationServer
from chatwright.net.http import Web
from tests.conftest import Desk
from tests.serving import serving
from tests.surfaces.http.oauth.driving import BACK, HERE, Person, Program, answer_of, connected, somebody


@dataclass
class Publisher:
    """A client's own server, with its document."""

    url: str = ""
    document: dict[str, Any] = field(default_factory=dict[str, Any])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    answer: Response | None = None
    fetched: int = 0

    async def show(self, request: Request) -> Response:
        del request
        self.fetched += 1
        return self.answer or JSONResponse(self.document, headers=self.headers)


@pytest_asyncio.fixture(loop_scope="session")
async def publisher() -> AsyncGenerator[Publisher]:
    """Without TLS, as the servers under test allow its host by name."""
    one = Publisher()
    async with serving([Route("/client.json", one.show), Route("/moved.json", one.show)]) as base:
        one.url = f"{base}/client.json"
        one.document = {"client_id": one.url, "client_name": "Published", "redirect_uris": [BACK]}
        yield one


Serve = Callable[..., Any]


@pytest_asyncio.fixture(loop_scope="session")
async def serve(product: Product, publisher: Publisher) -> AsyncGenerator[Serve]:
    """A server with a policy of its own."""
    webs: list[Web] = []

    def build(clients: str = "any", *, allowed: bool = True) -> Any:
        web = Web([publisher.url.split("/")[2]] if allowed else ())
        webs.append(web)
        documents, domains = read_clients([clients])
        policy = OAuthPolicy(issuer=HERE, documents=documents, domains=domains)
        oauth = AuthorizationServer(product.database, product.cipher, web, product.limiter, policy)
        return build_app(replace(product, oauth=oauth))

    yield build
    for web in webs:
        await web.close()


@pytest_asyncio.fixture(loop_scope="session")
async def reader(serve: Serve, desk: Desk) -> AsyncGenerator[Person]:
    async with somebody(serve(), desk) as one:
        yield one


def published(person: Person, publisher: Publisher) -> Program:
    return Program(person.browser, {"client_id": publisher.url, "redirect_uris": [BACK]})


class TestDocuments:
    async def test_a_client_needs_no_registration(self, reader: Person, publisher: Publisher) -> None:
        program = published(reader, publisher)
        page = await reader.ask(**program.request())
        assert "Allow Published?" in page.text
        assert "127.0.0.1" in page.text
        tokens = await connected(reader, program)
        assert (await program.refresh(tokens["refresh_token"])).status_code == 200
        assert publisher.fetched == 1

    async def test_strangers_make_this_server_call_nobody(
        self, serve: Serve, publisher: Publisher, reader: Person
    ) -> None:
        program = published(reader, publisher)
        transport = httpx2.ASGITransport(serve())
        async with httpx2.AsyncClient(transport=transport, base_url=HERE) as nobody:
            page = await nobody.get("/oauth/authorize", params=program.request())
            assert "Sign in to connect a program" in page.text
            form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": publisher.url}
            assert (await nobody.post("/oauth/token", data=form)).json()["error"] == "invalid_grant"
        assert publisher.fetched == 0

    async def test_tokens_outlast_what_is_kept_of_a_document(
        self, reader: Person, publisher: Publisher
    ) -> None:
        program = published(reader, publisher)
        tokens = await connected(reader, program)
        async with reader.desk.product.database.transaction() as unit:
            await unit.connection.execute("delete from oauth_documents where url = $1", publisher.url)
        refreshed = await program.refresh(tokens["refresh_token"])
        assert refreshed.status_code == 200, refreshed.text
        form = {"token": refreshed.json()["access_token"], "client_id": program.id}
        assert (await reader.browser.post("/oauth/revoke", data=form)).status_code == 200
        assert publisher.fetched == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"client_id": "https://other.example/client.json"},
            {"redirect_uris": []},
            {"redirect_uris": ["http://app.example/callback"]},
            {"client_secret": "cws_x"},
            {"token_endpoint_auth_method": "client_secret_basic"},
            {"token_endpoint_auth_method": "private_key_jwt"},
            {"padding": "x" * 40_000},
        ],
    )
    async def test_a_document_that_does_not_fit_is_none(
        self, reader: Person, publisher: Publisher, changes: dict[str, Any]
    ) -> None:
        publisher.document |= changes
        for _ in range(2):
            answer = await reader.ask(**published(reader, publisher).request())
            assert answer.status_code == 400
            assert "location" not in answer.headers
        assert publisher.fetched == 1

    @pytest.mark.parametrize(
        "answer",
        [
            Response(status_code=404),
            Response(b"<html>", media_type="text/html"),
            Response(b"[]", media_type="application/json"),
            RedirectResponse("/moved.json"),
        ],
        ids=["missing", "page", "list", "moved"],
    )
    async def test_other_answers_are_none(
        self, reader: Person, publisher: Publisher, answer: Response
    ) -> None:
        publisher.answer = answer
        assert (await reader.ask(**published(reader, publisher).request())).status_code == 400
        assert publisher.fetched == 1

    async def test_its_addresses_are_those_of_the_document(
        self, reader: Person, publisher: Publisher
    ) -> None:
        request = published(reader, publisher).request(redirect_uri="https://evil.example/callback")
        assert (await reader.ask(**request)).status_code == 400

    @pytest.mark.parametrize(
        ("cache_control", "seconds"),
        [("max-age=600", 600), ("no-store", 60), ("max-age=5", 60), ("max-age=99999999", 86_400), ("", 3600)],
    )
    async def test_it_is_kept_as_its_server_says_within_bounds(
        self, reader: Person, publisher: Publisher, cache_control: str, seconds: int
    ) -> None:
        publisher.headers = {"cache-control": cache_control}
        await reader.ask(**published(reader, publisher).request())
        async with reader.desk.product.database.transaction() as unit:
            (row,) = await unit.connection.fetch(
                "select extract(epoch from expires_at - fetched_at)::int as seconds from oauth_documents "
                "where url = $1",
                publisher.url,
            )
        assert row["seconds"] == seconds


class TestTrust:
    @pytest.mark.parametrize("clients", ["none", "trusted.example"])
    async def test_clients_from_elsewhere_are_refused_unfetched(
        self, serve: Serve, desk: Desk, publisher: Publisher, clients: str
    ) -> None:
        async with somebody(serve(clients), desk) as person:
            answer = await person.ask(**published(person, publisher).request())
            told = (await person.browser.get("/.well-known/oauth-authorization-server")).json()
        assert "does not take clients from there" in answer.text
        assert publisher.fetched == 0
        assert told["client_id_metadata_document_supported"] is (clients != "none")

    async def test_private_addresses_are_not_called(
        self, serve: Serve, desk: Desk, publisher: Publisher
    ) -> None:
        async with somebody(serve(allowed=False), desk) as person:
            answer = await person.ask(**published(person, publisher).request())
        assert answer.status_code == 400
        assert publisher.fetched == 0

    @pytest.mark.parametrize(
        "url",
        [
            "https://client.example",
            "https://client.example/",
            "https://user@client.example/c.json",
            "https://client.example/a/../c.json",
            "https://client.example/c.json?x=1",
            "https://client.example/c.json#x",
            "ftp://client.example/c.json",
        ],
    )
    async def test_not_every_address_can_be_a_client(
        self, reader: Person, publisher: Publisher, url: str
    ) -> None:
        answer = await reader.ask(**published(reader, publisher).request(client_id=url))
        assert answer.status_code == 400
        assert "location" not in answer.headers

    async def test_programs_on_the_own_machine_ask_always(self, reader: Person, publisher: Publisher) -> None:
        publisher.document["redirect_uris"] = ["http://localhost/cb"]
        program = published(reader, publisher)
        for port in (5000, 5001):
            page = await reader.ask(**program.request(redirect_uri=f"http://localhost:{port}/cb"))
            assert "any program here could pass itself off" in page.text
            answer_of(await reader.decide(page))
