"""The one way into an operation, whatever face the call came through.

scope -> rate limit -> input -> who has to be asked first -> idempotency key -> one transaction (used-up confirm token,
work, stored result, audit record, events). What only reads needs no transaction. Whatever is refused or fails is
audited in a transaction of its own. A call that has to be confirmed, or is only tried, runs in a transaction that
is undone.
"""

import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import structlog
from pydantic import BaseModel

from chatwright.features.workspaces import audit
from chatwright.features.workspaces.approvals.supervising import Supervisions
from chatwright.features.workspaces.approvals.waiting import enqueue
from chatwright.features.workspaces.arguments import read_input
from chatwright.features.workspaces.audit import AuditOutcome
from chatwright.features.workspaces.confirmations.previews import preview_of
from chatwright.features.workspaces.confirmations.tokens import Confirmations
from chatwright.features.workspaces.keys import Key, alone_with, key_of, principal_of
from chatwright.features.workspaces.limits import REFUSED_RATE, RateLimiter, limits_of, limits_of_principal
from chatwright.kernel.alarms import Deadline
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import (
    ApprovalRequired,
    ChatwrightError,
    ConfirmationDeclined,
    ConfirmationRequired,
    DeadlineExceeded,
    Forbidden,
    Internal,
    OutsideGrant,
    RateLimitExceeded,
    ScopeMissing,
    Unavailable,
)
from chatwright.kernel.events import Event
from chatwright.kernel.operation import AnyOperation
from chatwright.ports.calls import Called, CallObserver, CallOutcome, WatchedCall
from chatwright.ports.cipher import Cipher
from chatwright.ports.database import Database, Unit
from chatwright.ports.policy import ApprovalPolicy, Decision
from chatwright.ports.reach import reach_of_tags

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gave: the result as JSON values, and how it came about."""

    value: dict[str, Any]
    replayed: bool = False
    """Whether it is the result of an earlier call with the same idempotency key."""
    rehearsed: bool = False
    """Whether it was only tried: nothing of it happened."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that was let in."""

    caller: Caller
    operation: AnyOperation
    arguments: Mapping[str, object]
    request: BaseModel
    key: Key | None = None
    confirm_token: str | None = None

    @property
    def told(self) -> dict[str, object]:
        """The arguments as a record may hold them."""
        return audit.without_private(self.arguments, self.operation.private_fields)


class _Unconfirmed(Exception):
    """The caller's user has to be asked first."""


class _Unapproved(Exception):
    """A person of the workspace has to be asked first."""


class _Undone(Exception):
    """All was tried."""


