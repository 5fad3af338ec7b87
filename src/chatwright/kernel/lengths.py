"""How much callers may send, in models that also hold what came from outside."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

ARGUMENTS: Final = object()
"""The validation context in which a caller's arguments are read."""
_KEYWORDS: Final = {"string": "maxLength", "array": "maxItems", "object": "maxProperties"}


@dataclass(frozen=True, slots=True)
class Most:
    """The length of a text, list or mapping in a caller's arguments: `Annotated[str, Most(1024)]`.

    Models that are made in any other way take more: what people outside wrote is kept, however long it is.
    """

    length: int
    """Characters, items or fields."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - any type.
        """Check after the type itself did."""
        return core_schema.with_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say so of what goes in, and nothing of what comes out."""
        shown = handler(schema)
        if handler.mode == "serialization":
            return shown
        return {**shown, _KEYWORDS[shown["type"]]: self.length}

    def _checked(self, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - what has a length.
        if info.context is not ARGUMENTS or len(value) <= self.length:
            return value
        if isinstance(value, str):
            raise PydanticKnownError("string_too_long", {"max_length": self.length})
        told = {"field_type": "Value", "max_length": self.length, "actual_length": len(value)}
        raise PydanticKnownError("too_long", told)


MOST_LOOSE_FIELDS: Final = 100
MOST_LOOSE_BYTES: Final = 65_536


def _not_huge(fields: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(fields, ensure_ascii=False).encode()) > MOST_LOOSE_BYTES:
        message = f"This takes at most {MOST_LOOSE_BYTES:,} bytes."
        raise ValueError(message)
    return fields


LooseFields = Annotated[dict[str, Any], Field(max_length=MOST_LOOSE_FIELDS), AfterValidator(_not_huge)]
"""JSON of a shape that somebody else judges: a channel its settings, a provider its templates."""
