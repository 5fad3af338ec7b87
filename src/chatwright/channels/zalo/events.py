"""Events, cut out of a call and read (Official Account documentation, Webhook)."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from chatwright.channels.zalo.addresses import ANONYMOUS, USER
from chatwright.channels.zalo.contents import said_in
from chatwright.channels.zalo.reactions import emoji_of
from chatwright.channels.zalo.templates import LANGUAGE, status_of
from chatwright.kernel.errors import InvalidInput
from chatwright.net.reading import as_list, as_map, as_moment, as_text, dig, texts
from chatwright.ports.inbound import (
    DeliveryStatus,
    Inbound,
    InboundAccount,
    InboundConsent,
    InboundEcho,
    InboundMessage,
    InboundProfile,
    InboundReaction,
    InboundReferral,
    InboundStatus,
    InboundTemplate,
    InboundUnknown,
    InboundWithdrawal,
    Person,
    RawEvent,
    Referral,
)

_SENT = re.compile(r"(?P<by>user|oa|anonymous)_send_(?P<anonymous>anonymous_)?(?P<kind>\w+)")
_NOT_SAID = frozenset({"oa_send_consent", "oa_send_template"})
_TOLD_BY_ACCOUNT = frozenset({"user_seen_message", "user_received_message"})
"""Events of people that name the account as their sender."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """An event with the two sides of it."""

    name: str
    body: Json
    user_id: str | None
    oa_id: str | None
    """None where the event does not say whom it is for."""

    @property
    def message(self) -> Json:
        return as_map(self.body.get("message"))

    @property
    def message_id(self) -> str | None:
        return as_text(self.message.get("msg_id")) or as_text(self.message.get("message_id"))

    @property
    def at(self) -> Any:  # noqa: ANN401 - whatever the provider wrote.
        return self.body.get("timestamp")


def split_call(body: bytes, oa_id: str) -> list[RawEvent]:
    """The event of one call, which carries one; raises InvalidInput when the body is no JSON."""
    try:
        parsed: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        message = "The body is not JSON."
        raise InvalidInput(message) from error
    event = as_map(parsed)
    if not event:
        return [RawEvent(hashlib.sha256(body).hexdigest(), "", {"unreadable": parsed})]
    read = _read(event, oa_id)
    return [RawEvent(_key(read, body), read.user_id or "", event, account=read.oa_id)]


def parse_event(body: Json, oa_id: str) -> list[Inbound]:
    """Read one event of any kind."""
    event = _read(body, oa_id)
    if event.name in _READERS:
        return _READERS[event.name](event) or [InboundUnknown(event.name)]
    sent = _SENT.fullmatch(event.name)
    if sent and event.name not in _NOT_SAID and not sent["kind"].startswith("group"):
        return _said(event, sent) or [InboundUnknown(event.name)]
    return [InboundUnknown(event.name or "no event_name")]


def _read(body: Json, oa_id: str) -> Event:
    name = as_text(body.get("event_name")) or ""
    sender, recipient = as_text(dig(body, "sender", "id")), as_text(dig(body, "recipient", "id"))
    account, user = recipient, sender
    if name.startswith("oa_") or name in _TOLD_BY_ACCOUNT:
        account, user = sender, recipient
    if user == oa_id:
        # Whatever the name says, nobody talks to themselves.
        account, user = user, account
    user = user or as_text(dig(body, "follower", "id")) or as_text(body.get("user_id"))
    return Event(name, body, user, account or as_text(body.get("oa_id")))


def _key(event: Event, body: bytes) -> str:
    """What copies of an event have in common; messages have an id, other events their time and whom they are about."""
    if event.message_id and _SENT.fullmatch(event.name):
        return f"{event.name}:{event.message_id}"
    if not event.name or not as_text(event.at):
        return hashlib.sha256(body).hexdigest()
    about = event.message_id or ",".join(filter(None, map(as_text, as_list(event.message.get("msg_ids")))))
    rest = as_text(event.message.get("react_icon")) or as_text(event.body.get("template_id")) or ""
    key = f"{event.name}:{event.at}:{event.user_id or ''}:{about}:{rest}"
    return key if len(key) <= 200 else hashlib.sha256(key.encode()).hexdigest()


def _person(event: Event) -> Person | None:
    if event.user_id is None:
        return None
    conversation = as_text(event.message.get("conversation_id"))
    if conversation is not None:
        return Person({ANONYMOUS: f"{event.user_id}/{conversation}"})
    return Person({USER: event.user_id})


def _said(event: Event, sent: re.Match[str]) -> list[Inbound]:
    person, message_id = _person(event), event.message_id
    if person is None or message_id is None:
        return []
    said = said_in(event.message, sent["kind"])
    ids = [message_id, *(f"{message_id}/{number}" for number in range(2, len(said) + 1))]
    at = as_moment(event.at)
    if sent["by"] == "oa":
        # Who writes in the account's own chat tool is named; what came through the API is not.
        admin = as_text(dig(event.body, "sender", "admin_id"))
        return [
            InboundEcho(
                id_, person, one.content, sent_at=at, by_app=admin is None, media=one.media, author=admin
            )
            for id_, one in zip(ids, said, strict=True)
        ]
    answered = as_text(event.message.get("quote_msg_id"))
    return [
        InboundMessage(id_, person, one.content, sent_at=at, media=one.media, reply_to=answered)
        for id_, one in zip(ids, said, strict=True)
    ]


def _received(event: Event) -> list[Inbound]:
    """A template to a phone number brings back our own id."""
    ours = as_text(event.message.get("tracking_id"))
    message_id = ours or event.message_id
    if message_id is None:
        return []
    at = as_moment(event.message.get("delivery_time")) or as_moment(event.at)
    theirs = event.message_id if ours else None
    return [InboundStatus(message_id, DeliveryStatus.DELIVERED, _person(event), theirs, at)]


def _seen(event: Event) -> list[Inbound]:
    ids = [*map(as_text, as_list(event.message.get("msg_ids"))), event.message_id]
    person, at = _person(event), as_moment(event.at)
    return [InboundStatus(id_, DeliveryStatus.READ, person, at=at) for id_ in ids if id_]


def _reacted(event: Event) -> list[Inbound]:
    person, icon = _person(event), as_text(event.message.get("react_icon"))
    if person is None or icon is None or event.message_id is None:
        return []
    return [InboundReaction(event.message_id, person, emoji_of(icon), as_moment(event.at))]


def _consent(*, given: bool, source: str, opens_window: bool = False) -> Callable[[Event], list[Inbound]]:
    def read(event: Event) -> list[Inbound]:
        person, at = _person(event), as_moment(event.at)
        if person is None:
            return []
        return [InboundConsent(person, given=given, source=source, at=at, opens_window=opens_window)]

    return read


def _came(source: str, *, opens_window: bool) -> Callable[[Event], list[Inbound]]:
    def read(event: Event) -> list[Inbound]:
        person = _person(event)
        if person is None:
            return []
        return [InboundReferral(person, Referral(source), as_moment(event.at), opens_window=opens_window)]

    return read


def _profile(event: Event) -> list[Inbound]:
    """What somebody told of themselves; what fits a contact goes there, and the rest under Zalo's names."""
    if event.user_id is None:
        return []
    told = texts(as_map(event.body.get("info")) or as_map(event.body.get("user_info")))
    person = Person({USER: event.user_id}, name=told.pop("name", None), phone=told.pop("phone", None))
    return [InboundProfile(person, told)]


