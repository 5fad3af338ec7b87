"""Access tokens of OAuth grants: for what they are good, and for how long."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from chatwright.features.contacts.operations import find_contacts
from chatwright.features.workspaces.authentication import Presented
from chatwright.features.workspaces.credentials import GRANT_PREFIX, digest, new_token
from chatwright.features.workspaces.operations import get_workspace, list_members, set_member_role
from chatwright.kernel.caller import Caller, PrincipalKind, Surface
from chatwright.kernel.errors import OutsideGrant, Unauthenticated
from chatwright.kernel.ids import new_id
from tests.conftest import Desk
from tests.makers import World

RESOURCE = "https://chat.example.com/mcp"
HERE = Presented(Surface.MCP, client="tests", resource=RESOURCE)
LONGEST_BELIEF = 1.0

Grants = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture(loop_scope="session")
async def member(desk: Desk) -> str:
    """Id of a person who manages the workspace."""
    world = World(desk)
    await world.fresh("member")
    member_id = await world.fresh("member")
    await desk.call(set_member_role, member_id=member_id, role="admin")
    return member_id


@pytest.fixture
def granted(desk: Desk, member: str) -> Grants:
    """Makes a grant of the member with a token, as the authorization server would; gives the token."""

    async def grant(**changes: Any) -> str:
        token = new_token(GRANT_PREFIX)
        values = {
            "scopes": ["contacts:read", "contacts:write", "workspace:read"],
            "granted": ["contacts:read", "contacts:write", "workspace:read"],
            "read_only": False,
            "toolsets": None,
            "resource": RESOURCE,
            "lives": "1 hour",
            **changes,
        }
        async with desk.product.database.transaction() as unit:
            grant_id = new_id()
            await unit.connection.execute(
                "insert into oauth_grants"
                " (id, workspace_id, user_id, client_id, client_name, scopes, read_only, toolsets)"
                " values ($1, $2, $3, $4, 'Claude', $5, $6, $7)",
                grant_id,
                desk.caller.workspace_id,
                member,
                str(new_id()),
                values["granted"],
                values["read_only"],
                values["toolsets"],
            )
            await unit.connection.execute(
                "insert into oauth_tokens (token_hash, kind, grant_id, family, client_id, scopes, resource, expires_at)"
                " values ($1, 'access', $2, $2, 'claude', $3, $4, now() + $5::text::interval)",
                digest(token),
                grant_id,
                values["scopes"],
                values["resource"],
                values["lives"],
            )
        return token

    return grant


async def by(desk: Desk, token: str, presented: Presented = HERE) -> Caller:
    return await desk.product.authenticator.by_token(token, presented)


class TestAudience:
    @pytest.mark.parametrize("below", ["", "/readonly", "/x/contacts"])
    async def test_it_is_the_endpoint_and_every_form_of_it(
        self, desk: Desk, granted: Grants, below: str
    ) -> None:
        caller = await by(desk, await granted(resource=RESOURCE + below))
        assert caller.kind is PrincipalKind.GRANT
        assert caller.workspace_id == desk.caller.workspace_id

    @pytest.mark.parametrize(
        "resource",
        [
            "https://chat.example.com",
            "https://chat.example.com/mcpx",
            "https://evil.example/mcp",
            "http://chat.example.com/mcp",
            "https://chat.example.com/api",
            "",
        ],
    )
    async def test_any_other_is_refused(self, desk: Desk, granted: Grants, resource: str) -> None:
        token = await granted(resource=resource)
        with pytest.raises(Unauthenticated, match="something else"):
            await by(desk, token)

    async def test_other_faces_refuse_it(self, desk: Desk, granted: Grants) -> None:
        token = await granted()
        await by(desk, token)
        with pytest.raises(Unauthenticated, match="something else"):
            await by(desk, token, Presented(Surface.HTTP, client="tests"))


class TestReach:
    async def test_it_is_the_tokens_within_the_grants_within_the_persons(
        self, desk: Desk, member: str, granted: Grants
    ) -> None:
        wide = await granted(scopes=["contacts:write", "workspace:write"], granted=["contacts:write"])
        assert (await by(desk, wide)).scopes == {"contacts:read", "contacts:write"}
        await desk.call(set_member_role, member_id=member, role="analyst")
        await asyncio.sleep(LONGEST_BELIEF)
        assert (await by(desk, wide)).scopes == {"contacts:read"}

    async def test_a_read_only_grant_reads(self, desk: Desk, granted: Grants) -> None:
        caller = await by(desk, await granted(read_only=True))
        assert caller.scopes == {"contacts:read", "workspace:read"}

    async def test_outside_of_its_toolsets_it_reaches_nothing(self, desk: Desk, granted: Grants) -> None:
        caller = await by(desk, await granted(toolsets=["contacts"]))
        await desk.call(find_contacts, as_=caller)
        with pytest.raises(OutsideGrant):
            await desk.call(get_workspace, as_=caller)

    async def test_a_toolset_that_is_gone_reaches_nothing(self, desk: Desk, granted: Grants) -> None:
        caller = await by(desk, await granted(toolsets=["abolished"]))
        with pytest.raises(OutsideGrant):
            await desk.call(find_contacts, as_=caller)


class TestEnd:
    async def test_an_expired_token_is_nobody(self, desk: Desk, granted: Grants) -> None:
        token = await granted(lives="-1 second")
        with pytest.raises(Unauthenticated):
            await by(desk, token)

    @pytest.mark.parametrize("table", ["oauth_tokens", "oauth_grants"])
    async def test_it_is_refused_within_a_second_of_its_revocation(
        self, desk: Desk, granted: Grants, table: str
    ) -> None:
        token = await granted()
        caller = await by(desk, token)
        column = "grant_id" if table == "oauth_tokens" else "id"
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute(
                f"update {table} set revoked_at = now() where {column} = $1",
                caller.principal_id,
            )
        await asyncio.sleep(LONGEST_BELIEF)
        with pytest.raises(Unauthenticated):
            await by(desk, token)

    async def test_it_ends_with_the_membership(self, desk: Desk, member: str, granted: Grants) -> None:
        token = await granted()
        await by(desk, token)
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute("delete from members where user_id = $1", member)
        await asyncio.sleep(LONGEST_BELIEF)
        with pytest.raises(Unauthenticated):
            await by(desk, token)
        assert member not in {each["id"] for each in (await desk.call(list_members))["items"]}

    @pytest.mark.parametrize("token", ["cwo_", "cwo_unknown", "eyJhbGciOiJub25lIn0.e30.", "cwx_1"])
    async def test_nonsense_is_nobody(self, desk: Desk, token: str) -> None:
        with pytest.raises(Unauthenticated):
            await by(desk, token)
