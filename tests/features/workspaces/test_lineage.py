"""Tokens and grants that tokens and grants made: they end with their makers, and have no more than those have."""

import asyncio
from typing import Any

import pytest

from chatwright.features.contacts.operations import create_contact, find_contacts
from chatwright.features.workspaces.approvals.errors import RequesterGone
from chatwright.features.workspaces.approvals.operations import approve_call
from chatwright.features.workspaces.authentication import Authenticator, Presented
from chatwright.features.workspaces.limits import BURST_SECONDS
from chatwright.features.workspaces.oauth.clients import Proof
from chatwright.features.workspaces.oauth.errors import Refused
from chatwright.features.workspaces.oauth.issuing import Visit
from chatwright.features.workspaces.oauth.operations import (
    create_oauth_client,
    list_grants,
    narrow_grant,
    revoke_grant,
)
from chatwright.features.workspaces.operations import create_token, list_tokens, remove_member, revoke_token
from chatwright.kernel.caller import Caller, Surface
from chatwright.kernel.errors import ApprovalRequired, RateLimitExceeded, ScopeMissing, Unauthenticated
from tests.conftest import Desk
from tests.features.workspaces.people import member_of

HERE = Presented(Surface.HTTP, client="tests", resource="http://testserver/mcp")
BURST = 4
LONGEST_BELIEF = 1.0
"""Seconds within which a revocation must count everywhere."""


async def token_by(desk: Desk, maker: Caller | None, **wishes: Any) -> tuple[str, str]:
    """A token's secret and id."""
    made = await desk.call(create_token, as_=maker, **{"name": "made", **wishes})
    return made["token"], made["access_token"]["id"]


async def behind(desk: Desk, token: str) -> Caller:
    return await desk.product.authenticator.by_token(token, HERE)


async def caller_by(desk: Desk, maker: Caller | None, **wishes: Any) -> Caller:
    token, _ = await token_by(desk, maker, **wishes)
    return await behind(desk, token)


async def machine_by(desk: Desk, maker: Caller | None, **wishes: Any) -> tuple[str, str, Proof]:
    """An access token of a machine, its grant's id, and what it gets the next one with."""
    made = await desk.call(create_oauth_client, as_=maker, name="Machine", **wishes)
    proof = Proof(made["client"]["client_id"], made["client_secret"], "client_secret_basic")
    return await token_of_machine(desk, proof), made["grant"]["id"], proof


async def token_of_machine(desk: Desk, proof: Proof) -> str:
    server = desk.product.oauth
    client = await server.prove(proof)
    return (await server.issuing.for_machine(client, Visit("tests", "r"), scope=None, resources=[])).access


async def assert_ended(desk: Desk, *tokens: str) -> None:
    """Ask a process that has believed nobody yet, and so need not forget anybody first."""
    for token in tokens:
        with pytest.raises(Unauthenticated):
            await elsewhere(desk).by_token(token, HERE)


def elsewhere(desk: Desk) -> Authenticator:
    return Authenticator(desk.product.database)


