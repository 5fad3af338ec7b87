"""The one idea: an operation is a typed function, decorated once, that every face shows.

    @operation("contacts.get", tool="get_contact", scope="contacts:read", effect=Effect.READ,
               http="GET /contacts/{contact_id}", errors=(ContactNotFound,))
    async def get_contact(caller: Caller, request: GetContact) -> Contact:
        '''Show a contact. ...'''

Input and output come from the signature, the words from the docstring: its first line is the summary.
"""

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Final, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict

from chatwright.kernel.caller import OWN_SCOPES, Caller, Surface
from chatwright.kernel.errors import ChatwrightError


class Input(BaseModel):
    """What goes into an operation. Unknown fields are refused, so that a misspelt one is never dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Mark(Enum):
    """What is special about a field: `Annotated[str, PRIVATE]`."""

    PRIVATE = "private"
    DETAIL = "detail"
    OUTSIDE = "outside"


PRIVATE: Final = Mark.PRIVATE
"""On a field of an Input: it can hold secrets, so no record shows any of its values."""
DETAIL: Final = Mark.DETAIL
"""On a field of an Output: a concise answer for a model leaves it out. Other faces always show it."""
OUTSIDE: Final = Mark.OUTSIDE
"""On a field of an Output: people outside wrote it (a contact's words, a name they chose, a provider's text). Faces
for models label it as data that is never to be obeyed."""


class Output(BaseModel):
    """What comes out of an operation."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)
Handler = Callable[[Caller, In], Awaitable[Out]]


class Effect(StrEnum):
    """What a call may change: it decides the HTTP verb, the MCP hints and whether a person is asked."""

    READ = "read"
    ADD = "add"
    CHANGE = "change"
    DESTROY = "destroy"


HTTP_VERBS = {
    Effect.READ: {"GET", "POST"},
    Effect.ADD: {"POST"},
    Effect.CHANGE: {"POST", "PUT", "PATCH", "DELETE"},
    Effect.DESTROY: {"DELETE", "POST"},
}
"""POST reads are searches whose filter does not fit into a query string."""

EVERY_FACE = frozenset({Surface.MCP, Surface.HTTP, Surface.CLI, Surface.WEB})


@dataclass(frozen=True, slots=True)
class RateClass:
    """How many calls of one operation one principal may make, as a token bucket."""

    per_minute: int
    burst: int


USUAL_RATE = RateClass(per_minute=6000, burst=600)
USUAL_SECONDS = 30.0
"""The deadline of a call that names none of its own."""


@dataclass(frozen=True)
class Operation(Generic[In, Out]):
    """One thing the product can do, with everything a face needs to show it."""

    name: str
    """`noun.verb`, the name in the catalogue, the audit trail and the CLI."""
    tool: str
    """The MCP tool's name, verb first."""
    scope: str
    effect: Effect
    method: str
    path: str
    idempotent: bool
    """Whether repeating the call changes nothing more (the HTTP and MCP sense)."""
    input: type[In]
    output: type[Out]
    errors: tuple[type[ChatwrightError], ...]
    handler: Handler[In, Out]
    title: str
    summary: str
    description: str
    surfaces: frozenset[Surface]
    rate: RateClass
    outward: bool
    """Whether it reaches beyond this product, e.g. a customer's phone (MCP's openWorldHint)."""
    asks: bool
    """Whether it is confirmed before it runs, where its face can ask: deletions, sends to many, exports, spending."""
    seconds: float
    """How long a call may take before it is given up with DEADLINE_EXCEEDED and undone."""
    job: str | None
    """The operation that shows the long work this one starts (`imports.get`), by the id in this one's result."""

    async def __call__(self, caller: Caller, request: In) -> Out:
        """Run inside the caller's transaction, as one operation does with another. Scope comes first."""
        caller.require(self.scope)
        return await self.handler(caller, request)

    @property
    def noun(self) -> str:
        """The resource: REST tag, CLI group and toolset."""
        return self.name.partition(".")[0]

    @property
    def verb(self) -> str:
        """The rest of the name: the CLI command."""
        return self.name.partition(".")[2]

    @property
    def writes(self) -> bool:
        """Whether a call may change something: it is then audited and takes an idempotency key."""
        return self.effect is not Effect.READ

    def open_to(self, caller: Caller) -> bool:
        """Whether the caller's scopes and the limits of its grant let it call this at all."""
        within = self.scope in OWN_SCOPES or caller.operations is None or self.name in caller.operations
        return within and caller.may(self.scope)

    @property
    def private_fields(self) -> frozenset[str]:
        """The input fields that can hold secrets."""
        fields = self.input.model_fields
        return frozenset(name for name, field in fields.items() if PRIVATE in field.metadata)

    @property
    def path_fields(self) -> tuple[str, ...]:
        """The input fields that REST carries in the path."""
        return tuple(re.findall(r"{(\w+)}", self.path))


AnyOperation = Operation[Any, Any]


def operation(  # noqa: PLR0913 - these are the columns of the catalogue, all named at every use.
    name: str,
    *,
    tool: str,
    scope: str,
    effect: Effect,
    http: str,
    idempotent: bool | None = None,
    errors: tuple[type[ChatwrightError], ...] = (),
    surfaces: frozenset[Surface] = EVERY_FACE,
    rate: RateClass = USUAL_RATE,
    outward: bool = False,
    asks: bool | None = None,
    seconds: float = USUAL_SECONDS,
    job: str | None = None,
) -> Callable[[Handler[In, Out]], Operation[In, Out]]:
    """Make an Operation of a function `(caller, request) -> result`.

    Raises ValueError or TypeError at import time when the declaration contradicts itself.
    """
    method, _, path = http.partition(" ")
    if method not in HTTP_VERBS[effect]:
        message = f"{name}: {effect} does not go with {method}"
        raise ValueError(message)

    def decorate(handler: Handler[In, Out]) -> Operation[In, Out]:
        request_type, result_type = _signature(name, handler)
        missing = set(re.findall(r"{(\w+)}", path)) - set(request_type.model_fields)
        if missing:
            message = f"{name}: {request_type.__name__} lacks the path's fields {sorted(missing)}"
            raise TypeError(message)
        words = inspect.cleandoc(handler.__doc__ or "")
        if not words:
            message = f"{name}: an operation needs a docstring, it is what people and models read"
            raise TypeError(message)
        return Operation(
            name=name,
            tool=tool,
            scope=scope,
            effect=effect,
            method=method,
            path=path,
            idempotent=effect is Effect.READ if idempotent is None else idempotent,
            input=request_type,
            output=result_type,
            errors=errors,
            handler=handler,
            title=tool.replace("_", " ").capitalize(),
            summary=words.partition("\n")[0],
            description=words,
            surfaces=surfaces,
            rate=rate,
            outward=outward,
            asks=effect is Effect.DESTROY if asks is None else asks,
            seconds=seconds,
            job=job,
        )

    return decorate


def _signature(name: str, handler: Handler[In, Out]) -> tuple[type[In], type[Out]]:
    hints = get_type_hints(handler)
    result_type = hints.pop("return", None)
    match list(hints.values()):
        case [caller_type, request_type] if caller_type is Caller:
            pass
        case _:
            message = f"{name}: an operation takes (caller: Caller, request: Model)"
            raise TypeError(message)
    if not (_is_model(request_type) and _is_model(result_type)):
        message = f"{name}: request and result must be pydantic models"
        raise TypeError(message)
    return request_type, result_type


def _is_model(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)
