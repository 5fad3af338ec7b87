"""What happens in the chats of a page or an Instagram account, read from the items of Meta's webhooks.

    {"sender": {"id"}, "recipient": {"id"}, "timestamp": 1 (ms), "message" | "postback" | "referral" | "optin" |
     "delivery" | "read" | "reaction" | "message_edit" | "pass_thread_control" | "policy_enforcement" | ...: {...}}

Instagram messaging came out of the Messenger Platform and speaks the same items, with few of its own (Messenger
Platform, Webhook events; Instagram Platform, Webhooks, Examples; restfb's and courier's payloads): the reader
stands below both channels, and each says of itself only what it is: its account and its people's kind of id.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chatwright.net.graph.pieces import MOST_PIECES, Piece, pieces_of
from chatwright.net.graph.webhooks import Change, fingerprint, is_replay
from chatwright.net.reading import as_list, as_map, as_moment, as_text, dig
from chatwright.ports.content import MAX_TEXT, ReplyContent, TextContent
from chatwright.ports.inbound import (
    DeliveryStatus,
    Inbound,
    InboundAccount,
    InboundConsent,
    InboundEcho,
    InboundEdit,
    InboundHandover,
    InboundMessage,
    InboundReaction,
    InboundReferral,
    InboundStatus,
    InboundUnknown,
    InboundUnsend,
    InboundWatermark,
    Person,
    RawEvent,
    Referral,
)

LISTS = frozenset({"messaging", "standby"})
USER_REF = "user_ref:"
"""Begins the address of somebody who only ticked a box on a website and has no id with the page yet."""
MOST_MIDS = 100
LONGEST_NAME = 300
"""Of a dedupe key or a lane in characters; an index takes no longer ones."""
ACCOUNT_LANE = "account"
"""The lane of what concerns nobody in particular."""
_BARE = frozenset({"sender", "recipient", "timestamp", "prior_message", "hop_context", "is_echo"})
"""Fields of an item that say nothing of its kind."""
_EMOJI = {
    "smile": "😆",
    "angry": "😠",
    "sad": "😢",
    "wow": "😮",
    "love": "❤️",
    "like": "👍",
    "dislike": "👎",
}
"""Messenger's words for its seven reactions; any other comes with its emoji (`message_reactions`)."""


@dataclass(frozen=True, slots=True)
class Party:
    """The account on our side of the chats."""

    ids: frozenset[str]
    """Every id it goes by."""
    people: str
    """The kind of id by which it knows people: `psid`, `igsid`."""
    app_id: str | None = None
    """Our app at Meta, which its echoes name."""


def is_item(change: Change) -> bool:
    """Whether a change is an item of a chat; Meta's dashboard tests send those as changes of a field."""
    if change.field in LISTS:
        return True
    value = as_map(change.value)
    return "sender" in value and "recipient" in value


def raw_event_of(change: Change, party: Party) -> RawEvent:
    """An item as it is stored: known by its message's id, or by the whole of it, in the lane of its person."""
    item = as_map(change.value)
    lane = next(iter(_identities(item, party).values()), ACCOUNT_LANE)
    field = change.field if change.field in LISTS else "messaging"
    key = _key_of(item) or f"item:{fingerprint(change.value)}"
    old = is_replay(as_moment(item.get("timestamp")))
    return stored(replace(change, field=field), key, lane, **({"replay": True} if old else {}))


def stored(change: Change, key: str, lane: str, **more: object) -> RawEvent:
    """A change as it is stored, for the account in whose entry it stood."""
    payload = {"object": change.about, "entry": change.entry, "field": change.field, "value": change.value}
    return RawEvent(_short(key), _short(lane), payload | more, change.entry or None)


def read_item(payload: Mapping[str, Any], party: Party) -> list[Inbound]:
    """Read a stored item; InboundUnknown where it tells nothing that is known here."""
    value: object = payload.get("value")
    item = as_map(value)
    if payload.get("replay") is True:
        return [InboundUnknown("item played back")]
    if not item:
        return [InboundUnknown("item without content")]
    if (policy := as_map(item.get("policy_enforcement"))) != {}:
        return [_policy(policy)]
    identities = _identities(item, party)
    if not identities:
        return [InboundUnknown("item of nobody")]
    told = _Item(item, Person(identities), party, standby=payload.get("field") == "standby")
    for kind, read in _READERS.items():
        if isinstance(item.get(kind), dict):
            return read(told)
    return [InboundUnknown(_kind_of(item))]


def referral_in(value: object) -> Referral | None:
    """The referral in a message, a postback or an item of its own; None when there is none."""
    fields = as_map(value)
    if not fields:
        return None
    ad = as_map(fields.get("ads_context_data"))
    product = as_text(dig(fields, "product", "id")) or as_text(ad.get("product_id"))
    return Referral(
        source=as_text(fields.get("source")) or ("product" if product else "link"),
        ref=as_text(fields.get("ref")),
        ad_id=as_text(fields.get("ad_id")),
        url=as_text(fields.get("referer_uri")),
        headline=as_text(ad.get("ad_title")) or product,
    )


