"""What goes in and out of the authorization server's operations."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chatwright.features.workspaces.models import CallsPerMinute, Ids, Name, Scopes, Toolsets
from chatwright.kernel.moments import Moment
from chatwright.kernel.operation import Input, Output
from chatwright.kernel.paging import PageRequest

RedirectUri = Annotated[str, Field(max_length=2048)]


class Grant(Output):
    """What a person allowed a client, or what a client may do by itself."""

    id: UUID
    """Id of the grant."""
    client_id: str
    """The client: an id of this server, or the address of its metadata document."""
    client_name: str
    """What the client calls itself."""
    user_id: UUID | None
    """The person whose role bounds it; none for a client of the server's own token."""
    user_name: str | None
    """That person's name."""
    scopes: list[str]
    """What was allowed; it never does more than the person may do now."""
    read_only: bool
    """Whether it may only read, whatever its scopes say."""
    toolsets: list[str] | None
    """Toolsets it is limited to; all that its scopes reach when absent."""
    inbox_ids: list[UUID] | None
    """Inboxes it is limited to; all when absent."""
    tag_ids: list[UUID] | None
    """Tags it is limited to: it sees contacts that carry one of them; all when absent."""
    calls_per_minute: int | None
    """A rate of its own; the usual one when absent."""
    supervised: bool
    """Whether a person has to approve its risky calls."""
    created_at: datetime
    """When it was given."""
    changed_at: datetime
    """When it was last widened or narrowed."""
    expires_at: datetime | None
    """When it ends by itself."""
    last_used_at: datetime | None
    """When it was last used, to the minute."""


class RevokedGrant(Grant):
    """A grant that was taken back."""

    ended_with_it: int
    """How many tokens and grants that were made with it ended too."""


class ListGrants(PageRequest):
    """The grants that were not revoked."""


class ListConnections(PageRequest):
    """The caller's own grants."""


class EndConnection(Input):
    """A grant of the caller's own to take back."""

    grant_id: UUID
    """Id of the grant."""


class GetGrant(Input):
    """A grant to look at."""

    grant_id: UUID
    """Id of the grant."""


class RevokeGrant(Input):
    """A grant to take back."""

    grant_id: UUID
    """Id of the grant."""


class NarrowGrant(Input):
    """Limits for a grant. What is left out stays; nothing can be made wider."""

    grant_id: UUID
    """Id of the grant."""
    scopes: Annotated[Scopes, Field(min_length=1)] | None = None
    """Only these of its scopes."""
    read_only: bool | None = None
    """True: it may only read from now on."""
    toolsets: Toolsets | None = None
    """Only these toolsets."""
    inbox_ids: Ids | None = None
    """Only these inboxes."""
    tag_ids: Ids | None = None
    """Only contacts that carry one of these tags."""
    calls_per_minute: CallsPerMinute | None = None
    """At most so many calls a minute, of which a tenth may come at once."""
    supervised: bool | None = None
    """True: a person has to approve its risky calls from now on."""
    expires_at: Moment | None = None
    """When it ends."""


class OAuthClient(Output):
    """A client that a member made, without its secret."""

    client_id: UUID
    """Its id."""
    name: str
    """What it is for."""
    machine: bool
    """Whether it acts on its own (client credentials) rather than for people who allow it."""
    redirect_uris: list[str]
    """Where people are sent back to; none for a machine."""
    created_by: str
    """Who made it."""
    created_at: datetime
    """When it was made."""
    last_used_at: datetime | None
    """When it last got a token."""


class CreateOAuthClient(Input):
    """A client with a secret: a machine, or a web application that people allow things."""

    name: Name
    """What it is for; people see it when they are asked."""
    scopes: Scopes | None = None
    """Of a machine: scopes such as `contacts:read`; everything the caller may do when absent."""
    redirect_uris: Annotated[list[RedirectUri], Field(min_length=1, max_length=10)] | None = None
    """Where people are sent back to. With these it is no machine: it acts for people who sign in and allow it."""
    read_only: bool = False
    """Of a machine: whether it may only read."""
    toolsets: Toolsets | None = None
    """Of a machine: limit it to these toolsets."""
    inbox_ids: Ids | None = None
    """Of a machine: limit it to these inboxes."""
    tag_ids: Ids | None = None
    """Of a machine: limit it to contacts that carry one of these tags."""
    calls_per_minute: CallsPerMinute | None = None
    """Of a machine: at most so many calls a minute, of which a tenth may come at once."""
    supervised: bool = False
    """Of a machine: whether a person has to approve its risky calls."""
    expires_at: Moment | None = None
    """Of a machine: when its grant ends; never when absent."""


class CreatedOAuthClient(Output):
    """A new client with its secret, which is shown only now."""

    client: OAuthClient
    """The client."""
    client_secret: str
    """What it proves itself with, by client_secret_basic or client_secret_post."""
    grant: Grant | None
    """What a machine may do; none for a client that acts for people."""


class ListOAuthClients(PageRequest):
    """The clients that members of this workspace made."""


class DeleteOAuthClient(Input):
    """A client to delete."""

    client_id: UUID
    """Its id."""


class DeletedOAuthClient(Output):
    """A client is no longer there."""

    client_id: UUID
    """Its id."""
    grants_revoked: int
    """How many grants ended with it."""
