"""What can go wrong in the workspaces room."""

from chatwright.kernel.errors import Conflict, InvalidInput, NotFound


class MemberNotFound(NotFound):
    code = "MEMBER_NOT_FOUND"


class WorkspaceNotFound(NotFound):
    code = "WORKSPACE_NOT_FOUND"


class InboxNotFound(NotFound):
    code = "INBOX_NOT_FOUND"


class TagNotFound(NotFound):
    code = "TAG_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such tag in this workspace.")


class TokenNotFound(NotFound):
    code = "TOKEN_NOT_FOUND"


class LastOwner(Conflict):
    code = "LAST_OWNER"
    hint = "Make somebody else an owner first."


class UnknownScope(InvalidInput):
    code = "UNKNOWN_SCOPE"


class UnknownToolset(NotFound):
    code = "UNKNOWN_TOOLSET"
