"""How far our messages got, what they cost, and why they failed."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from chatwright.channels.whatsapp.people import recipient_of
from chatwright.net.graph.errors import first_refusal
from chatwright.net.reading import as_list, as_map, as_moment, as_text, dig
from chatwright.ports.inbound import DeliveryStatus, Inbound, InboundStatus, InboundUnknown, Pricing

_STATUSES: Final[Mapping[str, DeliveryStatus]] = {
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    # A voice message that was listened to: there is nothing beyond read.
    "played": DeliveryStatus.READ,
    "failed": DeliveryStatus.FAILED,
}


def read_status(status: Mapping[str, object], contact: Mapping[str, object]) -> Sequence[Inbound]:
    """What one of `statuses` means."""
    word, external_id = as_text(status.get("status")) or "", as_text(status.get("id"))
    reached = _STATUSES.get(word)
    if reached is None or external_id is None:
        return [InboundUnknown(f"status {word or 'without a name'}")]
    if status.get("recipient_type") == "group":
        return [InboundUnknown(f"group status {word}")]
    failed = reached is DeliveryStatus.FAILED
    refusal = first_refusal(as_list(status.get("errors"))) if failed else None
    return [
        InboundStatus(
            _our_id(status) or external_id,
            reached,
            recipient_of(status, contact),
            external_id,
            as_moment(status.get("timestamp")),
            reaction=refusal.reaction if refusal else None,
            code=refusal.label if refusal else None,
            detail=refusal.words if refusal else None,
            pricing=_pricing(status),
        )
    ]


def _our_id(status: Mapping[str, object]) -> str | None:
    """Our own id, which the message carried; another program on the number may put something else there."""
    carried = as_text(status.get("biz_opaque_callback_data"))
    try:
        return str(UUID(carried)) if carried else None
    except ValueError:
        return None


def _pricing(status: Mapping[str, object]) -> Pricing | None:
    pricing = as_map(status.get("pricing"))
    category = as_text(pricing.get("category")) or as_text(dig(status, "conversation", "origin", "type"))
    if not pricing or category is None:
        return None
    kind = as_text(pricing.get("type"))
    billable = pricing.get("billable")
    # Newer payloads leave `billable` out: only the regular type is charged.
    charged = billable if isinstance(billable, bool) else kind == "regular"
    return Pricing(charged, category, as_text(pricing.get("pricing_model")), kind)
