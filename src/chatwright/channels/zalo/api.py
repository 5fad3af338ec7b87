"""Zalo's API as a client sees it: every answer has status 200, and its `error` says whether anything was done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from chatwright.channels.zalo.settings import ZaloSettings
from chatwright.net.forms import FormFile
from chatwright.net.http import Answer, NoAnswer, Web
from chatwright.net.reading import as_code, as_map, as_number, as_text

UPLOAD_SECONDS = 60.0
"""For calls that carry a file, of up to 5 MB."""
_GATEWAY_ERRORS = frozenset({502, 504})


@dataclass(frozen=True, slots=True)
class Done:
    """The call was done."""

    data: Any
    load: float | None = None
    """How much of the minute's allowance is used up, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The call was certainly not done."""

    code: int
    """Zalo's, which is negative; of an answer that is not Zalo's, the HTTP status."""
    message: str
    """In the provider's words."""
    load: float | None = None


class ZaloAPI:
    """Makes calls for accounts."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def post(
        self, settings: ZaloSettings, path: str, body: Mapping[str, Any], *, business: bool = False
    ) -> Done | Refused:
        """Call with a JSON body; raises NotSent or NoAnswer."""
        base = settings.business_url if business else settings.api_url
        return _read(
            await self._web.call("POST", _url(base, path), headers=_token(settings), json=dict(body))
        )

    async def get(
        self, settings: ZaloSettings, path: str, asked: Mapping[str, Any] | None = None
    ) -> Done | Refused:
        """Ask; all that is asked travels as JSON in one parameter."""
        params = {"data": orjson.dumps(asked).decode()} if asked is not None else None
        url = _url(settings.api_url, path)
        return _read(await self._web.call("GET", url, headers=_token(settings), params=params))

    async def get_business(
        self, settings: ZaloSettings, path: str, params: Mapping[str, str]
    ) -> Done | Refused:
        """Ask the host of templates, whose parameters are ordinary ones."""
        url = _url(settings.business_url, path)
        return _read(await self._web.call("GET", url, headers=_token(settings), params=params))

    async def upload(self, settings: ZaloSettings, path: str, files: Sequence[FormFile]) -> Done | Refused:
        """Upload a file; raises NotSent or NoAnswer."""
        url = _url(settings.api_url, path)
        headers = _token(settings)
        return _read(await self._web.call("POST", url, headers=headers, files=files, seconds=UPLOAD_SECONDS))


def _url(base: str, path: str) -> str:
    return f"{base.rstrip('/')}{path}"


def _token(settings: ZaloSettings) -> dict[str, str]:
    """Zalo has a header of its own for it."""
    return {"access_token": settings.access_token.get_secret_value()}


def _read(answer: Answer) -> Done | Refused:
    told = as_map(answer.json())
    code, load = as_code(told.get("error")), _load_in(answer.headers)
    if code == 0:
        return Done(told.get("data"), load)
    if code is not None:
        return Refused(code, as_text(told.get("message")) or "Zalo gave no reason.", load)
    # Something on the way answered. Behind a gateway that lost its patience the call may have been done.
    if answer.status < 400 or answer.status in _GATEWAY_ERRORS:
        message = "What answered in the place of Zalo does not say whether the call arrived."
        raise NoAnswer(message)
    return Refused(answer.status, f"The answer was HTTP {answer.status}.", load)


def _load_in(headers: Mapping[str, str]) -> float | None:
    limit, left = as_number(headers.get("x-ratelimit-limit")), as_number(headers.get("x-ratelimit-remain"))
    if limit is None or left is None or not limit > 0:
        return None
    return min(1.0, max(0.0, 1 - left / limit))
