"""What an inbox of this channel is set up with."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from chatwright.net.graph.client import GRAPH_URL, VERSION
from chatwright.ports.secret_settings import DESTINATION

MetaId = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\d{1,32}$")]
Address = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^https?://[^\s/?#@]+[^\s?#@]*$")]
Version = Annotated[str, StringConstraints(pattern=r"^v\d{1,3}\.\d{1,2}$")]


class MessengerSettings(BaseModel):
    """A Facebook page whose chats are answered here."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    page_id: MetaId
    """Id of the page: under About, Page transparency, or from `me/accounts` of the Graph API."""
    access_token: SecretStr
    """A page access token that does not end: of a system user, or made from a long-lived user token."""
    app_secrets: Annotated[list[SecretStr], Field(min_length=1, max_length=5)]
    """App secrets (App settings, Basic) that webhooks may be signed with; first the one of the token's app."""
    app_id: MetaId | None = None
    """Id of the app: tells its own echoes from those of people, sets the webhook up and checks permissions."""
    comments: bool = False
    """Whether comments under the page's posts come in, to be answered privately."""
    leads: bool = False
    """Whether answers to the page's lead forms come in; needs the permission `leads_retrieval`."""
    base_url: Annotated[Address, DESTINATION] = GRAPH_URL
    """Where the Graph API is; another one only for a sandbox or a proxy."""
    version: Version = VERSION
    """Version of the Graph API."""