def part_id(mid: str, number: int) -> str:
    """The id of a piece of a message; the first one has the message's own."""
    return mid if number == 0 else f"{mid}/{number + 1}"


def parts_of(mid: str, most: int) -> tuple[str, ...]:
    """The ids that the other pieces of a message can have, of which there are so many at most."""
    return tuple(part_id(mid, number) for number in range(1, most))


@dataclass(frozen=True, slots=True)
class _Item:
    fields: Mapping[str, object]
    person: Person
    party: Party
    standby: bool
    """Whether another app answers this person; we only listen."""

    @property
    def ours(self) -> bool:
        """Whether our side did it, in the provider's own app."""
        return as_text(dig(self.fields, "sender", "id")) in self.party.ids

    @property
    def at(self) -> datetime | None:
        return as_moment(self.fields.get("timestamp"))

    def part(self, kind: str) -> dict[str, object]:
        return as_map(self.fields.get(kind))


def _identities(item: Mapping[str, object], party: Party) -> dict[str, str]:
    """Under which ids the other side is known, its address first; empty when there is none."""
    sides = [as_map(item.get("sender")), as_map(item.get("recipient"))]
    if dig(item, "message", "is_echo") is True:
        sides.reverse()
    for side in sides:
        found = {
            party.people: as_text(side.get("id")),
            "user_ref": _user_ref(side) or _user_ref(as_map(item.get("optin"))),
        }
        known = {kind: value for kind, value in found.items() if value}
        if known and known.get(party.people) not in party.ids:
            return known
    return {}


def _user_ref(side: Mapping[str, object]) -> str | None:
    ref = as_text(side.get("user_ref"))
    return f"{USER_REF}{ref}" if ref else None


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else fingerprint(name)


def _key_of(item: Mapping[str, object]) -> str | None:
    """What copies of an item have in common, also when one of them came as standby; None: only the whole of it."""
    message, edit = as_map(item.get("message")), as_map(item.get("message_edit"))
    if (mid := as_text(message.get("mid"))) is not None:
        return f"{'unsend' if message.get('is_deleted') is True else 'message'}:{mid}"
    mid, number = as_text(edit.get("mid")), as_text(edit.get("num_edit"))
    return f"edit:{mid}:{number}" if mid and number else None


def _kind_of(item: Mapping[str, object]) -> str:
    return next((name for name in item if name not in _BARE), "item without content")


def _read_message(item: _Item) -> list[Inbound]:
    message = item.part("message")
    mid = as_text(message.get("mid"))
    if mid is None:
        return [InboundUnknown("message without id")]
    if message.get("is_deleted") is True:
        return [InboundUnsend(mid, item.person, parts_of(mid, MOST_PIECES))]
    pieces = pieces_of(message, mid)
    if message.get("is_echo") is True:
        return [_echo(item, message, part_id(mid, number), piece) for number, piece in enumerate(pieces)]
    return [_message(item, message, part_id(mid, number), piece) for number, piece in enumerate(pieces)]


def _message(item: _Item, message: Mapping[str, object], mid: str, piece: Piece) -> InboundMessage:
    return InboundMessage(
        mid,
        item.person,
        piece.content,
        sent_at=item.at,
        media=piece.media,
        reply_to=as_text(dig(message, "reply_to", "mid")),
        referral=referral_in(message.get("referral")),
        automatic=item.standby,
    )


def _echo(item: _Item, message: Mapping[str, object], mid: str, piece: Piece) -> InboundEcho:
    ours = _own_id(as_text(message.get("metadata")))
    app = as_text(message.get("app_id"))
    by_app = app == item.party.app_id if app and item.party.app_id else ours is not None
    return InboundEcho(
        mid,
        item.person,
        piece.content,
        message_id=ours,
        sent_at=item.at,
        by_app=by_app,
        media=piece.media,
        author=None if by_app else app,
    )


def _own_id(text: str | None) -> str | None:
    """What we sent along with a message; whatever another app sends along is no id of ours."""
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        return None


def _read_postback(item: _Item) -> list[Inbound]:
    postback = item.part("postback")
    title, payload = as_text(postback.get("title")), as_text(postback.get("payload"))
    if title is None and payload is None:
        return [InboundUnknown("postback without payload")]
    content = ReplyContent(text=(title or payload or "")[:MAX_TEXT], payload=payload or title or "")
    message = InboundMessage(
        as_text(postback.get("mid")) or f"postback:{fingerprint(item.fields)}",
        item.person,
        content,
        sent_at=item.at,
        referral=referral_in(postback.get("referral")),
        automatic=item.standby,
    )
    return [message]


