"""Who calls: the identity and limits that travel with every operation."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from chatwright.kernel.errors import Forbidden, ScopeMissing
from chatwright.kernel.ids import new_id


class PrincipalKind(StrEnum):
    """What kind of actor a caller is."""

    MEMBER = "member"
    TOKEN = "token"  # noqa: S105 - the kind of a principal, not a secret.
    GRANT = "grant"
    AGENT = "agent"
    FLOW = "flow"
    SYSTEM = "system"


class Surface(StrEnum):
    """The face through which a call came."""

    MCP = "mcp"
    HTTP = "http"
    CLI = "cli"
    WEB = "web"
    JOB = "job"


class Trust(StrEnum):
    """Whose words led to this call: our people's, or text from a customer or an outside tool."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"


OWN_SCOPE: Final = "self:read"
"""What every caller holds without being given it: to be told of what it asked for itself."""
OWN_WRITE_SCOPE: Final = "self:write"
"""Likewise: to end what is its own."""
OWN_SCOPES: Final = frozenset({OWN_SCOPE, OWN_WRITE_SCOPE})


@dataclass(frozen=True, slots=True)
class Maker:
    """A token or grant that other access was made by."""

    kind: PrincipalKind
    principal_id: str
    calls_per_minute: int | None = None
    """A rate of its own, which it shares with all that it made."""


@dataclass(frozen=True)
class Caller:
    """One caller during one call. Made by authentication, never by a face on its own."""

    workspace_id: UUID
    kind: PrincipalKind
    principal_id: str
    name: str
    scopes: frozenset[str]
    surface: Surface
    inbox_ids: frozenset[UUID] | None = None
    """The inboxes this caller is limited to; None for all of the workspace's."""
    operations: frozenset[str] | None = None
    """The names of the operations this caller's grant is limited to (its toolsets); None for all its scopes reach."""
    tag_ids: frozenset[UUID] | None = None
    """The tags this caller is limited to: it sees contacts that carry one of them, and what belongs to those."""
    calls_per_minute: int | None = None
    """A rate of this caller's own, below the usual one."""
    supervised: bool = False
    """Whether a person of the workspace has to approve its risky calls."""
    person_id: UUID | None = None
    """The person whose access this is: a member, or the one behind a token or grant. None for the server's own."""
    toolsets: frozenset[str] | None = None
    """The names of the toolsets that `operations` comes from."""
    expires_at: datetime | None = None
    """When this access ends by itself."""
    made_by: tuple[Maker, ...] = ()
    """The tokens and grants that this access comes from, the first one first; it ends with any of them."""
    rehearsing: bool = False
    """Whether this call is a dry run: its transaction is undone, and what calls a provider must leave that out."""
    client: str = ""
    """The program that calls, as it names itself (`claude-desktop/1.2`, a user agent)."""
    trust: Trust = Trust.TRUSTED
    request_id: str = field(default_factory=lambda: new_id().hex)
    call_key: str | None = None
    """What repetitions of this call have in common: it stands for its idempotency key. None for a call without one."""

    @property
    def call_id(self) -> str:
        """The one call that this is, however often it is repeated under its idempotency key.

        What an operation does outside of the transaction, where a crash undoes nothing, is done once under this name.
        """
        return self.call_key or self.request_id

    def in_call(self, surface: Surface, client: str, request_id: str) -> "Caller":
        """The same caller in another call: every request makes one, and dataclasses.replace takes ten times as long."""
        again = object.__new__(Caller)
        vars(again).update(vars(self), surface=surface, client=client, request_id=request_id)
        return again

    def may(self, scope: str) -> bool:
        """Whether the caller holds a scope; `contacts:write` includes `contacts:read`."""
        if scope in self.scopes or scope in OWN_SCOPES:
            return True
        return scope.endswith(":read") and f"{scope.removesuffix(':read')}:write" in self.scopes

    def require(self, scope: str) -> None:
        """Raise ScopeMissing unless the caller holds the scope."""
        if not self.may(scope):
            raise ScopeMissing(scope)

    def require_every_inbox(self) -> None:
        """Raise Forbidden for a caller limited to some inboxes: what it asks for concerns all of them."""
        if self.inbox_ids is not None:
            raise Forbidden("This concerns the whole workspace, and the caller is limited to some inboxes.")

    def sees_inbox(self, inbox_id: UUID) -> bool:
        """Whether the caller's inbox limits let it see this inbox."""
        return self.inbox_ids is None or inbox_id in self.inbox_ids
