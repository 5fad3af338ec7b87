"""Access tokens of an issuer that is not ours, which is a small server of its own here."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chatwright.features.workspaces import authentication, issuers
from chatwright.features.workspaces.authentication import Authenticator, Join, Presented
from chatwright.features.workspaces.founding import make_setup_link
from chatwright.features.workspaces.issuers import AskedTokens, Claims, SignedTokens
from chatwright.kernel.caller import Caller, PrincipalKind, Surface
from chatwright.kernel.errors import ChatwrightError, RateLimitExceeded, Unauthenticated, Unavailable
from chatwright.kernel.operation import RateClass
from chatwright.net.http import Web
from tests.conftest import Desk
from tests.serving import serving

ISSUER = "https://login.example.com/"
AUDIENCE = "https://chat.example.com/mcp"
HERE = Presented(Surface.MCP, client="tests")


@cache
def key_of(name: str) -> RSAKey:
    """One that keeps for all tests: it takes a tenth of a second to make."""
    return new_key(name)


def new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name})


@dataclass
class Issuer:
    """Keys, tokens, and what it answers."""

    keys: list[RSAKey] = field(default_factory=lambda: [key_of("one")])
    up: bool = True
    asked: int = 0
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    url: str = ""

    async def show_keys(self, request: Request) -> Response:
        del request
        self.asked += 1
        if not self.up:
            return Response(status_code=503)
        return JSONResponse(KeySet(list(self.keys)).as_dict(private=False))

    async def introspect(self, request: Request) -> Response:
        self.asked += 1
        form = (await request.body()).decode()
        if not self.up or request.headers.get("authorization") != "Basic dXM6c2VjcmV0":
            return Response(status_code=401)
        return JSONResponse(self.said if "token=good" in form else {"active": False})


@pytest_asyncio.fixture(loop_scope="session")
async def issuer() -> AsyncGenerator[Issuer]:
    known = Issuer()
    routes = [
        Route("/keys", known.show_keys),
        Route("/introspect", known.introspect, methods=["POST"]),
    ]
    async with serving(Starlette(routes=routes)) as url:
        known.url = url
        yield known


@pytest_asyncio.fixture(loop_scope="session")
async def web() -> AsyncGenerator[Web]:
    web = Web(["127.0.0.1"])
    yield web
    await web.close()


@pytest_asyncio.fixture(loop_scope="session")
async def email(desk: Desk) -> str:
    """Address of an owner of the workspace."""
    address = f"{uuid4().hex}@example.com"
    async with desk.product.database.transaction():
        path = await make_setup_link(desk.caller.workspace_id)
    person = {
        "link": path.partition("#")[2],
        "name": "Ada",
        "password": "correct horse battery",
        "email": address,
    }
    await desk.product.sessions.join(Join.model_validate(person), "tests")
    return address


@pytest.fixture
def signed(desk: Desk, issuer: Issuer, web: Web) -> Authenticator:
    tokens = SignedTokens(web, Claims(ISSUER, AUDIENCE), f"{issuer.url}/keys")
    return Authenticator(desk.product.database, tokens)


def claims_for(email: str, /, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "email": email, "exp": now + 600, "iat": now}
    usual["scope"] = "contacts:read contacts:write openid"
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def said(email: str, **changes: Any) -> dict[str, Any]:
    """What an issuer that is asked says of a good token."""
    return {"active": True, **claims_for(email, **{"iss": None, **changes})}


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def token_by(key: RSAKey, claims: dict[str, Any], alg: str = "RS256") -> str:
    return jwt.encode({"alg": alg, "kid": key.kid, "typ": "at+jwt"}, claims, key, algorithms=[alg])


async def code_of(call: Awaitable[object]) -> str:
    with pytest.raises(ChatwrightError) as caught:
        await call
    return caught.value.code


class TestSignedTokens:
    async def test_a_good_one_is_the_member_within_its_scopes(
        self, desk: Desk, issuer: Issuer, signed: Authenticator, email: str
    ) -> None:
        token = token_by(issuer.keys[0], claims_for(email.upper()))
        caller = await signed.by_token(token, HERE)
        assert caller.kind is PrincipalKind.GRANT
        assert caller.workspace_id == desk.caller.workspace_id
        assert caller.scopes == {"contacts:read", "contacts:write"}
        assert caller.name == "Ada"

    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": "https://chat.example.com"},
            {"aud": ["https://evil.example/mcp"]},
            {"aud": None},
            {"iss": "https://login.example.com"},
            {"iss": None},
            {"exp": 1},
            {"exp": None},
            {"exp": "tomorrow"},
            pytest.param({"nbf": int(time.time()) + 3600}, id="nbf in an hour"),
            {"email": None},
            {"email": "nobody@example.com"},
            {"email_verified": False},
        ],
        ids=str,
    )
    async def test_what_is_not_for_us_now_is_nobody(
        self, issuer: Issuer, signed: Authenticator, email: str, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(Unauthenticated):
            await signed.by_token(token_by(issuer.keys[0], claims_for(email, **changes)), HERE)

    async def test_a_key_of_somebody_else_is_refused(self, signed: Authenticator, email: str) -> None:
        with pytest.raises(Unauthenticated):
            await signed.by_token(token_by(new_key("one"), claims_for(email)), HERE)

    async def test_no_signature_is_refused(self, issuer: Issuer, signed: Authenticator, email: str) -> None:
        whole = token_by(issuer.keys[0], claims_for(email))
        head = "eyJhbGciOiJub25lIiwia2lkIjoib25lIn0"
        for token in (
            f"{head}.{whole.split('.')[1]}.",
            f"{head}.{whole.split('.')[1]}.{whole.split('.')[2]}",
        ):
            with pytest.raises(Unauthenticated):
                await signed.by_token(token, HERE)

    async def test_the_public_key_as_a_shared_secret_is_refused(
        self, issuer: Issuer, signed: Authenticator, email: str
    ) -> None:
        # By hand, since the library would not do it.
        head, body = (_part(each) for each in ({"alg": "HS256", "kid": "one"}, claims_for(email)))
        for secret in (issuer.keys[0].as_pem(private=False), issuer.keys[0].as_der(private=False)):
            mac = hmac.digest(secret, f"{head}.{body}".encode(), "sha256")
            mark = base64.urlsafe_b64encode(mac).decode().rstrip("=")
            with pytest.raises(Unauthenticated):
                await signed.by_token(f"{head}.{body}.{mark}", HERE)

    async def test_a_new_key_is_fetched_once_it_signs(
        self, issuer: Issuer, signed: Authenticator, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(issuers, "FETCH_FLOOR_SECONDS", 0.0)
        await signed.by_token(token_by(issuer.keys[0], claims_for(email)), HERE)
        issuer.keys.append(key_of("two"))
        await signed.by_token(token_by(issuer.keys[1], claims_for(email)), HERE)
        assert issuer.asked == 2

    async def test_unknown_keys_do_not_have_them_fetched_again_and_again(
        self, issuer: Issuer, signed: Authenticator, email: str
    ) -> None:
        for number in range(5):
            stranger = token_by(key_of(f"unknown-{number}"), claims_for(email))
            with pytest.raises(Unauthenticated):
                await signed.by_token(stranger, HERE)
        assert issuer.asked == 1

    async def test_without_keys_nobody_is_let_in(
        self, issuer: Issuer, signed: Authenticator, email: str
    ) -> None:
        issuer.up = False
        with pytest.raises(Unavailable):
            await signed.by_token(token_by(issuer.keys[0], claims_for(email)), HERE)

    async def test_old_keys_are_not_believed_for_ever(
        self, issuer: Issuer, signed: Authenticator, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await signed.by_token(token_by(issuer.keys[0], claims_for(email)), HERE)
        issuer.up = False
        monkeypatch.setattr(issuers, "KEYS_SECONDS", 0.0)
        with pytest.raises(Unavailable):
            await signed.by_token(token_by(issuer.keys[0], claims_for(email, jti="another")), HERE)

    async def test_tokens_of_the_server_built_in_are_nothing(self, signed: Authenticator) -> None:
        with pytest.raises(Unauthenticated):
            await signed.by_token("cwo_whatever", HERE)


class TestAskedTokens:
    @pytest.fixture
    def asked(self, desk: Desk, issuer: Issuer, web: Web) -> Authenticator:
        # By an address of its own it has a rate of its own.
        claims = Claims(issuer.url, AUDIENCE)
        limiter = desk.product.limiter
        tokens = AskedTokens(web, claims, f"{issuer.url}/introspect", "us:secret", limiter)
        return Authenticator(desk.product.database, tokens)

    async def test_strangers_have_it_asked_so_often_and_no_more(
        self, issuer: Issuer, asked: Authenticator, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Meanwhile a token that was good is asked about as before."""
        monkeypatch.setattr(issuers, "ASK_RATE", RateClass(per_minute=1, burst=4))
        monkeypatch.setattr(issuers, "FAMILIAR_SECONDS", 0.0)
        monkeypatch.setattr(authentication, "CACHE_SECONDS", 0.0)
        issuer.said = said(email)
        await asked.by_token("good", HERE)
        ends = [await code_of(asked.by_token(f"stranger-{number}", HERE)) for number in range(10)]
        assert ends == ["UNAUTHENTICATED"] * 3 + ["RATE_LIMIT_EXCEEDED"] * 7
        assert issuer.asked == 4
        await asked.by_token("good", HERE)
        assert issuer.asked == 5
        with pytest.raises(RateLimitExceeded) as limited:
            await asked.by_token("good as well", HERE)
        assert limited.value.retryable
        assert limited.value.retry_after_ms

    async def test_calls_at_once_with_one_token_ask_about_it_once(
        self, issuer: Issuer, asked: Authenticator, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(issuers, "ASK_RATE", RateClass(per_minute=1, burst=1))
        issuer.said = said(email)
        calls = [asyncio.create_task(asked.by_token("good", HERE)) for _ in range(8)]
        await asyncio.sleep(0)
        # Whoever goes away meanwhile ends it for nobody else.
        calls[0].cancel()
        ends = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(ends[0], asyncio.CancelledError)
        assert [caller.name for caller in ends[1:] if isinstance(caller, Caller)] == ["Ada"] * 7
        assert issuer.asked == 1

    async def test_a_good_token_alone_does_not_have_it_asked_without_end(
        self, issuer: Issuer, asked: Authenticator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One of a person who is nobody here, and so is never believed."""
        monkeypatch.setattr(issuers, "ASK_RATE", RateClass(per_minute=1, burst=2))
        monkeypatch.setattr(issuers, "FAMILIAR_SECONDS", 3600.0)
        issuer.said = said("nobody@example.com")
        ends = [await code_of(asked.by_token("good", HERE)) for _ in range(5)]
        assert ends == ["UNAUTHENTICATED"] * 2 + ["RATE_LIMIT_EXCEEDED"] * 3
        assert issuer.asked == 2

    async def test_what_it_refused_is_not_asked_about_at_once(
        self, issuer: Issuer, asked: Authenticator, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issuer.said = {"active": False}
        for _ in range(5):
            assert await code_of(asked.by_token("good", HERE)) == "UNAUTHENTICATED"
        assert issuer.asked == 1
        issuer.said = said(email)
        monkeypatch.setattr(issuers, "REFUSED_SECONDS", 0.0)
        assert (await asked.by_token("good", HERE)).name == "Ada"

    async def test_one_that_was_good_and_is_taken_back_is_a_stranger(
        self, issuer: Issuer, asked: Authenticator, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(issuers, "ASK_RATE", RateClass(per_minute=1, burst=1))
        monkeypatch.setattr(issuers, "FAMILIAR_SECONDS", 0.0)
        monkeypatch.setattr(issuers, "REFUSED_SECONDS", 0.0)
        monkeypatch.setattr(authentication, "CACHE_SECONDS", 0.0)
        issuer.said = said(email)
        await asked.by_token("good", HERE)
        issuer.said = {"active": False}
        ends = [await code_of(asked.by_token("good", HERE)) for _ in range(2)]
        assert ends == ["UNAUTHENTICATED", "RATE_LIMIT_EXCEEDED"]

    async def test_what_it_says_counts(self, issuer: Issuer, asked: Authenticator, email: str) -> None:
        issuer.said = said(email, scope="contacts:read")
        assert (await asked.by_token("good", HERE)).scopes == {"contacts:read"}
        with pytest.raises(Unauthenticated):
            await asked.by_token("bad", HERE)

    @pytest.mark.parametrize(
        "changes",
        [{"active": False}, {"active": "true"}, {"aud": "else"}, {"iss": ISSUER}, {"exp": 1}],
        ids=str,
    )
    async def test_what_is_not_for_us_now_is_nobody(
        self, issuer: Issuer, asked: Authenticator, email: str, changes: dict[str, Any]
    ) -> None:
        issuer.said = said(email, **changes)
        with pytest.raises(Unauthenticated):
            await asked.by_token("good", HERE)

    async def test_when_it_does_not_say_nobody_is_let_in(
        self, issuer: Issuer, asked: Authenticator, email: str
    ) -> None:
        issuer.said = said(email)
        issuer.up = False
        with pytest.raises(Unavailable):
            await asked.by_token("good", HERE)
