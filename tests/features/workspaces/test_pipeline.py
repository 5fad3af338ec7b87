"""The pipeline's promises, seen from any face."""

import asyncio
import hashlib
from typing import Any
from uuid import UUID

import orjson
import pytest

from chatwright.app.settings import Settings
from chatwright.app.wiring import open_product
from chatwright.features.contacts.operations import filter_contacts
from chatwright.features.workspaces import audit, keys
from chatwright.features.workspaces.arguments import read_input
from chatwright.features.workspaces.keys import principal_of
from chatwright.features.workspaces.operations import (
    create_token,
    export_audit,
    get_workspace,
    list_audit,
    list_tokens,
    revoke_token,
    update_workspace,
    verify_audit,
)
from chatwright.features.workspaces.store import AuditRow
from chatwright.kernel.caller import Caller, Trust
from chatwright.kernel.errors import (
    ApprovalRequired,
    Forbidden,
    IdempotencyConflict,
    IdempotencyInProgress,
    Internal,
    InvalidInput,
    RateLimitExceeded,
    ScopeMissing,
    Unavailable,
)
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, Input, Output, RateClass, operation
from tests.conftest import Desk


class TestScope:
    async def test_a_call_without_the_scope_is_refused_and_audited(self, desk: Desk) -> None:
        caller = desk.caller_with("contacts:read")
        with pytest.raises(ScopeMissing):
            await desk.call(update_workspace, as_=caller, name="Mine now")
        (record,) = (await desk.call(list_audit))["items"]
        assert record["operation"] == "workspace.update"
        assert record["outcome"] == "refused"
        assert record["error"] == "INSUFFICIENT_SCOPE"
        assert record["principal"]["id"] == caller.principal_id

    async def test_write_includes_read(self, desk: Desk) -> None:
        shown = await desk.call(get_workspace, as_=desk.caller_with("workspace:write"))
        assert shown["name"] == "Test"


class TestInput:
    async def test_unknown_fields_are_named(self, desk: Desk) -> None:
        with pytest.raises(InvalidInput) as caught:
            await desk.call(update_workspace, nmae="x")
        assert [field.path for field in caught.value.fields] == ["nmae"]
        assert caught.value.message == "The arguments do not fit: nmae: There is no such field."
        assert caught.value.hint is not None
        assert "name" in caught.value.hint.removeprefix("The fields are: ").removesuffix(".").split(", ")

    @pytest.mark.parametrize(
        ("arguments", "path", "words"),
        [
            ({"limit": "many"}, "limit", "This has to be a whole number."),
            ({"limit": 9000}, "limit", "This has to be 200 or less."),
            ({"filter": "vip"}, "filter", "This has to be an object."),
            ({"filter": {}}, "filter", "Say which kind it is, by 'type'."),
            (
                {"filter": {"type": "inbox", "operator": "any_of", "inbox_ids": ["shop"]}},
                "filter.inbox.inbox_ids.0",
                "This is no id. Ids are UUIDs, as lists and searches show them.",
            ),
            (
                {"filter": {"type": "text", "field": "name", "operator": "is", "value": "An"}},
                "filter.text.operator",
                (
                    "This has to be one of 'equals', 'not_equals', 'contains', 'not_contains', 'starts_with' or "
                    "'ends_with'. Or: This has to be one of 'is_set' or 'is_not_set'."
                ),
            ),
        ],
    )
    async def test_what_is_wrong_is_said_in_words_of_ours(
        self, desk: Desk, arguments: dict[str, Any], path: str, words: str
    ) -> None:
        good: dict[str, Any] = {"filter": {"type": "boolean", "field": "blocked", "operator": "is_true"}}
        with pytest.raises(InvalidInput) as caught:
            await desk.call(filter_contacts, **{**good, **arguments})
        (problem,) = caught.value.fields
        assert (problem.path, problem.message) == (path, words)

    async def test_an_unknown_kind_is_told_the_kinds_there_are(self, desk: Desk) -> None:
        with pytest.raises(InvalidInput) as caught:
            await desk.call(filter_contacts, filter={"type": "purple"})
        (problem,) = caught.value.fields
        assert problem.message.startswith("There is no such kind; the kinds are 'and', 'or', 'not', 'text', ")
        assert "purple" not in problem.message

    @pytest.mark.parametrize("arguments", [{"name": "a\ud800"}, {"\ud800": 1}, {"name": {"\ud800": 1}}])
    async def test_halves_of_characters_are_bad_input_and_recorded(
        self, desk: Desk, arguments: dict[str, object]
    ) -> None:
        with pytest.raises(InvalidInput):
            await desk.product.pipeline.run(desk.caller, update_workspace, arguments)
        (record,) = (await desk.call(list_audit))["items"]
        assert (record["outcome"], record["error"]) == ("failed", "INVALID_ARGUMENT")


