"""A message as a visitor's page gets it."""

from typing import Any

from chatwright.features.messaging.store import VisibleMessage


def shown(message: VisibleMessage, address: str) -> dict[str, Any]:
    """A message as the page gets it."""
    inbound = message.direction == "in"
    return {
        "id": str(message.id),
        "position": message.position,
        "direction": message.direction,
        "author": None if inbound else message.author_name,
        "content": message.content,
        "client_id": (message.client_id or "").removeprefix(f"{address}/") if inbound else None,
        "at": message.at.isoformat(),
    }
