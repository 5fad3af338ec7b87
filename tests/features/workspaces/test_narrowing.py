"""Tokens that are limited, and what their bearers can hand on."""

from typing import Any

import pytest

from chatwright.features.contacts.operations import find_contacts
from chatwright.features.contacts.tags.operations import create_tag
from chatwright.features.workspaces.authentication import Presented
from chatwright.features.workspaces.errors import TagNotFound, UnknownToolset
from chatwright.features.workspaces.operations import create_token, get_workspace, list_audit
from chatwright.kernel.caller import Caller, Surface
from chatwright.kernel.errors import InvalidInput, OutsideGrant
from tests.conftest import Desk

HERE = Presented(Surface.HTTP, client="tests")


async def bearer(desk: Desk, *, as_: Caller | None = None, **limits: Any) -> Caller:
    """The caller behind a new token."""
    made = await desk.call(create_token, as_=as_, name="limited", **limits)
    return await desk.product.authenticator.by_token(made["token"], HERE)


async def tag(desk: Desk, name: str) -> str:
    return str((await desk.call(create_tag, name=name))["id"])


class TestToolsets:
    async def test_what_lies_outside_is_refused_and_recorded(self, desk: Desk) -> None:
        caller = await bearer(desk, toolsets=["contacts"])
        await desk.call(find_contacts, as_=caller)
        with pytest.raises(OutsideGrant):
            await desk.call(get_workspace, as_=caller)
        (record,) = (await desk.call(list_audit, outcome="refused"))["items"]
        assert (record["operation"], record["error"]) == ("workspace.get", "OUTSIDE_GRANT")
        assert record["principal"]["id"] == caller.principal_id

    async def test_unknown_ones_are_named(self, desk: Desk) -> None:
        with pytest.raises(UnknownToolset, match="cooks"):
            await desk.call(create_token, name="x", toolsets=["contacts", "cooks"])

    async def test_no_more_is_handed_on(self, desk: Desk) -> None:
        maker = await bearer(desk, toolsets=["contacts", "token"])
        assert (await bearer(desk, as_=maker)).operations == maker.operations
        narrower = await bearer(desk, as_=maker, toolsets=["contacts"])
        assert narrower.operations is not None
        assert maker.operations is not None
        assert narrower.operations < maker.operations
        with pytest.raises(OutsideGrant):
            await desk.call(create_token, as_=maker, name="x", toolsets=["contacts", "messages"])


class TestTags:
    async def test_no_more_is_handed_on(self, desk: Desk) -> None:
        vip, staff = await tag(desk, "VIP"), await tag(desk, "Staff")
        maker = await bearer(desk, tag_ids=[vip])
        assert (await bearer(desk, as_=maker)).tag_ids == maker.tag_ids
        with pytest.raises(TagNotFound):
            await desk.call(create_token, as_=maker, name="x", tag_ids=[vip, staff])

    async def test_they_must_be_the_workspaces_own(self, desk: Desk, stranger: Desk) -> None:
        with pytest.raises(TagNotFound):
            await desk.call(create_token, name="x", tag_ids=[await tag(stranger, "VIP")])


class TestRate:
    @pytest.mark.parametrize(("wish", "gets"), [(None, 60), (30, 30), (600, 60)])
    async def test_no_more_is_handed_on(self, desk: Desk, wish: int | None, gets: int) -> None:
        maker = await bearer(desk, calls_per_minute=60)
        assert (await bearer(desk, as_=maker, calls_per_minute=wish)).calls_per_minute == gets

    @pytest.mark.parametrize("rate", [0, -1, 12_001])
    async def test_it_is_within_reason(self, desk: Desk, rate: int) -> None:
        with pytest.raises(InvalidInput):
            await desk.call(create_token, name="x", calls_per_minute=rate)


@pytest.mark.parametrize("wish", [True, False])
async def test_the_supervised_hand_on_supervision(desk: Desk, *, wish: bool) -> None:
    maker = await bearer(desk, supervised=True)
    assert (await bearer(desk, as_=maker, supervised=wish)).supervised
