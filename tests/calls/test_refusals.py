"""Calls that are not let through have no effect and leave one record: made from the catalogue."""

import pytest

from chatwright.catalogue import CATALOGUE
from chatwright.features.workspaces.rules import SCOPES
from chatwright.kernel.caller import OWN_SCOPES
from chatwright.kernel.errors import InvalidInput, OutsideGrant, ScopeMissing
from chatwright.kernel.operation import AnyOperation
from tests.calls.callers import ending, kept_sample, somebody_like
from tests.calls.malformed import malformed
from tests.calls.writes import written
from tests.makers import World
from tests.situations import Sample

GUARDED = [operation for operation in CATALOGUE if operation.scope not in OWN_SCOPES]
"""All but those that everybody may call about their own things."""

every_operation = pytest.mark.parametrize("operation", CATALOGUE, ids=lambda operation: operation.name)
every_guarded_operation = pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)


def beyond(scope: str) -> frozenset[str]:
    """All scopes but those that include this one."""
    return SCOPES - {scope, f"{scope.partition(':')[0]}:write"}


@every_guarded_operation
async def test_without_the_scope_all_others_are_no_good(
    operation: AnyOperation, world: World, samples: dict[str, Sample]
) -> None:
    sample = await kept_sample(operation, world, samples)
    caller = somebody_like(sample.caller, scopes=beyond(operation.scope))
    async with written(world.desk.product) as seen:
        ended = await ending(world, caller, operation, sample.arguments, idempotency_key="k")
    assert isinstance(ended, ScopeMissing)
    assert ended.scope == operation.scope
    assert seen.outcomes == [(operation.name, "refused", "INSUFFICIENT_SCOPE")]
    assert seen.records[0]["request_id"] == caller.request_id
    assert seen.unlawful == []


@every_guarded_operation
async def test_outside_of_its_grant_a_caller_is_refused(
    operation: AnyOperation, world: World, samples: dict[str, Sample]
) -> None:
    sample = await kept_sample(operation, world, samples)
    others = frozenset(other.name for other in CATALOGUE) - {operation.name}
    caller = somebody_like(sample.caller, operations=others)
    async with written(world.desk.product) as seen:
        ended = await ending(world, caller, operation, sample.arguments, idempotency_key="k")
    assert isinstance(ended, OutsideGrant)
    assert seen.outcomes == [(operation.name, "refused", "OUTSIDE_GRANT")]
    assert seen.unlawful == []


@every_operation
async def test_malformed_arguments_are_named(
    operation: AnyOperation, world: World, samples: dict[str, Sample]
) -> None:
    sample = await kept_sample(operation, world, samples)
    cases = list(malformed(operation, sample.arguments))
    codes: list[str] = []
    async with written(world.desk.product) as seen:
        for case in cases:
            ended = await ending(
                world, somebody_like(sample.caller), operation, case.arguments, idempotency_key="k"
            )
            assert isinstance(ended, InvalidInput), (case.what, case.field, ended)
            codes.append(ended.code)
            assert case.field in {problem.path.partition(".")[0] for problem in ended.fields}, case.what
    assert seen.outcomes == [(operation.name, "failed", code) for code in codes if operation.writes]
    assert seen.unlawful == []
