"""The arguments of a call, gathered raw from path, query string and body; the pipeline checks them."""

from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

import orjson
from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.requests import Request

from chatwright.kernel.errors import FieldProblem, InvalidInput, PayloadTooLarge
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.http.errors import UnsupportedMediaType

BODY_LIMIT = 1024 * 1024
"""Bytes. What may be larger (files, imports) has routes of its own."""


async def read_arguments(request: Request, operation: AnyOperation, lists: frozenset[str]) -> dict[str, Any]:
    """The arguments of a REST call. `lists` are the fields that the query string may repeat."""
    if operation.method == "GET":
        given = query_arguments(request.query_params, lists)
    else:
        refuse_query(request.query_params)
        given = await read_object(request)
    _refuse_twice(given, request.path_params)
    return {**given, **request.path_params}


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object in the body; an empty one when there is no body."""
    body = await read_body(request)
    if not body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        message = f"The body is {kind or 'of no named type'}, not application/json."
        raise UnsupportedMediaType(message)
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        message = f"The body is not valid JSON (line {error.lineno}, column {error.colno})."
        raise InvalidInput(message) from error
    if not isinstance(value, dict):
        message = "The body must be a JSON object."
        raise InvalidInput(message)
    return cast("dict[str, Any]", value)


async def read_body(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """The whole body; raises PayloadTooLarge as soon as it is clear that it exceeds the limit."""
    announced = request.headers.get("content-length", "")
    body = bytearray()
    if not (announced.isdecimal() and int(announced) > limit):
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                break
        else:
            return bytes(body)
    message = f"The body is larger than {limit} bytes."
    raise PayloadTooLarge(message)


def query_arguments(query: QueryParams, lists: frozenset[str]) -> dict[str, Any]:
    """Values stay text; a field that is repeated without being a list stays a list, for the pipeline to refuse."""
    arguments: dict[str, Any] = {}
    for name in query:
        values = query.getlist(name)
        arguments[name] = values if name in lists or len(values) > 1 else values[0]
    return arguments


def list_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields of a model that hold several values."""
    return frozenset(name for name, field in model.model_fields.items() if _is_list(field.annotation))


def _is_list(annotation: Any) -> bool:  # noqa: ANN401 - any type expression.
    origin = get_origin(annotation)
    if origin in {Union, UnionType, Annotated}:
        return any(_is_list(part) for part in get_args(annotation))
    return origin in {list, set, frozenset, tuple}


def refuse_query(query: QueryParams) -> None:
    """Raise InvalidInput when there is a query string, where everything is in the body."""
    if query:
        problems = [FieldProblem(path=name, message="This belongs into the JSON body.") for name in query]
        message = f"This call takes no query string, but got {', '.join(query)}."
        raise InvalidInput(message, fields=problems)


def _refuse_twice(given: dict[str, Any], path: dict[str, Any]) -> None:
    if twice := given.keys() & path.keys():
        problems = [FieldProblem(path=name, message="The path says it already.") for name in sorted(twice)]
        message = f"{', '.join(sorted(twice))}: give this in the path only."
        raise InvalidInput(message, fields=problems)
