"""The verbs about tags themselves."""

from uuid import UUID

from chatwright.features.contacts.errors import TagExists, TagInUse
from chatwright.features.contacts.filters import FILTER, tags_of
from chatwright.features.contacts.folding import tag_key
from chatwright.features.contacts.store import SEGMENT_FILTERS
from chatwright.features.contacts.tags import store
from chatwright.features.contacts.tags.models import CreateTag, DeleteTag, ListTags, RenameTag, Tag
from chatwright.features.workspaces.errors import TagNotFound
from chatwright.features.workspaces.models import Removed
from chatwright.kernel.caller import Caller
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, operation
from chatwright.kernel.paging import Page, after_id, page_of
from chatwright.ports.database import emit


@operation("tags.list", tool="list_tags", scope="contacts:read", effect=Effect.READ, http="GET /tags")
async def list_tags(caller: Caller, request: ListTags) -> Page[Tag]:
    """List the tags of this workspace and how many contacts carry each."""
    rows = await store.LIST_TAGS.all(caller.workspace_id, after_id(request.cursor), request.limit + 1)
    return page_of(rows, request.limit, lambda tag: (str(tag.id),))


@operation(
    "tags.create",
    tool="create_tag",
    scope="contacts:write",
    effect=Effect.ADD,
    http="POST /tags",
    errors=(TagExists,),
)
async def create_tag(caller: Caller, request: CreateTag) -> Tag:
    """Make a tag before any contact carries it. Putting a new tag on a contact makes it too."""
    tag_id = await store.INSERT_TAG.first(new_id(), caller.workspace_id, request.name, tag_key(request.name))
    if tag_id is None:
        message = f"There is a tag '{request.name}' already."
        raise TagExists(message)
    emit(Event("tag.created", caller.workspace_id, tag_id))
    return await _tag(caller, tag_id)


@operation(
    "tags.rename",
    tool="rename_tag",
    scope="contacts:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PATCH /tags/{tag_id}",
    errors=(TagNotFound, TagExists, TagInUse),
)
async def rename_tag(caller: Caller, request: RenameTag) -> Tag:
    """Give a tag another name on every contact. One that segments use changes only its upper and lower case."""
    caller.require_every_inbox()
    tag = await _tag(caller, request.tag_id)
    key = tag_key(request.name)
    if key != tag_key(tag.name):
        await _check_unused(caller, tag)
        if await store.TAG_WITH_KEY.first(caller.workspace_id, key) is not None:
            message = f"There is a tag '{request.name}' already."
            raise TagExists(message)
    await store.RENAME_TAG.run(caller.workspace_id, tag.id, request.name, key)
    emit(Event("tag.updated", caller.workspace_id, tag.id))
    return await _tag(caller, tag.id)


@operation(
    "tags.delete",
    tool="delete_tag",
    scope="contacts:write",
    effect=Effect.DESTROY,
    http="DELETE /tags/{tag_id}",
    errors=(TagNotFound, TagInUse),
)
async def delete_tag(caller: Caller, request: DeleteTag) -> Removed:
    """Delete a tag and take it off every contact. One that segments use stays."""
    caller.require_every_inbox()
    tag = await _tag(caller, request.tag_id)
    await _check_unused(caller, tag)
    await store.DELETE_TAG.run(caller.workspace_id, tag.id)
    emit(Event("tag.deleted", caller.workspace_id, tag.id))
    return Removed(id=tag.id, name=tag.name)


async def _tag(caller: Caller, tag_id: UUID) -> Tag:
    tag = await store.FIND_TAG.first(caller.workspace_id, tag_id)
    if tag is None:
        raise TagNotFound
    return tag


async def _check_unused(caller: Caller, tag: Tag) -> None:
    users = [
        segment["name"]
        for segment in await SEGMENT_FILTERS.all(caller.workspace_id)
        if tag_key(tag.name) in {tag_key(name) for name in tags_of(FILTER.validate_python(segment["filter"]))}
    ]
    if users:
        message = f"These segments use the tag: {', '.join(users[:5])}."
        raise TagInUse(message)
