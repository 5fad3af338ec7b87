"""Calls of the Graph API, and what becomes of a message that is sent by one.

The access token travels in a header, never in a URL. Where the app's secret is known each call proves that it
comes from a server that knows it, so that a stolen token alone is of no use (Graph API, Securing requests).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from chatwright.net.forms import FormFile
from chatwright.net.graph.errors import GraphError, refusal_in
from chatwright.net.graph.usage import Usage, read_usage
from chatwright.net.graph.webhooks import proof_of
from chatwright.net.http import Answer, NoAnswer, NotSent, Web
from chatwright.net.reading import as_list, as_map, as_number, as_text, dig
from chatwright.ports.sending import Reaction, SendOutcome

GRAPH_URL = "https://graph.facebook.com"
VERSION = "v26.0"
"""Released on 2026-07-29. Versions live two years; an inbox can be set to another."""
UPLOAD_SECONDS = 120.0
MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class Reply:
    """What Meta answered to a call that it took."""

    body: Mapping[str, object]
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class GraphClient:
    """The API as one access token sees it. Every call raises GraphError, NotSent or NoAnswer."""

    web: Web
    token: str = field(repr=False)
    base_url: str = GRAPH_URL
    version: str = VERSION
    app_secret: str | None = field(default=None, repr=False)
    """Makes the `appsecret_proof` of each call; None leaves it out."""
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """Further secrets that no words of Meta's may show."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What every call carries, also one that fetches a file at an address the API gave."""
        return {"authorization": f"Bearer {self.token}"}

    async def get(self, path: str, **params: str) -> Reply:
        """Read an object or an edge; `path` has its parts quoted with `path_of`."""
        return await self._call("GET", path, params)

    async def post(self, path: str, body: Mapping[str, object], **params: str) -> Reply:
        """Make or change something."""
        return self._read(
            await self.web.call(
                "POST", self._url(path), params=self._params(params), headers=self.headers, json=body
            )
        )

    async def delete(self, path: str, **params: str) -> Reply:
        """Take something away."""
        return await self._call("DELETE", path, params)

    async def upload(self, path: str, fields: Mapping[str, str], file: FormFile) -> Reply:
        """Make something of a file."""
        return self._read(
            await self.web.call(
                "POST",
                self._url(path),
                params=self._params({}),
                headers=self.headers,
                form=fields,
                files=[file],
                seconds=UPLOAD_SECONDS,
            )
        )

    async def items(self, path: str, **params: str) -> AsyncIterator[object]:
        """Everything on an edge, page after page."""
        after = dict[str, str]()
        for _ in range(MOST_PAGES):
            body = (await self.get(path, **params, **after)).body
            for item in as_list(body.get("data")):
                yield item
            cursor = as_text(dig(body, "paging", "cursors", "after"))
            if cursor is None or not dig(body, "paging", "next"):
                return
            after = {"after": cursor}

    async def _call(self, method: str, path: str, params: Mapping[str, str]) -> Reply:
        return self._read(
            await self.web.call(method, self._url(path), params=self._params(params), headers=self.headers)
        )

    def _read(self, answer: Answer) -> Reply:
        usage = read_usage(answer.headers)
        refusal = refusal_in(replace(answer, body=self._without_secrets(answer.body)))
        if refusal is not None:
            raise GraphError(refusal, usage, as_number(answer.headers.get("retry-after")))
        return Reply(as_map(answer.json()), usage)

    def _without_secrets(self, body: bytes) -> bytes:
        """What Meta says of a refusal, which people will read: of a token it repeats the whole ("Malformed ...")."""
        for secret in filter(None, (self.token, self.app_secret, *self.hidden)):
            body = body.replace(secret.encode(), b"***")
        return body

    def _url(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}/{self.version}/{path}"

    def _params(self, params: Mapping[str, str]) -> Mapping[str, str]:
        if self.app_secret is None:
            return params
        return {**params, "appsecret_proof": proof_of(self.token, self.app_secret)}


def path_of(*parts: str) -> str:
    """Parts of a path, quoted, so that no value can leave its place."""
    return "/".join(quote(part, safe="") for part in parts)


async def attempt(
    call: Awaitable[Reply], ids_in: Callable[[Mapping[str, object]], Sequence[str]]
) -> SendOutcome:
    """Make the call that sends a message and say what became of it; `ids_in` finds its ids in the answer."""
    try:
        reply = await call
    except (GraphError, NotSent, NoAnswer) as error:
        return outcome_of(error)
    ids = ids_in(reply.body)
    if not ids:
        words = "Meta took the call and did not name the message."
        return SendOutcome(reaction=Reaction.UNKNOWN, detail=words, load=reply.usage.load)
    return SendOutcome(
        external_id=ids[0],
        more_ids=tuple(ids[1:]),
        load=reply.usage.load,
        retry_after=reply.usage.regain_seconds,
    )


def outcome_of(error: GraphError | NotSent | NoAnswer) -> SendOutcome:
    """What a send has come to that ended with this error."""
    match error:
        case GraphError(refusal=refusal, usage=usage):
            waits = (usage.regain_seconds, error.retry_after, refusal.retry_after)
            return SendOutcome(
                reaction=refusal.reaction,
                code=refusal.label,
                detail=refusal.words,
                retry_after=next((wait for wait in waits if wait), None),
                scope=refusal.scope,
                load=usage.load,
            )
        case NotSent():
            return SendOutcome(reaction=Reaction.RETRY, code=error.code, detail=error.message)
        case NoAnswer():
            return SendOutcome(reaction=Reaction.UNKNOWN, code=error.code, detail=error.message)


def not_yet_sent(error: GraphError | NotSent | NoAnswer) -> SendOutcome:
    """The same, for a call before the one that sends: whatever became of it, no message went out."""
    outcome = outcome_of(error)
    return replace(outcome, reaction=Reaction.RETRY) if outcome.reaction is Reaction.UNKNOWN else outcome
