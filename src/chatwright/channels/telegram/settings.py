"""What an inbox of this channel is set up with."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

from chatwright.ports.secret_settings import DESTINATION

_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{20,100}")


def _token(secret: SecretStr) -> SecretStr:
    token = secret.get_secret_value().strip()
    if not _TOKEN.fullmatch(token):
        message = "a bot's token is a number, a colon and a word, as @BotFather shows it"
        raise ValueError(message)
    return SecretStr(token)


def _address(text: str) -> str:
    """The address of a server, without a slash at its end."""
    address = text.strip().rstrip("/")
    parts = urlsplit(address)
    is_whole = parts.scheme in {"http", "https"} and parts.hostname
    # What stands before an @ is a password, and this setting is shown.
    if not is_whole or "@" in address or parts.query or parts.fragment:
        message = "an address looks like https://api.example.com"
        raise ValueError(message)
    return address


Token = Annotated[SecretStr, AfterValidator(_token)]
ServerAddress = Annotated[str, AfterValidator(_address)]


class TelegramSettings(BaseModel):
    """A bot of Telegram."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    bot_token: Token
    """The bot's token from @BotFather, e.g. 123456789:AA..."""
    base_url: Annotated[ServerAddress, DESTINATION] = "https://api.telegram.org"
    """Address of the Bot API server; another one for a server of your own."""
    file_url: Annotated[ServerAddress | None, DESTINATION] = None
    """Where that server gives out files; left out: /file below its address."""

    @property
    def bot_id(self) -> str:
        """The bot's own user id, which its token begins with."""
        return self.bot_token.get_secret_value().partition(":")[0]

    def method_url(self, method: str) -> str:
        """Where to call a method. It holds the token: never to be logged, stored or told."""
        return f"{self.base_url}/bot{self.bot_token.get_secret_value()}/{method}"

    def download_url(self, path: str) -> str:
        """Where to fetch a file. It holds the token: never to be logged, stored or told."""
        base = self.file_url or f"{self.base_url}/file"
        return f"{base}/bot{self.bot_token.get_secret_value()}/{path}"
