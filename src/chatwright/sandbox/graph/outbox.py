"""Webhooks of the Graph API: gathered into envelopes, signed, and handed to the queue."""

import asyncio
import itertools
import random
from dataclasses import dataclass, replace
from typing import Any

from chatwright.sandbox.graph.accounts import DAY, HOUR, GraphAccount
from chatwright.sandbox.graph.signing import escaped, signature
from chatwright.sandbox.hooks import Delivery, Hook, Hooks
from chatwright.sandbox.world import World

GATHER_SECONDS = 0.05
"""How long a batch waits to become full."""
OBJECTS = {"whatsapp": "whatsapp_business_account", "messenger": "page", "instagram": "instagram"}


def _ladder(first: float, longest: float, total: float) -> tuple[float, ...]:
    """Waits that double up to the longest, until the total is reached."""
    waits = itertools.accumulate(
        itertools.repeat(None), lambda wait, _: min(wait * 2, longest), initial=first
    )
    spent = 0.0
    steps: list[float] = []
    while spent < total:
        steps.append(next(waits))
        spent += steps[-1]
    return tuple(steps)


LADDERS = {
    "whatsapp": _ladder(5, 6 * HOUR, 7 * DAY),
    "messenger": (0.0, *_ladder(5, HOUR, 36 * HOUR)),
    "instagram": (0.0, *_ladder(5, HOUR, 36 * HOUR)),
}
"""WhatsApp tries for seven days, the others at once and then ever more seldom for a day and a half."""


@dataclass(frozen=True, slots=True)
class Part:
    """One event of an envelope: an element of `changes` or `messaging`, or fields of the entry itself."""

    account: GraphAccount
    list_name: str
    """changes, messaging or standby; empty for fields on the entry."""
    value: dict[str, Any]
    copies: int


class Outbox:
    """Sends the events of all accounts."""

    def __init__(self, world: World, hooks: Hooks) -> None:
        self._world = world
        self._hooks = hooks
        self._waiting: dict[tuple[str, str, str], list[Part]] = {}

    def change(
        self, account: GraphAccount, field: str, value: dict[str, Any], *, status: bool = False
    ) -> Delivery | None:
        """Tell of a change; comments of an account with Instagram Login stand on the entry itself."""
        bare = account.details.get("login") == "instagram" and field in {"comments", "live_comments"}
        part = {"field": field, "value": value}
        return self._put(account, field, "" if bare else "changes", part, status=status)

    def messaging(
        self,
        account: GraphAccount,
        field: str,
        item: dict[str, Any],
        *,
        standby: bool = False,
        status: bool = False,
    ) -> Delivery | None:
        """Tell of something in a chat of a page or an Instagram account."""
        return self._put(account, field, "standby" if standby else "messaging", item, status=status)

    def _put(
        self,
        account: GraphAccount,
        field: str,
        list_name: str,
        value: dict[str, Any],
        *,
        status: bool,
    ) -> Delivery | None:
        url = account.hook_for(field)
        if url is None or not ({field, "*"} & account.subscribed):
            return None
        faults = account.faults
        part = Part(account, list_name, value, faults.status_copies if status else faults.copies)
        if faults.batch == 1:
            return self._send(url, [part])
        key = (OBJECTS[account.kind], url, account.app_secret)
        waiting = self._waiting.setdefault(key, [])
        waiting.append(part)
        if len(waiting) >= faults.batch:
            return self._send(url, self._waiting.pop(key))
        if len(waiting) == 1:
            self._hooks.spawn(self._send_later(key, waiting))
        return None

    async def _send_later(self, key: tuple[str, str, str], waiting: list[Part]) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        if self._waiting.get(key) is waiting:
            self._send(key[1], self._waiting.pop(key))

    def _send(self, url: str, parts: list[Part]) -> Delivery:
        account = parts[0].account
        body = escaped({"object": OBJECTS[account.kind], "entry": self._entries(parts)})
        secret = account.app_secret + ("-of-another-app" if account.faults.wrong_signature else "")
        hook = Hook(
            (account.kind, account.id),
            url,
            body,
            {
                "content-type": "application/json",
                "user-agent": "facebookexternalua",
                "x-hub-signature-256": signature(secret, body),
            },
            LADDERS[account.kind],
            wanted=lambda: self._world.has(account),
        )
        copies = max(part.copies for part in parts)
        delays = [random.uniform(0, account.faults.jitter) for _ in range(copies)]  # noqa: S311 - faults are no secrets.
        first, *_ = [self._hooks.send(replace(hook, delay=delay)) for delay in delays]
        return first

    def _entries(self, parts: list[Part]) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        for part in parts:
            account = part.account
            seconds = self._world.clock.stamp().timestamp()
            chat = part.list_name in {"messaging", "standby"}
            time = int(seconds * 1000 if chat or account.faults.milliseconds else seconds)
            if not part.list_name:
                entries.append({"id": account.owner_id, "time": time, **part.value})
                continue
            entry: dict[str, Any] | None = next(
                (one for one in entries if one["id"] == account.owner_id and part.list_name in one), None
            )
            if entry is None:
                entry = {"id": account.owner_id, "time": time, part.list_name: []}
                entries.append(entry)
            entry[part.list_name].append(part.value)
        return entries