class TestIdempotency:
    @pytest.mark.parametrize("key", ["", "x" * 256, "a\0b", "a\ud800b"])
    async def test_a_key_that_cannot_be_kept_is_bad_input(self, desk: Desk, key: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            await desk.product.pipeline.run(desk.caller, create_token, {"name": "n8n"}, idempotency_key=key)
        assert [field.path for field in caught.value.fields] == ["idempotency_key"]

    async def test_same_key_and_arguments_replay_the_stored_result(self, desk: Desk) -> None:
        run = desk.product.pipeline.run
        first = await run(desk.caller, create_token, {"name": "n8n"}, idempotency_key="k1")
        again = await run(desk.caller, create_token, {"name": "n8n"}, idempotency_key="k1")
        assert (first.replayed, again.replayed) == (False, True)
        assert again.value == first.value

    async def test_other_arguments_conflict(self, desk: Desk) -> None:
        run = desk.product.pipeline.run
        await run(desk.caller, create_token, {"name": "n8n"}, idempotency_key="k1")
        with pytest.raises(IdempotencyConflict):
            await run(desk.caller, create_token, {"name": "other"}, idempotency_key="k1")

    async def test_nothing_kept_of_the_arguments_lets_them_be_guessed(self, desk: Desk) -> None:
        for key in ("k1", "k2"):
            await desk.product.pipeline.run(desk.caller, create_token, {"name": "n8n"}, idempotency_key=key)
        told = read_input(create_token, {"name": "n8n"}).model_dump(mode="json")
        guess = hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).digest()
        async with desk.product.database.autocommit() as unit:
            rows = await unit.connection.fetch(
                "select arguments_hash from idempotency_keys where principal = $1", principal_of(desk.caller)
            )
        kept = {row["arguments_hash"] for row in rows}
        assert len(kept) == len(rows) == 2
        assert guess not in kept

    async def test_another_principal_has_keys_of_its_own(self, desk: Desk) -> None:
        run = desk.product.pipeline.run
        other = desk.caller_with(*desk.caller.scopes)
        first = await run(desk.caller, create_token, {"name": "n8n"}, idempotency_key="k1")
        second = await run(other, create_token, {"name": "n8n"}, idempotency_key="k1")
        assert first.value != second.value

    async def test_an_operation_knows_a_repeated_call_again(self, desk: Desk) -> None:
        told: list[str] = []

        @operation(
            "tests.pay", tool="tests_pay", scope="contacts:write", effect=Effect.ADD, http="POST /tests"
        )
        async def pay(caller: Caller, request: Input) -> Output:
            """Pay somewhere else, and break down before it is known here."""
            told.append(caller.call_id)
            raise Unavailable("The bank hung up.")

        async def call(caller: Caller, key: str | None) -> None:
            with pytest.raises(Unavailable):
                await desk.product.pipeline.run(caller, pay, {}, idempotency_key=key)

        for key in ("k1", "k1", "k2"):
            await call(desk.caller, key)
        await call(desk.caller_with("contacts:write"), "k1")
        await call(desk.caller, None)
        assert told[0] == told[1]
        assert len(set(told)) == 4
        assert told[-1] == desk.caller.request_id

    async def test_a_crowd_of_twins_has_one_effect(self, desk: Desk) -> None:
        run = desk.product.pipeline.run
        calls = [run(desk.caller, create_token, {"name": "n8n"}, idempotency_key="k1") for _ in range(50)]
        outcomes = await asyncio.gather(*calls)
        assert len({outcome.value["token"] for outcome in outcomes}) == 1
        assert sum(not outcome.replayed for outcome in outcomes) == 1

    async def test_a_crowd_over_two_processes_too(self, desk: Desk, settings: Settings) -> None:
        async with open_product(settings) as other:
            pipelines = [desk.product.pipeline, other.pipeline]
            calls = [
                pipelines[number % 2].run(desk.caller, create_token, {"name": "n8n"}, idempotency_key="k1")
                for number in range(100)
            ]
            outcomes = await asyncio.gather(*calls)
        assert len({outcome.value["token"] for outcome in outcomes}) == 1
        assert sum(not outcome.replayed for outcome in outcomes) == 1
        made = await desk.call(list_tokens)
        assert len(made["items"]) == 1

    async def test_while_a_twin_still_runs(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keys, "WAIT_SECONDS", 0.1)
        running, may_end = asyncio.Event(), asyncio.Event()

        @operation(
            "tests.ponder", tool="ponder", scope="workspace:write", effect=Effect.ADD, http="POST /ponder"
        )
        async def ponder(caller: Caller, request: _Nothing) -> _Done:
            """Ponder."""
            running.set()
            await may_end.wait()
            return _Done()

        run = desk.product.pipeline.run
        first = asyncio.create_task(run(desk.caller, ponder, {}, idempotency_key="k1"))
        await running.wait()
        with pytest.raises(IdempotencyInProgress) as caught:
            await run(desk.caller, ponder, {}, idempotency_key="k1")
        assert caught.value.retry_after_ms is not None
        may_end.set()
        assert not (await first).replayed
        assert (await run(desk.caller, ponder, {}, idempotency_key="k1")).replayed

    async def test_a_failed_call_leaves_the_key_free(self, desk: Desk) -> None:
        attempts: list[int] = []

        @operation("tests.slip", tool="slip", scope="workspace:write", effect=Effect.ADD, http="POST /slip")
        async def slip(caller: Caller, request: _Nothing) -> _Done:
            """Slip the first time."""
            attempts.append(1)
            if len(attempts) == 1:
                raise ZeroDivisionError
            return _Done()

        run = desk.product.pipeline.run
        with pytest.raises(Internal) as caught:
            await run(desk.caller, slip, {}, idempotency_key="k1")
        assert "ZeroDivision" not in caught.value.message
        assert not (await run(desk.caller, slip, {}, idempotency_key="k1")).replayed
        outcomes = [record["outcome"] for record in (await desk.call(list_audit))["items"]]
        assert outcomes == ["done", "failed"]


