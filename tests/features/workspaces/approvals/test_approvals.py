"""Calls that a person of the workspace approves."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from chatwright.app.settings import Settings
from chatwright.app.wiring import open_product
from chatwright.features.contacts.operations import (
    add_contact_tags,
    create_contact,
    find_contacts,
    update_contact,
)
from chatwright.features.contacts.tags.operations import create_tag, delete_tag, list_tags, rename_tag
from chatwright.features.messaging.inboxes.operations import connect_inbox
from chatwright.features.workspaces.approvals import supervising, waiting as queue
from chatwright.features.workspaces.approvals.errors import QueueFull
from chatwright.features.workspaces.approvals.jobs import expire_waiting
from chatwright.features.workspaces.approvals.operations import (
    approve_call,
    get_approval,
    get_approval_policy,
    list_approvals,
    refuse_call,
    set_approval_policy,
)
from chatwright.features.workspaces.authentication import Presented
from chatwright.features.workspaces.oauth.clients import Proof
from chatwright.features.workspaces.oauth.issuing import Visit
from chatwright.features.workspaces.oauth.operations import create_oauth_client, revoke_grant
from chatwright.features.workspaces.operations import (
    create_token,
    export_audit,
    invite_member,
    list_audit,
    revoke_token,
    set_member_role,
)
from chatwright.kernel.caller import Caller, PrincipalKind, Surface, Trust
from chatwright.kernel.errors import ApprovalRequired, ChatwrightError, ConfirmationRequired, Forbidden
from chatwright.kernel.operation import AnyOperation
from tests.conftest import Desk
from tests.features.workspaces.people import member_of, token_of


async def waiting(
    desk: Desk, caller: Caller, operation: AnyOperation, *, key: str | None = None, **arguments: Any
) -> str:
    """Have a call put into the queue; gives the approval's id."""
    with pytest.raises(ApprovalRequired) as caught:
        await desk.product.pipeline.run(caller, operation, arguments, idempotency_key=key)
    assert caught.value.details is not None
    return caught.value.details["approval_id"]


async def records_of(desk: Desk, name: str) -> list[dict[str, Any]]:
    """What the audit trail has of an operation, newest first."""
    outcome = await desk.product.pipeline.run(desk.caller, list_audit, {"operation": name})
    return outcome.value["items"]


async def names(desk: Desk) -> list[str]:
    return [tag["name"] for tag in (await desk.call(list_tags))["items"]]


async def code_of(call: Any) -> str:
    with pytest.raises(ChatwrightError) as caught:
        await call
    return caught.value.code


async def machine_of(desk: Desk, maker: Caller, **wishes: Any) -> tuple[Caller, str]:
    """A program with a token of a grant, and the grant's id."""
    made = await desk.call(create_oauth_client, as_=maker, name="Machine", **wishes)
    oauth = desk.product.oauth
    proof = Proof(made["client"]["client_id"], made["client_secret"], "client_secret_basic")
    visit = Visit("tests", "r")
    issued = await oauth.issuing.for_machine(await oauth.prove(proof), visit, scope=None, resources=[])
    here = Presented(Surface.MCP, resource=oauth.policy.endpoint)
    return await desk.product.authenticator.by_token(issued.access, here), made["grant"]["id"]


