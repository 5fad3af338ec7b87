"""A caller for one running server: operations by REST, with the product's own errors coming back."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, BinaryIO, Self, cast
from urllib.parse import quote

import httpx2
from pydantic import ValidationError

from chatwright.client.errors import CallFailed, ServerUnreachable
from chatwright.kernel.caller import Surface
from chatwright.kernel.errors import Problem
from chatwright.kernel.operation import AnyOperation

API = "/api/v1"
TIMEOUT = httpx2.Timeout(60.0, connect=5.0)
PAUSES_SECONDS = (0.2, 0.8)
"""Before the second and the third try of a call that may be repeated."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a call as JSON values, and whether it is that of an earlier call with the same key."""

    value: dict[str, Any]
    replayed: bool = False


class Server:
    """Calls one server with one token. Every failure is a CallFailed."""

    def __init__(
        self,
        url: str,
        token: str | None,
        *,
        surface: Surface = Surface.CLI,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        client = f"chatwright-{surface}/{version('chatwright')}"
        headers = {"user-agent": client, "x-chatwright-surface": surface}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        self._http = httpx2.Client(base_url=self.url, headers=headers, timeout=TIMEOUT, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(
        self,
        operation: AnyOperation,
        arguments: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Answer:
        """Run an operation. A lost connection is tried again only where repeating cannot do harm."""
        headers = {} if idempotency_key is None else {"idempotency-key": idempotency_key}
        if dry_run:
            headers["dry-run"] = "true"
        request = self._request(operation, arguments, headers)
        repeatable = operation.idempotent or bool(headers)
        response = self._send(request, PAUSES_SECONDS if repeatable else ())
        _raise_for(response)
        return Answer(_object_of(response), replayed=response.headers.get("idempotent-replayed") == "true")

    def pages(self, operation: AnyOperation, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Run a listing operation from the given page on to its last one."""
        page = self.call(operation, arguments).value
        yield page
        while (cursor := page.get("next_cursor")) is not None:
            page = self.call(operation, {**arguments, "cursor": cursor}).value
            yield page

    def lines(self, path: str) -> Iterator[str]:
        """Read a stream of text lines from a path below the API."""
        try:
            with self._http.stream("GET", API + path) as response:
                if response.is_error:
                    response.read()
                _raise_for(response)
                yield from response.iter_lines()
        except httpx2.TransportError as error:
            raise ServerUnreachable(self.url, _reason(error)) from error

    def upload(self, path: str, content: BinaryIO) -> dict[str, Any]:
        """Send a file, as it is read, to a path below the API."""
        response = self._send(self._http.build_request("POST", API + path, content=content), ())
        _raise_for(response)
        return _object_of(response)

    def _request(
        self, operation: AnyOperation, arguments: Mapping[str, Any], headers: Mapping[str, str]
    ) -> httpx2.Request:
        given = dict(arguments)
        path = API + operation.path
        for name in operation.path_fields:
            path = path.replace(f"{{{name}}}", quote(str(given.pop(name, "")), safe=""))
        if operation.method == "GET":
            parameters = httpx2.QueryParams(_query(given))
            return self._http.build_request("GET", path, params=parameters, headers=headers)
        return self._http.build_request(operation.method, path, json=given, headers=headers)

    def _send(self, request: httpx2.Request, pauses: tuple[float, ...]) -> httpx2.Response:
        for pause in pauses:
            try:
                return self._http.send(request)
            except httpx2.TransportError:
                time.sleep(pause)
        try:
            return self._http.send(request)
        except httpx2.TransportError as error:
            raise ServerUnreachable(self.url, _reason(error)) from error


def _query(arguments: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Lists become repeated parameters, nested values JSON; what is null is left out."""
    parameters: list[tuple[str, Any]] = []
    for name, value in arguments.items():
        if value is None:
            continue
        several = cast("list[Any]", value) if isinstance(value, list) else [value]
        parameters += [(name, one if isinstance(one, str) else json.dumps(one)) for one in several]
    return parameters


def _reason(error: httpx2.TransportError) -> str:
    return str(error) or type(error).__name__


def _object_of(response: httpx2.Response) -> dict[str, Any]:
    try:
        value: object = response.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise CallFailed(HTTPStatus.BAD_GATEWAY, _foreign_problem(response))
    return cast("dict[str, Any]", value)


def _raise_for(response: httpx2.Response) -> None:
    if response.is_success:
        return
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        problem = _foreign_problem(response)
    raise CallFailed(response.status_code, problem)


def _foreign_problem(response: httpx2.Response) -> Problem:
    """For an answer that is not of our making: another program on this port, or a proxy in between."""
    return Problem(
        code=f"HTTP_{response.status_code}",
        message=f"{response.url} answered {response.status_code}, but not as a Chatwright server does.",
        hint="Check the address of the server, and what stands in front of it.",
    )
