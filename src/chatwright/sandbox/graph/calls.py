"""One call of the Graph API: whose token it carries, what it asks, and how it is answered."""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.requests import Request

from chatwright.sandbox.graph.accounts import GraphAccount
from chatwright.sandbox.graph.errors import GraphError, invalid, no_object
from chatwright.sandbox.graph.signing import appsecret_proof
from chatwright.sandbox.world import World

KINDS = ("whatsapp", "messenger", "instagram")


@dataclass(frozen=True, slots=True)
class Upload:
    content: bytes
    mime_type: str
    filename: str


@dataclass(slots=True)
class Call:
    """A call whose token was checked."""

    account: GraphAccount
    node: str
    edge: str
    token: str
    query: Mapping[str, str]
    body: dict[str, Any]
    files: dict[str, Upload] = field(default_factory=dict[str, Upload])

    def text(self, name: str) -> str | None:
        """A parameter, from the body or the query."""
        value = self.body.get(name, self.query.get(name))
        return None if value is None else str(value)


class Desk:
    """Reads calls and checks their tokens."""

    def __init__(self, world: World) -> None:
        self._world = world

    def accounts(self) -> list[GraphAccount]:
        """All accounts of the Graph API."""
        return [one for one in self._world.accounts(*KINDS) if isinstance(one, GraphAccount)]

    async def read(self, request: Request, path: Sequence[str]) -> Call:
        """The call in a request to a node, or an edge of it; raises GraphError."""
        if len(path) not in {1, 2}:
            raise GraphError(2500, message=f"Unknown path components: /{'/'.join(path)}")
        node, edge = path[0], "".join(path[1:])
        query = dict(request.query_params)
        body, files = await _body(request)
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        given = bearer.strip() if scheme.lower() in {"bearer", "oauth"} else ""
        token = given or str(body.pop("access_token", "")) or query.pop("access_token", "")
        account = self._named(self.trusted(token, query.get("appsecret_proof")), node)
        resolved = account.id if node == "me" else node
        return Call(account, resolved, edge, token, query, body, files)

    def trusted(self, token: str, proof: str | None = None) -> list[GraphAccount]:
        """The accounts that a token is good for; raises GraphError when there are none."""
        if not token:
            raise GraphError(104, message="An access token is required to request this resource.")
        accounts = [
            one for one in self.accounts() if token in {one.secrets.get("access_token"), one.app_token}
        ]
        if not accounts:
            raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")
        for account in accounts:
            if token != account.app_token:
                self._check_life(account)
            _check_proof(account, token, proof)
        return accounts

    def _check_life(self, account: GraphAccount) -> None:
        if account.token_until is not None and account.token_until <= self._world.clock.now():
            raise GraphError(190, message="Error validating access token: Session has expired.", subcode=463)
        if account.token_fault is not None:
            raise GraphError(
                190, message="Error validating access token.", subcode=account.token_fault or None
            )

    def _named(self, accounts: list[GraphAccount], node: str) -> GraphAccount:
        """The account that holds the node: itself, or something of it."""
        for account in accounts:
            if node in {"me", account.id, account.owner_id, account.app_id, account.details.get("page_id")}:
                return account
        for account in accounts:
            if node in account.templates or node in account.files or node in account.leads:
                return account
            if node.removeprefix("t_") in account.addresses or node in account.comments:
                return account
        raise no_object(node)


def _check_proof(account: GraphAccount, token: str, proof: str | None) -> None:
    if proof is None:
        if account.details.get("require_appsecret_proof"):
            raise GraphError(
                100,
                message="API calls from the server require an appsecret_proof argument",
                type_="GraphMethodException",
            )
        return
    if not hmac.compare_digest(proof, appsecret_proof(account.app_secret, token)):
        raise GraphError(
            100,
            message="Invalid appsecret_proof provided in the API argument",
            type_="GraphMethodException",
        )


async def _body(request: Request) -> tuple[dict[str, Any], dict[str, Upload]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind == "multipart/form-data":
        async with request.form() as form:
            fields = {name: _json_or_text(value) for name, value in form.items() if isinstance(value, str)}
            uploads = {
                name: Upload(await value.read(), value.content_type or "", value.filename or "")
                for name, value in form.items()
                if isinstance(value, UploadFile)
            }
        return fields, uploads
    raw = await request.body()
    if not raw:
        return {}, {}
    if kind == "application/x-www-form-urlencoded":
        return {name: _json_or_text(value) for name, value in parse_qsl(raw.decode())}, {}
    try:
        value: object = json.loads(raw)
    except ValueError as error:
        raise invalid("The request body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise invalid("The request body is not a JSON object.")
    return cast("dict[str, Any]", value), {}


def _json_or_text(value: str) -> object:
    """Form fields carry objects as JSON."""
    if value[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
