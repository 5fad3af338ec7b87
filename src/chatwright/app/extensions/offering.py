"""All that a process offers: the product's own operations, resources and prompts, and those of extensions."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property

from chatwright.app.extensions.judging import Judge
from chatwright.app.extensions.loading import BadExtension, Installed, load
from chatwright.app.settings import wanted_extensions
from chatwright.catalogue import CATALOGUE, toolsets_with
from chatwright.kernel.errors import ChatwrightError
from chatwright.kernel.operation import AnyOperation
from chatwright.kernel.prompts import Recipe
from chatwright.kernel.resources import Kind
from chatwright.ports.operations import register_operations
from chatwright.ports.scopes import OwnScope, register_scopes
from chatwright.ports.toolsets import register_toolsets
from chatwright.surfaces.mcp.prompts.recipes import RECIPES
from chatwright.surfaces.mcp.resources.kinds import KINDS


@dataclass(frozen=True)
class Offering:
    """What there is, in the order in which it is listed: the product's own first."""

    installed: tuple[Installed, ...] = ()

    @cached_property
    def operations(self) -> tuple[AnyOperation, ...]:
        """Every operation."""
        return (*CATALOGUE, *self._added)

    @cached_property
    def toolsets(self) -> Mapping[str, frozenset[str]]:
        """Names of operations by toolset."""
        return toolsets_with(self._added)

    @property
    def scopes(self) -> list[OwnScope]:
        """The scopes beside the product's."""
        return [scope for each in self.installed for scope in each.extension.scopes]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of MCP resources."""
        return (*KINDS, *(kind for each in self.installed for kind in each.extension.resources))

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The MCP prompts."""
        return (*RECIPES, *(recipe for each in self.installed for recipe in each.extension.prompts))

    @property
    def _added(self) -> tuple[AnyOperation, ...]:
        return tuple(operation for each in self.installed for operation in each.extension.operations)

    def register(self) -> None:
        """Make it known in this process, for the rooms below that ask by name."""
        register_operations(self.operations)
        register_toolsets(self.toolsets)
        register_scopes(self.scopes)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Hold open what extensions need, closed in reverse. Raises BadExtension for one that does not start."""
        async with AsyncExitStack() as stack:
            for each in self.installed:
                await _start(each, stack)
            yield


def offering_of(installed: Iterable[Installed]) -> Offering:
    """Put extensions beside the product. Raises BadExtension for one that does not fit beside it or the others."""
    judge, accepted = Judge(), list[Installed]()
    for each in installed:
        problem = next(judge.problems(each.extension), None)
        if problem is not None:
            raise BadExtension(each.source, problem)
        judge.accept(each.extension)
        accepted.append(each)
    return Offering(tuple(accepted))


def offering_at_hand() -> Offering:
    """What a process with this environment offers; raises Misconfigured."""
    return offering_of(load(wanted_extensions()))


async def _start(each: Installed, stack: AsyncExitStack) -> None:
    if each.extension.running is None:
        return
    try:
        await stack.enter_async_context(each.extension.running())
    except ChatwrightError as error:
        raise BadExtension(each.source, error.message) from error
    except Exception as error:
        problem = f"it did not start, with {type(error).__name__}: {error}"
        raise BadExtension(each.source, problem) from error
