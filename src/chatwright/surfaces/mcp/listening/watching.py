"""What one client watches, and what the events mean to it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mcp.shared.subscriptions import ResourcesListChanged, ResourceUpdated, ServerEvent

from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import NotFound
from chatwright.kernel.events import Event
from chatwright.kernel.resources import Kind
from chatwright.surfaces.mcp.resources.reading import Reader, Resources
from chatwright.surfaces.mcp.resources.uris import uri_of

_OF_CONTACTS: Final = frozenset({"contact", "note", "conversation", "message", "lead"})
"""Nouns of which somebody limited to inboxes or tags may see some and not others."""


class Watch:
    """What one client watches: resources by URI, and the list of them."""

    def __init__(self, resources: Resources, reader: Reader, *, lists: bool = False) -> None:
        self._resources = resources
        self._reader = reader
        self._lists = lists
        self._asked: dict[str, list[str]] = {}
        self._seen: set[str] = set()

    @property
    def _limited(self) -> bool:
        return self._reader.caller.inbox_ids is not None or self._reader.caller.tag_ids is not None

    def limit_to(self, caller: Caller) -> None:
        """Go on with what the client may do by now."""
        self._reader = replace(self._reader, caller=caller)

    @property
    def size(self) -> int:
        """How many resources it watches."""
        return sum(len(asked) for asked in self._asked.values())

    async def add(self, uri: str) -> None:
        """Watch a resource. One that is not there yet is watched by the URI as it is."""
        try:
            canonical = await self._resources.canonical(self._reader, uri)
        except NotFound:
            canonical = uri
        if uri not in self._asked.setdefault(canonical, []):
            self._asked[canonical].append(uri)
        if self._limited and await self._resources.visible(self._reader, canonical):
            self._seen.add(canonical)

    def drop(self, uri: str) -> None:
        """Watch a resource no longer."""
        self._asked = {
            canonical: rest
            for canonical, asked in self._asked.items()
            if (rest := [each for each in asked if each != uri])
        }

    async def news(self, events: Iterable[Event]) -> Sequence[ServerEvent]:
        """What these events mean to the client, each change once."""
        changed: dict[str, None] = {}
        other_list = False
        for event in events:
            if event.inbox_id is not None and not self._reader.caller.sees_inbox(event.inbox_id):
                continue
            for kind in self._resources.kinds:
                if not self._resources.readable(kind, self._reader):
                    continue
                changed |= dict.fromkeys(uri for uri in changed_by(event, kind) if uri in self._asked)
                other_list |= self._lists and self._hears_of_lists(event, kind)
        told = [
            ResourceUpdated(asked)
            for uri in changed
            if not self._limited or await self._may_hear_of(uri)
            for asked in self._asked.get(uri, ())
        ]
        return [*told, ResourcesListChanged()] if other_list else told

    def _hears_of_lists(self, event: Event, kind: Kind) -> bool:
        """Somebody limited is told of what all of those share, and of what happens in the inboxes they see."""
        if not kind.listed or event.kind not in kind.comes_and_goes:
            return False
        if not self._limited or event.kind.partition(".")[0] not in _OF_CONTACTS:
            return True
        return event.inbox_id is not None and self._reader.caller.tag_ids is None

    async def _may_hear_of(self, uri: str) -> bool:
        """Whether somebody limited sees the resource, or saw it until now: that it went is the last they hear."""
        visible = await self._resources.visible(self._reader, uri)
        may_hear = visible or uri in self._seen
        (self._seen.add if visible else self._seen.discard)(uri)
        return may_hear


def changed_by(event: Event, kind: Kind) -> Iterator[str]:
    """The URIs of a kind that an event changed."""
    facts = kind.follows.get(
        event.kind, kind.follows.get(event.kind.partition(".")[0], kind.follows.get("*"))
    )
    if facts is None:
        return
    if not kind.many:
        yield uri_of(kind.path)
        return
    known: Mapping[str, Any] = {
        **event.data,
        "subject": event.subject_id,
        "conversation": event.conversation_id,
        "inbox": event.inbox_id,
    }
    for name in facts:
        found: Any = known.get(name)
        for id_ in found if isinstance(found, list) else [found]:  # pyright: ignore[reportUnknownVariableType]
            if id_ is not None:
                yield uri_of(kind.path, id_)  # pyright: ignore[reportUnknownArgumentType]
