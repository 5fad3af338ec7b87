"""A bot: its token, its webhook, what waits to be told to it, and the files it knows."""

import asyncio
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chatwright.sandbox.telegram.refusals import too_many
from chatwright.sandbox.world import Account

DEFAULT_CONNECTIONS = 40
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds of updates that a bot gets only when it names them."""
_CHAT_BURST_SECONDS = 5


@dataclass(slots=True)
class Webhook:
    """Where updates go."""

    url: str
    secret_token: str = ""
    max_connections: int = DEFAULT_CONNECTIONS


@dataclass(slots=True)
class Update:
    """Something that a bot is to hear of, until it has."""

    id: int
    body: dict[str, Any]
    lane: str
    """Updates of one chat are told in order."""
    expires_at: datetime


@dataclass(slots=True)
class StoredFile:
    """A file under the id by which one bot knows it."""

    id: str
    unique_id: str
    path: str
    mime_type: str
    filename: str
    content: bytes
    url: str = ""
    """Where it lies when it was named by an address that is not on this machine."""
    open_until: datetime | None = None
    """Until when its link works."""


class Window:
    """At most `limit` in any span of `seconds`."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._span = timedelta(seconds=seconds)
        self._taken: deque[datetime] = deque()

    def wait(self, now: datetime) -> float:
        """Seconds until another one fits; 0 when it does."""
        while self._taken and self._taken[0] <= now - self._span:
            self._taken.popleft()
        if len(self._taken) < self._limit:
            return 0
        return (self._taken[-self._limit] + self._span - now).total_seconds()

    def take(self, now: datetime) -> None:
        self._taken.append(now)


class Bucket:
    """`per_second` in the long run, and a second's worth of them at once."""

    def __init__(self, per_second: float) -> None:
        self._interval = timedelta(seconds=1 / per_second)
        self._room = timedelta(seconds=1) - self._interval
        self._free_at = datetime.min.replace(tzinfo=UTC)

    def wait(self, now: datetime) -> float:
        """Seconds until another one fits; 0 when it does."""
        return max(0.0, (self._free_at - now - self._room).total_seconds())

    def take(self, now: datetime) -> None:
        self._free_at = max(self._free_at, now) + self._interval


@dataclass(slots=True)
class Allowance:
    """What a bot may send: 30 a second, 20 a minute to a group, and to one chat one a second, in short bursts.

    `telegram.constants.FloodLimit` of python-telegram-bot has the numbers; how long a burst may be, nobody says.
    In all it is "about" 30, so unevenness of a second is none of its business: python-telegram-bot's own
    `AIORateLimiter`, which many bots live with, sends 30 at once and then 30 a second.
    """

    per_second: int = 30
    chat_per_second: float = 1
    group_per_minute: int = 20
    _all: Bucket = field(init=False)
    _chats: dict[str, Window] = field(init=False, default_factory=dict[str, Window])

    def __post_init__(self) -> None:
        self._all = Bucket(self.per_second)

    def take(self, chat_id: str, now: datetime) -> None:
        """Count one message; raises Refused with the whole seconds to wait."""
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = self._window(chat_id)
        if wait := max(self._all.wait(now), chat.wait(now)):
            raise too_many(int(-(-wait // 1)))
        self._all.take(now)
        chat.take(now)

    def _window(self, chat_id: str) -> Window:
        if chat_id.startswith("-"):
            return Window(self.group_per_minute, 60)
        burst = max(1, int(self.chat_per_second * _CHAT_BURST_SECONDS))
        return Window(burst, burst / self.chat_per_second)


@dataclass(eq=False)
class Bot(Account):
    """An account of this provider."""

    username: str = "sandbox_bot"
    webhook: Webhook | None = None
    allowed_updates: frozenset[str] | None = None
    """None for the default set."""
    pending: dict[int, Update] = field(default_factory=dict[int, Update])
    """Oldest first."""
    busy: set[str] = field(default_factory=set[str])
    """Lanes of which an update is under way."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while something may be pending that nobody polled."""
    polls: int = 0
    """Counts calls of getUpdates: a new one ends the one before."""
    last_update_id: int = 0
    last_message_id: int = 0
    last_error: tuple[datetime, str] | None = None
    gone_since: datetime | None = None
    """Since when the webhook answers nothing but 410."""
    files: dict[str, StoredFile] = field(default_factory=dict[str, StoredFile])
    queries: dict[str, tuple[str, datetime]] = field(default_factory=dict[str, tuple[str, datetime]])
    """Callback queries to answer: id to the chat and when it was asked."""
    migrated: dict[str, str] = field(default_factory=dict[str, str])
    """Groups that became supergroups: old id to new id."""
    commands: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    allowance: Allowance = field(default_factory=Allowance)

    @property
    def token(self) -> str:
        return self.secrets["token"]

    def me(self) -> dict[str, Any]:
        """The bot as a user."""
        return {"id": int(self.id), "is_bot": True, "first_name": self.name, "username": self.username}

    def next_message_id(self) -> int:
        self.last_message_id += 1
        return self.last_message_id

    def wants(self, kind: str) -> bool:
        """Whether it asked to hear of updates of this kind."""
        if self.allowed_updates is None:
            return kind not in NOT_BY_DEFAULT
        return kind in self.allowed_updates


def username_of(name: str) -> str:
    """A bot's username made of its name; those of bots end so."""
    return f"{re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_') or 'sandbox'}_bot"
