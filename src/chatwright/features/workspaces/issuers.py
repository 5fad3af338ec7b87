"""Outside issuers: servers that are not ours and say who people are, by signed tokens or when they are asked.

What they say is believed of who a person is and what their token allows. What the person may do here is decided
here: a member's role bounds every token, and whoever is no member is nobody.
"""

import asyncio
import base64
import math
import time
from collections.abc import Iterable, Mapping
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from chatwright.features.workspaces.credentials import digest
from chatwright.features.workspaces.limits import RateLimiter
from chatwright.features.workspaces.subjects import Subject
from chatwright.kernel.errors import Unauthenticated, Unavailable
from chatwright.kernel.operation import RateClass
from chatwright.net.http import Web

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""Signatures by a private key alone: with a shared secret, whoever can check a token could make one."""
ASK_SECONDS: Final = 5.0
KEYS_SECONDS: Final = 300.0
"""How long keys are believed without being fetched anew: one that was taken back is refused after that."""
FETCH_FLOOR_SECONDS: Final = 5.0
"""An unknown key id has the keys fetched at once, and no sooner again: tokens of strangers name what they like."""
EARLY_SECONDS: Final = 30
"""How far the issuer's clock may be ahead."""
LONGEST_TOKEN: Final = 16_384
ASK_RATE: Final = RateClass(per_minute=3_000, burst=300)
"""How often all processes together ask about tokens that they do not know: strangers can send any number of them."""
FAMILIAR_SECONDS: Final = 0.5
"""A token that was good is asked about beside that rate, no sooner than this: it is believed longer anyway."""
REFUSED_SECONDS: Final = 10.0
"""What an issuer says is no token of its own is not asked about again for so long."""
MOST_KNOWN: Final = 10_000
"""Tokens that are remembered; a full memory starts anew."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Claims:
    """What must be in a token of an issuer, and under what names."""

    issuer: str
    audience: str
    email: str = "email"
    """Names the person, by the address they are known by here. Only what people cannot change themselves will do."""
    workspace: str | None = None
    """Names the workspace by its id; without one, people who work in several are refused."""


class SignedTokens:
    """An issuer whose tokens are JWTs (RFC 9068), checked with its published keys."""

    def __init__(self, web: Web, claims: Claims, keys_url: str) -> None:
        self._web = web
        self._claims = claims
        self._url = keys_url
        self._keys: KeySet | None = None
        self._fetched_at = self._tried_at = -math.inf
        self._lock = asyncio.Lock()
        self._known: frozenset[str | None] = frozenset()

    async def verify(self, token: str) -> Subject:
        """Check signature and claims; raises Unauthenticated, or Unavailable without keys."""
        if len(token) > LONGEST_TOKEN:
            raise _refused()
        keys = await self._keys_for(_key_id(token))
        try:
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError) as error:
            raise _refused() from error
        return subject_of(decoded.claims, self._claims)

    async def _keys_for(self, key_id: str | None) -> KeySet:
        async with self._lock:
            now = time.monotonic()
            if now - self._fetched_at > KEYS_SECONDS:
                self._keys = None
            lacking = self._keys is None or key_id not in self._known
            if lacking and now - self._tried_at > FETCH_FLOOR_SECONDS:
                await self._fetch()
            if self._keys is None:
                raise _unreachable()
            return self._keys

    async def _fetch(self) -> None:
        """Replace the keys; where that fails, those there are stay until their time is over."""
        self._tried_at = time.monotonic()
        try:
            answer = await self._web.call("GET", self._url, seconds=ASK_SECONDS)
            keys = KeySet.import_key_set(answer.json()) if answer.status == 200 else None
        except (Unavailable, JoseError, ValueError, TypeError, KeyError):
            keys = None
        if keys is None:
            _log.warning("issuer.keys_unreachable")
            return
        self._keys, self._fetched_at = keys, time.monotonic()
        self._known = frozenset({key.kid for key in keys.keys} | {None})


class AskedTokens:
    """An issuer that says of each token what it stands for (RFC 7662).

    A stranger costs no more than a bounded number of calls to it. While strangers use that up, tokens that were good
    are still asked about, and new ones are told to come again.
    """

    def __init__(self, web: Web, claims: Claims, url: str, credentials: str, limiter: RateLimiter) -> None:
        self._web = web
        self._claims = claims
        self._url = url
        self._authorization = "Basic " + base64.b64encode(credentials.encode()).decode()
        self._limiter = limiter
        self._good_at: dict[bytes, float] = {}
        self._refused_at: dict[bytes, float] = {}
        self._asking: dict[bytes, asyncio.Task[Subject]] = {}

    async def verify(self, token: str) -> Subject:
        """Ask the issuer; raises Unauthenticated, Unavailable when it does not say, or RateLimitExceeded."""
        if len(token) > LONGEST_TOKEN:
            raise _refused()
        key, now = digest(token), time.monotonic()
        if now - self._refused_at.get(key, -math.inf) < REFUSED_SECONDS:
            raise _refused()
        asking = self._asking.get(key)
        if asking is None:
            asking = self._begin_asking(key, token)
        # Shared by all calls that come meanwhile, so no one of them may end it.
        return await asyncio.shield(asking)

    def _begin_asking(self, key: bytes, token: str) -> asyncio.Task[Subject]:
        asking = asyncio.create_task(self._asked(key, token), context=Context())
        self._asking[key] = asking

        def end(task: asyncio.Task[Subject]) -> None:
            del self._asking[key]
            # Where every caller has gone meanwhile, nobody else would look at how it failed.
            if not task.cancelled():
                task.exception()

        asking.add_done_callback(end)
        return asking

    async def _asked(self, key: bytes, token: str) -> Subject:
        now = time.monotonic()
        if not self._is_familiar(key, now):
            await self._limiter.take(f"issuer:{self._claims.issuer}", ASK_RATE)
        try:
            subject = await self._ask(token)
        except Unauthenticated:
            self._good_at.pop(key, None)
            _note(self._refused_at, key, now)
            raise
        _note(self._good_at, key, now)
        return subject

    def _is_familiar(self, key: bytes, now: float) -> bool:
        """Whether a token was good and has not been asked about just now; if so, it is from now on."""
        good_at = self._good_at.get(key)
        if good_at is None or now - good_at < FAMILIAR_SECONDS:
            return False
        self._good_at[key] = now
        return True

    async def _ask(self, token: str) -> Subject:
        try:
            answer = await self._web.call(
                "POST",
                self._url,
                form={"token": token, "token_type_hint": "access_token"},
                headers={"authorization": self._authorization, "accept": "application/json"},
                seconds=ASK_SECONDS,
            )
        except Unavailable as error:
            raise _unreachable() from error
        said = answer.json()
        if answer.status != 200 or not isinstance(said, dict):
            raise _unreachable()
        claims = cast("dict[str, Any]", said)
        if claims.get("active") is not True:
            raise _refused()
        return subject_of({"iss": self._claims.issuer, **claims}, self._claims)


def _note(memory: dict[bytes, float], key: bytes, now: float) -> None:
    if len(memory) >= MOST_KNOWN:
        memory.clear()
    memory[key] = now


def subject_of(claims: Mapping[str, Any], wanted: Claims) -> Subject:
    """Whom claims stand for; raises Unauthenticated unless they are meant for this server, now, and name a person."""
    audiences = _texts(claims.get("aud"))
    now = time.time()
    ends, begins = _moment(claims.get("exp")), _moment(claims.get("nbf", 0))
    email = claims.get(wanted.email)
    if (
        claims.get("iss") != wanted.issuer
        or wanted.audience not in audiences
        or ends is None
        or begins is None
        or ends <= now
        or begins > now + EARLY_SECONDS
        or not isinstance(email, str)
        or claims.get("email_verified") is False
    ):
        raise _refused()
    named = (
        wanted.issuer,
        str(claims.get("sub", email)),
        str(claims.get("client_id") or claims.get("azp") or ""),
    )
    return Subject(
        id=uuid5(NAMESPACE_URL, "\n".join(named)),
        email=email,
        workspace_id=_workspace(claims, wanted.workspace),
        scopes=frozenset(_texts(claims.get("scope") or claims.get("scp"), separator=" ")),
        expires_at=datetime.fromtimestamp(min(ends, 2**32), UTC),
    )


def _workspace(claims: Mapping[str, Any], name: str | None) -> UUID | None:
    if name is None:
        return None
    try:
        return UUID(str(claims.get(name)))
    except ValueError as error:
        raise _refused() from error


def _texts(value: object, *, separator: str | None = None) -> list[str]:
    """A claim that may be one text, several in one, or a list of them."""
    match value:
        case str():
            return value.split(separator) if separator else [value]
        case list():
            return [each for each in cast("Iterable[object]", value) if isinstance(each, str)]
        case _:
            return []


def _moment(value: object) -> float | None:
    """Seconds since 1970; None for what is no number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _key_id(token: str) -> str | None:
    """Which key a token says it was signed with; it is not believed, only looked for."""
    try:
        key_id = jws.extract_compact(token.encode()).protected.get("kid")
    except (JoseError, ValueError) as error:
        raise _refused() from error
    return key_id if isinstance(key_id, str) else None


def _refused() -> Unauthenticated:
    return Unauthenticated("This access token is not one that the issuer gave out for this server.")


def _unreachable() -> Unavailable:
    return Unavailable("The issuer of access tokens cannot be asked just now.", retry_after_ms=5000)
