"""What an inbox of this channel is set up with."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from chatwright.kernel.moments import Moment
from chatwright.net.graph.client import GRAPH_URL, VERSION
from chatwright.ports.secret_settings import DESTINATION

INSTAGRAM_URL = "https://graph.instagram.com"
MetaId = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\d{1,32}$")]
Address = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^https?://[^\s/?#@]+[^\s?#@]*$")]
Version = Annotated[str, StringConstraints(pattern=r"^v\d{1,3}\.\d{1,2}$")]


class InstagramSettings(BaseModel):
    """An Instagram professional account whose chats are answered here."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    login: Literal["instagram", "facebook"] = "instagram"
    """How the access was given: `instagram` needs no page; `facebook` is the token of the page linked to it."""
    account_id: MetaId
    """Id of the professional account: `user_id` of `me`, not its `id`, which is another one for each app."""
    access_token: SecretStr
    """Instagram user access token of 60 days, renewed by itself; or, for `facebook`, a page access token."""
    token_expires_at: Moment | None = None
    """When the Instagram user access token ends; kept up to date by itself."""
    app_secrets: Annotated[list[SecretStr], Field(min_length=1, max_length=5)]
    """Secrets that webhooks may be signed with: of the app, and of its Instagram part where that has its own."""
    app_id: MetaId | None = None
    """Id of the app: tells its own echoes from those of people."""
    base_url: Annotated[Address | None, DESTINATION] = None
    """Where the API is; left out, Meta's server for the kind of login. Another one only for a sandbox or a proxy."""
    version: Version = VERSION
    """Version of the API."""

    @property
    def url(self) -> str:
        """Where the API is."""
        return self.base_url or (INSTAGRAM_URL if self.login == "instagram" else GRAPH_URL)

    def renewed(self, access_token: str, expires_at: datetime | None) -> "InstagramSettings":
        """The same with a new token."""
        change = {"access_token": SecretStr(access_token), "token_expires_at": expires_at}
        return self.model_copy(update=change)
