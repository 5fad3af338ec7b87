"""Messages of people, and of those who answer them in the WhatsApp Business app."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from chatwright.channels.whatsapp.contents import own_phone, said_in
from chatwright.channels.whatsapp.people import person_of, receiver_of, sender_of
from chatwright.net.reading import as_map, as_moment, as_text, dig
from chatwright.ports.content import ReactionContent
from chatwright.ports.inbound import (
    Inbound,
    InboundEcho,
    InboundEdit,
    InboundIdentity,
    InboundMessage,
    InboundProfile,
    InboundReaction,
    InboundUnknown,
    InboundUnsend,
    Person,
    Referral,
)

Fields = Mapping[str, object]


def read_message(message: Fields, contact: Fields) -> Sequence[Inbound]:
    """What one of `messages` means."""
    person, kind = sender_of(message, contact), as_text(message.get("type")) or "message"
    if message.get("group_id") is not None:
        return [InboundUnknown(f"group {kind}")]
    if person is None:
        return [InboundUnknown(f"{kind} of nobody")]
    match kind:
        case "system":
            return [_system(message, person)]
        case "edit" | "revoke":
            return [_change(message, person, kind)]
        case _:
            return _said(message, person, kind)


def read_echo(message: Fields, contact: Fields) -> Sequence[Inbound]:
    """What one of `message_echoes` means: somebody of ours wrote it in the WhatsApp Business app."""
    person, kind = receiver_of(message, contact), as_text(message.get("type")) or "message"
    external_id = as_text(message.get("id"))
    if person is None or external_id is None:
        return [InboundUnknown(f"echo of {kind}")]
    if kind in {"edit", "revoke"}:
        return [_change(message, person, kind)]
    at = as_moment(message.get("timestamp"))
    return [
        InboundEcho(_numbered(external_id, number), person, said.content, sent_at=at, media=said.media)
        for number, said in enumerate(said_in(message), 1)
    ]


def _said(message: Fields, person: Person, kind: str) -> Sequence[Inbound]:
    external_id, at = as_text(message.get("id")), as_moment(message.get("timestamp"))
    if external_id is None:
        return [InboundUnknown(f"{kind} without an id")]
    if (phone := own_phone(message)) is not None:
        person = replace(person, phone=person.phone or phone)
    said = said_in(message)
    if isinstance(reaction := said[0].content, ReactionContent):
        return [InboundReaction(reaction.message_id, person, reaction.emoji, at)]
    return [
        InboundMessage(
            _numbered(external_id, number),
            person,
            one.content,
            at,
            one.media,
            reply_to=as_text(dig(message, "context", "id")),
            referral=_referral(as_map(message.get("referral"))),
        )
        for number, one in enumerate(said, 1)
    ]


def _change(message: Fields, person: Person, kind: str) -> Inbound:
    original = as_text(dig(message, kind, "original_message_id"))
    if original is None:
        return InboundUnknown(f"{kind} of nothing")
    if kind == "revoke":
        return InboundUnsend(original, person)
    content = said_in(as_map(dig(message, "edit", "message")))[0].content
    return InboundEdit(original, person, content, as_moment(message.get("timestamp")))


def _referral(referral: Fields) -> Referral | None:
    """The ad or post that somebody came from (Click to WhatsApp)."""
    if not referral:
        return None
    source = as_text(referral.get("source_type")) or "ad"
    name = as_text(referral.get("source_id"))
    return Referral(
        source,
        ad_id=name if source == "ad" else None,
        click_id=as_text(referral.get("ctwa_clid")),
        url=as_text(referral.get("source_url")),
        headline=as_text(referral.get("headline")),
    )


def _system(message: Fields, person: Person) -> Inbound:
    system = as_map(message.get("system"))
    kind = as_text(system.get("type")) or "system"
    reader = _SYSTEM.get(kind)
    return (reader and reader(message, system, person)) or InboundUnknown(f"system {kind}")


def _moved(message: Fields, system: Fields, person: Person) -> Inbound | None:
    """Another phone number, another user id, or both: a user id changes with the number.

    What is not named as new is not known to be good any more, and is left to the old names.
    """
    new_number = system.get("wa_id") or system.get("new_wa_id")
    now = person_of(new_number, system.get("user_id"), system.get("parent_user_id"))
    earlier = person_of(
        message.get("from") or system.get("customer"),
        system.get("previous_user_id") or message.get("from_user_id"),
    )
    if now is None:
        return None
    return InboundIdentity(earlier or person, now, as_text(system.get("body")) or "")


def _other_device(message: Fields, _: Fields, person: Person) -> Inbound | None:
    """Their security code changed: another phone, or WhatsApp installed anew."""
    code = as_text(dig(message, "identity", "hash"))
    return InboundProfile(person, {"identity_hash": code}) if code else None


_SYSTEM: Final[Mapping[str, Callable[[Fields, Fields, Person], Inbound | None]]] = {
    "user_changed_number": _moved,
    "customer_changed_number": _moved,
    "user_changed_user_id": _moved,
    "customer_identity_changed": _other_device,
}


def _numbered(external_id: str, number: int) -> str:
    """An id for each of several things that one message says; the first has the message's own."""
    return external_id if number == 1 else f"{external_id}/{number}"
