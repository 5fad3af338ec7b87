"""What is to be done about the queue every so often."""

from typing import Final

from chatwright.features.workspaces.approvals import store
from chatwright.features.workspaces.approvals.waiting import announce_expired

EXPIRY_SECONDS: Final = 30.0
"""How late it may be said of a call that it expired; nobody can approve it any more from the moment itself."""
KEPT_DAYS: Final = 90
"""How long a decided one can be looked up. The audit trail keeps that it happened."""


async def expire_waiting() -> None:
    """Close what nobody decided in time, and forget what it was asked with."""
    announce_expired(await store.EXPIRE.all())


async def forget_old() -> None:
    """Forget approvals that were decided long ago."""
    await store.FORGET_OLD.run(KEPT_DAYS)