@pytest.fixture(autouse=True)
def believed_for_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a workspace wants is asked for at every call, so that no test has to wait."""
    monkeypatch.setattr(supervising, "BELIEVED_SECONDS", 0.0)


@pytest.fixture
async def owner(desk: Desk) -> Caller:
    return await member_of(desk)


@pytest.fixture
async def robot(desk: Desk, owner: Caller) -> Caller:
    """A supervised program of the owner."""
    caller, _ = await token_of(desk, made_by=owner, supervised=True)
    return caller


@pytest.fixture
async def tag_id(desk: Desk) -> str:
    return (await desk.call(create_tag, name="VIP"))["id"]


class TestWhoIsAsked:
    async def test_a_supervised_program_waits_with_what_is_risky(
        self, desk: Desk, robot: Caller, tag_id: str
    ) -> None:
        for surface in (Surface.MCP, Surface.HTTP, Surface.CLI):
            await waiting(desk, replace(robot, surface=surface), delete_tag, tag_id=tag_id)
        await desk.call(rename_tag, as_=robot, tag_id=tag_id, name="Gold")
        assert await names(desk) == ["Gold"]

    async def test_no_more_wait_than_people_can_look_at(
        self, desk: Desk, robot: Caller, tag_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queue, "MOST_WAITING", 2)
        for key in ("a", "b", "a"):
            await waiting(desk, robot, delete_tag, tag_id=tag_id, key=key)
        with pytest.raises(QueueFull):
            await desk.product.pipeline.run(robot, delete_tag, {"tag_id": tag_id}, idempotency_key="c")
        assert len((await desk.call(list_approvals))["items"]) == 2

    async def test_text_from_outside_does_too(self, desk: Desk, tag_id: str) -> None:
        await waiting(desk, replace(desk.caller, trust=Trust.UNTRUSTED), delete_tag, tag_id=tag_id)
        assert await names(desk) == ["VIP"]

    async def test_a_workspace_may_want_to_see_all_that_programs_write(
        self, desk: Desk, owner: Caller, tag_id: str
    ) -> None:
        assert (await desk.call(get_approval_policy))["supervision"] == "none"
        program, _ = await token_of(desk)
        await desk.call(set_approval_policy, as_=owner, supervision="risky")
        await desk.call(rename_tag, as_=program, tag_id=tag_id, name="Gold")
        await waiting(desk, program, delete_tag, tag_id=tag_id)
        await desk.call(set_approval_policy, as_=owner, supervision="writes")
        await waiting(desk, program, rename_tag, tag_id=tag_id, name="Silver")
        await waiting(desk, replace(owner, surface=Surface.MCP), rename_tag, tag_id=tag_id, name="Lead")
        await desk.call(list_tags, as_=program)
        await desk.call(rename_tag, as_=owner, tag_id=tag_id, name="Bronze")
        assert await names(desk) == ["Bronze"]

    async def test_what_its_face_does_the_rest_of_cannot_be_approved_ahead(
        self, desk: Desk, owner: Caller, robot: Caller
    ) -> None:
        with pytest.raises(Forbidden, match="needs a person") as caught:
            await desk.call(export_audit, as_=robot)
        assert caught.value.code == "FORBIDDEN"
        assert (await desk.call(list_approvals, as_=owner))["items"] == []
        assert (await records_of(desk, "audit.export"))[0]["outcome"] == "refused"

    async def test_only_a_signed_in_member_says_what_a_workspace_wants(
        self, desk: Desk, owner: Caller
    ) -> None:
        program, _ = await token_of(desk, surface=Surface.HTTP)
        with pytest.raises(Forbidden):
            await desk.call(set_approval_policy, as_=program, supervision="none")
        agent = await member_of(desk, "agent")
        assert (
            await code_of(desk.call(set_approval_policy, as_=agent, supervision="none"))
            == "INSUFFICIENT_SCOPE"
        )
        await desk.call(set_approval_policy, as_=owner, supervision="none", hours=5)
        assert await desk.call(get_approval_policy) == {"supervision": "none", "hours": 5}


class TestApproving:
    async def test_it_runs_as_the_requester_and_the_requester_sees_the_result(
        self, desk: Desk, owner: Caller, robot: Caller, tag_id: str
    ) -> None:
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        assert await names(desk) == ["VIP"]
        (listed,) = (await desk.call(list_approvals, as_=owner, status="waiting"))["items"]
        assert listed["id"] == approval_id
        assert listed["requested_by"]["id"] == robot.principal_id
        assert listed["arguments"] == {"tag_id": tag_id}
        approved = await desk.call(approve_call, as_=owner, approval_id=approval_id)
        assert (approved["status"], approved["decided_by"]["id"]) == ("approved", owner.principal_id)
        assert approved["result"] is None
        assert await names(desk) == []
        seen = await desk.call(get_approval, as_=robot, approval_id=approval_id)
        assert seen["result"] == {"id": tag_id, "name": "VIP"}
        records = await records_of(desk, "tags.delete")
        assert [(record["outcome"], record["principal"]["id"]) for record in records] == [
            ("done", robot.principal_id),
            ("asked", robot.principal_id),
        ]
        assert records[0]["consent"]["by"]["id"] == owner.principal_id

    async def test_with_changed_arguments_as_the_operation_takes_them(
        self, desk: Desk, owner: Caller, tag_id: str
    ) -> None:
        program, _ = await token_of(desk)
        await desk.call(set_approval_policy, as_=owner, supervision="writes")
        approval_id = await waiting(desk, program, rename_tag, tag_id=tag_id, name="Gold")
        wrong = desk.call(approve_call, as_=owner, approval_id=approval_id, arguments={"nmae": "x"})
        assert await code_of(wrong) == "INVALID_ARGUMENT"
        approved = await desk.call(
            approve_call, as_=owner, approval_id=approval_id, arguments={"name": "Silver"}
        )
        assert approved["edited"]
        assert approved["arguments"] == {"tag_id": tag_id, "name": "Silver"}
        assert await names(desk) == ["Silver"]

    async def test_a_call_that_fails_changes_nothing_and_waits_on(
        self, desk: Desk, owner: Caller, robot: Caller, tag_id: str
    ) -> None:
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        await desk.call(delete_tag, tag_id=tag_id)
        assert await code_of(desk.call(approve_call, as_=owner, approval_id=approval_id)) == "TAG_NOT_FOUND"
        shown = await desk.call(get_approval, as_=owner, approval_id=approval_id)
        assert shown["status"] == "waiting"
        refused = await desk.call(
            refuse_call, as_=owner, approval_id=approval_id, reason="It is gone already."
        )
        assert (refused["status"], refused["reason"]) == ("refused", "It is gone already.")

    async def test_a_key_gives_the_result_to_whoever_repeats_the_call(
        self, desk: Desk, owner: Caller, robot: Caller, tag_id: str
    ) -> None:
        first = await waiting(desk, robot, delete_tag, key="k1", tag_id=tag_id)
        again = await waiting(desk, robot, delete_tag, key="k1", tag_id=tag_id)
        assert first == again
        await desk.call(approve_call, as_=owner, approval_id=first)
        outcome = await desk.product.pipeline.run(robot, delete_tag, {"tag_id": tag_id}, idempotency_key="k1")
        assert outcome.replayed
        assert outcome.value["id"] == tag_id

    async def test_two_at_once_have_one_effect(self, desk: Desk, owner: Caller, settings: Settings) -> None:
        program, _ = await token_of(desk)
        second = await member_of(desk)
        await desk.call(set_approval_policy, as_=owner, supervision="writes")
        approval_id = await waiting(desk, program, create_contact, name="An")
        async with open_product(settings) as other:
            ends = await asyncio.gather(
                desk.product.pipeline.run(owner, approve_call, {"approval_id": approval_id}),
                other.pipeline.run(second, approve_call, {"approval_id": approval_id}),
                return_exceptions=True,
            )
        assert sorted(getattr(end, "code", "OK") for end in ends) == ["APPROVAL_DECIDED", "OK"]
        assert len((await desk.call(find_contacts))["items"]) == 1

    async def test_a_rehearsed_approval_decides_nothing(
        self, desk: Desk, owner: Caller, robot: Caller, tag_id: str
    ) -> None:
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        outcome = await desk.product.pipeline.rehearse(owner, approve_call, {"approval_id": approval_id})
        assert (outcome.value["status"], outcome.value["result"]["name"]) == ("approved", "VIP")
        shown = await desk.call(get_approval, as_=owner, approval_id=approval_id)
        assert shown["status"] == "waiting"
        assert await names(desk) == ["VIP"]

    async def test_a_rehearsal_shows_nothing_to_whoever_could_not_make_the_call(
        self, desk: Desk, robot: Caller, tag_id: str
    ) -> None:
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        clerk = desk.caller_with("approvals:write", kind=PrincipalKind.MEMBER)
        outcome = await desk.product.pipeline.rehearse(clerk, approve_call, {"approval_id": approval_id})
        assert (outcome.value["status"], outcome.value["result"]) == ("approved", None)

    async def test_a_rehearsal_shows_nothing_that_was_kept_for_its_requester(
        self, desk: Desk, owner: Caller, robot: Caller, tag_id: str
    ) -> None:
        approval_id = await waiting(desk, robot, delete_tag, key="k1", tag_id=tag_id)
        unwatched = replace(robot, supervised=False, surface=Surface.HTTP)
        await desk.product.pipeline.run(unwatched, delete_tag, {"tag_id": tag_id}, idempotency_key="k1")
        outcome = await desk.product.pipeline.rehearse(owner, approve_call, {"approval_id": approval_id})
        assert (outcome.value["status"], outcome.value["result"]) == ("approved", None)


class TestWhoDecides:
    async def test_nobody_decides_for_themselves(self, desk: Desk, owner: Caller, tag_id: str) -> None:
        """Neither by the token that asked, nor by another one of the same person."""
        robot, _ = await token_of(desk, made_by=owner, supervised=True, surface=Surface.HTTP)
        twin, _ = await token_of(desk, made_by=owner, surface=Surface.HTTP)
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        for caller in (robot, twin):
            for decide in (approve_call, refuse_call):
                assert await code_of(desk.call(decide, as_=caller, approval_id=approval_id)) == "OWN_APPROVAL"
        assert await names(desk) == ["VIP"]

    async def test_another_persons_program_may_and_a_supervised_one_may_not(
        self, desk: Desk, owner: Caller, robot: Caller, tag_id: str
    ) -> None:
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        other = await member_of(desk)
        watched, _ = await token_of(desk, made_by=other, supervised=True, surface=Surface.HTTP)
        assert await code_of(desk.call(approve_call, as_=watched, approval_id=approval_id)) == "OWN_APPROVAL"
        doubtful, _ = await token_of(desk, made_by=other, surface=Surface.HTTP)
        untrusted = replace(doubtful, trust=Trust.UNTRUSTED)
        assert (
            await code_of(desk.call(approve_call, as_=untrusted, approval_id=approval_id)) == "OWN_APPROVAL"
        )
        await desk.call(approve_call, as_=doubtful, approval_id=approval_id)
        assert await names(desk) == []

    async def test_who_changes_a_call_can_make_it_themselves(
        self, desk: Desk, owner: Caller, tag_id: str
    ) -> None:
        """Letting calls happen is no leave to make others: neither by scope nor by toolset."""
        program, _ = await token_of(desk, made_by=owner)
        other = await member_of(desk)
        await desk.call(set_approval_policy, as_=owner, supervision="writes")
        approval_id = await waiting(desk, program, rename_tag, tag_id=tag_id, name="Gold")
        by_scope, _ = await token_of(desk, made_by=other, surface=Surface.HTTP, scopes=["approvals:write"])
        by_toolset, _ = await token_of(desk, made_by=other, surface=Surface.HTTP, toolsets=["approvals"])
        changed = {"approval_id": approval_id, "arguments": {"name": "Mine"}}
        for clerk in (by_scope, by_toolset):
            assert await code_of(desk.call(approve_call, as_=clerk, **changed)) == "EDIT_BEYOND_ACCESS"
            shown = await desk.call(get_approval, as_=owner, approval_id=approval_id)
            assert shown["status"] == "waiting"
        assert await names(desk) == ["VIP"]
        records = await records_of(desk, "approvals.approve")
        assert [record["error"] for record in records] == ["EDIT_BEYOND_ACCESS"] * 2
        await desk.call(approve_call, as_=by_scope, approval_id=approval_id)
        assert await names(desk) == ["Gold"]

    async def test_changed_arguments_reach_no_further_than_who_changed_them(
        self, desk: Desk, owner: Caller
    ) -> None:
        """An admin, who makes nobody an owner, does not do it in the name of an owner's program."""
        program, _ = await token_of(desk, made_by=owner)
        admin = await member_of(desk, "admin")
        await desk.call(set_approval_policy, as_=owner, supervision="writes")
        asked = {"email": "new@example.com", "role": "agent"}
        approval_id = await waiting(desk, program, invite_member, **asked)
        approving = desk.call(approve_call, as_=admin, approval_id=approval_id, arguments={"role": "owner"})
        assert await code_of(approving) == "INSUFFICIENT_SCOPE"
        await desk.call(approve_call, as_=admin, approval_id=approval_id, arguments={"role": "analyst"})
        shown = await desk.call(get_approval, as_=program, approval_id=approval_id)
        assert (shown["status"], shown["arguments"]["role"]) == ("approved", "analyst")

    async def test_the_scope_is_needed_and_other_workspaces_see_nothing(
        self, desk: Desk, stranger: Desk, robot: Caller, tag_id: str
    ) -> None:
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        agent = await member_of(desk, "agent")
        assert (
            await code_of(desk.call(approve_call, as_=agent, approval_id=approval_id)) == "INSUFFICIENT_SCOPE"
        )
        assert (
            await code_of(desk.call(get_approval, as_=agent, approval_id=approval_id)) == "APPROVAL_NOT_FOUND"
        )
        foreign = await member_of(stranger)
        for look in (get_approval, approve_call, refuse_call):
            assert (
                await code_of(desk.call(look, as_=foreign, approval_id=approval_id)) == "APPROVAL_NOT_FOUND"
            )
        assert (await desk.call(list_approvals, as_=foreign))["items"] == []

    async def test_the_requester_sees_its_own_with_no_scope_for_it(
        self, desk: Desk, owner: Caller, tag_id: str
    ) -> None:
        robot, _ = await token_of(desk, made_by=owner, supervised=True, scopes=["contacts:write"])
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        shown = await desk.call(get_approval, as_=robot, approval_id=approval_id)
        assert shown["status"] == "waiting"
        other, _ = await token_of(desk, made_by=owner, scopes=["contacts:write"])
        assert (
            await code_of(desk.call(get_approval, as_=other, approval_id=approval_id)) == "APPROVAL_NOT_FOUND"
        )


