"""The operations about grants, and about clients that members make."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatwright.features.workspaces.errors import InboxNotFound, UnknownScope, UnknownToolset
from chatwright.features.workspaces.oauth.errors import ClientNotFound, GrantNotFound
from chatwright.features.workspaces.oauth.operations import (
    create_oauth_client,
    delete_oauth_client,
    get_grant,
    list_grants,
    list_oauth_clients,
    narrow_grant,
    revoke_grant,
)
from chatwright.features.workspaces.oauth.rules import SCOPE_WORDS, is_risky
from chatwright.features.workspaces.rules import SCOPES
from chatwright.kernel.errors import InvalidInput, OutsideGrant, ScopeMissing
from chatwright.kernel.ids import new_id
from tests.conftest import Desk
from tests.features.messaging.paper import paper_inbox

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()


async def machine(desk: Desk, **wanted: Any) -> dict[str, Any]:
    """A machine's grant."""
    return (await desk.call(create_oauth_client, name="Machine", **wanted))["grant"]


class TestClients:
    async def test_the_secret_is_shown_once(self, desk: Desk) -> None:
        made = await desk.call(create_oauth_client, name="Machine")
        assert made["client_secret"].startswith("cws_")
        listed = (await desk.call(list_oauth_clients))["items"]
        assert listed == [made["client"]]
        assert made["client_secret"] not in str(listed)

    async def test_a_machine_has_no_more_than_its_maker(self, desk: Desk) -> None:
        maker = desk.caller_with("tokens:write", "contacts:read", calls_per_minute=60, supervised=True)
        with pytest.raises(ScopeMissing):
            await desk.call(create_oauth_client, as_=maker, name="Machine", scopes=["contacts:write"])
        grant = (await desk.call(create_oauth_client, as_=maker, name="Machine"))["grant"]
        assert grant["scopes"] == ["contacts:read", "tokens:write"]
        assert (grant["calls_per_minute"], grant["supervised"]) == (60, True)

    @pytest.mark.parametrize(
        ("wanted", "error"),
        [
            ({"scopes": ["fly"]}, UnknownScope),
            ({"toolsets": ["no_such"]}, UnknownToolset),
            ({"inbox_ids": [str(new_id())]}, InboxNotFound),
            ({"expires_at": "2020-01-01T00:00:00Z"}, InvalidInput),
            ({"redirect_uris": ["http://app.example/cb"]}, InvalidInput),
        ],
    )
    async def test_what_is_not_there_is_refused(
        self, desk: Desk, wanted: dict[str, Any], error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            await machine(desk, **wanted)

    async def test_deleting_it_takes_back_what_it_was_allowed(self, desk: Desk) -> None:
        made = await desk.call(create_oauth_client, name="Machine")
        gone = {"client_id": made["client"]["client_id"]}
        assert (await desk.call(delete_oauth_client, **gone))["grants_revoked"] == 1
        assert (await desk.call(list_grants))["items"] == []
        with pytest.raises(ClientNotFound):
            await desk.call(delete_oauth_client, **gone)


class TestGrants:
    async def test_a_revoked_one_is_gone(self, desk: Desk) -> None:
        grant = await machine(desk)
        assert await desk.call(get_grant, grant_id=grant["id"]) == grant
        await desk.call(revoke_grant, grant_id=grant["id"])
        for operation in (get_grant, revoke_grant, narrow_grant):
            with pytest.raises(GrantNotFound):
                await desk.call(operation, grant_id=grant["id"])

    async def test_every_limit_can_be_set(self, desk: Desk) -> None:
        inbox_id = str(await paper_inbox(desk))
        grant = await machine(desk, scopes=["contacts:write", "audit:read"])
        limits: dict[str, Any] = {
            "scopes": ["contacts:read"],
            "read_only": True,
            "toolsets": ["contacts"],
            "inbox_ids": [inbox_id],
            "calls_per_minute": 30,
            "supervised": True,
        }
        narrow = await desk.call(narrow_grant, grant_id=grant["id"], expires_at=TOMORROW, **limits)
        assert {name: narrow[name] for name in limits} == limits
        assert narrow["expires_at"] is not None
        unchanged = await desk.call(narrow_grant, grant_id=grant["id"])
        assert {**unchanged, "changed_at": None} == {**narrow, "changed_at": None}

    @pytest.mark.parametrize(
        ("before", "wider"),
        [
            ({"scopes": ["contacts:read"]}, {"scopes": ["contacts:write"]}),
            ({"read_only": True}, {"read_only": False}),
            ({"supervised": True}, {"supervised": False}),
            ({"toolsets": ["contacts"]}, {"toolsets": ["contacts", "members"]}),
            ({"calls_per_minute": 10}, {"calls_per_minute": 11}),
            ({"expires_at": TOMORROW}, {"expires_at": "2999-01-01T00:00:00Z"}),
        ],
    )
    async def test_none_can_be_made_wider(
        self, desk: Desk, before: dict[str, Any], wider: dict[str, Any]
    ) -> None:
        grant = await machine(desk, **before)
        with pytest.raises(OutsideGrant) as raised:
            await desk.call(narrow_grant, grant_id=grant["id"], **wider)
        assert [field.path for field in raised.value.fields] == list(wider)
        assert await desk.call(get_grant, grant_id=grant["id"]) == grant


class TestWords:
    def test_every_scope_is_put_into_words(self) -> None:
        assert SCOPE_WORDS.keys() == SCOPES

    def test_every_scope_that_writes_is_risky(self) -> None:
        assert {scope for scope in SCOPES if scope.endswith(":write")} <= set(filter(is_risky, SCOPES))
