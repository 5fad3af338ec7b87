"""The one way into an operation, whatever face the call came through.

scope -> rate limit -> input -> approval -> idempotency key -> one transaction (work, stored result,
audit record, events). What only reads needs no transaction. Whatever is refused or fails is audited in a
transaction of its own.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import orjson
import structlog
from pydantic import BaseModel, ValidationError

from chatwright.features.workspaces import audit, store
from chatwright.features.workspaces.audit import AuditOutcome
from chatwright.features.workspaces.limits import RateLimiter
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import (
    ApprovalRequired,
    ChatwrightError,
    FieldProblem,
    Forbidden,
    IdempotencyConflict,
    IdempotencyInProgress,
    Internal,
    InvalidInput,
    OutsideGrant,
    RateLimitExceeded,
    ScopeMissing,
    Unavailable,
    field_problems,
    told,
)
from chatwright.kernel.operation import AnyOperation, RateClass
from chatwright.ports.cipher import Cipher
from chatwright.ports.database import Database
from chatwright.ports.policy import ApprovalPolicy, Decision

PRINCIPAL_RATE = RateClass(per_minute=12_000, burst=1_200)
"""What one principal may call in all, whatever the operations."""
MAX_KEY_LENGTH = 255
FINGERPRINT = "idempotency"
"""What the arguments of a call with a key are signed for."""
WAIT_SECONDS = 10.0
"""How long a call waits for a twin with the same idempotency key before it says IDEMPOTENCY_IN_PROGRESS."""
WAIT_STEP_SECONDS = 0.05
DEEPEST = 100
"""Levels of nesting in arguments."""

_HALF = re.compile("[\ud800-\udfff]")

Model = TypeVar("Model", bound=BaseModel)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gave: the result as JSON values, and whether it is that of an earlier call."""

    value: dict[str, Any]
    replayed: bool = False