class TestEnd:
    async def test_all_ends_with_the_first_one_at_any_depth(self, desk: Desk) -> None:
        first, root = await token_by(desk, None)
        second, _ = await token_by(desk, await behind(desk, first))
        third, _ = await token_by(desk, await behind(desk, second))
        await behind(desk, third)
        other, _ = await token_by(desk, None)
        revoked = await desk.call(revoke_token, token_id=root)
        assert revoked["ended_with_it"] == 2
        assert len((await desk.call(list_tokens))["items"]) == 1
        await assert_ended(desk, first, second, third)
        await asyncio.sleep(LONGEST_BELIEF)
        for token in (first, second, third):
            with pytest.raises(Unauthenticated):
                await behind(desk, token)
        await behind(desk, other)

    async def test_a_maker_outlives_what_it_made(self, desk: Desk) -> None:
        first, _ = await token_by(desk, None)
        second, child = await token_by(desk, await behind(desk, first))
        assert (await desk.call(revoke_token, token_id=child))["ended_with_it"] == 0
        await assert_ended(desk, second)
        await behind(desk, first)

    async def test_tokens_of_a_machine_end_with_its_grant(self, desk: Desk) -> None:
        access, grant_id, _ = await machine_by(desk, None)
        made, _ = await token_by(desk, await behind(desk, access))
        assert (await desk.call(revoke_grant, grant_id=grant_id))["ended_with_it"] == 1
        await assert_ended(desk, access, made)

    async def test_a_machine_ends_with_the_token_that_made_it(self, desk: Desk) -> None:
        first, root = await token_by(desk, None)
        access, _, proof = await machine_by(desk, await behind(desk, first))
        made, _ = await token_by(desk, await behind(desk, access))
        assert (await desk.call(revoke_token, token_id=root))["ended_with_it"] == 2
        assert (await desk.call(list_grants))["items"] == []
        await assert_ended(desk, first, access, made)
        with pytest.raises(Refused, match="ended"):
            await token_of_machine(desk, proof)

    async def test_one_that_is_made_while_its_maker_is_revoked_is_good_for_nothing(self, desk: Desk) -> None:
        first, root = await token_by(desk, None)
        maker = await behind(desk, first)
        await desk.call(revoke_token, token_id=root)
        late, _ = await token_by(desk, maker)
        await assert_ended(desk, late)

    async def test_all_ends_when_the_first_one_expires_sooner_than_it_would_have(self, desk: Desk) -> None:
        access, grant_id, _ = await machine_by(desk, None)
        made, _ = await token_by(desk, await behind(desk, access))
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute(
                "update oauth_grants set expires_at = now() where id = $1", grant_id
            )
        await assert_ended(desk, access, made)

    async def test_a_call_that_waits_for_approval_ends_too(self, desk: Desk) -> None:
        first, root = await token_by(desk, None)
        supervised = await caller_by(desk, await behind(desk, first), supervised=True)
        with pytest.raises(ApprovalRequired) as raised:
            await desk.call(remove_member, as_=supervised, member_id=(await member_of(desk)).principal_id)
        await desk.call(revoke_token, token_id=root)
        with pytest.raises(RequesterGone):
            await desk.call(
                approve_call,
                as_=await member_of(desk),
                approval_id=(raised.value.details or {})["approval_id"],
            )


class TestLimits:
    async def test_what_is_taken_from_a_maker_is_taken_from_all_it_made(self, desk: Desk) -> None:
        access, grant_id, _ = await machine_by(desk, None)
        made, _ = await token_by(desk, await behind(desk, access))
        await desk.call(create_contact, as_=await behind(desk, made), name="Lan")
        await desk.call(narrow_grant, grant_id=grant_id, read_only=True, toolsets=["contacts"])
        narrowed = await elsewhere(desk).by_token(made, HERE)
        await desk.call(find_contacts, as_=narrowed)
        with pytest.raises(ScopeMissing):
            await desk.call(create_contact, as_=narrowed, name="Lan")
        assert narrowed.operations == (await elsewhere(desk).by_token(access, HERE)).operations

    async def test_those_who_come_from_one_share_its_rate(self, desk: Desk) -> None:
        maker = await caller_by(desk, None, calls_per_minute=BURST * 60 // BURST_SECONDS)
        children = [await caller_by(desk, maker) for _ in range(3)]
        family = [*children, await caller_by(desk, children[0])]
        let_through: list[Caller] = []

        async def call_all() -> None:
            for caller in family * 10:
                await desk.call(find_contacts, as_=caller)
                let_through.append(caller)

        with pytest.raises(RateLimitExceeded):
            await call_all()
        assert len(let_through) <= BURST

    async def test_a_child_of_its_own_rate_leaves_the_rest_to_others(self, desk: Desk) -> None:
        maker = await caller_by(desk, None, calls_per_minute=600)
        slow = await caller_by(desk, maker, calls_per_minute=10)
        await desk.call(find_contacts, as_=slow)
        with pytest.raises(RateLimitExceeded):
            await desk.call(find_contacts, as_=slow)
        await desk.call(find_contacts, as_=maker)
