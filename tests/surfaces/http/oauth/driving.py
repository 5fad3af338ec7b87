"""A client of the authorization server, and a person at a browser beside it."""

import base64
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx2
from starlette.types import ASGIApp

from tests.conftest import Desk
from tests.surfaces.http.conftest import OWN_PAGE, connect, join

HERE = "http://testserver"
BACK = "https://app.example/callback"
# The verifier and its challenge in RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
READING = "contacts:read conversations:read"


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Page(HTMLParser):
    """A page's forms, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        """Of the last form that posts, as a browser would send them."""
        self.choices: list[str] = []
        """The values of the boxes for scopes."""
        self.words = html
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        if tag == "form":
            self.fields = []
        if tag != "input" or not about.get("name"):
            return
        name, text = about["name"] or "", about.get("value") or ""
        if about.get("type") == "checkbox" and "checked" not in about:
            return
        if name == "allow":
            self.choices.append(text)
        self.fields.append((name, text))


@dataclass
class Reader:
    """Somebody at a browser, signed in."""

    browser: httpx2.AsyncClient

    async def ask(self, **request: Any) -> httpx2.Response:
        """Be sent to the authorization endpoint."""
        return await self.browser.get("/oauth/authorize", params=request)

    async def decide(
        self,
        page: httpx2.Response,
        *,
        decision: str = "allow",
        without: tuple[str, ...] = (),
        changed: dict[str, str] | None = None,
        more: tuple[tuple[str, str], ...] = (),
    ) -> httpx2.Response:
        """Press a button of the page, with some of its boxes unticked."""
        assert page.status_code == 200, page.text
        fields = [(n, v) for n, v in Page(page.text).fields if not (n == "allow" and v in without)]
        fields = [(n, (changed or {}).get(n, v)) for n, v in fields]
        return await self.browser.post(
            "/oauth/authorize",
            content=str(httpx2.QueryParams([*fields, *more, ("decision", decision)])),
            headers={"content-type": "application/x-www-form-urlencoded", **OWN_PAGE},
        )


@dataclass
class Person(Reader):
    """... as an owner of the desk's workspace."""

    desk: Desk


@dataclass
class Program:
    """A client that registered itself."""

    http: httpx2.AsyncClient
    about: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def id(self) -> str:
        return self.about["client_id"]

    def request(self, **changes: Any) -> dict[str, Any]:
        """An authorization request; what is changed to None is left out."""
        usual = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.about["redirect_uris"][0],
            "state": "s-1",
            "scope": READING,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "resource": f"{HERE}/mcp",
        }
        return {name: text for name, text in {**usual, **changes}.items() if text is not None}

    async def exchange(self, code: str, /, **changes: Any) -> httpx2.Response:
        usual = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": VERIFIER,
            "redirect_uri": self.about["redirect_uris"][0],
            "client_id": self.id,
        }
        form = {name: text for name, text in {**usual, **changes}.items() if text is not None}
        return await self.http.post("/oauth/token", data=form)

    async def refresh(self, token: str, /, **changes: Any) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.id, **changes}
        return await self.http.post("/oauth/token", data=form)


def answer_of(response: httpx2.Response) -> dict[str, str]:
    """What a redirect tells the client."""
    assert response.status_code == 303, response.text
    assert response.headers["cache-control"] == "no-store"
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


async def registered(http: httpx2.AsyncClient, **about: Any) -> Program:
    told = {"client_name": "Sample client", "redirect_uris": [BACK], **about}
    answer = await http.post("/oauth/register", json=told)
    assert answer.status_code == 201, answer.text
    return Program(http, answer.json())


@asynccontextmanager
async def somebody(app: ASGIApp, desk: Desk) -> AsyncGenerator[Person]:
    async with connect(app) as browser:
        await join(browser, desk, f"{uuid4().hex}@example.com")
        yield Person(browser, desk)


async def connected(person: Person, program: Program, **changes: Any) -> dict[str, Any]:
    """Tokens for the program, all that it asks for allowed."""
    answer = await person.ask(**program.request(**changes))
    if answer.status_code == 200:
        answer = await person.decide(answer)
    issued = await program.exchange(answer_of(answer)["code"])
    assert issued.status_code == 200, issued.text
    return issued.json()
