"""What an inbox of this channel is set up with."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from chatwright.kernel.moments import Moment
from chatwright.ports.secret_settings import DESTINATION

ZaloId = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{1,32}$")]
"""A string of digits everywhere: many are larger than what JSON's readers keep exactly."""
Secret = Annotated[SecretStr, Field(min_length=1, max_length=4000)]
Address = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^https?://[^\s/?#@]+[^\s?#@]*$")]


class ZaloSettings(BaseModel):
    """An Official Account of Zalo."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    app_id: ZaloId
    """Id of the app at developers.zalo.me that the account allowed to work for it."""
    oa_id: ZaloId
    """Id of the Official Account, as oa.zalo.me shows it."""
    app_secret: Secret
    """The app's secret key, with which tokens are exchanged."""
    oa_secret_key: Secret
    """The account's secret key from the app's webhook page, with which Zalo signs events."""
    access_token: Secret
    """The account's access token. It ends after 25 hours; this server exchanges it in time."""
    refresh_token: Secret
    """The account's refresh token. It is good for one exchange, so no other program may use it."""
    tokens_at: Moment | None = None
    """When this server exchanged the tokens last; it notes that by itself."""
    oauth_url: Annotated[Address, DESTINATION] = "https://oauth.zaloapp.com"
    """Where tokens are exchanged; another address only for tests."""
    api_url: Annotated[Address, DESTINATION] = "https://openapi.zalo.me"
    """Where the Official Account API is; another address only for tests."""
    business_url: Annotated[Address, DESTINATION] = "https://business.openapi.zalo.me"
    """Where templates to phone numbers are sent; another address only for tests."""

    def with_tokens(self, access_token: str, refresh_token: str, at: datetime) -> "ZaloSettings":
        """The settings with a new pair."""
        pair = {"access_token": SecretStr(access_token), "refresh_token": SecretStr(refresh_token)}
        return self.model_copy(update={**pair, "tokens_at": at})
