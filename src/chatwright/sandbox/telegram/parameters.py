"""A method's parameters, which may come in the query, as JSON, as a form or as multipart with files.

Outside JSON every value is a string, and what is structured is a string of JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from starlette.datastructures import UploadFile
from starlette.requests import Request

from chatwright.sandbox.telegram.refusals import Refused, bad_request

UPLOAD_LIMIT = 50 * 1024 * 1024
"""Bytes of one file that a bot uploads."""
TRUE = frozenset({"true", "1", "yes"})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with the call."""

    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Parameters:
    """The parameters of one call."""

    values: Mapping[str, Any]
    uploads: Mapping[str, Upload] = field(default_factory=dict[str, Upload])

    def has(self, name: str) -> bool:
        """Whether the parameter was given, and not as nothing."""
        return name in self.uploads or self.values.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        """The parameter as text."""
        value = self.values.get(name)
        return default if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()

    def integer(self, name: str, default: int = 0) -> int:
        """The parameter as a whole number; what is none counts as `default`, as there."""
        try:
            return int(self.values.get(name, default))
        except (TypeError, ValueError):
            return default

    def number(self, name: str) -> float | None:
        """The parameter as a number, or None."""
        try:
            return float(self.values[name])
        except (KeyError, TypeError, ValueError):
            return None

    def flag(self, name: str) -> bool:
        """The parameter as a yes or no."""
        value = self.values.get(name, False)
        return value if isinstance(value, bool) else str(value).lower() in TRUE

    def nested(self, name: str, *, what: str) -> Any:  # noqa: ANN401 - any JSON.
        """A structured parameter, or None; raises Refused when it is no JSON."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise bad_request(f"can't parse {what} JSON object") from None


async def read_parameters(request: Request) -> Parameters:
    """The parameters of a request, whichever way they came."""
    values: dict[str, Any] = dict(request.query_params)
    uploads: dict[str, Upload] = {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        values |= _json(await request.body())
    elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        async with request.form(max_part_size=UPLOAD_LIMIT) as form:
            for name, part in form.multi_items():
                if isinstance(part, UploadFile):
                    uploads[name] = await _upload(part)
                else:
                    values[name] = part
    return Parameters(values, uploads)


def _json(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        found: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(found, dict):
        raise bad_request("object expected as parameters")
    return cast("dict[str, Any]", found)


async def _upload(part: UploadFile) -> Upload:
    data = await part.read()
    if len(data) > UPLOAD_LIMIT:
        raise Refused(413, "Request Entity Too Large")
    return Upload(part.filename or "file", part.content_type or "application/octet-stream", data)
