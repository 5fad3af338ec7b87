"""People: joining by link, signing in, roles."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from chatwright.features.workspaces.authentication import Join, Presented, SignIn
from chatwright.features.workspaces.errors import LastOwner, MemberNotFound, WorkspaceNotFound
from chatwright.features.workspaces.founding import make_setup_link
from chatwright.features.workspaces.operations import (
    create_token,
    create_workspace,
    invite_member,
    list_members,
    list_workspaces,
    remove_member,
    set_member_role,
)
from chatwright.kernel.caller import Caller, PrincipalKind, Surface
from chatwright.kernel.errors import (
    ApprovalRequired,
    Conflict,
    Forbidden,
    InvalidInput,
    OutsideGrant,
    ScopeMissing,
    Unauthenticated,
)
from chatwright.kernel.ids import new_id
from tests.conftest import Desk
from tests.features.contacts.test_identities import events_of

PASSWORD = "correct horse battery"
WEB = Presented(Surface.WEB)


def address() -> str:
    return f"{new_id().hex}@example.com"


async def join(desk: Desk, path: str, email: str, *, password: str = PASSWORD) -> Caller:
    request = Join.model_validate(
        {"link": path.partition("#")[2], "email": email, "name": "Ann", "password": password}
    )
    cookie = await desk.product.sessions.join(request, "tests")
    return await desk.product.authenticator.by_session(cookie, WEB)


async def set_up(desk: Desk) -> Caller:
    """The first owner, come in by the set-up link."""
    async with desk.product.database.transaction():
        path = await make_setup_link(desk.caller.workspace_id)
    return await join(desk, path, address())


async def invite(desk: Desk, role: str, as_: Caller | None = None) -> Caller:
    email = address()
    invitation = await desk.call(invite_member, as_=as_, email=email, role=role)
    return await join(desk, invitation["path"], email)


async def holder_of(desk: Desk, made: dict[str, Any]) -> Caller:
    """Whoever presents a token that was just made."""
    return await desk.product.authenticator.by_token(made["token"], WEB)


class TestSetUpLink:
    async def test_it_makes_an_owner_once(self, desk: Desk) -> None:
        async with desk.product.database.transaction():
            path = await make_setup_link(desk.caller.workspace_id)
        owner = await join(desk, path, address())
        assert owner.kind is PrincipalKind.MEMBER
        assert owner.may("tokens:write")
        with pytest.raises(InvalidInput, match="used already"):
            await join(desk, path, address())


class TestInvite:
    async def test_that_somebody_joined_is_announced(self, desk: Desk) -> None:
        member = await invite(desk, "agent")
        assert ("member.joined", UUID(member.principal_id)) in await events_of(desk)

    async def test_the_link_is_for_one_address(self, desk: Desk) -> None:
        invitation = await desk.call(invite_member, email=address(), role="agent")
        with pytest.raises(InvalidInput, match="another e-mail"):
            await join(desk, invitation["path"], address())

    async def test_the_role_decides_the_scopes(self, desk: Desk) -> None:
        agent = await invite(desk, "agent")
        assert agent.may("conversations:write")
        assert not agent.may("tokens:read")
        analyst = await invite(desk, "analyst")
        assert analyst.may("contacts:read")
        assert not analyst.may("contacts:write")

    async def test_an_admin_makes_no_owners(self, desk: Desk) -> None:
        admin = await invite(desk, "admin")
        with pytest.raises(Forbidden):
            await desk.call(invite_member, as_=admin, email=address(), role="owner")

    async def test_nor_does_a_token_that_an_admin_made(self, desk: Desk) -> None:
        owner, admin = await set_up(desk), await invite(desk, "admin")
        program = await holder_of(desk, await desk.call(create_token, as_=admin, name="Mine"))
        for call in (
            desk.call(invite_member, as_=program, email=address(), role="owner"),
            desk.call(set_member_role, as_=program, member_id=admin.principal_id, role="owner"),
            desk.call(set_member_role, as_=program, member_id=owner.principal_id, role="agent"),
            desk.call(remove_member, as_=program, member_id=owner.principal_id),
        ):
            with pytest.raises(Forbidden):
                await call

    async def test_a_token_that_an_owner_made_counts_as_the_owner(self, desk: Desk) -> None:
        program = await holder_of(desk, await desk.call(create_token, as_=await set_up(desk), name="Mine"))
        assert (await invite(desk, "owner", as_=program)).may("tokens:write")

    async def test_a_caller_limited_to_inboxes_changes_no_members(self, desk: Desk) -> None:
        """Whoever it let in would see all of them."""
        agent = await invite(desk, "agent")
        limited = desk.caller_with(*desk.caller.scopes, inbox_ids=frozenset({new_id()}))
        for call in (
            desk.call(invite_member, as_=limited, email=address(), role="agent"),
            desk.call(set_member_role, as_=limited, member_id=agent.principal_id, role="admin"),
            desk.call(remove_member, as_=limited, member_id=agent.principal_id),
        ):
            with pytest.raises(Forbidden):
                await call

    async def test_nobody_lets_in_who_may_do_more_than_they_do(self, desk: Desk) -> None:
        """The link says who has it, and that is whoever made it."""
        owner = await set_up(desk)
        made = await desk.call(create_token, as_=owner, name="Mine", scopes=["workspace:write"])
        with pytest.raises(ScopeMissing):
            await desk.call(invite_member, as_=await holder_of(desk, made), email=address(), role="agent")
        made = await desk.call(create_token, as_=owner, name="Mine", toolsets=["members"])
        with pytest.raises(OutsideGrant):
            await desk.call(invite_member, as_=await holder_of(desk, made), email=address(), role="agent")

    async def test_a_supervised_program_lets_nobody_in_by_itself(self, desk: Desk) -> None:
        made = await desk.call(create_token, as_=await set_up(desk), name="Mine", supervised=True)
        with pytest.raises(ApprovalRequired):
            await desk.call(invite_member, as_=await holder_of(desk, made), email=address(), role="admin")

    async def test_who_has_an_account_joins_a_further_workspace_with_its_password(
        self, desk: Desk, stranger: Desk
    ) -> None:
        email = address()
        first = await desk.call(invite_member, email=email, role="agent")
        second = await stranger.call(invite_member, email=email, role="analyst")
        ann = await join(desk, first["path"], email)
        with pytest.raises(Conflict, match="not its password"):
            await join(desk, second["path"], email, password="another password")
        there = await join(desk, second["path"], email)
        assert there.principal_id == ann.principal_id
        assert there.workspace_id == stranger.caller.workspace_id
        memberships = await desk.product.sessions.memberships(UUID(ann.principal_id))
        assert [membership.role for membership in memberships] == ["agent", "analyst"]


class TestSignIn:
    async def test_with_the_right_password_until_signed_out(self, desk: Desk) -> None:
        email = address()
        invitation = await desk.call(invite_member, email=email, role="agent")
        await join(desk, invitation["path"], email)
        sessions, authenticator = desk.product.sessions, desk.product.authenticator
        request = SignIn.model_validate({"email": email.upper(), "password": PASSWORD})
        cookie = await sessions.sign_in(request, "tests")
        assert (await authenticator.by_session(cookie, WEB)).workspace_id == desk.caller.workspace_id
        await sessions.sign_out(cookie)
        with pytest.raises(Unauthenticated):
            await authenticator.by_session(cookie, WEB)

    @pytest.mark.parametrize("account", ["joined", "only invited"])
    async def test_a_wrong_password_and_an_unknown_address_look_the_same(
        self, desk: Desk, account: str
    ) -> None:
        email = address()
        invitation = await desk.call(invite_member, email=email, role="agent")
        if account == "joined":
            await join(desk, invitation["path"], email)
        request = SignIn.model_validate({"email": email, "password": "wrong password"})
        with pytest.raises(Unauthenticated, match=r"^E-mail or password is wrong\.$"):
            await desk.product.sessions.sign_in(request, "tests")


class TestRoles:
    async def test_the_last_owner_stays(self, desk: Desk) -> None:
        owner = await set_up(desk)
        with pytest.raises(LastOwner):
            await desk.call(set_member_role, member_id=owner.principal_id, role="admin")
        with pytest.raises(LastOwner):
            await desk.call(remove_member, member_id=owner.principal_id)
        await invite(desk, "owner")
        changed = await desk.call(set_member_role, member_id=owner.principal_id, role="admin")
        assert changed["role"] == "admin"

    async def test_a_removed_member_is_out_at_once(self, desk: Desk) -> None:
        await set_up(desk)
        email = address()
        invitation = await desk.call(invite_member, email=email, role="agent")
        agent = await join(desk, invitation["path"], email)
        request = SignIn.model_validate({"email": email, "password": PASSWORD})
        cookie = await desk.product.sessions.sign_in(request, "tests")
        await desk.call(remove_member, member_id=agent.principal_id)
        with pytest.raises(Unauthenticated):
            await desk.product.authenticator.by_session(cookie, WEB)
        with pytest.raises(MemberNotFound):
            await desk.call(remove_member, member_id=agent.principal_id)
        listed = await desk.call(list_members)
        assert agent.principal_id not in [member["id"] for member in listed["items"]]


class TestTokensOfMembers:
    async def test_a_removed_members_tokens_are_refused_and_those_made_with_them(self, desk: Desk) -> None:
        await set_up(desk)
        admin = await invite(desk, "admin")
        made = await desk.call(create_token, as_=admin, name="mine")
        authenticator = desk.product.authenticator
        with_it = await authenticator.by_token(made["token"], WEB)
        further = await desk.call(create_token, as_=with_it, name="further")
        await desk.call(remove_member, member_id=admin.principal_id)
        await asyncio.sleep(1.0)
        for token in (made["token"], further["token"]):
            with pytest.raises(Unauthenticated):
                await authenticator.by_token(token, WEB)

    async def test_a_token_does_no_more_than_its_maker_may_now(self, desk: Desk) -> None:
        await set_up(desk)
        admin = await invite(desk, "admin")
        made = await desk.call(create_token, as_=admin, name="mine")
        await desk.call(set_member_role, member_id=admin.principal_id, role="analyst")
        caller = await desk.product.authenticator.by_token(made["token"], WEB)
        assert caller.may("contacts:read")
        assert not caller.may("contacts:write")
        assert not caller.may("tokens:read")


class TestWorkspaces:
    async def test_people_of_the_agency_see_its_workspaces_and_strangers_do_not(
        self, desk: Desk, stranger: Desk
    ) -> None:
        owner = await set_up(desk)
        made = await desk.call(create_workspace, as_=owner, name="Client")
        mine = await desk.call(list_workspaces, as_=owner)
        assert [workspace["name"] for workspace in mine["items"]] == ["Test", "Client"]
        theirs = await stranger.call(list_workspaces)
        assert made["workspace"]["id"] not in [workspace["id"] for workspace in theirs["items"]]

    async def test_a_clients_owner_sees_nothing_of_the_agency(self, desk: Desk) -> None:
        made = await desk.call(create_workspace, name="Client")
        client = await join(desk, made["owner_path"], address())
        assert str(client.workspace_id) == made["workspace"]["id"]
        assert client.may("workspace:write")
        with pytest.raises(ScopeMissing):
            await desk.call(list_workspaces, as_=client)

    async def test_a_session_goes_from_one_workspace_to_another(self, desk: Desk, stranger: Desk) -> None:
        email = address()
        await join(desk, (await desk.call(invite_member, email=email, role="agent"))["path"], email)
        second = await desk.call(create_workspace, name="Second")
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute(
                "insert into members (workspace_id, user_id, role) select $1, id, 'admin' from users where email = $2",
                second["workspace"]["id"],
                email,
            )
        request = SignIn.model_validate({"email": email, "password": PASSWORD})
        sessions = desk.product.sessions
        cookie = await sessions.sign_in(request, "tests")
        await sessions.enter(cookie, UUID(second["workspace"]["id"]))
        caller = await desk.product.authenticator.by_session(cookie, WEB)
        assert str(caller.workspace_id) == second["workspace"]["id"]
        assert caller.may("workspace:write")
        with pytest.raises(WorkspaceNotFound):
            await sessions.enter(cookie, stranger.caller.workspace_id)
