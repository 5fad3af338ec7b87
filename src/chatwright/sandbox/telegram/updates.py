"""Telling a bot what happened: through its webhook, or when it asks.

How a webhook is tried again is the rule of the Bot API server (`WebhookActor.cpp`): any 2xx ends it, else the wait
doubles up to one or two minutes, an answer's Retry-After comes first (an hour at most), updates live a day,
and nothing but 410 for 23 hours removes the webhook.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, cast

import orjson

from chatwright.sandbox.hooks import Delivery, Hook, Hooks
from chatwright.sandbox.telegram.bot import Bot, Update, Webhook
from chatwright.sandbox.telegram.refusals import conflict
from chatwright.sandbox.world import World

LIVES_SECONDS = 24 * 3600
GONE_SECONDS = 23 * 3600
LONGEST_WAIT = 60.0
LONGEST_RETRY_AFTER = 3600.0
MOST_AT_ONCE = 100
"""Updates in one answer of getUpdates."""
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name.
FORBIDDEN_IN_ANSWERS = frozenset({"setwebhook", "deletewebhook", "close", "logout"})

Call = Callable[[Bot, str, Mapping[str, Any]], Awaitable[None]]


class Updates:
    """The way of updates to their bots."""

    def __init__(self, world: World, hooks: Hooks, call: Call) -> None:
        self._world = world
        self._hooks = hooks
        self._call = call
        """Executes a method that a webhook's answer names."""

    def tell(self, bot: Bot, kind: str, value: Mapping[str, Any], *, lane: str) -> None:
        """Queue an update, if the bot wants to hear of such."""
        if not bot.wants(kind):
            return
        bot.last_update_id += 1
        body = {"update_id": bot.last_update_id, kind: dict(value)}
        expires_at = self._world.clock.after(LIVES_SECONDS)
        bot.pending[bot.last_update_id] = Update(bot.last_update_id, body, lane, expires_at)
        bot.news.set()
        self.pump(bot)

    def pump(self, bot: Bot) -> None:
        """Send what may go now: one update of each chat, up to the connections that the bot allows."""
        self._expire(bot)
        if bot.webhook is None:
            return
        for update in bot.pending.values():
            if len(bot.busy) >= bot.webhook.max_connections:
                return
            if update.lane not in bot.busy:
                bot.busy.add(update.lane)
                self._post(bot, update, bot.webhook)

    def rehang(self, bot: Bot) -> None:
        """The webhook is another one now: what waits starts anew."""
        bot.busy.clear()
        bot.gone_since = None
        bot.news.set()
        self.pump(bot)

    async def poll(self, bot: Bot, *, offset: int, limit: int, seconds: float) -> list[dict[str, Any]]:
        """Answer getUpdates: what is pending from `offset` on, which confirms all before it."""
        bot.polls += 1
        turn = bot.polls
        self._confirm(bot, offset)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not bot.pending and turn == bot.polls and bot.webhook is None:
                    bot.news.clear()
                    await bot.news.wait()
        if bot.webhook is not None:
            raise conflict("terminated by setWebhook request")
        if turn != bot.polls:
            raise conflict(
                "terminated by other getUpdates request; make sure that only one bot instance is running"
            )
        self._expire(bot)
        return [update.body for update in list(bot.pending.values())[: limit or MOST_AT_ONCE]]

    def _confirm(self, bot: Bot, offset: int) -> None:
        numbers = list(bot.pending)
        confirmed = numbers[:offset] if offset < 0 else [number for number in numbers if number < offset]
        for number in confirmed:
            del bot.pending[number]
        # A poll that waits sees that its turn is over.
        bot.news.set()

    def _expire(self, bot: Bot) -> None:
        now = self._world.clock.now()
        while bot.pending and (oldest := next(iter(bot.pending.values()))).expires_at <= now:
            del bot.pending[oldest.id]

    def _post(self, bot: Bot, update: Update, webhook: Webhook) -> None:
        secret = f"{webhook.secret_token}-wrong" if bot.faults.wrong_signature else webhook.secret_token

        def wait_after(delivery: Delivery) -> float | None:
            return self._wait_after(bot, delivery) if bot.webhook is webhook else None

        def wanted() -> bool:
            """Whether it still waits; one that expired meanwhile makes room for the next of its chat."""
            if bot.webhook is not webhook:
                return False
            if update.id not in bot.pending:
                self._settle(bot, update)
            return update.id in bot.pending

        async def done(response: Any) -> None:  # noqa: ANN401 - httpx2's; imported nowhere else here.
            bot.pending.pop(update.id, None)
            if bot.webhook is webhook:
                bot.gone_since = None
                self._settle(bot, update)
            await self._obey(bot, response.content)

        hook = Hook(
            account=(bot.kind, bot.id),
            url=webhook.url,
            body=orjson.dumps(update.body),
            headers={"content-type": "application/json"} | ({SECRET_HEADER: secret} if secret else {}),
            wait_after=wait_after,
            wanted=wanted,
            on_answer=done,
        )
        self._hooks.send(hook)
        for _ in range(bot.faults.copies - 1):
            self._hooks.send(Hook(account=hook.account, url=hook.url, body=hook.body, headers=hook.headers))

    def _wait_after(self, bot: Bot, delivery: Delivery) -> float | None:
        """How long until the next attempt; None when there is none."""
        attempt = delivery.attempts[-1]
        reason = "Connection refused" if attempt.status is None else f"Wrong response: {attempt.status}"
        bot.last_error = (attempt.at, reason)
        if self._is_gone(bot, attempt.status):
            bot.webhook = None
            bot.webhook_url = None
            self.rehang(bot)
            return None
        if attempt.retry_after is not None:
            return min(attempt.retry_after, LONGEST_RETRY_AFTER)
        return min(2.0 ** (len(delivery.attempts) - 1), LONGEST_WAIT)

    def _is_gone(self, bot: Bot, status: int | None) -> bool:
        if status != 410:
            bot.gone_since = None
            return False
        now = self._world.clock.now()
        bot.gone_since = bot.gone_since or now
        return now - bot.gone_since >= timedelta(seconds=GONE_SECONDS / self._world.clock.lifetimes)

    def _settle(self, bot: Bot, update: Update) -> None:
        bot.pending.pop(update.id, None)
        bot.busy.discard(update.lane)
        self.pump(bot)

    async def _obey(self, bot: Bot, answer: bytes) -> None:
        """An answer may name a method, which is then called; what becomes of it nobody hears."""
        try:
            found: object = orjson.loads(answer or b"null")
        except orjson.JSONDecodeError:
            return
        if not isinstance(found, dict):
            return
        call = cast("dict[str, Any]", found)
        name = str(call.get("method", "")).lower()
        if name and not name.startswith("get") and name not in FORBIDDEN_IN_ANSWERS:
            await self._call(bot, name, call)
