"""Every operation of the product, in one explicit tuple."""

from typing import Final

from chatwright.features.workspaces import operations as workspaces
from chatwright.kernel.operation import AnyOperation

CATALOGUE: Final[tuple[AnyOperation, ...]] = (
    workspaces.get_workspace,
    workspaces.update_workspace,
    workspaces.create_workspace,
    workspaces.list_workspaces,
    workspaces.list_members,
    workspaces.invite_member,
    workspaces.set_member_role,
    workspaces.remove_member,
    workspaces.create_token,
    workspaces.list_tokens,
    workspaces.revoke_token,
    workspaces.list_audit,
    workspaces.verify_audit,
)
