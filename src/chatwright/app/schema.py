"""Every table of the product, for writing and checking migrations."""

from typing import Final

from sqlalchemy import MetaData

from chatwright.features.contacts import tables as contacts
from chatwright.features.messaging import tables as messaging
from chatwright.features.workspaces.oauth import tables as workspaces
from chatwright.infra import tables as infra

METADATA: Final[list[MetaData]] = [infra.metadata, workspaces.metadata, contacts.metadata, messaging.metadata]