class Pipeline:
    """Runs calls."""

    def __init__(
        self, database: Database, limiter: RateLimiter, policy: ApprovalPolicy, cipher: Cipher
    ) -> None:
        self._database = database
        self._limiter = limiter
        self._policy = policy
        self._cipher = cipher

    async def run(
        self,
        caller: Caller,
        operation: AnyOperation,
        arguments: Mapping[str, object],
        *,
        idempotency_key: str | None = None,
    ) -> Outcome:
        """Run one call to its end. Raises the operation's errors, or the pipeline's own, never anything else."""
        try:
            request = await self._admit(caller, operation, arguments)
            if idempotency_key is None or not operation.writes:
                return await self._perform(caller, operation, arguments, request)
            return await self._perform_once(caller, operation, arguments, request, idempotency_key)
        except ChatwrightError as error:
            await self._record_failure(caller, operation, arguments, error)
            raise
        except Exception as error:
            _log.exception("operation.crashed", operation=operation.name, request_id=caller.request_id)
            internal = Internal(
                "Something went wrong on our side.", hint="The logs have more under the request id."
            )
            await self._record_failure(caller, operation, arguments, internal)
            raise internal from error

    async def require(self, caller: Caller, scope: str, name: str) -> None:
        """For what a face does beside the operations (a stream): refuse a caller without the scope, on record."""
        try:
            caller.require(scope)
        except ScopeMissing as error:
            await self._record(caller, name, {}, AuditOutcome.REFUSED, error)
            raise

    async def _admit(
        self, caller: Caller, operation: AnyOperation, arguments: Mapping[str, object]
    ) -> BaseModel:
        caller.require(operation.scope)
        if not operation.open_to(caller):
            raise OutsideGrant(f"{operation.title} is outside of what this access was limited to.")
        principal = principal_of(caller)
        await self._limiter.take(principal, PRINCIPAL_RATE)
        await self._limiter.take(f"{principal}:{operation.name}", operation.rate)
        request = read_input(operation, arguments)
        if operation.writes and self._policy.decide(caller, operation) is Decision.ASK:
            message = f"{operation.title} needs a person's approval in this situation."
            raise ApprovalRequired(message)
        return request

    async def _perform(
        self, caller: Caller, operation: AnyOperation, arguments: Mapping[str, object], request: BaseModel
    ) -> Outcome:
        if operation.writes:
            async with self._database.transaction():
                result = await operation.handler(caller, request)
                await audit.append(caller, operation.name, _told(operation, arguments), AuditOutcome.DONE)
        else:
            async with self._database.autocommit():
                result = await operation.handler(caller, request)
        return Outcome(result.model_dump(mode="json"))

    async def _perform_once(
        self,
        caller: Caller,
        operation: AnyOperation,
        arguments: Mapping[str, object],
        request: BaseModel,
        key: str,
    ) -> Outcome:
        if not 0 < len(key) <= MAX_KEY_LENGTH:
            message = f"An idempotency key has 1 to {MAX_KEY_LENGTH} characters."
            raise InvalidInput(message, fields=[FieldProblem(path="idempotency_key", message=message)])
        _check_storable(key, ("idempotency_key",))
        principal = principal_of(caller)
        name = f"{principal}\n{operation.name}\n{key}"
        told = orjson.dumps(request.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        # Keyed and of this call alone, because there may be a secret in it that is short enough to be guessed.
        fingerprint = self._cipher.sign(name.encode() + b"\n" + told, FINGERPRINT)
        async with self._alone_with_key(name):
            stored = await store.STORED_RESULT.first(principal, operation.name, key)
            if stored is not None:
                if stored.arguments_hash != fingerprint:
                    message = "This idempotency key was used with other arguments."
                    raise IdempotencyConflict(message)
                await audit.append(caller, operation.name, _told(operation, arguments), AuditOutcome.REPLAYED)
                return Outcome(orjson.loads(self._cipher.open(stored.result, name)), replayed=True)
            result = await operation.handler(caller, request)
            text = result.model_dump_json().encode()
            sealed = self._cipher.seal(text, name)
            await store.KEEP_RESULT.run(principal, operation.name, key, fingerprint, sealed)
            await audit.append(caller, operation.name, _told(operation, arguments), AuditOutcome.DONE)
        return Outcome(orjson.loads(text))

    @asynccontextmanager
    async def _alone_with_key(self, name: str) -> AsyncGenerator[None]:
        """A transaction that no twin of this call shares: the advisory lock ends with it, even by kill -9.

        Waiting is done without a transaction, so that a crowd of twins holds no connections.
        """
        lock = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        give_up = time.monotonic() + WAIT_SECONDS
        while True:
            async with self._database.transaction():
                if await store.TRY_LOCK.one(lock):
                    yield
                    return
            if time.monotonic() > give_up:
                message = "A call with this idempotency key is still running."
                raise IdempotencyInProgress(message, retry_after_ms=1000)
            await asyncio.sleep(WAIT_STEP_SECONDS)

    async def _record_failure(
        self, caller: Caller, operation: AnyOperation, arguments: Mapping[str, object], error: ChatwrightError
    ) -> None:
        refused = isinstance(error, Forbidden | RateLimitExceeded)
        if not (refused or operation.writes):
            return
        outcome = AuditOutcome.REFUSED if refused else AuditOutcome.FAILED
        await self._record(caller, operation.name, _told(operation, arguments), outcome, error)

    async def _record(
        self,
        caller: Caller,
        name: str,
        arguments: Mapping[str, object],
        outcome: AuditOutcome,
        error: ChatwrightError,
    ) -> None:
        try:
            async with self._database.transaction():
                await audit.append(caller, name, arguments, outcome, error.code)
        except Unavailable:
            _log.exception("audit.unreachable", operation=name, request_id=caller.request_id)


def _told(operation: AnyOperation, arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments as a record may hold them."""
    return audit.without_private(arguments, operation.private_fields)


def principal_of(caller: Caller) -> str:
    """The name under which a principal's keys and limits are kept."""
    return f"{caller.workspace_id}:{caller.kind}:{caller.principal_id}"


def read_input(operation: AnyOperation, arguments: Mapping[str, object]) -> BaseModel:
    """Check the arguments against the operation's input; raises InvalidInput naming every field at fault."""
    return read_model(operation.input, arguments)


def read_model(model: type[Model], arguments: Mapping[str, object]) -> Model:
    """Make a model of arguments from outside; raises InvalidInput naming every field at fault."""
    _check_storable(dict(arguments))
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        problems = field_problems(error)
        message = f"The arguments do not fit: {told(problems[:5])}"
        raise InvalidInput(message, fields=problems) from error


def _check_storable(value: Any, path: tuple[str, ...] = ()) -> None:  # noqa: ANN401 - any JSON.
    """Refuse what no database column takes: NUL characters, halves of characters, nesting beyond any sense."""
    if len(path) > DEEPEST:
        raise _refused(path, f"This is nested deeper than {DEEPEST} levels.")
    match value:
        case str() if "\0" in value:
            raise _refused(path, "Text cannot hold NUL characters.")
        case str() if _HALF.search(value):
            raise _refused(path, "Text cannot hold halves of surrogate pairs.")
        case dict():
            for name, inner in cast("dict[str, Any]", value).items():
                _check_storable(name, path)
                _check_storable(inner, (*path, name))
        case list():
            for number, inner in enumerate(cast("list[Any]", value)):
                _check_storable(inner, (*path, str(number)))
        case _:
            pass


def _refused(path: tuple[str, ...], message: str) -> InvalidInput:
    return InvalidInput(message, fields=[FieldProblem(path=".".join(path), message=message)])
