"""The operations of the catalogue as REST routes."""

import inspect
from collections.abc import Iterable
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from fastapi import Body, Header, Path, Query
from pydantic import BaseModel, ConfigDict, create_model
from pydantic.fields import FieldInfo
from starlette.requests import Request
from starlette.responses import Response

from chatwright.kernel.caller import Surface
from chatwright.kernel.errors import (
    ApprovalRequired,
    ChatwrightError,
    DeadlineExceeded,
    FieldProblem,
    IdempotencyConflict,
    IdempotencyInProgress,
    Internal,
    InvalidCursor,
    InvalidInput,
    PayloadTooLarge,
    RateLimitExceeded,
    ScopeMissing,
    Unauthenticated,
    Unavailable,
)
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.http.answers import JSONAnswer
from chatwright.surfaces.http.errors import UnsupportedMediaType
from chatwright.surfaces.http.identity import caller_of
from chatwright.surfaces.http.parts import parts_of
from chatwright.surfaces.http.reading import list_fields, read_arguments
from chatwright.surfaces.http.routes import DescribedRoute, Handle

API = "/api/v1"
DRY_RUN = "dry-run"
ALWAYS = (
    Unauthenticated,
    ScopeMissing,
    InvalidInput,
    RateLimitExceeded,
    Internal,
    DeadlineExceeded,
    Unavailable,
)
WITH_BODY = (PayloadTooLarge, UnsupportedMediaType)
WHEN_WRITING = (ApprovalRequired, IdempotencyConflict, IdempotencyInProgress)


def rest_routes(operations: Iterable[AnyOperation]) -> list[DescribedRoute]:
    """A route for every operation that has this face."""
    return [_route(operation) for operation in operations if Surface.HTTP in operation.surfaces]


def errors_of(operation: AnyOperation) -> list[type[ChatwrightError]]:
    """Every error that a call of this operation may end with: its own, and those of the way to it."""
    errors: list[type[ChatwrightError]] = [*ALWAYS, *operation.errors]
    if "cursor" in operation.input.model_fields:
        errors.append(InvalidCursor)
    if operation.method != "GET":
        errors += WITH_BODY
    if operation.writes:
        errors += WHEN_WRITING
    return errors


@cache
def _route(operation: AnyOperation) -> DescribedRoute:
    """The same wherever it is served or described, and it takes milliseconds to make."""
    return DescribedRoute(
        operation.method,
        API + operation.path,
        _handler(operation),
        name=operation.tool,
        tag=operation.noun,
        summary=operation.title,
        description=operation.description,
        parameters=_parameters(operation),
        answer=operation.output,
        errors=errors_of(operation),
        extra={"x-operation": operation.name, "x-scope": operation.scope, "x-effect": operation.effect.value},
    )


def _handler(operation: AnyOperation) -> Handle:
    lists = list_fields(operation.input)

    async def handle(request: Request) -> Response:
        caller = await caller_of(request)
        arguments = await read_arguments(request, operation, lists)
        pipeline = parts_of(request).pipeline
        if _is_dry(request):
            outcome = await pipeline.rehearse(caller, operation, arguments)
            return JSONAnswer(outcome.value, headers={DRY_RUN: "true"})
        outcome = await pipeline.run(
            caller, operation, arguments, idempotency_key=request.headers.get("idempotency-key")
        )
        return JSONAnswer(
            outcome.value, headers={"idempotent-replayed": "true"} if outcome.replayed else None
        )

    return handle


def _is_dry(request: Request) -> bool:
    """Whether a call is only to be tried; raises InvalidInput for a header that says neither."""
    match request.headers.get(DRY_RUN, "false").lower():
        case "true":
            return True
        case "false":
            return False
        case _:
            message = "The header Dry-Run is true or false."
            raise InvalidInput(message, fields=[FieldProblem(path=DRY_RUN, message=message)])


def _parameters(operation: AnyOperation) -> list[inspect.Parameter]:
    """The input model, taken apart into path, query string or body, and headers."""
    fields = dict(operation.input.model_fields)
    parameters = [
        _parameter(name, fields.pop(name), Path(description=operation.input.model_fields[name].description))
        for name in operation.path_fields
    ]
    if operation.method == "GET":
        parameters += [
            _parameter(name, field, Query(description=field.description)) for name, field in fields.items()
        ]
    elif fields:
        parameters.append(_body(operation, fields))
    if operation.writes:
        parameters.append(_idempotency_key())
    if operation.outward:
        parameters.append(_dry_run())
    return parameters


def _parameter(name: str, field: FieldInfo, place: Any) -> inspect.Parameter:  # noqa: ANN401 - a FastAPI marker.
    annotation = _without_none(field.annotation)
    for constraint in field.metadata:
        annotation = Annotated[annotation, constraint]
    default = inspect.Parameter.empty if field.is_required() else field.get_default(call_default_factory=True)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[annotation, place],
        default=default,
    )


def _body(operation: AnyOperation, fields: dict[str, FieldInfo]) -> inspect.Parameter:
    needed = any(field.is_required() for field in fields.values())
    return inspect.Parameter(
        "body",
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[_body_model(operation, fields), Body()],
        default=inspect.Parameter.empty if needed else None,
    )


def _body_model(operation: AnyOperation, fields: dict[str, FieldInfo]) -> type[BaseModel]:
    """The input model itself, or a copy of it without the fields that the path carries."""
    if not operation.path_fields:
        return operation.input
    columns: dict[str, Any] = {name: (field.annotation, field) for name, field in fields.items()}
    return create_model(
        f"{operation.tool.title().replace('_', '')}Body",
        # Each field brings its description; its class has no source to look for one in.
        __config__=operation.input.model_config | ConfigDict(use_attribute_docstrings=False),
        __doc__=operation.input.__doc__,
        **columns,
    )


def _idempotency_key() -> inspect.Parameter:
    words = "Your own key for this call: a repetition with the same key has no further effect and answers the same."
    return inspect.Parameter(
        "idempotency_key",
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[str, Header(alias="Idempotency-Key", description=words, max_length=255)],
        default=None,
    )


def _dry_run() -> inspect.Parameter:
    words = "Only try the call: it answers as it would, and nothing is kept or sent. The answer has the header too."
    return inspect.Parameter(
        "dry_run",
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[bool, Header(alias="Dry-Run", description=words)],
        default=False,
    )


def _without_none(annotation: Any) -> Any:  # noqa: ANN401 - any type expression.
    """A query string cannot say null: it leaves the parameter out."""
    if get_origin(annotation) not in {Union, UnionType}:
        return annotation
    kept = tuple(part for part in get_args(annotation) if part is not NoneType)
    return Union[kept]  # noqa: UP007 - of parts that are known only at run time.
