"""Pages of whole items with opaque cursors.

A cursor is base64url of a JSON list: the sort key of the last item shown. It is opaque to callers and
carries no authority: every page query filters by workspace again, so a forged cursor only moves within
what its caller may see.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar, cast
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field

from chatwright.kernel.errors import InvalidCursor

Item = TypeVar("Item")
FIRST_ID = UUID(int=0)

DEFAULT_LIMIT = 25
MAX_LIMIT = 200
LONGEST_CURSOR = 4096


class PageRequest(BaseModel):
    """Which page of a list is wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    cursor: Annotated[str, Field(max_length=LONGEST_CURSOR)] | None = None
    """Where to go on: `next_cursor` of the page before. Leave out for the first page."""
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    """How many items at most."""


class Page(BaseModel, Generic[Item]):
    """A page of whole items."""

    # Docstrings would be looked for anew, through the whole stack of imports, for the page of every kind of thing.
    items: Annotated[list[Item], Field(description="The items of this page.")]
    next_cursor: Annotated[
        str | None, Field(description="Give this as `cursor` for the next page; absent on the last one.")
    ] = None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """A name that reads well in generated schemas and clients: `ContactPage`."""
        return f"{params[0].__name__}{cls.__name__}"


def encode_cursor(*key: str | int) -> str:
    """Pack the sort key of a page's last item."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).rstrip(b"=").decode()


def decode_cursor(cursor: str, *shape: type[str] | type[int]) -> tuple[str | int, ...]:
    """Unpack a cursor whose parts have the given types; raises InvalidCursor for anything else."""
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        parts: object = orjson.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, binascii.Error) as error:
        message = "This cursor was not made by this server."
        raise InvalidCursor(message) from error
    if not isinstance(parts, list):
        message = "This cursor was not made by this server."
        raise InvalidCursor(message)
    key = tuple(cast("list[str | int]", parts))
    if [type(part) for part in key] != list(shape) or not all(_is_storable(part) for part in key):
        message = "This cursor belongs to another list."
        raise InvalidCursor(message)
    return key


def _is_storable(part: str | int) -> bool:
    """Whether a query can take it: our own cursors hold nothing else."""
    return "\0" not in part if isinstance(part, str) else -(2**63) <= part < 2**63


def after_id(cursor: str | None) -> UUID:
    """The id to go on after, for lists in order of id; the lowest id for the first page."""
    if cursor is None:
        return FIRST_ID
    (text,) = decode_cursor(cursor, str)
    try:
        return UUID(str(text))
    except ValueError as error:
        message = "This cursor belongs to another list."
        raise InvalidCursor(message) from error


def page_of(rows: list[Item], limit: int, key: Callable[[Item], tuple[str | int, ...]]) -> Page[Item]:
    """Make a page of rows that were read with `limit + 1`; the row too many says that there is a next page."""
    items = rows[:limit]
    more = len(rows) > limit
    return Page(items=items, next_cursor=encode_cursor(*key(items[-1])) if more else None)
