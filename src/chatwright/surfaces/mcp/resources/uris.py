"""Reading and writing the URIs of resources."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode

from chatwright.kernel.errors import NotFound
from chatwright.kernel.resources import ID, SCHEME, Kind

MOST_CHARACTERS: Final = 2_000
_CURSOR: Final = "cursor"


@dataclass(frozen=True)
class Target:
    """What a URI names."""

    kind: Kind
    id: str | None = None
    """As it stands in the URI: an id, or a name where the kind takes one."""
    cursor: str | None = None


def uri_of(path: str, id_: object = None, cursor: str | None = None) -> str:
    """The URI of a path whose `{id}` is this one, or of a page of it."""
    place = path if id_ is None else path.replace(ID, quote(str(id_), safe=""))
    return SCHEME + place + (f"?{urlencode({_CURSOR: cursor})}" if cursor else "")


def target_of(uri: str, kinds: Iterable[Kind]) -> Target:
    """Read a URI; raises NotFound for one that names nothing."""
    place, mark, query = uri.removeprefix(SCHEME).partition("?")
    if uri.startswith(SCHEME) and len(uri) <= MOST_CHARACTERS:
        segments = place.split("/")
        for kind in kinds:
            found = _match(kind, segments)
            if found is not None:
                cursor = _cursor(query) if kind.paged and mark else None
                if bool(mark) == (cursor is not None):
                    return Target(kind, found.get(ID), cursor)
    raise unknown(uri)


def unknown(uri: str) -> NotFound:
    """What is said of a URI that names nothing."""
    return NotFound(f"There is no resource '{uri[:200]}'.", hint="resources/templates/list shows which.")


def filled(path: str, facts: Mapping[str, Any]) -> str | None:
    """A path with the facts its braces name; None where one of them is missing."""
    try:
        return uri_of(path.format_map({name: fact for name, fact in facts.items() if fact is not None}))
    except KeyError:
        return None


def _match(kind: Kind, segments: list[str]) -> dict[str, str] | None:
    """The ids in a path that is of this kind; None for a path of another."""
    parts = kind.path.split("/")
    if len(parts) != len(segments):
        return None
    found: dict[str, str] = {}
    for part, segment in zip(parts, segments, strict=True):
        if part == ID:
            found[ID] = unquote(segment)
        elif part != segment:
            return None
    if kind.many and not _fits(kind, found[ID]):
        return None
    return found


def _fits(kind: Kind, text: str) -> bool:
    named = kind.directory is not None and kind.directory.name is not None
    return kind.is_id(text) or (named and bool(text.strip()) and text.isprintable())


def _cursor(query: str) -> str | None:
    match parse_qsl(query, keep_blank_values=True):
        case [(name, value)] if name == _CURSOR and value:
            return value
        case _:
            return None
