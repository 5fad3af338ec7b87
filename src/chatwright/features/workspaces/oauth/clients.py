"""Who asks: clients with a row, clients known by their metadata document, and how they prove themselves."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from chatwright.features.workspaces.credentials import digest
from chatwright.features.workspaces.oauth import store
from chatwright.features.workspaces.oauth.errors import ClientRefused, Refused
from chatwright.features.workspaces.oauth.rules import (
    ApplicationType,
    host_of,
    is_document_url,
    is_local,
    is_own_machine,
    redirect_problem,
)
from chatwright.features.workspaces.rules import all_scopes

SECRET_PREFIX: Final = "cws_"  # noqa: S105 - the public part of every client's secret.
ID_PREFIX: Final = "cwc_"
"""The public part of the ids of clients that registered themselves."""
WITH_SECRET: Final = frozenset({"client_secret_basic", "client_secret_post"})
GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")
MOST_UNUSED: Final = 1000
"""How many registrations may wait to be used; beyond that the oldest goes."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program that wants access."""

    id: str
    name: str
    redirect_uris: tuple[str, ...]
    auth_method: str
    secret_hash: bytes | None = None
    scopes: frozenset[str] | None = None
    """What it asks for where a request names nothing."""
    workspace_id: object | None = None
    """The workspace whose member made it; None when it came by itself."""
    machine: bool = False
    listed: bool = False
    """Whether the server's settings name the domain of its document."""

    @property
    def host(self) -> str | None:
        """The host that vouches for it; None when nobody does."""
        return host_of(self.id) if is_document_url(self.id) else None

    @property
    def vouched_for(self) -> bool:
        """Whether nobody else can pass itself off as it, even on the person's own machine."""
        return self.listed or self.workspace_id is not None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a client presents at the token endpoint."""

    client_id: str
    secret: str | None
    method: str
    """`none`, `client_secret_basic` or `client_secret_post`."""


def _as_method(value: object) -> object:
    return "none" if value is None else value


class Metadata(BaseModel):
    """What a client says of itself, in a registration (RFC 7591) or a document; the rest is not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    redirect_uris: Annotated[list[str], Field(min_length=1, max_length=20)]
    client_name: Annotated[str, Field(max_length=200)] | None = None
    token_endpoint_auth_method: Annotated[
        Literal["none", "client_secret_basic", "client_secret_post"], BeforeValidator(_as_method)
    ] = "none"  # noqa: S105 - the name of a method.
    grant_types: list[str] = ["authorization_code", "refresh_token"]
    response_types: list[str] = ["code"]
    application_type: ApplicationType | None = None
    scope: Annotated[str, Field(max_length=2000)] | None = None

    @property
    def scopes(self) -> list[str] | None:
        """The known ones of the scopes it names."""
        return sorted(all_scopes() & frozenset(self.scope.split())) or None if self.scope else None

    @property
    def shown_name(self) -> str:
        """Its name on one line, or where it leads."""
        words = " ".join((self.client_name or "").split())
        # Marks that turn the direction of writing would let a name look like another's.
        return "".join(filter(str.isprintable, words)) or host_of(self.redirect_uris[0])


def read_metadata(told: Mapping[str, object]) -> Metadata:
    """Check what a client says of itself; raises Refused in the words of RFC 7591, section 3.2.2."""
    try:
        metadata = Metadata.model_validate(told)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        code = "invalid_redirect_uri" if field == "redirect_uris" else "invalid_client_metadata"
        raise Refused(code, f"The field {field} is not what this server takes.") from None
    for uri in metadata.redirect_uris:
        if problem := redirect_problem(uri, metadata.application_type):
            raise Refused("invalid_redirect_uri", f"{uri[:200]}: {problem}")
    if "authorization_code" not in metadata.grant_types or "code" not in metadata.response_types:
        raise Refused("invalid_client_metadata", "Clients here use authorization codes.")
    return metadata


async def register(told: Mapping[str, object]) -> dict[str, object]:
    """Take a client in that comes by itself (RFC 7591), in the current transaction; returns what to answer."""
    metadata = read_metadata(told)
    client_id = ID_PREFIX + secrets.token_urlsafe(18)
    secret = new_secret() if metadata.token_endpoint_auth_method in WITH_SECRET else None
    issued_at: int = await store.REGISTER_CLIENT.one(
        client_id,
        metadata.shown_name,
        None if secret is None else digest(secret),
        metadata.token_endpoint_auth_method,
        metadata.redirect_uris,
        metadata.scopes,
    )
    await store.CROWD_OUT_CLIENTS.run(MOST_UNUSED)
    answer: dict[str, object] = {
        "client_id": client_id,
        "client_id_issued_at": issued_at,
        "client_name": metadata.shown_name,
        "redirect_uris": metadata.redirect_uris,
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "application_type": metadata.application_type or _type_of(metadata.redirect_uris),
    }
    if metadata.scopes is not None:
        answer["scope"] = " ".join(metadata.scopes)
    if secret is not None:
        answer |= {"client_secret": secret, "client_secret_expires_at": 0}
    return answer


def new_secret() -> str:
    """A fresh secret of a client."""
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def client_of_row(row: store.StoredClient) -> Client:
    """A client that has a row."""
    return Client(
        id=row.id,
        name=row.name,
        redirect_uris=tuple(row.redirect_uris),
        auth_method=row.auth_method,
        secret_hash=row.secret_hash,
        scopes=None if row.scopes is None else frozenset(row.scopes),
        workspace_id=row.workspace_id,
        machine=row.machine,
    )


def check_proof(client: Client, proof: Proof) -> None:
    """Raise ClientRefused unless a client proves itself as it has to. Both ways to send a secret are as good."""
    if client.secret_hash is None:
        if proof.secret is not None:
            raise ClientRefused("This client has no secret.")
        return
    if proof.secret is None or not hmac.compare_digest(digest(proof.secret), client.secret_hash):
        raise ClientRefused("The client's secret is missing or wrong.")


def is_listed(client_id: str, domains: frozenset[str]) -> bool:
    """Whether a document's host is one of these domains, or below one."""
    host = (urlsplit(client_id).hostname or "").lower()
    return not is_own_machine(host) and any(host == name or host.endswith(f".{name}") for name in domains)


def _type_of(redirect_uris: list[str]) -> ApplicationType:
    return "native" if all(map(is_local, redirect_uris)) else "web"
