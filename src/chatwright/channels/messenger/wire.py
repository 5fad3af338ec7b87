"""A page's webhooks, cut apart and read: its chats, the comments under its posts, its lead forms.

A stored event is `{"object": "page", "entry": "<page id>", "field": "...", "value": {...}}`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from chatwright.channels.messenger.settings import MessengerSettings
from chatwright.net.graph.chats import COMMENT
from chatwright.net.graph.messaging import (
    ACCOUNT_LANE,
    LISTS,
    Party,
    is_item,
    part_id,
    parts_of,
    raw_event_of,
    read_item,
    stored,
)
from chatwright.net.graph.templates import status_of
from chatwright.net.graph.webhooks import Change, changes_in, fingerprint
from chatwright.net.reading import as_map, as_moment, as_text, dig
from chatwright.ports.content import MAX_TEXT, MediaContent, StoryReferenceContent
from chatwright.ports.inbound import (
    Inbound,
    InboundEdit,
    InboundLead,
    InboundMessage,
    InboundTemplate,
    InboundUnknown,
    InboundUnsend,
    Person,
    RawEvent,
)

PAGE = "page"
PSID = "psid"
"""The kind of id by which a page knows people: page-scoped."""


def party_of(settings: MessengerSettings) -> Party:
    """The page as one side of its chats."""
    return Party(frozenset({settings.page_id}), PSID, settings.app_id)


def split_call(settings: MessengerSettings, body: bytes) -> list[RawEvent]:
    """Cut the body of one call into events; raises InvalidInput for what is no JSON."""
    party = party_of(settings)
    return [
        raw_event_of(change, party) if is_item(change) else _raw_event(change) for change in changes_in(body)
    ]


def parse_event(settings: MessengerSettings, payload: Mapping[str, Any]) -> list[Inbound]:
    """Read one stored event."""
    about, field, value = payload.get("object"), payload.get("field"), as_map(payload.get("value"))
    if about != PAGE or not isinstance(field, str):
        return [InboundUnknown(f"object {about}" if isinstance(about, str) and about else "no object")]
    if field in LISTS:
        return read_item(payload, party_of(settings))
    match field:
        case "feed":
            return _read_feed(settings, value)
        case "leadgen":
            return [_read_lead(value)]
        case "message_template_status_update":
            return [_read_template(value)]
        case _:
            return [InboundUnknown(field or "entry without content")]


def _raw_event(change: Change) -> RawEvent:
    value = as_map(change.value)
    key = _key_of(change.field, value) or f"{change.field}:{fingerprint(change.value)}"
    return stored(change, key, as_text(dig(value, "from", "id")) or ACCOUNT_LANE)


def _key_of(field: str, value: Mapping[str, object]) -> str | None:
    """What copies of an event have in common; None: only the whole of it."""
    comment, lead = as_text(value.get("comment_id")), as_text(value.get("leadgen_id"))
    verb = as_text(value.get("verb"))
    if field == "feed" and value.get("item") == "comment" and comment and verb in {"add", "remove"}:
        return f"comment:{comment}:{verb}"
    return f"lead:{lead}" if field == "leadgen" and lead else None


def _read_feed(settings: MessengerSettings, value: Mapping[str, object]) -> list[Inbound]:
    """News of the page's posts (`feed`); what the page itself wrote there is no news."""
    item, verb = as_text(value.get("item")) or "without item", as_text(value.get("verb")) or ""
    comment_id = as_text(value.get("comment_id"))
    if item != "comment" or comment_id is None:
        return [InboundUnknown(f"feed {item} {verb}".strip())]
    if as_text(dig(value, "from", "id")) == settings.page_id:
        return []
    person = _author(value, comment_id)
    match verb:
        case "add":
            return _read_comment(value, person, comment_id)
        case "edited" | "edit":
            return [InboundEdit(comment_id, person, _comment(value, comment_id), _moment(value))]
        case "remove":
            return [InboundUnsend(comment_id, person, parts_of(comment_id, 2))]
        case _:
            return [InboundUnknown(f"feed comment {verb}".strip())]


def _read_comment(value: Mapping[str, object], person: Person, comment_id: str) -> list[Inbound]:
    parent, post = as_text(value.get("parent_id")), as_text(value.get("post_id"))
    comment = InboundMessage(
        comment_id,
        person,
        _comment(value, comment_id),
        sent_at=_moment(value),
        reply_to=parent if parent != post else None,
        opens_window=False,
    )
    photo, video = as_text(value.get("photo")), as_text(value.get("video"))
    if (media := photo or video) is None:
        return [comment]
    content = MediaContent(kind="image" if photo else "video")
    file = replace(comment, external_id=part_id(comment_id, 1), content=content, media=media)
    return [comment, file]


def _comment(value: Mapping[str, object], comment_id: str) -> StoryReferenceContent:
    text = as_text(value.get("message"))
    return StoryReferenceContent(
        kind="comment",
        reference=comment_id,
        text=text and text[:MAX_TEXT],
        url=as_text(dig(value, "post", "permalink_url")),
    )


def _author(value: Mapping[str, object], comment_id: str) -> Person:
    """Who commented. Meta leaves that out for some people; then the comment itself is where to answer."""
    author = as_text(dig(value, "from", "id"))
    if author is None:
        return Person({"comment": f"{COMMENT}{comment_id}"})
    return Person({PSID: author}, name=as_text(dig(value, "from", "name")))


def _read_lead(value: Mapping[str, object]) -> Inbound:
    lead_id = as_text(value.get("leadgen_id"))
    if lead_id is None:
        return InboundUnknown("leadgen without id")
    return InboundLead(
        lead_id,
        form_id=as_text(value.get("form_id")),
        ad_id=as_text(value.get("ad_id")),
        at=_moment(value),
    )


def _read_template(value: Mapping[str, object]) -> Inbound:
    """The verdict on a utility template."""
    name, language = (
        as_text(value.get("message_template_name")),
        as_text(value.get("message_template_language")),
    )
    if name is None or language is None:
        return InboundUnknown("template without name")
    status, reason = as_text(value.get("event")), as_text(value.get("reason"))
    return InboundTemplate(
        name,
        language,
        status=status_of(status),
        reason=None if reason == "NONE" else reason,
        template_id=as_text(value.get("message_template_id")),
    )


def _moment(value: Mapping[str, object]) -> datetime | None:
    return as_moment(value.get("created_time"))