class Pipeline:
    """Runs calls."""

    def __init__(
        self,
        database: Database,
        limiter: RateLimiter,
        policy: ApprovalPolicy,
        cipher: Cipher,
        observer: CallObserver,
    ) -> None:
        self._database = database
        self._limiter = limiter
        self._policy = policy
        self._cipher = cipher
        self._confirmations = Confirmations(cipher)
        self._supervisions = Supervisions(database)
        self._observer = observer

    async def run(
        self,
        caller: Caller,
        operation: AnyOperation,
        arguments: Mapping[str, object],
        *,
        idempotency_key: str | None = None,
        confirm_token: str | None = None,
    ) -> Outcome:
        """Run one call to its end. Raises the operation's errors, or the pipeline's own, never anything else.

        ConfirmationRequired and ApprovalRequired say with `details` what was asked, and of whom; nothing happened.
        """
        async with self._recording(caller, operation, arguments) as watched:
            request = await self._admit(caller, operation, arguments)
            key = None
            if operation.writes and idempotency_key is not None:
                key = key_of(caller, operation, idempotency_key)
                caller = key.held_by(caller)
            outcome = await self._perform(_Call(caller, operation, arguments, request, key, confirm_token))
            watched.outcome = CallOutcome.REPLAYED if outcome.replayed else CallOutcome.DONE
            return outcome

    async def rehearse(
        self, caller: Caller, operation: AnyOperation, arguments: Mapping[str, object]
    ) -> Outcome:
        """Try a call and undo it: the result that it would have, and nothing kept, announced, sent or asked.

        It is no effect, so the audit trail has it only when it is refused, as it is with calls that read.
        """
        async with self._recording(caller, operation, arguments, rehearsing=True) as watched:
            request = await self._admit(caller, operation, arguments)
            value, _ = await self._tried(_Call(caller, operation, arguments, request))
            watched.outcome = CallOutcome.TRIED
            return Outcome(value, rehearsed=True)

    async def decline(
        self, caller: Caller, operation: AnyOperation, arguments: Mapping[str, object]
    ) -> NoReturn:
        """Put on record that the caller's user said no to a call; raises ConfirmationDeclined."""
        async with self._recording(caller, operation, arguments):
            raise ConfirmationDeclined(f"{operation.title} was not confirmed, so nothing has happened.")

    async def require(self, caller: Caller, scope: str, name: str) -> None:
        """Refuse a caller without a scope, on record."""
        try:
            caller.require(scope)
        except ScopeMissing as error:
            await self._record(caller, name, {}, AuditOutcome.REFUSED, error)
            raise

    @asynccontextmanager
    async def beside(self, caller: Caller, called: Called) -> AsyncGenerator[None]:
        """Let a face do something beside the operations, at the caller's rate and watched as a call is.

        Raises RateLimitExceeded.
        """
        watched = WatchedCall(caller, called)
        with self._observer.watch(watched):
            try:
                await self._limiter.take_all(limits_of_principal(caller))
                yield
            except ChatwrightError as error:
                _note_failure(watched, error)
                raise
            watched.outcome = CallOutcome.DONE

    async def require_beside(self, caller: Caller, operation: AnyOperation, name: str) -> None:
        """For what a face does beside the operations (a stream): refuse a caller who may not call the one like it.

        A caller limited to tags is refused too, since nothing narrows what passes there. It goes on record.
        """
        await self.require(caller, operation.scope, name)
        if operation.open_to(caller) and caller.tag_ids is None:
            return
        error = OutsideGrant("This is outside of what this access was limited to.")
        await self._record(caller, name, {}, AuditOutcome.REFUSED, error)
        raise error

    async def _admit(
        self, caller: Caller, operation: AnyOperation, arguments: Mapping[str, object]
    ) -> BaseModel:
        caller.require(operation.scope)
        if not operation.open_to(caller):
            raise OutsideGrant(f"{operation.title} is outside of what this access was limited to.")
        await self._limiter.take_all(limits_of(caller, operation))
        return read_input(operation, arguments)

    async def _perform(self, call: _Call) -> Outcome:
        decision = await self._decide(call)
        if decision is Decision.ALLOW and not call.operation.writes:
            async with self._database.autocommit():
                result = await _handled(call)
            return Outcome(result.model_dump(mode="json"))
        try:
            if call.key is None:
                async with self._database.transaction():
                    return await self._effect(call, decision)
            async with alone_with(self._database, call.key):
                return await self._effect_once(call, call.key, decision)
        except _Unconfirmed:
            raise await self._asked_to_confirm(call) from None
        except _Unapproved:
            raise await self._queued(call) from None

    async def _decide(self, call: _Call) -> Decision:
        if not (call.operation.writes or call.operation.asks):
            return Decision.ALLOW
        supervision = await self._supervisions.of(call.caller.workspace_id)
        return self._policy.decide(call.caller, call.operation, supervision)

    async def _effect_once(self, call: _Call, key: Key, decision: Decision) -> Outcome:
        """The effect, or the result of the one that was there before; that is nobody asked about again."""
        fingerprint = key.fingerprint(self._cipher, call.request)
        stored = await key.stored(self._cipher, fingerprint)
        if stored is not None:
            await audit.append(call.caller, call.operation.name, call.told, AuditOutcome.REPLAYED)
            return Outcome(stored, replayed=True)
        return await self._effect(call, decision, fingerprint)

    async def _effect(self, call: _Call, decision: Decision, fingerprint: bytes = b"") -> Outcome:
        consent = await self._consent(call, decision)
        result = await _handled(call)
        if call.key is not None:
            await call.key.keep(self._cipher, fingerprint, result.model_dump_json().encode())
        await audit.append(call.caller, call.operation.name, call.told, AuditOutcome.DONE, consent=consent)
        return Outcome(result.model_dump(mode="json"))

    async def _consent(self, call: _Call, decision: Decision) -> Mapping[str, object] | None:
        """What lets the call happen, where somebody had to say yes; leaves the transaction when nobody did yet."""
        match decision:
            case Decision.ALLOW:
                return None
            case Decision.ASK:
                raise _Unapproved
            case Decision.CONFIRM:
                if call.confirm_token is None:
                    raise _Unconfirmed
                await self._confirmations.spend(call.confirm_token, call.caller, call.operation, call.request)
                return {"kind": "confirmed"}

    async def _asked_to_confirm(self, call: _Call) -> ConfirmationRequired:
        value, events = await self._tried(call)
        token = self._confirmations.token_for(call.caller, call.operation, call.request)
        return ConfirmationRequired(
            f"{call.operation.title} has to be confirmed. Nothing has happened yet.",
            details={
                "confirm_token": token.text,
                "expires_at": token.expires_at.isoformat(),
                "preview": preview_of(call.operation, call.request, value, events),
            },
        )

    async def _queued(self, call: _Call) -> ApprovalRequired:
        async with self._database.transaction():
            error = await enqueue(
                self._cipher,
                call.caller,
                call.operation,
                call.arguments,
                call.request,
                None if call.key is None else call.key.text,
            )
            await audit.append(call.caller, call.operation.name, call.told, AuditOutcome.ASKED, error.code)
        return error

    async def _tried(self, call: _Call) -> tuple[dict[str, Any], list[Event]]:
        """Do all of it in a transaction that is undone; gives the result and the events it would have announced."""
        call = replace(call, caller=replace(call.caller, rehearsing=True))
        async with self._undone() as unit:
            result = await _handled(call)
            return result.model_dump(mode="json"), unit.events

    @asynccontextmanager
    async def _undone(self) -> AsyncGenerator[Unit]:
        """A transaction that is rolled back however it ends."""
        with contextlib.suppress(_Undone):
            async with self._database.transaction() as unit:
                yield unit
                raise _Undone

    @asynccontextmanager
    async def _recording(
        self,
        caller: Caller,
        operation: AnyOperation,
        arguments: Mapping[str, object],
        *,
        rehearsing: bool = False,
    ) -> AsyncGenerator[WatchedCall]:
        """Put failures on record, and turn what nobody foresaw into an error of ours; all of it watched."""
        watched = WatchedCall(caller, operation)
        with self._observer.watch(watched):
            try:
                yield watched
            except ChatwrightError as error:
                _note_failure(watched, error)
                await self._record_failure(caller, operation, arguments, error, rehearsing=rehearsing)
                raise
            except Exception as error:
                _log.exception("operation.crashed", operation=operation.name, request_id=caller.request_id)
                internal = Internal(
                    "Something went wrong on our side.", hint="The logs have more under the request id."
                )
                _note_failure(watched, internal)
                await self._record_failure(caller, operation, arguments, internal, rehearsing=rehearsing)
                raise internal from error

    async def _record_failure(
        self,
        caller: Caller,
        operation: AnyOperation,
        arguments: Mapping[str, object],
        error: ChatwrightError,
        *,
        rehearsing: bool,
    ) -> None:
        told = audit.without_private(arguments, operation.private_fields)
        match error:
            case ApprovalRequired():
                # It went on record with its place in the queue.
                return
            case ConfirmationRequired():
                outcome = AuditOutcome.ASKED
            case Forbidden() | RateLimitExceeded():
                outcome = AuditOutcome.REFUSED
            case _ if operation.writes and not rehearsing:
                outcome = AuditOutcome.FAILED
            case _:
                return
        await self._record(caller, operation.name, told, outcome, error)

    async def _record(
        self,
        caller: Caller,
        name: str,
        arguments: Mapping[str, object],
        outcome: AuditOutcome,
        error: ChatwrightError,
    ) -> None:
        try:
            if outcome is AuditOutcome.REFUSED:
                # A flood of refused calls would cost more than carrying them out, and bury what came before it.
                await self._limiter.take(f"{principal_of(caller)}:refused", REFUSED_RATE)
            async with self._database.transaction():
                await audit.append(caller, name, arguments, outcome, error.code)
        except RateLimitExceeded:
            return
        except Unavailable:
            _log.exception("audit.unreachable", operation=name, request_id=caller.request_id)


def _note_failure(watched: WatchedCall, error: ChatwrightError) -> None:
    watched.code = error.code
    match error:
        case ApprovalRequired() | ConfirmationRequired():
            watched.outcome = CallOutcome.ASKED
        case Forbidden() | RateLimitExceeded():
            watched.outcome = CallOutcome.REFUSED
        case _:
            watched.outcome = CallOutcome.FAILED


async def _handled(call: _Call) -> BaseModel:
    """The operation's own work, given up at its deadline.

    The deadline ends before the commit does, so that it never leaves open whether something happened.
    """
    seconds = call.operation.seconds
    deadline = Deadline(seconds)
    try:
        with deadline:
            if call.caller.tag_ids is not None:
                await reach_of_tags().check(call.caller, call.operation, call.request)
            return await call.operation.handler(call.caller, call.request)
    except TimeoutError as error:
        if not deadline.passed:
            raise
        message = f"{call.operation.title} took longer than {seconds:g} seconds and was undone."
        raise DeadlineExceeded(message, hint="Try again later, or ask for less at once.") from error
