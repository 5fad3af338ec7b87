"""The events that the widget sends, cut apart and read.

    {"events": [{"type": "message", "client_id": "...", "text": "...", "sent_at": "..."},
                {"type": "reply", "client_id": "...", "text": "...", "payload": "..."},
                {"type": "read", "up_to": "<id of our message>"}]}

A stored event is `{"visitor": "<id>", "event": {...}}`.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import orjson

from chatwright.kernel.errors import InvalidInput
from chatwright.ports.content import MAX_TEXT, Content, ReplyContent, TextContent
from chatwright.ports.inbound import (
    DeliveryStatus,
    Inbound,
    InboundMessage,
    InboundUnknown,
    InboundWatermark,
    Person,
    RawEvent,
)

MOST_EVENTS = 100
"""Events in one call; the widget sends what it has in parts of this size."""
LONGEST_DELAY = timedelta(days=30)
"""How long a message may have waited in a browser without network and still keep its own time."""
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def split_call(visitor: str, body: bytes) -> list[RawEvent]:
    """Cut the body of one call into events; raises InvalidInput for what is no JSON or far too much."""
    try:
        call: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        message = "The body is not JSON."
        raise InvalidInput(message) from error
    match call:
        case {"events": list()}:
            events = cast("dict[str, list[object]]", call)["events"]
        case _:
            events = [call]
    if len(events) > MOST_EVENTS:
        raise InvalidInput(f"One call carries at most {MOST_EVENTS} events.")
    return [_raw_event(visitor, event) for event in events]


def parse_event(payload: Mapping[str, Any]) -> Inbound:
    """Read one stored event."""
    visitor, event = payload.get("visitor"), payload.get("event")
    if not isinstance(visitor, str) or not isinstance(event, dict):
        return InboundUnknown("no event")
    fields = cast("dict[str, object]", event)
    person = Person({"visitor": visitor})
    match fields:
        case {"type": "message" | "reply", "client_id": str(client_id)} if _CLIENT_ID.fullmatch(client_id):
            content = _content(fields)
            if content is None:
                return InboundUnknown("message without text")
            return InboundMessage(f"{visitor}/{client_id}", person, content, _sent_at(fields))
        case {"type": "read", "up_to": str(up_to)} if _is_id(up_to):
            return InboundWatermark(person, DeliveryStatus.READ, up_to)
        case {"type": str(kind)}:
            return InboundUnknown(kind)
        case _:
            return InboundUnknown("no type")


def _raw_event(visitor: str, event: object) -> RawEvent:
    return RawEvent(
        dedupe_key=f"{visitor}:{_name_of(event)}",
        lane=visitor,
        payload={"visitor": visitor, "event": event},
    )


def _name_of(event: object) -> str:
    """What copies of an event have in common and other events have not."""
    match event:
        case {"type": "message" | "reply", "client_id": str(client_id)} if _CLIENT_ID.fullmatch(client_id):
            return client_id
        case _:
            return hashlib.sha256(_canonical(event)).hexdigest()


def _canonical(event: object) -> bytes:
    try:
        return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        message = "The body is nested too deeply."
        raise InvalidInput(message) from error


def _content(event: Mapping[str, object]) -> Content | None:
    match event:
        case {"type": "reply", "text": str(text), "payload": str(payload)} if text.strip():
            return ReplyContent(text=text[:MAX_TEXT], payload=payload)
        case {"text": str(text)} if text.strip():
            return TextContent(text=text[:MAX_TEXT])
        case _:
            return None


def _sent_at(event: Mapping[str, object]) -> datetime | None:
    """The visitor's own time of writing, unless their clock cannot be right."""
    text = event.get("sent_at")
    try:
        sent_at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if sent_at is None or sent_at.tzinfo is None:
        return None
    now = datetime.now(UTC)
    return sent_at if now - LONGEST_DELAY < sent_at <= now else None


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
