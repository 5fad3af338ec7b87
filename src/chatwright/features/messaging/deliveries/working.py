"""From an intended send to the wire, at most once.

Three steps: commit the intent (`sending`), call the channel, commit the outcome. A worker that dies between
two and three leaves a delivery that may or may not have gone out: `unknown`, shown to people and never
repeated blindly, unless the channel says that repeating is harmless.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from pydantic import TypeAdapter

from chatwright.features.contacts.consents import latest_consent
from chatwright.features.contacts.identities import barred
from chatwright.features.messaging.attachments.links import file_url
from chatwright.features.messaging.deliveries import acting, pacing, statuses, store
from chatwright.features.messaging.deliveries.acting import Subject
from chatwright.features.messaging.deliveries.intending import DELIVERIES, LOOKUPS
from chatwright.features.messaging.deliveries.lookups import FIRST_LOOK_SECONDS
from chatwright.features.messaging.deliveries.pacing import Spacing
from chatwright.features.messaging.deliveries.reacting import Next, SoFar, Verdict, judge
from chatwright.features.messaging.deliveries.statuses import News
from chatwright.features.messaging.deliveries.store import Turn
from chatwright.features.messaging.deliveries.turns import Stay, reason_to_stay, standing
from chatwright.features.messaging.inboxes.credentials import renew_now
from chatwright.features.messaging.inboxes.health import set_health
from chatwright.features.messaging.inboxes.opening import OpenInbox, find_inbox
from chatwright.features.messaging.models import HeldFor
from chatwright.kernel.errors import ChatwrightError, Unavailable
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import CredentialsLost, LookingUp, Renewing
from chatwright.ports.content import Content, MediaContent
from chatwright.ports.database import Database, wake
from chatwright.ports.ledger import Claim, LeaseLost, Ledger
from chatwright.ports.secret_settings import without_secrets
from chatwright.ports.sending import Outgoing, OutgoingFile, Reaction, SendOutcome
from chatwright.ports.storage import Storage

NEVER: Final = 1_000_000_000
"""Attempts of the ledger: a delivery counts its tries itself, and not every claim is one."""
AT_ONCE: Final = 4
"""A delivery mostly waits, for its slot and for the provider."""
COMMIT_TRIES: Final = 5
"""How often an outcome is brought to the database. What is not known there is uncertain for ever."""
COMMIT_PAUSE_SECONDS: Final = 1.0
STOP_SECONDS: Final = 10.0
"""How long a process that is asked to stop waits for what it is sending."""
THREADED: Final = "email"
"""The kind of content that is told the conversation so far."""

Result = TypeVar("Result")

_log = structlog.get_logger(__name__)
_CONTENT: TypeAdapter[Content] = TypeAdapter(Content)


def delivery_ledger(database: Database, storage: Storage) -> Ledger:
    """The ledger of intended sends, in order per conversation."""
    return Ledger(DELIVERIES, Delivering(database, storage).work, max_attempts=NEVER, at_once=AT_ONCE)


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a send in its inbox's pace."""

    at: float
    """By the monotonic clock."""
    spacing: Spacing | None = None
    """None where there is no pace to keep to."""

    def lost(self) -> bool:
        """Whether it was missed by too much to be used still."""
        return self.spacing is not None and time.monotonic() > self.at + pacing.LATE_SECONDS


