"""What an inbox of this channel is set up with."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from chatwright.net.graph.client import GRAPH_URL, VERSION
from chatwright.ports.secret_settings import DESTINATION

MetaId = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{1,32}$")]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=2000)]
BaseURL = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^https?://[^\s/?#@]+[^\s?#@]*$")]


def _digits(text: str) -> str:
    """A phone number as Meta's webhooks write it."""
    return re.sub(r"\D", "", text)


class WhatsAppSettings(BaseModel):
    """A number of the WhatsApp Business Platform."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    phone_number_id: MetaId
    """The number's id at Meta (WhatsApp > API Setup); not the phone number itself."""
    waba_id: MetaId
    """Id of the WhatsApp Business Account that the number belongs to."""
    access_token: Secret
    """Token of a system user with whatsapp_business_messaging and whatsapp_business_management."""
    app_secrets: Annotated[list[Secret], Field(min_length=1, max_length=5)]
    """The app's secrets (App settings > Basic); webhooks may be signed with any of them, our calls use the first."""
    phone_number: Annotated[str, AfterValidator(_digits), Field(max_length=40)] = ""
    """The phone number as people know it, which tells its news from those of other numbers of the account."""
    base_url: Annotated[BaseURL, DESTINATION] = GRAPH_URL
    """Where the Graph API is; another address only for tests."""
    version: Annotated[str, StringConstraints(pattern=r"^v[0-9]{1,3}\.[0-9]{1,2}$")] = VERSION
    """Version of the Graph API."""
    prove_calls: bool = True
    """Whether our calls carry a proof of the app's secret; turn it off where the token is of another app."""
    send_links: bool = False
    """Whether WhatsApp fetches files from this server instead of having them uploaded."""
    preview_links: bool = True
    """Whether WhatsApp shows a preview of the first link in a text."""
