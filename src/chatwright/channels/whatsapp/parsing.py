"""One stored event, read: who said or did what."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from chatwright.channels.whatsapp.messages import read_echo, read_message
from chatwright.channels.whatsapp.news import read_change, read_preference, read_user_id
from chatwright.channels.whatsapp.settings import WhatsAppSettings
from chatwright.channels.whatsapp.statuses import read_status
from chatwright.net.reading import as_map, as_text
from chatwright.ports.inbound import Inbound, InboundUnknown

_READERS: Final[Mapping[str, Callable[[Mapping[str, object], Mapping[str, object]], Sequence[Inbound]]]] = {
    "message": read_message,
    "echo": read_echo,
    "status": read_status,
    "preference": read_preference,
    "user_id": read_user_id,
}


def parse_event(settings: WhatsAppSettings, payload: Mapping[str, object]) -> Sequence[Inbound]:
    """Read one event as `wire` cut it; what nobody knows is said to be unknown."""
    field, part = as_text(payload.get("field")) or "", as_text(payload.get("part")) or ""
    if payload.get("replay"):
        return [InboundUnknown(f"{part} played back")]
    item = as_map(payload.get("item"))
    reader = _READERS.get(part)
    if reader is not None:
        return reader(item, as_map(payload.get("contact")))
    return read_change(settings, as_text(payload.get("account")) or "", field, item)