@dataclass(frozen=True, slots=True)
class Ready:
    """A delivery that is to be sent now."""

    turn: Turn
    inbox: OpenInbox
    outgoing: Outgoing
    slot: Slot


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call to the channel."""

    outcome: SendOutcome
    began: float
    """By the monotonic clock."""


class Delivering:
    """The work of the ledger."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage

    async def work(self, claim: Claim) -> None:
        """Send one part of a message, or say why not."""
        try:
            ready = await self._prepare(claim)
        except (LeaseLost, Unavailable):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was sent yet.
            await self._stumble(claim, error)
            return
        if ready is not None:
            await _to_its_end(self._send(claim, ready))

    async def _send(self, claim: Claim, ready: Ready) -> None:
        """The three steps."""
        await self._commit_intent(claim, ready.turn)
        if not await self._surely(lambda: self._in_time(claim, ready)):
            return
        called = await self._call(claim, ready)
        await self._surely(lambda: self._conclude(claim, ready, called, renewed=False))

    async def _prepare(self, claim: Claim) -> Ready | None:
        """Bring it to the point of sending; None when it does not go now, with the claim settled."""
        async with self._database.autocommit():
            turn = await store.TURN.one(claim.id, pacing.RECOVERY_SECONDS)
            read_at = time.monotonic()
            inbox = await find_inbox(turn.inbox_id)
            channel = inbox.channel.name if inbox else ""
            consent = await latest_consent(turn.workspace_id, turn.contact_id, channel)
            contact_is = await barred(turn.workspace_id, turn.contact_id)
        stay = reason_to_stay(turn, inbox, consent, contact_is)
        if stay is not None or inbox is None:
            await self._stay(claim, turn, stay or Stay("failed"))
            return None
        outgoing = await self._outgoing(turn, inbox)
        slot = await self._slot_come(claim, turn, inbox, read_at)
        return None if slot is None else Ready(turn, inbox, outgoing, slot)

    async def _slot_come(self, claim: Claim, turn: Turn, inbox: OpenInbox, read_at: float) -> Slot | None:
        """Wait for its slot in the pace of the person and of the inbox; None when it was put back till then.

        `read_at` is when the turn was read, by the monotonic clock: its waits count from there.
        """
        if not await self._waited(claim, turn, read_at + _pair_wait(turn, inbox), slot=False):
            return None
        blocked = 0.0 if turn.probe else max(0.0, turn.inbox_blocked_for or 0.0)
        slowed = turn.share is not None and turn.share < 1.0
        spacing = pacing.inbox_spacing(inbox.channel.capabilities, inbox.per_second, slowed=slowed)
        if spacing is None or turn.probe:
            free = Slot(read_at + blocked)
            return free if await self._waited(claim, turn, free.at, slot=False) else None
        slot = None if turn.slot_in is None or blocked else Slot(read_at + turn.slot_in, spacing)
        if slot is None or slot.lost():
            slot = await self._reserved(turn, spacing)
        return slot if await self._waited(claim, turn, slot.at, slot=True) else None

    async def _reserved(self, turn: Turn, spacing: Spacing) -> Slot:
        async with self._database.autocommit():
            wait = await pacing.reserve(turn.inbox_id, spacing)
        return Slot(time.monotonic() + wait, spacing)

    async def _in_time(self, claim: Claim, ready: Ready) -> bool:
        """Look once more just before the wire; False when it was put back, and nothing was sent.

        Whatever held it up held up others too, and they would all go out at once: each takes a new slot.
        """
        if ready.slot.spacing is None or not ready.slot.lost():
            return True
        slot = await self._reserved(ready.turn, ready.slot.spacing)
        return await self._waited(claim, replace(ready.turn, status="sending"), slot.at, slot=True)

    async def _waited(self, claim: Claim, turn: Turn, moment: float, *, slot: bool) -> bool:
        """Sleep a short wait; put the row back for a long one, with the slot that is reserved for it."""
        seconds = moment - time.monotonic()
        if seconds <= pacing.SHORT_WAIT_SECONDS:
            await asyncio.sleep(max(0.0, seconds))
            return True
        async with claim.settling("queued", again_in=seconds - pacing.LEAD_SECONDS, error=claim.row["error"]):
            if turn.status != "queued":
                message = await statuses.lock(turn.message_id)
                await store.END_ATTEMPTS.run(turn.id, None, None, "Put back to wait for its slot.", None)
                await statuses.give(message, turn.id, News("queued"))
                await store.REST.run(turn.id, 0, "queued", None)
            if slot:
                await store.KEEP_SLOT.run(turn.id, seconds)
            await store.PUSH_LANE.run(turn.lane, turn.position, seconds - pacing.LEAD_SECONDS)
        return False

    async def _outgoing(self, turn: Turn, inbox: OpenInbox) -> Outgoing:
        content = _CONTENT.validate_python(turn.content)
        outgoing = Outgoing(
            turn.wire_id,
            turn.address,
            content,
            conversation_id=turn.conversation_id,
            reply_to=turn.reply_to if turn.part == 1 else None,
            reply_to_comment=turn.reply_to_comment and turn.part == 1,
            by_person=not turn.automatic,
            window=standing(turn, inbox).now,
        )
        async with self._database.autocommit():
            if isinstance(content, MediaContent) and content.attachment_id is not None:
                outgoing = replace(outgoing, file=await self._file(turn.workspace_id, content.attachment_id))
            if THREADED in inbox.channel.capabilities.contents:
                thread = await store.THREAD.all(turn.conversation_id, turn.message_position)
                subject = await store.SUBJECT.first(turn.conversation_id)
                outgoing = replace(outgoing, thread=tuple(reversed(thread)), subject=subject)
        return outgoing

    async def _file(self, workspace_id: UUID, attachment_id: UUID) -> OutgoingFile:
        facts = await store.ATTACHED_FILE.one(workspace_id, attachment_id)
        key = facts["storage_key"]
        return OutgoingFile(
            facts["filename"],
            facts["media_type"],
            facts["size"],
            read=lambda: self._storage.read(key),
            url=file_url(attachment_id),
        )

    async def _commit_intent(self, claim: Claim, turn: Turn) -> None:
        async with claim.holding():
            message = await statuses.lock(turn.message_id)
            await store.BEGIN_ATTEMPT.run(turn.id, new_id(), turn.message_id)
            await statuses.give(message, turn.id, News("sending"))

    async def _call(self, claim: Claim, ready: Ready) -> Called:
        """Put it on the wire. A channel that trips may have done so."""
        began = time.monotonic()
        try:
            async with claim.keeping():
                outcome = await ready.inbox.channel.send(ready.inbox.view, ready.outgoing)
        except Exception:  # noqa: BLE001 - whatever it is, it may have gone out.
            _log.exception("delivery.tripped", id=str(claim.id), channel=ready.inbox.channel.name)
            outcome = SendOutcome(reaction=Reaction.UNKNOWN, detail="Something went wrong on our side.")
        if outcome.detail is not None:
            told = without_secrets(outcome.detail, ready.inbox.view.settings)
            outcome = replace(outcome, detail=told)
        return Called(outcome, began)

    async def _conclude(self, claim: Claim, ready: Ready, called: Called, *, renewed: bool) -> None:
        turn, outcome = ready.turn, called.outcome
        channel: object = ready.inbox.channel
        so_far = _so_far(turn, ready.inbox, renewable=isinstance(channel, Renewing) and not renewed)
        verdict = judge(outcome, so_far)
        if verdict.next is Next.RENEW:
            await self._send_renewed(claim, ready, called)
            return
        await self._commit(claim, turn, verdict, outcome, ready.inbox, called.began)

    async def _send_renewed(self, claim: Claim, ready: Ready, refused: Called) -> None:
        """Send again at once with new credentials: nothing was taken under the old ones."""
        try:
            view = await renew_now(self._database, ready.turn.inbox_id, ready.inbox.view.settings)
        except ChatwrightError as error:
            reaction = Reaction.RECONNECT if isinstance(error, CredentialsLost) else Reaction.RETRY
            outcome = replace(refused.outcome, reaction=reaction, detail=error.message)
            await self._conclude(claim, ready, replace(refused, outcome=outcome), renewed=True)
            return
        async with claim.holding():
            await _end_attempts(ready.turn, refused.outcome)
            await store.BEGIN_ATTEMPT.run(ready.turn.id, new_id(), ready.turn.message_id)
        fresh = replace(ready, inbox=replace(ready.inbox, view=view))
        called = await self._call(claim, fresh)
        await self._surely(lambda: self._conclude(claim, fresh, called, renewed=True))

    async def _commit(
        self,
        claim: Claim,
        turn: Turn,
        verdict: Verdict,
        outcome: SendOutcome,
        inbox: OpenInbox | None,
        began: float | None = None,
    ) -> None:
        """The third step."""
        end = _ENDS[verdict.next]
        waits = math.inf if end.held else verdict.again_in
        pause = 0.0
        async with claim.settling(end.state, again_in=waits, error=verdict.words):
            message = await statuses.lock(turn.message_id)
            await _end_attempts(turn, outcome)
            if end.state == "queued":
                await store.REST.run(turn.id, int(verdict.counts), end.status, end.held)
            ids = tuple(name for name in (outcome.external_id, *outcome.more_ids) if name)
            news = News(end.status, outcome.detail, outcome.code, external_ids=ids, held=end.held)
            await statuses.give(message, turn.id, news)
            if inbox is not None and began is not None:
                pause = await _count(turn, inbox, time.monotonic() - began)
            await _affect_others(turn, verdict, outcome, end.held, pause)
            if inbox is not None:
                await acting.act(Subject.of(turn, inbox.channel.name), verdict)
            if verdict.next is Next.DONE:
                await _succeed(turn)
            if verdict.next is Next.UNKNOWN and inbox is not None:
                await _ask_later(turn, inbox)
        if pause > 0.0:
            claim.expect(pause)

    async def _stay(self, claim: Claim, turn: Turn, stay: Stay) -> None:
        """It does not go now, and was not sent."""
        waits = stay.seconds if stay.held else 0.0
        state = "queued" if stay.held else stay.as_
        async with claim.settling(state, again_in=waits, error=stay.words):
            if stay.as_ == "done":
                await store.WAKE_LANE.run(turn.lane, 0.0)
                return
            message = await statuses.lock(turn.message_id)
            reaction = Reaction.UNKNOWN if stay.as_ == "unknown" else None
            await store.END_ATTEMPTS.run(turn.id, reaction, None, stay.words, None)
            if stay.held:
                await store.REST.run(turn.id, 0, "held", stay.held)
            await statuses.give(message, turn.id, News(stay.as_, stay.words, stay.code, held=stay.held))
            if stay.held:
                await _hold_behind(turn, stay.held, stay.seconds)
            else:
                await _let_pass(turn, 0.0, failed=stay.as_ == "failed")
            if stay.as_ == "unknown" and (inbox := await find_inbox(turn.inbox_id)) is not None:
                await _ask_later(turn, inbox)

    async def _stumble(self, claim: Claim, error: Exception) -> None:
        """Something of ours was wrong before anything was sent: again later, for somebody may mend it."""
        wrong_message = isinstance(error, ChatwrightError) and error.http_status < 500 and not error.retryable
        words = error.message if isinstance(error, ChatwrightError) else "Something went wrong on our side."
        if not wrong_message:
            _log.warning("delivery.stumbled", id=str(claim.id), exc_info=error)
        reaction = Reaction.BAD_PAYLOAD if wrong_message else Reaction.RETRY
        outcome = SendOutcome(reaction=reaction, detail=words)
        async with self._database.autocommit():
            turn = await store.TURN.one(claim.id, pacing.RECOVERY_SECONDS)
        verdict = judge(outcome, _so_far(turn, None, renewable=False))
        await self._commit(claim, turn, verdict, outcome, None)

    async def _surely(self, commit: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Bring something to the database, also over a hiccup of it."""
        for _ in range(COMMIT_TRIES - 1):
            with contextlib.suppress(Unavailable):
                return await commit()
            await asyncio.sleep(COMMIT_PAUSE_SECONDS)
        return await commit()


async def _to_its_end(sending: Coroutine[Any, Any, None]) -> None:
    """Let a send that has begun come to its end when the process is asked to stop: cut off, it would be uncertain."""
    task = asyncio.ensure_future(sending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=STOP_SECONDS)
        raise


@dataclass(frozen=True, slots=True)
class _End:
    """How a delivery stands after a verdict."""

    state: str
    """Of the row in its ledger."""
    status: str
    """Of the part, as people see it."""
    held: HeldFor | None = None


_ENDS: Final[Mapping[Next, _End]] = {
    Next.DONE: _End("done", "sent"),
    Next.AGAIN: _End("queued", "queued"),
    Next.HELD_FOR_INBOX: _End("queued", "held", "inbox"),
    Next.HELD_FOR_WINDOW: _End("queued", "held", "window"),
    Next.FAILED: _End("failed", "failed"),
    Next.UNKNOWN: _End("unknown", "unknown"),
}


def _pair_wait(turn: Turn, inbox: OpenInbox) -> float:
    """Seconds until something may go to this person."""
    waits = [0.0, turn.pair_blocked_for or 0.0]
    pace = inbox.channel.capabilities.pair_pace
    if pace is not None and turn.pair_free_in is not None:
        waits.append(turn.pair_free_in - pacing.spacing(pace).tolerance)
    return max(waits)


def _so_far(turn: Turn, inbox: OpenInbox | None, *, renewable: bool) -> SoFar:
    since = turn.first_tried_at or turn.now
    return SoFar(
        tries=turn.tries,
        seconds=(turn.now - since).total_seconds(),
        repeatable=inbox is not None and inbox.channel.capabilities.repeatable,
        renewable=renewable,
        waits_for_window=turn.wait_for_window,
        pause_seconds=turn.pause_seconds if turn.probe else None,
    )


async def _end_attempts(turn: Turn, outcome: SendOutcome) -> None:
    told = {
        "external_ids": [name for name in (outcome.external_id, *outcome.more_ids) if name] or None,
        "retry_after": outcome.retry_after,
        "scope": outcome.scope if outcome.reaction is Reaction.RETRY_AFTER else None,
        "load": outcome.load,
        "moved_to": outcome.moved_to,
    }
    answer = {name: fact for name, fact in told.items() if fact is not None}
    result = outcome.reaction.value if outcome.reaction else "sent"
    await store.END_ATTEMPTS.run(turn.id, result, outcome.code, outcome.detail, answer or None)


async def _affect_others(
    turn: Turn, verdict: Verdict, outcome: SendOutcome, held: HeldFor | None, pause: float
) -> None:
    """What this means for those behind it, which may go after `pause` seconds, its person and its inbox."""
    if verdict.blocks == "pair":
        await pacing.block(turn.inbox_id, turn.address, verdict.again_in)
    if verdict.blocks == "inbox":
        await pacing.refused(turn.inbox_id, verdict.again_in)
    if outcome.load is not None and outcome.load > pacing.HIGH_LOAD:
        await pacing.slow_down(turn.inbox_id, outcome.load)
    if outcome.moved_to is not None:
        await store.MOVE_ADDRESS.first(turn.conversation_id, outcome.moved_to)
    if held is not None:
        await _hold_behind(turn, held, math.inf)
    elif verdict.next is Next.AGAIN:
        await store.PUSH_LANE.run(turn.lane, turn.position, verdict.again_in)
    else:
        await _let_pass(turn, pause, failed=verdict.next is Next.FAILED)


async def _count(turn: Turn, inbox: OpenInbox, seconds_ago: float) -> float:
    """Count it against the pace to this person; returns in how many seconds to look at those behind.

    It counts from when it went out: that may be well after the intent.
    """
    if (pace := inbox.channel.capabilities.pair_pace) is None:
        return 0.0
    wait = await pacing.count_pair(turn.inbox_id, turn.address, pacing.spacing(pace), seconds_ago)
    return max(0.0, wait - pacing.LEAD_SECONDS)


async def _hold_behind(turn: Turn, held: HeldFor, seconds: float) -> None:
    """No later message of the conversation overtakes one that is held."""
    if held == "inbox":
        for message_id in sorted(set(await store.HOLD_LANE.all(turn.lane, turn.position, held))):
            await statuses.refresh(await statuses.lock(message_id))
    await store.PUSH_LANE.run(turn.lane, turn.position, seconds)


async def _let_pass(turn: Turn, pause: float, *, failed: bool) -> None:
    """Those behind may go after so many seconds; but not the rest of a message of which a part failed."""
    if failed and await store.CANCEL.all(turn.message_id, turn.part):
        await statuses.refresh(await statuses.lock(turn.message_id))
    await store.WAKE_LANE.run(turn.lane, pause)
    if pause == 0.0:
        wake(DELIVERIES)


async def _succeed(turn: Turn) -> None:
    if turn.unreachable:
        await store.MARK_REACHED.run(turn.conversation_id)
    if turn.probe:
        await store.UNBLOCK.run(turn.inbox_id)
        await set_health(turn.workspace_id, turn.inbox_id, "ok", None)


async def _ask_later(turn: Turn, inbox: OpenInbox) -> None:
    """Have the provider asked whether it took the message, where it can be."""
    channel: object = inbox.channel
    if isinstance(channel, LookingUp):
        await store.INSERT_LOOKUP.run(new_id(), turn.workspace_id, turn.id, FIRST_LOOK_SECONDS)
        wake(LOOKUPS)