class _Nothing(Input):
    """Nothing to say."""


class _Done(Output):
    """Done."""


class TestRateLimit:
    async def test_the_burst_then_a_time_to_wait(self, desk: Desk) -> None:
        @operation(
            "tests.knock",
            tool="knock",
            scope="workspace:read",
            effect=Effect.READ,
            http="GET /knock",
            rate=RateClass(per_minute=60, burst=5),
        )
        async def knock(caller: Caller, request: _Nothing) -> _Done:
            """Knock."""
            return _Done()

        for _ in range(5):
            await desk.call(knock)
        with pytest.raises(RateLimitExceeded) as caught:
            await desk.call(knock)
        assert caught.value.retry_after_ms is not None
        assert 0 < caught.value.retry_after_ms <= 1001

    async def test_processes_share_the_limit(self, desk: Desk, settings: Settings) -> None:
        rate = RateClass(per_minute=1, burst=40)
        async with open_product(settings) as other:
            limiters = [desk.product.limiter, other.limiter]
            bucket = desk.caller.principal_id
            taken = 0
            for number in range(100):
                try:
                    await limiters[number % 2].take(bucket, rate)
                except RateLimitExceeded:
                    continue
                taken += 1
        assert taken == 40


class TestApproval:
    async def test_untrusted_text_destroys_nothing_without_a_person(self, desk: Desk) -> None:
        made = await desk.call(create_token, name="n8n")
        caller = desk.caller_with("tokens:write", trust=Trust.UNTRUSTED)
        with pytest.raises(ApprovalRequired):
            await desk.call(revoke_token, as_=caller, token_id=made["access_token"]["id"])


