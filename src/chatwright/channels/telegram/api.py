"""The Bot API as a client sees it: a method is called, and done or refused (Bot API, Making requests)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from chatwright.channels.telegram.settings import TelegramSettings
from chatwright.net.forms import FormFile
from chatwright.net.http import Answer, NoAnswer, Web
from chatwright.net.reading import as_map, as_number, as_text, dig

UPLOAD_SECONDS = 120.0
"""For calls that carry a file, of up to 50 MB."""
_GATEWAY_ERRORS = frozenset({502, 504})


@dataclass(frozen=True, slots=True)
class Done:
    """The method was done."""

    result: Any


@dataclass(frozen=True, slots=True)
class Refused:
    """The method was certainly not done."""

    code: int
    """As HTTP's."""
    description: str
    """In the server's words, which hold no secret."""
    retry_after: float | None = None
    """Seconds."""
    migrated_to: str | None = None
    """The id that the group has as a supergroup."""


class BotAPI:
    """Calls methods for bots."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def call(
        self,
        settings: TelegramSettings,
        method: str,
        fields: Mapping[str, Any] | None = None,
        file: FormFile | None = None,
    ) -> Done | Refused:
        """Call a method; raises NotSent or NoAnswer, which never name the token.

        With a file the fields go as a form, in which whatever is structured is written as JSON.
        """
        url = settings.method_url(method)
        if file is None:
            return _read(await self._web.call("POST", url, json=dict(fields or {})))
        form = {name: _form_value(value) for name, value in (fields or {}).items()}
        return _read(await self._web.call("POST", url, form=form, files=[file], seconds=UPLOAD_SECONDS))


def _form_value(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _read(answer: Answer) -> Done | Refused:
    told = as_map(answer.json())
    if told.get("ok") is True:
        return Done(told.get("result"))
    if told.get("ok") is False:
        return Refused(
            int(as_number(told.get("error_code")) or answer.status),
            as_text(told.get("description")) or "Telegram gave no reason.",
            as_number(dig(told, "parameters", "retry_after")) or as_number(answer.headers.get("retry-after")),
            as_text(dig(told, "parameters", "migrate_to_chat_id")),
        )
    # Something on the way answered. Behind a gateway that lost its patience the method may have been done.
    if answer.status < 400 or answer.status in _GATEWAY_ERRORS:
        message = "What answered in the place of Telegram does not say whether the call arrived."
        raise NoAnswer(message)
    retry_after = as_number(answer.headers.get("retry-after"))
    return Refused(answer.status, f"The answer was HTTP {answer.status}.", retry_after)
