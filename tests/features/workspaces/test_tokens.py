"""Access tokens: what they may do, and for how long they are believed."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import pytest

from chatwright.features.workspaces.authentication import Authenticator, Presented
from chatwright.features.workspaces.errors import InboxNotFound, TokenNotFound, UnknownScope
from chatwright.features.workspaces.operations import (
    create_token,
    list_tokens,
    revoke_token,
    update_workspace,
)
from chatwright.kernel.caller import Surface
from chatwright.kernel.errors import InvalidInput, ScopeMissing, Unauthenticated, Unavailable
from chatwright.kernel.ids import new_id
from chatwright.ports.database import Database, Unit
from tests.conftest import Desk
from tests.features.messaging.paper import paper_inbox

HERE = Presented(Surface.HTTP, client="tests")
LONGEST_BELIEF = 1.0
"""Seconds within which a revocation must count everywhere."""


class SwitchedDatabase:
    """The real database behind a switch that cuts it off."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reachable = True

    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        self._check()
        return self._database.transaction()

    def autocommit(self) -> AbstractAsyncContextManager[Unit]:
        self._check()
        return self._database.autocommit()

    def _check(self) -> None:
        if not self.reachable:
            raise Unavailable("The database cannot be reached.")


class TestCreate:
    async def test_the_secret_is_shown_once_and_kept_as_a_hash(self, desk: Desk) -> None:
        made = await desk.call(create_token, name="n8n")
        assert made["token"].startswith("cw_")
        (listed,) = (await desk.call(list_tokens))["items"]
        assert listed["prefix"] == made["token"][:9]
        async with desk.product.database.transaction() as unit:
            rows = await unit.connection.fetch("select access_tokens::text as everything from access_tokens")
        assert not any(made["token"] in row["everything"] for row in rows)

    async def test_a_token_does_not_outlive_the_one_that_made_it(self, desk: Desk) -> None:
        ends = datetime.now(UTC) + timedelta(hours=1)
        made = await desk.call(create_token, name="short", expires_at=ends.isoformat())
        maker = await desk.product.authenticator.by_token(made["token"], HERE)
        for wish in (None, ends + timedelta(hours=1), ends - timedelta(minutes=30)):
            child = await desk.call(
                create_token, as_=maker, name="child", expires_at=wish and wish.isoformat()
            )
            expires_at = datetime.fromisoformat(child["access_token"]["expires_at"])
            assert expires_at == min(ends, wish or ends)

    async def test_a_token_gets_no_scope_its_maker_lacks(self, desk: Desk) -> None:
        maker = desk.caller_with("tokens:write", "contacts:read")
        with pytest.raises(ScopeMissing):
            await desk.call(create_token, as_=maker, name="x", scopes=["contacts:write"])
        made = await desk.call(create_token, as_=maker, name="x")
        assert made["access_token"]["scopes"] == ["contacts:read", "tokens:write"]

    async def test_a_limited_maker_makes_limited_tokens(self, desk: Desk) -> None:
        mine = await paper_inbox(desk)
        maker = desk.caller_with("tokens:write", inbox_ids=frozenset({mine}))
        made = await desk.call(create_token, as_=maker, name="x")
        assert made["access_token"]["inbox_ids"] == [str(mine)]
        with pytest.raises(InboxNotFound):
            await desk.call(create_token, as_=maker, name="x", inbox_ids=[str(await paper_inbox(desk))])

    async def test_it_is_limited_to_inboxes_there_are(self, desk: Desk, stranger: Desk) -> None:
        mine = str(await paper_inbox(desk))
        made = await desk.call(create_token, name="x", inbox_ids=[mine])
        assert made["access_token"]["inbox_ids"] == [mine]
        for strange in (await paper_inbox(stranger), new_id()):
            with pytest.raises(InboxNotFound, match=f"no inbox {strange} in"):
                await desk.call(create_token, name="x", inbox_ids=[mine, str(strange)])

    async def test_unknown_scopes_and_past_expiries_are_named(self, desk: Desk) -> None:
        with pytest.raises(UnknownScope, match="contacts:eat"):
            await desk.call(create_token, name="x", scopes=["contacts:eat"])
        with pytest.raises(InvalidInput, match="past"):
            await desk.call(create_token, name="x", expires_at=datetime.now(UTC) - timedelta(days=1))

    @pytest.mark.parametrize("ends", ["9999-12-31T23:59:59-14:00", "3000-01-01T00:00:00Z"])
    async def test_the_end_of_time_is_no_expiry(self, desk: Desk, ends: str) -> None:
        with pytest.raises(InvalidInput, match="1900 to 2999") as caught:
            await desk.call(create_token, name="x", expires_at=ends)
        assert [field.path for field in caught.value.fields] == ["expires_at"]


class TestUse:
    async def test_a_read_only_token_cannot_write(self, desk: Desk) -> None:
        made = await desk.call(create_token, name="x", read_only=True)
        caller = await desk.product.authenticator.by_token(made["token"], HERE)
        assert caller.workspace_id == desk.caller.workspace_id
        assert all(scope.endswith(":read") for scope in caller.scopes)
        with pytest.raises(ScopeMissing):
            await desk.call(update_workspace, as_=caller, name="no")

    @pytest.mark.parametrize("token", ["", "cw_", "cw_unknown", "Bearer", "cw_" + "x" * 10_000])
    async def test_nonsense_is_nobody(self, desk: Desk, token: str) -> None:
        with pytest.raises(Unauthenticated):
            await desk.product.authenticator.by_token(token, HERE)

    async def test_an_expired_token_is_nobody(self, desk: Desk) -> None:
        made = await desk.call(create_token, name="x", expires_at=datetime.now(UTC) + timedelta(hours=1))
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute(
                "update access_tokens set expires_at = now() - interval '1 second' where id = $1",
                made["access_token"]["id"],
            )
        with pytest.raises(Unauthenticated):
            await desk.product.authenticator.by_token(made["token"], HERE)


class TestRevoke:
    async def test_every_process_refuses_within_a_second(self, desk: Desk) -> None:
        made = await desk.call(create_token, name="x")
        processes = [Authenticator(desk.product.database) for _ in range(2)]
        for authenticator in processes:
            await authenticator.by_token(made["token"], HERE)
        await desk.call(revoke_token, token_id=made["access_token"]["id"])
        await asyncio.sleep(LONGEST_BELIEF)
        for authenticator in processes:
            with pytest.raises(Unauthenticated):
                await authenticator.by_token(made["token"], HERE)

    async def test_nobody_is_believed_while_the_store_is_unreachable(self, desk: Desk) -> None:
        made = await desk.call(create_token, name="x")
        database = SwitchedDatabase(desk.product.database)
        authenticator = Authenticator(database)
        await authenticator.by_token(made["token"], HERE)
        database.reachable = False
        await asyncio.sleep(LONGEST_BELIEF)
        with pytest.raises(Unavailable):
            await authenticator.by_token(made["token"], HERE)

    async def test_twice_is_not_found(self, desk: Desk) -> None:
        made = await desk.call(create_token, name="x")
        await desk.call(revoke_token, token_id=made["access_token"]["id"])
        with pytest.raises(TokenNotFound):
            await desk.call(revoke_token, token_id=made["access_token"]["id"])
