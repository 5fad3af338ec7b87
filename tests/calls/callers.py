"""Who calls, and how their calls end."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from chatwright.app.wiring import Product
from chatwright.features.workspaces.pipeline import Outcome, Pipeline
from chatwright.features.workspaces.rules import DefaultPolicy
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import ChatwrightError
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import AnyOperation
from chatwright.ports.calls import CallObserver, WatchedCall
from chatwright.ports.database import Database
from tests.makers import World
from tests.situations import Sample, sample_of


def somebody_like(caller: Caller, **changes: Any) -> Caller:
    """Another principal who may do the same, but for the changes; nobody has used up its rate."""
    return replace(caller, principal_id=str(new_id()), request_id=new_id().hex, **changes)


async def ending(
    world: World, caller: Caller, operation: AnyOperation, arguments: dict[str, Any], **options: Any
) -> Outcome | ChatwrightError:
    """What a call answers, or the error it ends with."""
    try:
        return await world.desk.product.pipeline.run(caller, operation, arguments, **options)
    except ChatwrightError as error:
        return error


class _Nobody(CallObserver):
    def watch(self, call: WatchedCall) -> AbstractContextManager[object]:
        return nullcontext()


def pipeline_on(database: Database, product: Product) -> Pipeline:
    """A pipeline like the product's, on a database that behaves in another way."""
    return Pipeline(database, product.limiter, DefaultPolicy(), product.cipher, _Nobody())


async def kept_sample(operation: AnyOperation, world: World, samples: dict[str, Sample]) -> Sample:
    """A call that may be asked for again, as long as it never happens."""
    if operation.name not in samples:
        samples[operation.name] = await sample_of(operation, world)
    return samples[operation.name]
