"""A call that is made again has one effect, whatever became of its answer: made from the catalogue."""

from dataclasses import replace

import pytest

from chatwright.catalogue import CATALOGUE
from chatwright.features.workspaces.confirmations import tokens
from chatwright.features.workspaces.pipeline import Outcome
from chatwright.kernel.caller import Surface
from chatwright.kernel.errors import ConfirmationInvalid, ConfirmationRequired, IdempotencyConflict
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import AnyOperation
from tests.calls.callers import ending, pipeline_on, somebody_like
from tests.calls.crashing import CrashingDatabase, Killed
from tests.calls.writes import Written, written
from tests.makers import World
from tests.situations import Sample, sample_of

WRITING = [operation for operation in CATALOGUE if operation.writes]
ASKING = [operation for operation in CATALOGUE if operation.asks]
WITHOUT_EFFECT = {"imports.upload"}
"""It names a place in the store, for bytes that come by themselves."""
ALIKE = {"imports.upload"}
"""Operations that take no arguments, so that no two calls differ."""

every_writing_operation = pytest.mark.parametrize("operation", WRITING, ids=lambda operation: operation.name)
every_asking_operation = pytest.mark.parametrize("operation", ASKING, ids=lambda operation: operation.name)


def one_effect(seen: Written, operation: AnyOperation) -> None:
    """Check that one transaction changed something, and that it is the one whose record says `done`."""
    done = [each for each in seen.transactions if (operation.name, "done") in each.calls]
    assert len(done) == 1
    assert seen.effects == ([] if operation.name in WITHOUT_EFFECT else done)
    assert seen.unlawful == []


@every_writing_operation
class TestKeys:
    async def test_the_same_call_answers_the_same(self, operation: AnyOperation, world: World) -> None:
        sample, key = await sample_of(operation, world), new_id().hex
        async with written(world.desk.product) as seen:
            first = await ending(world, sample.caller, operation, sample.arguments, idempotency_key=key)
            again = await ending(world, sample.caller, operation, sample.arguments, idempotency_key=key)
        assert isinstance(first, Outcome), first
        assert again == replace(first, replayed=True)
        assert seen.outcomes[-2:] == [(operation.name, "done", None), (operation.name, "replayed", None)]
        one_effect(seen, operation)

    async def test_another_call_is_a_conflict(self, operation: AnyOperation, world: World) -> None:
        sample, other = await sample_of(operation, world), await sample_of(operation, world)
        assert (sample.arguments == other.arguments) is (operation.name in ALIKE), (
            "tests/situations.py makes two alike"
        )
        if operation.name in ALIKE:
            return
        key = new_id().hex
        async with written(world.desk.product) as seen:
            await ending(world, sample.caller, operation, sample.arguments, idempotency_key=key)
            ended = await ending(world, sample.caller, operation, other.arguments, idempotency_key=key)
        assert isinstance(ended, IdempotencyConflict)
        assert seen.outcomes[-1] == (operation.name, "failed", "IDEMPOTENCY_CONFLICT")
        one_effect(seen, operation)


@every_writing_operation
class TestCrashes:
    @pytest.mark.parametrize("committed", [True, False], ids=["after", "before"])
    async def test_around_the_commit_the_repeated_call_has_one_effect(
        self, operation: AnyOperation, world: World, *, committed: bool
    ) -> None:
        sample, key = await sample_of(operation, world), new_id().hex
        database = CrashingDatabase(world.desk.product.database, committed=committed)
        async with written(world.desk.product) as seen:
            with pytest.raises(Killed):
                await pipeline_on(database, world.desk.product).run(
                    sample.caller, operation, sample.arguments, idempotency_key=key
                )
            again = await ending(world, sample.caller, operation, sample.arguments, idempotency_key=key)
        assert isinstance(again, Outcome), again
        assert again.replayed is committed
        ends = ["done", "replayed"] if committed else ["done"]
        assert [outcome for name, outcome, _ in seen.outcomes if name == operation.name] == ends
        one_effect(seen, operation)


@every_asking_operation
class TestConfirming:
    async def test_one_yes_lets_one_call_of_one_principal_happen(
        self, operation: AnyOperation, world: World
    ) -> None:
        sample = await asked_sample(operation, world)
        other = somebody_like(sample.caller)
        async with written(world.desk.product) as seen:
            token = await token_for(operation, sample, world)
            foreign = await ending(world, other, operation, sample.arguments, confirm_token=token)
            happened = await ending(world, sample.caller, operation, sample.arguments, confirm_token=token)
            spent = await ending(world, sample.caller, operation, sample.arguments, confirm_token=token)
        assert isinstance(foreign, ConfirmationInvalid)
        assert isinstance(happened, Outcome), happened
        assert isinstance(spent, ConfirmationInvalid)
        told = [(outcome, error) for name, outcome, error in seen.outcomes if name == operation.name]
        refused = ("refused", "CONFIRMATION_INVALID")
        assert told == [("asked", "CONFIRMATION_REQUIRED"), refused, ("done", None), refused]
        assert len(seen.effects) == 1
        assert seen.unlawful == []

    async def test_a_yes_that_comes_late_is_none(
        self, operation: AnyOperation, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sample = await asked_sample(operation, world)
        monkeypatch.setattr(tokens, "GOOD_SECONDS", -1)
        async with written(world.desk.product) as seen:
            token = await token_for(operation, sample, world)
            late = await ending(world, sample.caller, operation, sample.arguments, confirm_token=token)
        assert isinstance(late, ConfirmationInvalid)
        assert seen.effects == []
        assert seen.unlawful == []


async def asked_sample(operation: AnyOperation, world: World) -> Sample:
    """A call by a program that a model drives, which has its user asked."""
    sample = await sample_of(operation, world)
    return replace(sample, caller=replace(sample.caller, surface=Surface.MCP))


async def token_for(operation: AnyOperation, sample: Sample, world: World) -> str:
    asked = await ending(world, sample.caller, operation, sample.arguments)
    assert isinstance(asked, ConfirmationRequired), asked
    assert asked.details is not None
    return str(asked.details["confirm_token"])
