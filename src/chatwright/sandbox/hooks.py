"""Webhooks to the product: sent as a provider sends them, again when they fail, and kept on record."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import httpx2

from chatwright.sandbox.clock import Clock

MOST_KEPT = 50_000
TIMEOUT_SECONDS = 30.0


def _no_headers(_attempt: int) -> Mapping[str, str]:
    return {}


def _wanted() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook. Its body is bytes: signatures are over what is sent."""

    account: tuple[str, str]
    """Kind and id of the account it tells of."""
    url: str
    body: bytes
    headers: Mapping[str, str]
    ladder: Sequence[float] = ()
    """Seconds to wait before each further attempt; past its end the webhook is given up."""
    delay: float = 0
    """Seconds to wait before the first attempt."""
    lane: str | None = None
    """Webhooks of one lane go one after the other, retries included; None: in any order."""
    attempt_headers: Callable[[int], Mapping[str, str]] = _no_headers
    """Further headers of an attempt; the first is number 0."""
    timeout: float = TIMEOUT_SECONDS
    """Seconds that the provider waits for the answer."""
    on_answer: Callable[[httpx2.Response], Awaitable[None]] | None = None
    """Called with an answer of 2xx, for providers that read it."""
    on_failure: Callable[["Delivery"], None] | None = None
    """Called after each attempt that failed."""
    wait_after: Callable[["Delivery"], float | None] | None = None
    """Instead of the ladder: seconds to wait after an attempt that failed; None gives up."""
    wanted: Callable[[], bool] = _wanted
    """Asked before each further attempt: whether the provider would still make it."""


@dataclass(slots=True)
class Attempt:
    at: datetime
    status: int | None
    """HTTP status of the answer; None when none came."""
    seconds: float
    retry_after: float | None = None
    """Seconds that the answer asked to wait."""


@dataclass(slots=True)
class Delivery:
    """What became of a webhook."""

    hook: Hook
    state: Literal["waiting", "delivered", "given_up"] = "waiting"
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    tried: asyncio.Event = field(default_factory=asyncio.Event)
    """Set after the first attempt."""


class Hooks:
    """The queue of all accounts' webhooks."""

    def __init__(self, clock: Clock, *, most_at_once: int = 40) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=MOST_KEPT)
        self._clock = clock
        self._at_once = asyncio.Semaphore(most_at_once)
        self._client = httpx2.AsyncClient(
            limits=httpx2.Limits(max_connections=most_at_once, max_keepalive_connections=most_at_once),
            trust_env=False,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: dict[tuple[tuple[str, str], str], deque[Delivery]] = {}

    def send(self, hook: Hook) -> Delivery:
        """Queue a webhook."""
        delivery = Delivery(hook)
        self.deliveries.append(delivery)
        if hook.lane is None:
            self.spawn(self._deliver(delivery))
            return delivery
        key = (hook.account, hook.lane)
        if key in self._lanes:
            self._lanes[key].append(delivery)
        else:
            self._lanes[key] = deque([delivery])
            self.spawn(self._run_lane(key))
        return delivery

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that ends before `settled` does, such as statuses that are sent later."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self, seconds: float = 30.0) -> bool:
        """Wait until nothing is under way any more, or so long; tells whether it is."""
        try:
            async with asyncio.timeout(seconds):
                while self._tasks:
                    await asyncio.wait(set(self._tasks))
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Stop at once."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    async def _run_lane(self, key: tuple[tuple[str, str], str]) -> None:
        queue = self._lanes[key]
        while queue:
            await self._deliver(queue[0])
            queue.popleft()
        del self._lanes[key]

    async def _deliver(self, delivery: Delivery) -> None:
        hook, waits = delivery.hook, iter(delivery.hook.ladder)
        await self._clock.wait(hook.delay)
        while not await self._attempt(delivery):
            if hook.on_failure is not None:
                hook.on_failure(delivery)
            wait = hook.wait_after(delivery) if hook.wait_after is not None else next(waits, None)
            if wait is not None:
                await self._clock.wait(wait)
            if wait is None or not hook.wanted():
                delivery.state = "given_up"
                return
        delivery.state = "delivered"

    async def _attempt(self, delivery: Delivery) -> bool:
        hook = delivery.hook
        headers = {**hook.headers, **hook.attempt_headers(len(delivery.attempts))}
        async with self._at_once:
            at, began = self._clock.stamp(), time.monotonic()
            try:
                response = await self._client.post(
                    hook.url, content=hook.body, headers=headers, timeout=hook.timeout
                )
            except (httpx2.HTTPError, httpx2.InvalidURL):
                response = None
            status = response.status_code if response is not None else None
            asked = _retry_after(response)
            delivery.attempts.append(Attempt(at, status, time.monotonic() - began, asked))
            delivery.tried.set()
        if response is None or not response.is_success:
            return False
        if hook.on_answer is not None:
            await hook.on_answer(response)
        return True


def _retry_after(response: httpx2.Response | None) -> float | None:
    text = response.headers.get("retry-after", "") if response is not None else ""
    return float(text) if text.isdigit() else None