class TestWhatTheRequesterMayByNow:
    async def test_a_revoked_token_does_nothing_more(self, desk: Desk, owner: Caller, tag_id: str) -> None:
        robot, token_id = await token_of(desk, made_by=owner, supervised=True)
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        await desk.call(revoke_token, token_id=token_id)
        assert await code_of(desk.call(approve_call, as_=owner, approval_id=approval_id)) == "REQUESTER_GONE"
        assert await names(desk) == ["VIP"]

    async def test_nor_does_a_revoked_grant_of_a_person_who_is_still_there(
        self, desk: Desk, owner: Caller, tag_id: str
    ) -> None:
        robot, grant_id = await machine_of(desk, owner, supervised=True)
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        await desk.call(revoke_grant, grant_id=grant_id)
        assert await code_of(desk.call(approve_call, as_=owner, approval_id=approval_id)) == "REQUESTER_GONE"
        assert await names(desk) == ["VIP"]

    async def test_what_it_hands_on_is_as_narrow_as_itself(self, desk: Desk, owner: Caller) -> None:
        limits: dict[str, Any] = {
            "toolsets": ["token"],
            "calls_per_minute": 60,
            "expires_at": "2099-01-01T00:00:00Z",
        }
        program, _ = await token_of(desk, made_by=owner, **limits)
        await desk.call(set_approval_policy, as_=owner, supervision="writes")
        approval_id = await waiting(desk, program, create_token, name="inner")
        await desk.call(approve_call, as_=owner, approval_id=approval_id)
        made = (await desk.call(get_approval, as_=program, approval_id=approval_id))["result"]
        assert {name: made["access_token"][name] for name in limits} == limits

    async def test_a_person_who_became_an_analyst_writes_nothing_more(
        self, desk: Desk, owner: Caller, tag_id: str
    ) -> None:
        maker = await member_of(desk)
        robot, _ = await token_of(desk, made_by=maker, supervised=True)
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        await desk.call(set_member_role, as_=owner, member_id=maker.principal_id, role="analyst")
        assert await code_of(desk.call(approve_call, as_=owner, approval_id=approval_id)) == "REQUESTER_GONE"
        assert await names(desk) == ["VIP"]

    async def test_what_lies_outside_of_its_tags_stays_there(
        self, desk: Desk, owner: Caller, tag_id: str
    ) -> None:
        """Neither when it asks for it, nor when the one who approves leads it there."""
        limited, _ = await token_of(desk, made_by=owner, tag_ids=[tag_id])
        within = await desk.call(create_contact, name="An")
        await desk.call(add_contact_tags, contact_id=within["id"], tags=["VIP"])
        beyond = await desk.call(create_contact, name="Binh")
        await desk.call(set_approval_policy, as_=owner, supervision="writes")
        asked = await waiting(desk, limited, update_contact, contact_id=beyond["id"], name="Mine")
        assert await code_of(desk.call(approve_call, as_=owner, approval_id=asked)) == "CONTACT_NOT_FOUND"
        led = await waiting(desk, limited, update_contact, contact_id=within["id"], name="Mine")
        changed = {"contact_id": beyond["id"]}
        approving = desk.call(approve_call, as_=owner, approval_id=led, arguments=changed)
        assert await code_of(approving) == "CONTACT_NOT_FOUND"
        await desk.call(approve_call, as_=owner, approval_id=led)
        names = [contact["name"] for contact in (await desk.call(find_contacts))["items"]]
        assert sorted(names) == ["Binh", "Mine"]
        shown = await desk.call(get_approval, as_=limited, approval_id=led)
        assert shown["status"] == "approved"

    async def test_its_toolsets_close_what_others_asked_for(
        self, desk: Desk, owner: Caller, robot: Caller, tag_id: str
    ) -> None:
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        by_toolset, _ = await token_of(desk, made_by=owner, toolsets=["tags"])
        by_tag, _ = await token_of(desk, made_by=owner, tag_ids=[tag_id])
        for other in (by_toolset, by_tag):
            looking = desk.call(get_approval, as_=other, approval_id=approval_id)
            assert await code_of(looking) == "APPROVAL_NOT_FOUND"


