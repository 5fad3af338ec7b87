"""What can be read by URI, as data: a kind of resource, the parts of its document, and where its ids come from."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from chatwright.kernel.caller import Caller
from chatwright.kernel.operation import AnyOperation

SCHEME: Final = "chatwright://"
ID: Final = "{id}"

Label = Callable[[Mapping[str, Any]], str]
"""What to call an item."""
Told = Callable[[Caller, Iterable[AnyOperation]], dict[str, Any]]
"""What is told to a caller, of the operations it may call."""


@dataclass(frozen=True)
class Part:
    """A part of a document: what one reading operation gives."""

    operation: str
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    """Arguments beside those of the operation's path, which take the id. `{id}` and `{name}` stand for the item's."""
    more: str | None = None
    """The path of the kind that goes on with its pages, for a part that is a list."""
    limit: int = 25
    """Items of a page, for a part that is a list."""
    only: tuple[str, ...] = ()
    """The fields that are shown of it, or of each item; all when empty."""
    without: tuple[str, ...] = ()
    """The fields that are not: what a reader of documents has no use for."""
    full: bool = False
    """Whether the items of a list keep what a concise answer leaves out."""
    field: str | None = None
    """The one field of it that is shown in its place."""
    spread: bool = False
    """Whether its fields stand in the document themselves."""
    optional: bool = False
    """Whether the document is also for those who may not read this part, and then lacks it."""


@dataclass(frozen=True)
class Directory:
    """Where the ids of a kind come from."""

    operation: str
    """Lists them, the latest first where there is such an order."""
    label: Label
    """What to call one."""
    query: str | None = None
    """The operation's argument that searches by words."""
    name: str | None = None
    """The field that identifies one as well as its id does, and stands in a URI in its place."""


@dataclass(frozen=True)
class Kind:
    """One kind of resource."""

    path: str
    """What follows `chatwright://`, with `{id}` where there are many."""
    title: str
    description: str
    parts: Mapping[str, Part] = field(default_factory=dict[str, Part])
    """What the document holds by key."""
    told: Mapping[str, Told] = field(default_factory=dict[str, Told])
    """What it holds that no operation gives."""
    directory: Directory | None = None
    ids: str | None = None
    """What its ids look like, as a regular expression, where they are none of ours (UUIDs): `[0-9]+`."""
    item: str | None = None
    """The key under which the document shows the directory's own item, for what has no operation to show one."""
    listed: bool = False
    """Whether resources/list offers each of them."""
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    """Paths of what belongs to it, by key, with fields of the document's first part in braces."""
    follows: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The events that change it, by kind, noun or `*`, each with the facts that hold the ids of those it changed:
    `subject`, `conversation`, or a name in the event's data."""
    comes_and_goes: frozenset[str] = frozenset()
    """The events after which resources/list shows others."""

    @property
    def many(self) -> bool:
        """Whether there is one for each id."""
        return ID in self.path

    @property
    def paged(self) -> bool:
        """Whether a list in it goes on in further pages of the same kind."""
        return any(part.more == self.path for part in self.parts.values())

    def is_id(self, text: str) -> bool:
        """Whether text is an id of this kind, as its URIs hold it."""
        if self.ids is not None:
            return re.fullmatch(self.ids, text) is not None
        try:
            return str(UUID(text)) == text.lower()
        except ValueError:
            return False

    def canonical_id(self, text: str) -> str:
        """An id in the one form in which changes tell it."""
        return text.lower() if self.ids is None else text

    @property
    def needed(self) -> set[str]:
        """The operations that a reader must reach to read one."""
        needed = {part.operation for part in self.parts.values() if not part.optional}
        return needed | ({self.directory.operation} if self.directory and self.item else set[str]())

    @property
    def operations(self) -> set[str]:
        """All that it stands on."""
        directory = {self.directory.operation} if self.directory else set[str]()
        return {part.operation for part in self.parts.values()} | directory

    @property
    def template(self) -> str:
        """The URI template (RFC 6570)."""
        return SCHEME + self.path + ("{?cursor}" if self.paged else "")
