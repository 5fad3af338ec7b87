"""One call of Meta, cut into events: each message, status and change of each number by itself.

A stored event is

    {"field": "messages", "part": "message" | "status" | "echo" | "preference" | "user_id" | "change",
     "account": "<WhatsApp business account>", "item": {...}, "contact": {...}, "replay": true?}

`item` is what Meta wrote of it, untouched; a `change` is the whole value of a field that is not cut further.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from chatwright.channels.whatsapp.people import contact_for
from chatwright.net.graph.webhooks import Change, changes_in, fingerprint, is_replay
from chatwright.net.reading import as_list, as_map, as_moment, as_text, dig
from chatwright.ports.inbound import RawEvent

LONGEST_KEY = 300
"""Of a dedupe key or lane in characters; an index takes no longer ones."""
_PARTS: Final[Mapping[str, Mapping[str, str]]] = {
    "messages": {"messages": "message", "statuses": "status"},
    "smb_message_echoes": {"message_echoes": "echo"},
    "user_preferences": {"user_preferences": "preference"},
    "user_id_update": {"user_id_update": "user_id"},
}
"""Lists within the values of fields, and what one item of each is."""
_NAMES: Final = (
    "from_user_id",
    "from",
    "recipient_user_id",
    "recipient_id",
    "to_user_id",
    "to",
    "user_id",
    "wa_id",
)
"""Where an item names the person, the name first that does not go missing."""


def split_call(body: bytes) -> list[RawEvent]:
    """Cut the body of one call into events; raises InvalidInput when it is no JSON."""
    return [event for change in changes_in(body) for event in _events_of(change)]


def _events_of(change: Change) -> Iterator[RawEvent]:
    value = as_map(change.value)
    lists = {name: part for name, part in _PARTS.get(change.field, {}).items() if as_list(value.get(name))}
    for name, part in lists.items():
        for item in as_list(value.get(name)):
            yield _item_event(change, part, item)
    errors = as_list(value.get("errors"))
    if not lists or errors:
        yield _change_event(change, {"errors": errors} if lists else change.value)


def _item_event(change: Change, part: str, item: object) -> RawEvent:
    value, fields = as_map(change.value), as_map(item)
    names = [fields.get(name) for name in _NAMES]
    contact = contact_for(value.get("contacts"), *names)
    lane = next((text for text in map(as_text, [*names, contact.get("user_id")]) if text), "nobody")
    payload: dict[str, object] = {**_where(change, part), "item": item}
    if contact:
        payload["contact"] = contact
    if is_replay(as_moment(fields.get("timestamp"))):
        payload["replay"] = True
    return _event(change, _key(part, item), lane, payload)


def _change_event(change: Change, value: object) -> RawEvent:
    name = f"{change.field}:{fingerprint([change.entry, change.at, value])}"
    return _event(change, name, "account", {**_where(change, "change"), "item": value})


def _where(change: Change, part: str) -> dict[str, object]:
    return {"field": change.field, "part": part, "account": change.entry}


def _event(change: Change, key: str, lane: str, payload: Mapping[str, object]) -> RawEvent:
    account = as_text(dig(change.value, "metadata", "phone_number_id"))
    return RawEvent(_short(key), _short(lane), payload, account)


def _key(part: str, item: object) -> str:
    """What copies of an item have in common and no other item has."""
    fields = as_map(item)
    name = as_text(fields.get("id"))
    if part == "status" and name is not None:
        whose = as_text(fields.get("recipient_participant_id")) or as_text(
            fields.get("recipient_participant_user_id")
        )
        return ":".join(["status", name, as_text(fields.get("status")) or "", *([whose] if whose else [])])
    if part in {"message", "echo"} and name is not None:
        return f"{part}:{name}"
    return f"{part}:{fingerprint(item)}"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_KEY else fingerprint(name)
