"""What the first start has to make: a workspace, a demo inbox, a way in for people and one for programs."""

from dataclasses import dataclass
from uuid import UUID

from chatwright.app.wiring import Product
from chatwright.client.profiles import Profile, read_profiles, save_profile
from chatwright.features.messaging.inboxes.models import CreateInbox
from chatwright.features.messaging.inboxes.operations import create_inbox
from chatwright.features.workspaces.authentication import Presented
from chatwright.features.workspaces.founding import (
    first_workspace,
    found_workspace,
    issue_owner_token,
    lock_founding,
    make_setup_link,
    needs_setup_link,
)
from chatwright.features.workspaces.rules import SCOPES, all_scopes
from chatwright.kernel.caller import Caller, PrincipalKind, Surface
from chatwright.kernel.errors import Unauthenticated

LOCAL = "local"
"""Name of the profile that a server on this machine leaves for the programs on it."""


@dataclass(frozen=True)
class Founding:
    """The workspace there is now, and the set-up link if one was made in this start."""

    workspace_id: UUID
    setup_path: str | None


async def found(product: Product) -> Founding:
    """Make on an empty database what everything else hangs on; all of it or nothing."""
    async with product.database.transaction():
        await lock_founding()
        workspace_id = await first_workspace()
        if workspace_id is None:
            workspace_id = await found_workspace("My workspace", agency="My agency")
            await create_inbox(_founder(workspace_id), CreateInbox(channel="webchat", name="Demo"))
        setup_path = await make_setup_link(workspace_id) if await needs_setup_link() else None
    return Founding(workspace_id, setup_path)


async def keep_local_profile(product: Product, workspace_id: UUID) -> None:
    """Leave this server's address and an owner's token for the programs of this user.

    The token that is there already stays as long as it works, and reaches all there is: an extension that was
    installed since then brings scopes.
    """
    known = read_profiles().by_name.get(LOCAL)
    token = known.token if known else None
    if token is None or not await _works(product, token):
        async with product.database.transaction():
            token = await issue_owner_token(workspace_id, "This machine")
    save_profile(Profile(LOCAL, product.settings.public_url, token))


async def _works(product: Product, token: str) -> bool:
    try:
        caller = await product.authenticator.by_token(token, Presented(Surface.JOB))
    except Unauthenticated:
        return False
    return caller.scopes >= all_scopes()


def _founder(workspace_id: UUID) -> Caller:
    return Caller(
        workspace_id=workspace_id,
        kind=PrincipalKind.SYSTEM,
        principal_id="set-up",
        name="Set-up",
        scopes=SCOPES,
        surface=Surface.JOB,
    )