class TestKeeping:
    async def test_secrets_are_neither_shown_nor_stored_in_the_clear(
        self, desk: Desk, owner: Caller, robot: Caller
    ) -> None:
        secret = "tele-secret-1234567"
        approval_id = await waiting(
            desk, robot, connect_inbox, channel="telegram", name="T", settings={"bot_token": secret}
        )
        shown = await desk.call(get_approval, as_=owner, approval_id=approval_id)
        assert shown["arguments"]["settings"] == {"bot_token": "(hidden)"}
        async with desk.product.database.autocommit() as unit:
            row = await unit.connection.fetchrow(
                "select approvals::text from approvals where id = $1", approval_id
            )
        assert row is not None
        assert secret not in row["approvals"]
        assert secret.encode().hex() not in row["approvals"]

    async def test_changed_arguments_are_neither_recorded_nor_previewed(
        self, desk: Desk, owner: Caller, robot: Caller
    ) -> None:
        """They are of any operation, so any of them can hold a secret."""
        settings = {"bot_token": f"12345678:AA{'a' * 33}"}
        approval_id = await waiting(
            desk, robot, connect_inbox, channel="telegram", name="T", settings=settings
        )
        secret = f"12345678:AA{'b' * 33}"
        changed = {"approval_id": approval_id, "arguments": {"settings": {"bot_token": secret}}}
        with pytest.raises(ConfirmationRequired) as asked:
            await desk.call(approve_call, as_=replace(owner, surface=Surface.MCP), **changed)
        assert asked.value.details is not None
        assert secret not in str(asked.value.details)
        shown = asked.value.details["preview"]["arguments"]
        assert shown == {"approval_id": approval_id, "arguments": {"settings": "(hidden)"}}
        (record, *_) = await records_of(desk, "approvals.approve")
        assert record["arguments"]["arguments"] == {"settings": "<private>"}

    async def test_results_are_sealed(self, desk: Desk, owner: Caller) -> None:
        program, _ = await token_of(desk, made_by=owner)
        await desk.call(set_approval_policy, as_=owner, supervision="writes")
        approval_id = await waiting(desk, program, create_token, name="inner")
        await desk.call(approve_call, as_=owner, approval_id=approval_id)
        made = await desk.call(get_approval, as_=program, approval_id=approval_id)
        token = made["result"]["token"]
        assert token.startswith("cw_")
        assert (await desk.call(get_approval, as_=owner, approval_id=approval_id))["result"] is None
        async with desk.product.database.autocommit() as unit:
            row = await unit.connection.fetchrow(
                "select approvals::text from approvals where id = $1", approval_id
            )
        assert row is not None
        assert token not in row["approvals"]
        assert token.encode().hex() not in row["approvals"]

    async def test_it_expires(self, desk: Desk, owner: Caller, robot: Caller, tag_id: str) -> None:
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute(
                "update approvals set expires_at = now() where id = $1", approval_id
            )
        assert (
            await code_of(desk.call(approve_call, as_=owner, approval_id=approval_id)) == "APPROVAL_DECIDED"
        )
        again = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        assert again != approval_id
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute("update approvals set expires_at = now() where id = $1", again)
        async with desk.product.database.transaction() as unit:
            await expire_waiting()
        async with desk.product.database.autocommit() as unit:
            rows = await unit.connection.fetch(
                "select status, sealed from approvals where workspace_id = $1", desk.caller.workspace_id
            )
        assert [(row["status"], row["sealed"]) for row in rows] == [("expired", None)] * 2

    async def test_deciding_is_announced(self, desk: Desk, owner: Caller, robot: Caller, tag_id: str) -> None:
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        await desk.call(refuse_call, as_=owner, approval_id=approval_id)
        async with desk.product.database.autocommit() as unit:
            rows = await unit.connection.fetch(
                "select kind from event_log where workspace_id = $1 and subject_id = $2 order by id",
                desk.caller.workspace_id,
                approval_id,
            )
        assert [row["kind"] for row in rows] == ["approval.requested", "approval.decided"]

    async def test_once_decided_is_decided(
        self, desk: Desk, owner: Caller, robot: Caller, tag_id: str
    ) -> None:
        approval_id = await waiting(desk, robot, delete_tag, tag_id=tag_id)
        await desk.call(refuse_call, as_=owner, approval_id=approval_id)
        for decide in (approve_call, refuse_call):
            assert await code_of(desk.call(decide, as_=owner, approval_id=approval_id)) == "APPROVAL_DECIDED"


async def test_partial_updates_stay_partial(desk: Desk, owner: Caller) -> None:
    """What was left out of a waiting call is still left out when it runs."""
    made = await desk.call(create_contact, name="An", first_name="An")
    program, _ = await token_of(desk)
    await desk.call(set_approval_policy, as_=owner, supervision="writes")
    approval_id = await waiting(desk, program, update_contact, contact_id=made["id"], name="Binh")
    await desk.call(approve_call, as_=owner, approval_id=approval_id)
    (contact,) = (await desk.call(find_contacts))["items"]
    assert (contact["name"], contact["first_name"]) == ("Binh", "An")
