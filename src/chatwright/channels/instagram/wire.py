"""An Instagram account's webhooks, cut apart and read: its chats, and the comments under its posts.

A stored event is `{"object": "instagram", "entry": "<account id>", "field": "...", "value": {...}}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from chatwright.channels.instagram.settings import InstagramSettings
from chatwright.net.graph.messaging import (
    ACCOUNT_LANE,
    LISTS,
    Party,
    is_item,
    raw_event_of,
    read_item,
    stored,
)
from chatwright.net.graph.webhooks import Change, changes_in, fingerprint
from chatwright.net.reading import as_list, as_map, as_moment, as_text, dig
from chatwright.ports.content import MAX_TEXT, StoryReferenceContent
from chatwright.ports.inbound import Inbound, InboundMessage, InboundUnknown, Person, RawEvent, Referral

INSTAGRAM = "instagram"
IGSID = "igsid"
"""The kind of id by which an account knows people: Instagram-scoped."""
COMMENTS = frozenset({"comments", "live_comments"})


def party_of(settings: InstagramSettings) -> Party:
    """The account as one side of its chats."""
    return Party(frozenset({settings.account_id}), IGSID, settings.app_id)


def split_call(settings: InstagramSettings, body: bytes) -> list[RawEvent]:
    """Cut the body of one call into events; raises InvalidInput for what is no JSON."""
    party = party_of(settings)
    changes = (single for change in changes_in(body) for single in _singles(change))
    return [raw_event_of(change, party) if is_item(change) else _raw_event(change) for change in changes]


def parse_event(settings: InstagramSettings, payload: Mapping[str, Any]) -> list[Inbound]:
    """Read one stored event."""
    about, field, value = payload.get("object"), payload.get("field"), as_map(payload.get("value"))
    if about != INSTAGRAM or not isinstance(field, str):
        return [InboundUnknown(f"object {about}" if isinstance(about, str) and about else "no object")]
    if field in LISTS:
        return read_item(payload, party_of(settings))
    if field in COMMENTS:
        return _read_comment(settings, value, payload.get("at"))
    return [InboundUnknown(field or "entry without content")]


def _singles(change: Change) -> Iterator[Change]:
    """A change whose value is a list, as Meta's words on comments have it, is one of each of them."""
    values = as_list(change.value) if change.field else []
    if not values:
        yield change
    for value in values:
        yield replace(change, value=value)


def _raw_event(change: Change) -> RawEvent:
    value = as_map(change.value)
    comment = as_text(value.get("id")) if change.field in COMMENTS else None
    # A comment under a boosted post is told twice, once for the post and once for the ad.
    key = f"comment:{comment}" if comment else f"{change.field}:{fingerprint(change.value)}"
    lane = as_text(dig(value, "from", "id")) or ACCOUNT_LANE
    return stored(change, key, lane, at=change.at)


def _read_comment(settings: InstagramSettings, value: Mapping[str, object], at: object) -> list[Inbound]:
    """A comment under a post, a reel, an ad or a live video; our own ones are no news."""
    comment_id, author = as_text(value.get("id")), as_text(dig(value, "from", "id"))
    if comment_id is None or author is None:
        return [InboundUnknown("comment of nobody")]
    if author == settings.account_id:
        return []
    text = as_text(value.get("text"))
    username = as_text(dig(value, "from", "username"))
    comment = InboundMessage(
        comment_id,
        Person({IGSID: author}, name=username, username=username),
        StoryReferenceContent(kind="comment", reference=comment_id, text=text and text[:MAX_TEXT]),
        sent_at=as_moment(at),
        reply_to=as_text(value.get("parent_id")),
        referral=_ad(as_map(value.get("media"))),
        opens_window=False,
    )
    return [comment]


def _ad(media: Mapping[str, object]) -> Referral | None:
    ad_id = as_text(media.get("ad_id"))
    if ad_id is None:
        return None
    return Referral("ad", ad_id=ad_id, headline=as_text(media.get("ad_title")))
