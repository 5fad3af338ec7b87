"""Arguments from outside, checked before anything is done with them."""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, ValidationError

from chatwright.kernel.errors import FieldProblem, InvalidInput, field_problems, told
from chatwright.kernel.lengths import ARGUMENTS
from chatwright.kernel.operation import AnyOperation

DEEPEST: Final = 100
"""Levels of nesting in arguments."""

HIDDEN: Final = "(hidden)"
"""Stands for what no record shows."""
_HALF: Final = re.compile("[\ud800-\udfff]")

Model = TypeVar("Model", bound=BaseModel)


def read_input(operation: AnyOperation, arguments: Mapping[str, object]) -> BaseModel:
    """Check the arguments against the operation's input; raises InvalidInput naming every field at fault."""
    return read_model(operation.input, arguments)


def read_model(model: type[Model], arguments: Mapping[str, object]) -> Model:
    """Make a model of arguments from outside; raises InvalidInput naming every field at fault."""
    check_storable(dict(arguments))
    try:
        return model.model_validate(arguments, context=ARGUMENTS)
    except ValidationError as error:
        problems = field_problems(error)
        message = f"The arguments do not fit: {told(problems[:5])}"
        raise InvalidInput(message, fields=problems, hint=_fields_there_are(model, error)) from error


def _fields_there_are(model: type[BaseModel], error: ValidationError) -> str | None:
    """A hint for whoever named a field that there is not."""
    misnamed = any(
        found["type"] == "extra_forbidden" and len(found["loc"]) == 1
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    )
    if not misnamed:
        return None
    return (
        f"The fields are: {', '.join(model.model_fields)}."
        if model.model_fields
        else "It takes no arguments."
    )


def readable(operation: AnyOperation, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for people to read: of a private field only the names of its parts."""
    private = operation.private_fields
    return {name: _hidden(inner) if name in private else inner for name, inner in arguments.items()}


def _hidden(inner: object) -> Any:  # noqa: ANN401 - any JSON value.
    return dict.fromkeys(cast("dict[str, Any]", inner), HIDDEN) if isinstance(inner, dict) else HIDDEN


def check_storable(value: Any, path: tuple[str, ...] = ()) -> None:  # noqa: ANN401 - any JSON.
    """Refuse what no database column takes: NUL characters, halves of characters, nesting beyond any sense."""
    if len(path) > DEEPEST:
        raise _refused(path, f"This is nested deeper than {DEEPEST} levels.")
    match value:
        case str() if "\0" in value:
            raise _refused(path, "Text cannot hold NUL characters.")
        case str() if _HALF.search(value):
            raise _refused(path, "Text cannot hold halves of surrogate pairs.")
        case dict():
            for name, inner in cast("dict[str, Any]", value).items():
                check_storable(name, path)
                check_storable(inner, (*path, name))
        case list():
            for number, inner in enumerate(cast("list[Any]", value)):
                check_storable(inner, (*path, str(number)))
        case _:
            pass


def _refused(path: tuple[str, ...], message: str) -> InvalidInput:
    return InvalidInput(message, fields=[FieldProblem(path=".".join(path), message=message)])
