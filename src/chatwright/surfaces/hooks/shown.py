"""A message as a visitor's page gets it."""

from typing import Any

from chatwright.features.messaging.store import VisibleMessage
from chatwright.kernel.caller import PrincipalKind

NAMED = frozenset({PrincipalKind.MEMBER, PrincipalKind.AGENT})
"""Authors whom visitors know by name; what we call our access tokens is none of their business."""


def shown(message: VisibleMessage, address: str) -> dict[str, Any]:
    """A message as the page gets it."""
    inbound = message.direction == "in"
    return {
        "id": str(message.id),
        "position": message.position,
        "direction": message.direction,
        "author": message.author_name if message.author_kind in NAMED else None,
        "content": message.content,
        "client_id": (message.client_id or "").removeprefix(f"{address}/") if inbound else None,
        "at": message.at.isoformat(),
    }
