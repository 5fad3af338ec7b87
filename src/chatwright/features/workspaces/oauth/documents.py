"""Client metadata documents: a client whose id is the address of a document that says who it is.

They are fetched through the guarded way out, and kept for as long as their server allows, within bounds, in a table
that all processes share; so is what was wrong with one, for a short time.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from chatwright.features.workspaces.limits import RateLimiter
from chatwright.features.workspaces.oauth import store
from chatwright.features.workspaces.oauth.clients import WITH_SECRET, Client, read_metadata
from chatwright.features.workspaces.oauth.errors import ClientRefused, Refused
from chatwright.features.workspaces.oauth.rules import host_of
from chatwright.kernel.errors import Unavailable
from chatwright.kernel.operation import RateClass
from chatwright.net.http import Answer, Web
from chatwright.ports.database import Database

MOST_BYTES: Final = 32 * 1024
SECONDS: Final = 5.0
SHORTEST_SECONDS: Final = 60.0
USUAL_SECONDS: Final = 3600.0
LONGEST_SECONDS: Final = 86_400.0
FAILURE_SECONDS: Final = 30.0
"""How long it is believed that a document is none."""
FETCH_RATE: Final = RateClass(per_minute=30, burst=20)
"""Documents fetched for one person."""
_MAX_AGE: Final = re.compile(r"\bmax-age=\"?(\d{1,9})")


class Documents:
    """Finds clients by their documents."""

    def __init__(self, database: Database, web: Web, limiter: RateLimiter) -> None:
        self._database = database
        self._web = web
        self._limiter = limiter

    async def find(self, url: str, *, reader: str | None) -> Client:
        """The client of a document; raises ClientRefused when there is none.

        It is only fetched for a `reader`, who is signed in: strangers must not make this server call others.
        """
        async with self._database.autocommit():
            known = await store.FIND_DOCUMENT.first(url)
        if known is None:
            if reader is None:
                raise ClientRefused("This client is not known.")
            await self._limiter.take(f"oauth-documents:{reader}", FETCH_RATE)
            known = await self._fetch(url)
        if known.client is None:
            raise ClientRefused(known.problem or "This client is not known.")
        return Client(
            id=url,
            name=known.client["name"],
            redirect_uris=tuple(known.client["redirect_uris"]),
            auth_method="none",
            scopes=None if known.client["scopes"] is None else frozenset(known.client["scopes"]),
        )

    async def _fetch(self, url: str) -> store.StoredDocument:
        seconds = FAILURE_SECONDS
        try:
            answer = await self._web.call(
                "GET", url, headers={"accept": "application/json"}, seconds=SECONDS, most=MOST_BYTES
            )
            client = read_document(url, answer)
            found = store.StoredDocument(_kept(client), None)
            seconds = lifetime(answer.headers)
        except Unavailable as error:
            found = store.StoredDocument(None, error.message)
        except Refused as error:
            found = store.StoredDocument(None, error.message)
        async with self._database.autocommit():
            await store.KEEP_DOCUMENT.run(url, found.client, found.problem, seconds)
        return found


def read_document(url: str, answer: Answer) -> Client:
    """The client that a fetched document describes; raises Refused."""
    host = host_of(url)
    if answer.status != 200:
        raise ClientRefused(f"{host} has no document about this client (status {answer.status}).")
    told: object = answer.json()
    if not isinstance(told, dict):
        raise ClientRefused(f"What {host} sent is no JSON object.")
    fields = cast("dict[str, Any]", told)
    if fields.get("client_id") != url:
        raise ClientRefused(f"The document of {host} is about another client.")
    if "client_secret" in fields:
        raise ClientRefused(f"The document of {host} shows a secret, so it is none.")
    metadata = read_metadata(fields)
    if metadata.token_endpoint_auth_method in WITH_SECRET:
        raise ClientRefused("A client with a document can have no secret.")
    scopes = None if metadata.scopes is None else frozenset(metadata.scopes)
    name = metadata.shown_name if metadata.client_name else host
    return Client(url, name, tuple(metadata.redirect_uris), "none", scopes=scopes)


def lifetime(headers: Mapping[str, str]) -> float:
    """For how many seconds a document may be kept (RFC 9111, section 5.2.2), within our bounds."""
    said = headers.get("cache-control", "").lower()
    if "no-store" in said or "no-cache" in said:
        return SHORTEST_SECONDS
    found = _MAX_AGE.search(said)
    seconds = USUAL_SECONDS if found is None else float(found[1])
    return min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)


def _kept(client: Client) -> dict[str, Any]:
    scopes = None if client.scopes is None else sorted(client.scopes)
    return {"name": client.name, "redirect_uris": list(client.redirect_uris), "scopes": scopes}