def _call_consent(event: Event) -> list[Inbound]:
    """Whether the account may call them by phone: it says nothing about messages, so it is a fact of the profile."""
    answer = as_text(event.body.get("user_consent"))
    if event.user_id is None or answer is None:
        return []
    return [InboundProfile(Person({USER: event.user_id}), {"call_consent": answer.lower()})]


def _withdrawal(event: Event) -> list[Inbound]:
    person = _person(event)
    return [InboundWithdrawal(person)] if person else []


def _quota(event: Event) -> list[Inbound]:
    before, now = _change(event.body, "quota")
    words = f"The account may send {now or 'another number of'} templates a day now"
    return [InboundAccount(event.name, f"{words}, instead of {before}." if before else f"{words}.")]


def _extension(event: Event) -> list[Inbound]:
    return [InboundAccount(event.name, "The account bought an extension of its plan.")]


def _template(event: Event) -> list[Inbound]:
    template_id = as_text(event.body.get("template_id"))
    if template_id is None:
        return []
    _, status = _change(event.body, "status")
    _, quality = _change(event.body, "quality")
    reason = as_text(event.body.get("reason"))
    return [
        InboundTemplate(
            template_id,
            LANGUAGE,
            status=status_of(status) if status else None,
            quality=quality.lower() if quality else None,
            reason=reason,
            template_id=template_id,
        )
    ]


def _change(body: Json, name: str) -> tuple[str | None, str | None]:
    """What something was before, and what it is now; older events tell the latter alone."""
    part = body.get(name)
    told = as_map(part)
    return as_text(told.get(f"prev_{name}")), as_text(told.get(f"new_{name}")) or as_text(part)


_READERS: Mapping[str, Callable[[Event], list[Inbound]]] = {
    "user_received_message": _received,
    "user_seen_message": _seen,
    "user_reacted_message": _reacted,
    "follow": _consent(given=True, source="followed the account", opens_window=True),
    "unfollow": _consent(given=False, source="stopped following the account"),
    "widget_interaction_accepted": _consent(given=True, source="accepted messages in the widget"),
    "user_click_chatnow": _came("chatnow", opens_window=False),
    "user_call_oa": _came("call", opens_window=True),
    "user_submit_info": _profile,
    "update_user_info": _profile,
    "user_reply_consent": _call_consent,
    "user_withdraw": _withdrawal,
    "change_oa_daily_quota": _quota,
    "extension_purchased": _extension,
    "change_template_status": _template,
    "change_template_quality": _template,
}
