"""An Official Account with the app that works for it: tokens, uploads, templates, quotas."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from chatwright.sandbox.clock import Clock
from chatwright.sandbox.world import Account, Media, Person

VIETNAM = timezone(timedelta(hours=7))
DAYTIME = range(6, 22)
"""Hours in which promotions may be sent."""
CALLS_PER_MINUTE = 4000
DAILY_TEMPLATES = 500


@dataclass(slots=True)
class Asset:
    """An upload, for a week."""

    media: Media
    until: datetime


@dataclass(slots=True)
class Template:
    """A message that was approved beforehand."""

    id: str
    name: str
    params: tuple[str, ...]
    status: str = "ENABLE"
    """ENABLE, PENDING_REVIEW, REJECT or DISABLE."""
    tag: int = 1
    """1 transaction, 2 customer care, 3 promotion."""
    text: str = ""
    """What it says; `<name>` stands for a parameter."""

    def filled(self, data: dict[str, Any]) -> str:
        text = self.text or " ".join(f"<{name}>" for name in self.params)
        for name in self.params:
            text = text.replace(f"<{name}>", str(data.get(name, "")))
        return text


@dataclass(eq=False)
class OfficialAccount(Account):
    """An account of this provider."""

    access_tokens: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """Each with the end of its life."""
    refresh_tokens: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """Those not used yet."""
    codes: dict[str, tuple[datetime, str]] = field(default_factory=dict[str, tuple[datetime, str]])
    """Authorization codes: when they end, and the challenge that their verifier answers."""
    assets: dict[str, Asset] = field(default_factory=dict[str, Asset])
    templates: dict[str, Template] = field(default_factory=dict[str, Template])
    daily_quota: int = DAILY_TEMPLATES
    sent_today: int = 0
    uploads: int = 0
    billed: int = 0
    """Messages sent between 48 hours and 7 days after somebody's last interaction."""
    calls_per_minute: int = CALLS_PER_MINUTE
    calls: deque[datetime] = field(default_factory=deque[datetime])
    """The last minute's."""

    @property
    def app_id(self) -> str:
        return self.secrets["app_id"]

    def calls_left(self, now: datetime) -> int:
        """How many more calls the app may make just now."""
        while self.calls and self.calls[0] <= now - timedelta(minutes=1):
            self.calls.popleft()
        return self.calls_per_minute - len(self.calls)

    def with_phone(self, phone: str) -> Person | None:
        """Whom a number belongs to."""
        return next((person for person in self.people.values() if _plain(person.phone) == phone), None)


def _plain(phone: str) -> str:
    return phone.removeprefix("+")


def is_daytime(clock: Clock) -> bool:
    """Whether promotions may be sent now."""
    return clock.now().astimezone(VIETNAM).hour in DAYTIME


def template_from(details: dict[str, Any]) -> Template:
    """A template as an account's `details` may describe it."""
    return Template(
        id=str(details["id"]),
        name=str(details.get("name", details["id"])),
        params=tuple(map(str, details.get("params", ()))),
        status=str(details.get("status", "ENABLE")),
        tag=int(details.get("tag", 1)),
        text=str(details.get("text", "")),
    )