class TestAuditChain:
    async def test_a_whole_chain_is_intact(self, desk: Desk) -> None:
        for name in ("a", "b", "c"):
            await desk.call(update_workspace, name=name)
        assert await desk.call(verify_audit) == {
            "intact": True,
            "records": 3,
            "broken_at": None,
            "reason": None,
        }

    async def test_records_that_come_while_it_looks_are_no_fault(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.call(update_workspace, name="before")
        read = audit.batch

        async def read_late(workspace_id: UUID, after: int) -> list[AuditRow]:
            if after == audit.BEFORE_ALL:
                await desk.call(update_workspace, name="meanwhile")
            return await read(workspace_id, after)

        monkeypatch.setattr(audit, "batch", read_late)
        verdict = await desk.call(verify_audit)
        assert (verdict["intact"], verdict["records"]) == (True, 2)

    async def test_one_that_was_put_behind_the_end_is_found(self, desk: Desk) -> None:
        await desk.call(update_workspace, name="a")
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute(
                """
                insert into audit_records (workspace_id, seq, body, hash)
                select workspace_id, 2, body, sha256(hash || int8send(2) || convert_to(body, 'UTF8'))
                from audit_records where workspace_id = $1
                """,
                desk.caller.workspace_id,
            )
        verdict = await desk.call(verify_audit)
        assert (verdict["intact"], verdict["broken_at"]) == (False, 2)

    async def test_it_is_not_for_callers_limited_to_some_inboxes(self, desk: Desk) -> None:
        """Its records name what happened in all of them."""
        limited = desk.caller_with("audit:read", inbox_ids=frozenset({new_id()}))
        for look in (list_audit, verify_audit, export_audit):
            with pytest.raises(Forbidden):
                await desk.call(look, as_=limited)

    @pytest.mark.parametrize(
        ("tampering", "broken_at"),
        [
            (
                "update audit_records set body = replace(body, 'Owner', 'Nobody') where workspace_id = $1 and seq = 2",
                2,
            ),
            ("delete from audit_records where workspace_id = $1 and seq = 2", 2),
            ("delete from audit_records where workspace_id = $1 and seq = 4", 4),
            ("delete from audit_records where workspace_id = $1", 1),
            (
                (
                    "update audit_records set seq = case seq when 2 then -3 else -2 end "
                    "where workspace_id = $1 and seq in (2, 3)"
                ),
                1,
            ),
        ],
        ids=["edited", "deleted", "cut off", "emptied", "moved"],
    )
    async def test_tampering_is_found_and_named(self, desk: Desk, tampering: str, broken_at: int) -> None:
        for name in ("a", "b", "c", "d"):
            await desk.call(update_workspace, name=name)
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute(tampering, desk.caller.workspace_id)
        verdict = await desk.call(verify_audit)
        assert not verdict["intact"]
        assert verdict["broken_at"] == broken_at


def test_records_name_arguments_only_by_what_looks_like_a_name() -> None:
    secret = "EAAx9aZ81kQ0Lm3PpW77"
    assert audit.shape({"tag_id": 1, "line2": {secret: 2, "a": 3}}) == {
        "tag_id": 1,
        "line2": {"<name 20>": 2, "a": 3},
    }


def test_problems_name_fields_only_by_what_looks_like_a_name() -> None:
    secret = "EAAx9aZ81kQ0Lm3PpW77"
    with pytest.raises(InvalidInput) as caught:
        read_input(update_workspace, {secret: 1, "colour": "red"})
    assert secret not in str(caught.value.problem())
    assert {problem.path for problem in caught.value.fields} >= {"<name 20>", "colour"}
