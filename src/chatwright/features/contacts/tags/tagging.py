"""Putting tags on contacts and taking them off, by name."""

from collections.abc import Sequence
from uuid import UUID

from chatwright.features.contacts.folding import tag_key
from chatwright.features.contacts.tags import store
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.database import emit


async def put_on(workspace_id: UUID, contact_id: UUID, names: Sequence[str]) -> int:
    """Put tags on a contact, making those that are new; returns how many it did not carry before."""
    if not names:
        return 0
    by_key = {tag_key(name): name for name in names}
    held = await store.HOLD_TAGS.all(workspace_id, list(by_key))
    if missing := sorted(by_key.keys() - {tag["key"] for tag in held}):
        await store.INSERT_TAG.many((new_id(), workspace_id, by_key[key], key) for key in missing)
        held = await store.HOLD_TAGS.all(workspace_id, list(by_key))
    added = await store.PUT_ON.all(contact_id, [tag["id"] for tag in held])
    _announce("contact.tagged", workspace_id, contact_id, added)
    return len(added)


async def take_off(workspace_id: UUID, contact_id: UUID, names: Sequence[str]) -> int:
    """Take tags off a contact; returns how many it carried."""
    removed = await store.TAKE_OFF.all(workspace_id, contact_id, [tag_key(name) for name in names])
    _announce("contact.untagged", workspace_id, contact_id, removed)
    return len(removed)


def _announce(kind: str, workspace_id: UUID, contact_id: UUID, tag_ids: Sequence[UUID]) -> None:
    if tag_ids:
        data = {"tag_ids": sorted(str(tag_id) for tag_id in tag_ids)}
        emit(Event(kind, workspace_id, contact_id, data=data))
