"""The first agency and workspace, and the link with which their first owner comes in."""

import secrets
from uuid import UUID

from chatwright.features.workspaces import store
from chatwright.features.workspaces.credentials import SHOWN_PREFIX, digest, new_token
from chatwright.features.workspaces.rules import all_scopes
from chatwright.kernel.ids import new_id

SETUP_LINK_HOURS = 24 * 7
INTO_AGENCY = True


async def found_workspace(name: str, *, agency: str) -> UUID:
    """Make an agency with one workspace; returns the workspace's id."""
    agency_id, workspace_id = new_id(), new_id()
    await store.INSERT_AGENCY.run(agency_id, agency)
    await store.INSERT_WORKSPACE.run(workspace_id, agency_id, name, "UTC", "en")
    return workspace_id


async def first_workspace() -> UUID | None:
    """The oldest workspace, or None on an empty database."""
    return await store.ANY_WORKSPACE.first()


async def lock_founding() -> None:
    """Keep processes that start together from founding twice: the others wait for this transaction."""
    await store.FOUNDING_LOCK.run()


async def needs_setup_link() -> bool:
    """Whether nobody has joined yet, nor holds a set-up link that still works."""
    return await store.NEEDS_SETUP_LINK.one()


async def make_setup_link(workspace_id: UUID) -> str:
    """A one-time path with which the first owner sets an e-mail and a password; shown once, kept as a hash."""
    link = secrets.token_urlsafe(32)
    await store.INSERT_INVITATION.run(
        digest(link), workspace_id, "owner", None, INTO_AGENCY, SETUP_LINK_HOURS
    )
    return f"/join#{link}"


async def issue_owner_token(workspace_id: UUID, name: str) -> str:
    """An access token with every scope, for the machine the server runs on."""
    token = new_token()
    await store.INSERT_TOKEN.run(
        new_id(),
        workspace_id,
        name,
        token[:SHOWN_PREFIX],
        digest(token),
        sorted(all_scopes()),
        False,  # noqa: FBT003 - the column read_only.
        "set-up",
        None,
        None,
        [],
        None,
        None,
        None,
        None,
        False,  # noqa: FBT003 - the column supervised.
    )
    return token
