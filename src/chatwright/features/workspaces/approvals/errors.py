"""What can go wrong with approvals."""

from chatwright.kernel.errors import Conflict, Forbidden, NotFound


class ApprovalNotFound(NotFound):
    code = "APPROVAL_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such approval, or the caller may not see it.")


class ApprovalDecided(Conflict):
    code = "APPROVAL_DECIDED"
    hint = "The call has to be made anew to be decided anew."


class OwnApproval(Forbidden):
    code = "OWN_APPROVAL"
    hint = "Another member of the workspace has to decide."


class EditBeyondAccess(Forbidden):
    code = "EDIT_BEYOND_ACCESS"
    hint = (
        "Approve the call as it was asked for, refuse it, or leave it to somebody who may make it themselves."
    )


class RequesterGone(Conflict):
    code = "REQUESTER_GONE"
    hint = "Refuse it. Whoever still wants the call makes it anew."


class QueueFull(Conflict):
    code = "APPROVAL_QUEUE_FULL"
    hint = "Stop asking until a person of the workspace has decided some of them."
