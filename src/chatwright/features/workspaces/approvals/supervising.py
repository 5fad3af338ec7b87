"""What a workspace wants approved, believed for a moment so that not every call asks."""

import time
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from chatwright.features.workspaces.approvals import store
from chatwright.ports.database import Database
from chatwright.ports.policy import Supervision

BELIEVED_SECONDS = 0.8
"""A change counts everywhere within a second."""
_MOST: Final = 10_000


@dataclass(slots=True)
class Supervisions:
    """Knows what each workspace wants."""

    database: Database
    _known: dict[UUID, tuple[Supervision, float]] = field(
        default_factory=dict[UUID, tuple[Supervision, float]]
    )

    async def of(self, workspace_id: UUID) -> Supervision:
        """What the workspace wants. Never call it inside of a transaction: it takes a connection of its own."""
        asked_at = time.monotonic()
        wanted, believed_until = self._known.get(workspace_id, (Supervision.NONE, 0.0))
        if asked_at < believed_until:
            return wanted
        async with self.database.autocommit():
            policy = await store.POLICY.first(workspace_id)
        wanted = Supervision.NONE if policy is None else Supervision(policy.supervision)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[workspace_id] = (wanted, asked_at + BELIEVED_SECONDS)
        return wanted