def _read_referral(item: _Item) -> list[Inbound]:
    referral = referral_in(item.part("referral"))
    return [InboundReferral(item.person, referral, item.at)] if referral else [InboundUnknown("referral")]


def _read_optin(item: _Item) -> list[Inbound]:
    optin = item.part("optin")
    if as_text(optin.get("type")) == "notification_messages":
        stopped = as_text(optin.get("notification_messages_status")) == "STOP_NOTIFICATIONS"
        source = "stopped notifications" if stopped else "asked for notifications"
        return [InboundConsent(item.person, not stopped, "marketing", source, item.at)]
    consent = InboundConsent(
        item.person, given=True, source="opted in on a website", at=item.at, opens_window=True
    )
    ref = as_text(optin.get("ref"))
    if ref is None:
        return [consent]
    return [consent, InboundReferral(item.person, Referral("optin", ref), item.at, opens_window=True)]


def _read_delivery(item: _Item) -> list[Inbound]:
    """News of single messages, and a time up to which all have arrived: the list may be missing."""
    delivery = item.part("delivery")
    mids = [mid for one in as_list(delivery.get("mids"))[:MOST_MIDS] if (mid := as_text(one))]
    single = [InboundStatus(mid, DeliveryStatus.DELIVERED, item.person, mid, item.at) for mid in mids]
    before = as_moment(delivery.get("watermark"))
    if before is None:
        return [*single] or [InboundUnknown("delivery of nothing")]
    return [*single, InboundWatermark(item.person, DeliveryStatus.DELIVERED, before=before)]


def _read_read(item: _Item) -> list[Inbound]:
    """How far they read: Messenger gives a time, Instagram a message."""
    read = item.part("read")
    mid, before = as_text(read.get("mid")), as_moment(read.get("watermark"))
    if mid is None and before is None:
        return [InboundUnknown("read without an end")]
    return [InboundWatermark(item.person, DeliveryStatus.READ, mid, before)]


def _read_reaction(item: _Item) -> list[Inbound]:
    reaction = item.part("reaction")
    mid, name = as_text(reaction.get("mid")), as_text(reaction.get("reaction")) or ""
    if mid is None or item.ours:
        return [InboundUnknown("reaction of ours" if mid else "reaction to nothing")]
    taken_back = as_text(reaction.get("action")) == "unreact"
    emoji = "" if taken_back else as_text(reaction.get("emoji")) or _EMOJI.get(name, "👍")
    return [InboundReaction(mid, item.person, emoji, item.at)]


def _read_edit(item: _Item) -> list[Inbound]:
    edit = item.part("message_edit")
    mid, text = as_text(edit.get("mid")), as_text(edit.get("text"))
    if mid is None or text is None:
        return [InboundUnknown("edit without text")]
    return [InboundEdit(mid, item.person, TextContent(text=text[:MAX_TEXT]), item.at)]


def _read_pass(item: _Item) -> list[Inbound]:
    """The conversation was given to an app: to ours, which is no news to act on, or to another."""
    owner = as_text(item.part("pass_thread_control").get("new_owner_app_id"))
    if owner is None or item.party.app_id in {None, owner}:
        return [InboundUnknown("pass_thread_control")]
    return [InboundHandover(item.person)]


def _read_take(item: _Item) -> list[Inbound]:
    """An app took the conversation; the one that loses it is told."""
    loser = as_text(item.part("take_thread_control").get("previous_owner_app_id"))
    if loser is None or item.party.app_id not in {None, loser}:
        return [InboundUnknown("take_thread_control")]
    return [InboundHandover(item.person)]


def _policy(policy: Mapping[str, object]) -> InboundAccount:
    """The provider's own verdict on the account (`messaging_policy_enforcement`)."""
    action, reason = as_text(policy.get("action")) or "news", as_text(policy.get("reason"))
    words = {
        "block": "Meta has stopped this account from sending messages.",
        "unblock": "Meta lets this account send messages again.",
        "warning": "Meta warns that this account may be stopped from sending messages.",
    }.get(action, f"Meta tells of its policy: {action}.")
    health = {"block": "paused", "unblock": "ok"}
    return InboundAccount(
        "policy_enforcement",
        f"{words} {reason}" if reason else words,
        health=health.get(action),  # pyright: ignore[reportArgumentType]
    )


_READERS: Mapping[str, Callable[[_Item], list[Inbound]]] = {
    "message": _read_message,
    "postback": _read_postback,
    "message_edit": _read_edit,
    "reaction": _read_reaction,
    "delivery": _read_delivery,
    "read": _read_read,
    "optin": _read_optin,
    "pass_thread_control": _read_pass,
    "take_thread_control": _read_take,
    "referral": _read_referral,
}
"""By the field that makes an item what it is; a referral last, as others carry one inside."""
