"""Settings of an inbox in two parts: what may be shown, and what may only be written."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast, get_args
from urllib.parse import quote

from pydantic import BaseModel, SecretStr


class _Destination:
    """See `DESTINATION`."""


DESTINATION: Final = _Destination()
"""Marks a setting that says where secrets are sent, `Annotated[..., DESTINATION]`. Who changes it has to give the
secrets anew: else whoever may change settings could have secrets sent to a server of theirs, and so read them."""


CONCEALED: Final = "***"
_SHORTEST: Final = 4
"""Characters of a secret that is looked for: what is shorter would take ordinary words apart."""


def secret_names(settings: type[BaseModel]) -> frozenset[str]:
    """The fields made of `SecretStr`: itself, optional, or a list of them."""
    return frozenset(
        name for name, field in settings.model_fields.items() if SecretStr in _parts(field.annotation)
    )


def destination_names(settings: type[BaseModel]) -> frozenset[str]:
    """The fields that say where secrets are sent."""
    return frozenset(name for name, field in settings.model_fields.items() if DESTINATION in field.metadata)


def public_part(settings: BaseModel) -> dict[str, Any]:
    """Everything but the secrets, as JSON."""
    return settings.model_dump(mode="json", exclude=set(secret_names(type(settings))))


def secret_part(settings: BaseModel) -> dict[str, Any]:
    """The secrets alone, as JSON in the clear: to be sealed at once."""
    return {name: _revealed(getattr(settings, name)) for name in sorted(secret_names(type(settings)))}


def joined(settings: type[BaseModel], public: Mapping[str, Any], secret: Mapping[str, Any]) -> BaseModel:
    """Both parts together again; raises pydantic's ValidationError when they do not fit any more."""
    return settings.model_validate({**public, **secret})


def without_secrets(words: str, settings: BaseModel) -> str:
    """What a provider says, for people to read: some repeat the whole token that they did not take."""
    for secret in sorted(_texts(secret_part(settings)), key=len, reverse=True):
        for form in (secret, quote(secret, safe="")):
            words = words.replace(form, CONCEALED)
    return words


def _texts(value: object) -> Iterator[str]:
    match value:
        case str() if len(value) >= _SHORTEST:
            yield value
        case dict() | list():
            inner = cast("dict[str, object] | list[object]", value)
            for one in inner.values() if isinstance(inner, dict) else inner:
                yield from _texts(one)
        case _:
            return


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
