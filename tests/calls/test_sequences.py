"""Whatever is called, in whatever order and at once: what happened is what the audit trail says."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from chatwright.catalogue import CATALOGUE
from chatwright.features.workspaces import audit
from chatwright.features.workspaces.pipeline import Outcome
from chatwright.kernel.caller import Caller, Surface
from chatwright.kernel.errors import ChatwrightError, Internal
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.http.rest import errors_of
from tests.calls.callers import ending, pipeline_on, somebody_like
from tests.calls.crashing import CrashingDatabase, Killed
from tests.calls.writes import written
from tests.makers import World
from tests.situations import Sample, sample_of

SEQUENCES = 15
MUTATIONS = 80
CONSENT = {"CONFIRMATION_REQUIRED", "CONFIRMATION_INVALID", "APPROVAL_REQUIRED", "OUTSIDE_GRANT"}
"""What the pipeline adds to the errors of any operation."""
FIXED = settings(
    deadline=None,
    database=None,
    print_blob=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""A sequence is not made smaller after it failed: its things are used up. What is printed makes it again."""

JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\0", "\ud800", "x" * 100_000, "2026-02-30", "00000000-0000-0000-0000-000000000000"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
KINDS = (
    "plain",
    "keyed",
    "twins",
    "dry",
    "refused",
    "narrowed",
    "malformed",
    "by_model",
    "supervised",
    "dies",
    "dying",
)


@dataclass(frozen=True)
class Step:
    """One call, and how it is made."""

    operation: AnyOperation
    kind: str
    at_once: bool
    """Whether it is made together with the one before it."""


STEPS = st.lists(
    st.builds(Step, st.sampled_from(CATALOGUE), st.sampled_from(KINDS), st.booleans()),
    min_size=4,
    max_size=12,
)


async def make(step: Step, sample: Sample, world: World) -> None:
    """Make a call in one of the ways in which calls are made. How it ends is its own affair."""
    key = new_id().hex
    run = world.desk.product.pipeline.run
    caller, arguments = sample.caller, sample.arguments
    match step.kind:
        case "keyed":
            await ended(run(caller, step.operation, arguments, idempotency_key=key))
            await ended(run(caller, step.operation, arguments, idempotency_key=key))
        case "twins":
            await asyncio.gather(
                *(ended(run(caller, step.operation, arguments, idempotency_key=key)) for _ in range(3))
            )
        case "dry":
            await ended(world.desk.product.pipeline.rehearse(caller, step.operation, arguments))
        case "malformed":
            await ended(run(caller, step.operation, {**arguments, "no_such_field": 1}))
        case "dies" | "dying":
            database = CrashingDatabase(world.desk.product.database, committed=step.kind == "dies")
            dead = pipeline_on(database, world.desk.product)
            await ended(dead.run(caller, step.operation, arguments, idempotency_key=key))
            await ended(run(caller, step.operation, arguments, idempotency_key=key))
        case _:
            await ended(run(as_kind(caller, step.kind), step.operation, arguments))


def as_kind(caller: Caller, kind: str) -> Caller:
    match kind:
        case "refused":
            return somebody_like(caller, scopes=frozenset[str]())
        case "narrowed":
            return somebody_like(caller, operations=frozenset[str]())
        case "by_model":
            return replace(caller, surface=Surface.MCP)
        case "supervised":
            return somebody_like(caller, supervised=True)
        case _:
            return caller


async def ended(call: Any) -> None:
    """Let a call end as it will, but for errors that nobody foresaw."""
    try:
        await call
    except Internal:
        raise
    except (ChatwrightError, Killed):
        pass


def groups(steps: list[Step]) -> list[list[int]]:
    """Numbers of steps that go together."""
    found: list[list[int]] = []
    for number, step in enumerate(steps):
        if found and step.at_once:
            found[-1].append(number)
        else:
            found.append([number])
    return found


@settings(FIXED, max_examples=SEQUENCES)
@given(steps=STEPS)
async def test_effects_equal_audit_records(steps: list[Step], world: World) -> None:
    world.desk = replace(world.desk, caller=somebody_like(world.desk.caller))
    samples = [await sample_of(step.operation, world) for step in steps]
    async with written(world.desk.product) as seen:
        for group in groups(steps):
            await asyncio.gather(*(make(steps[number], samples[number], world) for number in group))
    assert seen.unlawful == []
    async with world.desk.product.database.autocommit():
        assert (await audit.verify(world.desk.caller.workspace_id)).broken_at is None


@pytest.fixture(scope="module")
def kept() -> dict[str, Sample]:
    return {}


@settings(FIXED, max_examples=MUTATIONS)
@given(data=st.data())
async def test_junk_is_a_fault_that_the_operation_declares(
    data: st.DataObject, world: World, kept: dict[str, Sample]
) -> None:
    operation = data.draw(st.sampled_from(CATALOGUE))
    if operation.name not in kept:
        kept[operation.name] = await sample_of(operation, world)
    sample = kept[operation.name]
    field = data.draw(st.sampled_from(sorted({*operation.input.model_fields, "no_such_field"})))
    arguments = {**sample.arguments, field: data.draw(JUNK)}
    async with written(world.desk.product) as seen:
        result = await ending(world, somebody_like(sample.caller), operation, arguments)
    assert seen.unlawful == []
    if isinstance(result, Outcome):
        assert bool(seen.records) is operation.writes
        return
    assert result.code in {error.code for error in errors_of(operation)} | CONSENT, result
    assert result.http_status < 500, result
    assert [outcome for _, outcome, _ in seen.outcomes] == (["failed"] if operation.writes else [])
