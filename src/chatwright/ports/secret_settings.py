"""Settings of an inbox in two parts: what may be shown, and what may only be written."""

from collections.abc import Mapping
from typing import Any, cast, get_args

from pydantic import BaseModel, SecretStr


def secret_names(settings: type[BaseModel]) -> frozenset[str]:
    """The fields made of `SecretStr`: itself, optional, or a list of them."""
    return frozenset(
        name for name, field in settings.model_fields.items() if SecretStr in _parts(field.annotation)
    )


def public_part(settings: BaseModel) -> dict[str, Any]:
    """Everything but the secrets, as JSON."""
    return settings.model_dump(mode="json", exclude=set(secret_names(type(settings))))


def secret_part(settings: BaseModel) -> dict[str, Any]:
    """The secrets alone, as JSON in the clear: to be sealed at once."""
    return {name: _revealed(getattr(settings, name)) for name in sorted(secret_names(type(settings)))}


def joined(settings: type[BaseModel], public: Mapping[str, Any], secret: Mapping[str, Any]) -> BaseModel:
    """Both parts together again; raises pydantic's ValidationError when they do not fit any more."""
    return settings.model_validate({**public, **secret})


def _parts(annotation: object) -> set[object]:
    inner = get_args(annotation)
    return {annotation, *(part for one in inner for part in _parts(one))}


def _revealed(value: object) -> object:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case list() | tuple():
            return [_revealed(one) for one in cast("list[object]", value)]
        case _:
            return value
