"""What goes in and out about approvals."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chatwright.kernel.lengths import MOST_LOOSE_FIELDS
from chatwright.kernel.operation import OUTSIDE, PRIVATE, Input, Output
from chatwright.kernel.paging import PageRequest

MOST_HOURS = 24 * 30
USUAL_HOURS = 72

Status = Literal["waiting", "approved", "refused", "expired"]

EditedArguments = Annotated[dict[str, Any], Field(max_length=MOST_LOOSE_FIELDS)]
"""The operation that is called judges what is in them."""


class Principal(Output):
    """Who asked or decided."""

    kind: str
    """What kind of actor: `member`, `token`, `agent`, `flow`."""
    id: str
    """Id of the member, token or grant."""
    name: str
    """Its name."""


class Approval(Output):
    """A call that a person has to approve, or had to."""

    id: UUID
    """Id of the approval."""
    operation: str
    """Name of the operation that was called."""
    status: Status
    """What became of it."""
    requested_by: Principal
    """Who called."""
    arguments: Annotated[dict[str, Any], OUTSIDE]
    """The arguments of the call; what can hold secrets is hidden."""
    created_at: datetime
    """When it was asked for."""
    expires_at: datetime
    """Until when it can be decided."""
    decided_at: datetime | None
    """When it was decided, or expired."""
    decided_by: Principal | None
    """Who decided."""
    reason: str | None
    """Why it was refused."""
    edited: bool
    """Whether it ran with other arguments than were asked for."""
    result: Annotated[dict[str, Any] | None, OUTSIDE] = None
    """What the call answered once it was approved, for its requester alone; in a dry run what it would answer, for
    whoever could make such a call."""


class ListApprovals(PageRequest):
    """Which approvals to show, newest first."""

    status: Status | None = None
    """Only those of this status."""


class ShowApproval(Input):
    """An approval to show."""

    approval_id: UUID
    """Id of the approval."""


class ApproveCall(Input):
    """A call to let happen."""

    approval_id: UUID
    """Id of the approval."""
    arguments: Annotated[EditedArguments | None, PRIVATE] = None
    """Arguments to run it with instead; those left out stay as they were asked for."""


class RefuseCall(Input):
    """A call to turn down."""

    approval_id: UUID
    """Id of the approval."""
    reason: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Why, for whoever asked."""


class ApprovalPolicySetting(Output):
    """What a workspace wants a person to approve."""

    supervision: Literal["none", "risky", "writes"]
    """`risky`: deletions, exports and what reaches outside. `writes`: whatever changes something. Members at their own
    screen decide for themselves."""
    hours: int
    """How long a call waits for a person before it expires."""


class ShowApprovalPolicy(Input):
    """The caller's own workspace; nothing to choose."""


class SetApprovalPolicy(Input):
    """What the workspace wants approved from now on."""

    supervision: Literal["none", "risky", "writes"]
    """`risky`: deletions, exports and what reaches outside. `writes`: whatever changes something. Members at their own
    screen decide for themselves; supervised tokens have what is risky approved in any case."""
    hours: Annotated[int, Field(ge=1, le=MOST_HOURS)] = USUAL_HOURS
    """How long a call waits for a person before it expires."""
