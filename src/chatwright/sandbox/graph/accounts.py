"""Accounts and people as the Graph API knows them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from chatwright.sandbox.clock import Clock
from chatwright.sandbox.graph.buckets import Bucket
from chatwright.sandbox.world import Account, Person

HOUR = 3600.0
DAY = 24 * HOUR
TemplateStatus = Literal["APPROVED", "REJECTED", "PENDING", "PAUSED", "DISABLED", "FLAGGED", "IN_APPEAL"]


_BUSINESS_FIELDS = ("message_template_", "template_", "account_", "business_capability_", "security")


@dataclass(slots=True, eq=False)
class Template:
    """A message template in one language."""

    id: str
    name: str
    language: str
    category: str
    components: list[dict[str, Any]]
    status: str = "PENDING"
    reason: str = "NONE"
    parameter_format: str = "POSITIONAL"
    quality: str = "UNKNOWN"
    made: int = 0
    """Unix seconds."""

    def shown(self) -> dict[str, Any]:
        """What the API shows of it."""
        return {
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "category": self.category,
            "status": self.status,
            "rejected_reason": self.reason,
            "quality_score": {"score": self.quality, "date": self.made},
            "parameter_format": self.parameter_format,
            "components": self.components,
        }


@dataclass(slots=True, eq=False)
class StoredFile:
    """A file that the provider keeps: uploaded by the account, or sent by a person."""

    id: str
    content: bytes
    mime_type: str
    filename: str
    until: datetime


@dataclass(slots=True, eq=False)
class PostComment:
    """A comment below a post."""

    id: str
    person_id: str
    post: str
    text: str
    at: datetime
    answered: bool = False
    """Whether a private reply was sent."""


@dataclass(eq=False)
class GraphPerson(Person):
    """Somebody on WhatsApp, Messenger or Instagram."""

    user_id: str = ""
    """WhatsApp: business-scoped user id."""
    parent_user_id: str = ""
    phone_hidden: bool = False
    """WhatsApp: whether webhooks leave their phone number out, as for people with a username."""
    stopped_marketing: bool = False
    free_entry_until: datetime | None = None
    """WhatsApp: when the free entry point ends that an ad opened."""
    wrote: bool = False
    """Whether they ever wrote to the account."""


@dataclass(eq=False)
class GraphAccount(Account):
    """A WhatsApp number, a page, or an Instagram professional account."""

    app_id: str = ""
    owner_id: str = ""
    """The WhatsApp business account of a number; of others the account's own id."""
    subscribed: set[str] = field(default_factory=set[str])
    """Fields whose webhooks the app gets."""
    overrides: dict[str, str] = field(default_factory=dict[str, str])
    """WhatsApp: addresses that go before the app's webhook URL, by level (phone_number, whatsapp_business_account)."""
    token_until: datetime | None = None
    token_issued: datetime | None = None
    token_fault: int | None = None
    """Subcode that every call meets (460 password changed...); 0 for none."""
    templates: dict[str, Template] = field(default_factory=dict[str, Template])
    """By id."""
    files: dict[str, StoredFile] = field(default_factory=dict[str, StoredFile])
    comments: dict[str, PostComment] = field(default_factory=dict[str, PostComment])
    leads: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    buckets: dict[str, Bucket] = field(default_factory=dict[str, Bucket])
    addresses: dict[str, GraphPerson] = field(default_factory=dict[str, GraphPerson])
    """People by every address that reaches them."""
    service_messages: int = 0
    """WhatsApp: how many of the month's free ones are used."""

    @property
    def is_whatsapp(self) -> bool:
        return self.kind == "whatsapp"

    @property
    def app_secret(self) -> str:
        return self.secrets["app_secret"]

    @property
    def app_token(self) -> str:
        """The token of the app itself, good for its settings."""
        return f"{self.app_id}|{self.app_secret}"

    def hook_for(self, name: str) -> str | None:
        """Where the webhooks of a field go: a number's own address hears of what happens to the number alone."""
        levels = ["whatsapp_business_account"]
        if not name.startswith(_BUSINESS_FIELDS):
            levels.insert(0, "phone_number")
        return next((self.overrides[level] for level in levels if level in self.overrides), self.webhook_url)

    def find_template(self, name: str, language: str) -> Template | None:
        """A template by name and language."""
        return next(
            (one for one in self.templates.values() if (one.name, one.language) == (name, language)), None
        )

    def bucket(self, clock: Clock, name: str, *, rate: float, burst: float) -> Bucket:
        """An allowance by name, made on first use."""
        if (found := self.buckets.get(name)) is None:
            found = self.buckets[name] = Bucket(clock, rate, burst)
        return found


def window_open(clock: Clock, person: Person, seconds: float) -> bool:
    """Whether the person wrote within so many seconds."""
    return person.last_said_at is not None and person.last_said_at > clock.since(seconds)
