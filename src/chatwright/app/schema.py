"""Every table of the product, for writing and checking migrations."""

from typing import Final

from sqlalchemy import MetaData

from chatwright.features.contacts import tables as contacts
from chatwright.features.messaging import tables as messaging
from chatwright.features.workspaces.approvals import tables as approvals
from chatwright.features.workspaces.confirmations import tables as confirmations
from chatwright.features.workspaces.oauth import tables as workspaces
from chatwright.infra import tables as infra

_FILLED: Final = (
    infra.metadata,
    workspaces.metadata,
    approvals.metadata,
    confirmations.metadata,
    contacts.metadata,
    messaging.metadata,
)

METADATA: Final[list[MetaData]] = list(dict.fromkeys(_FILLED))
"""Rooms within a room fill the same one."""
