"""Everything that exists in the sandbox, in memory: accounts, the people they know, and what was said."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from chatwright.kernel.errors import Conflict, NotFound
from chatwright.kernel.ids import new_id
from chatwright.sandbox.clock import Clock
from chatwright.sandbox.faults import Dice, Faults

Side = Literal["account", "person", "system"]
Tick = Literal["", "sent", "delivered", "read", "failed"]


class SandboxNotFound(NotFound):
    code = "SANDBOX_NOT_FOUND"


class SandboxConflict(Conflict):
    code = "SANDBOX_CONFLICT"


@dataclass(slots=True)
class Button:
    """Something to press below a bubble."""

    id: str
    """What the press names: unique within its bubble."""
    title: str
    kind: str = "reply"
    """The provider's kind: reply, url, row, callback, phone..."""
    payload: str = ""
    """What the press sends to the account; the address, for a link."""
    description: str = ""
    section: str = ""


@dataclass(slots=True)
class Media:
    """A file in a bubble. Its bytes are here, or at the address that the account named."""

    kind: str
    """image, video, audio, voice, document, sticker..."""
    mime_type: str
    content: bytes = b""
    url: str = ""
    filename: str = ""


@dataclass(slots=True)
class Card:
    """One card of a carousel, or the head of a single one."""

    title: str
    subtitle: str = ""
    image_url: str = ""
    buttons: list[Button] = field(default_factory=list[Button])


@dataclass(slots=True)
class Bubble:
    """One message as it stands in a person's phone."""

    id: str
    """The provider's message id."""
    side: Side
    kind: str
    """text, image, template, interactive, location, contacts, reaction..., in the provider's words."""
    at: datetime
    text: str = ""
    header: str = ""
    footer: str = ""
    media: list[Media] = field(default_factory=list[Media])
    buttons: list[Button] = field(default_factory=list[Button])
    cards: list[Card] = field(default_factory=list[Card])
    menu_title: str = ""
    """The button that opens a list's rows."""
    tick: Tick = ""
    error: str = ""
    """Why it failed, in the provider's code."""
    reply_to: str | None = None
    reactions: dict[str, str] = field(default_factory=dict[str, str])
    """Side -> emoji."""
    edited: bool = False
    deleted: bool = False
    details: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the provider was sent or sends, for whoever looks closer."""


@dataclass(slots=True, eq=False)
class Thread:
    """What one person and one account said, oldest first."""

    bubbles: list[Bubble] = field(default_factory=list[Bubble])
    typing: bool = False
    """Whether the account shows that it is typing."""
    _by_id: dict[str, Bubble] = field(default_factory=dict[str, Bubble])

    def add(self, bubble: Bubble) -> Bubble:
        """Put a bubble at the end."""
        self.bubbles.append(bubble)
        self._by_id[bubble.id] = bubble
        if bubble.side == "account":
            self.typing = False
        return bubble

    def find(self, bubble_id: str) -> Bubble | None:
        """A bubble by the provider's message id."""
        return self._by_id.get(bubble_id)

    def bubble(self, bubble_id: str) -> Bubble:
        """The same; raises SandboxNotFound."""
        if (found := self.find(bubble_id)) is None:
            raise SandboxNotFound("No such bubble in this person's thread.")
        return found


@dataclass(eq=False)
class Person:
    """Somebody as one account knows them. Providers may add fields in a subclass."""

    id: str
    """The address that the account sends to (wa_id, PSID, IGSID, chat id, Zalo user id)."""
    name: str
    username: str = ""
    phone: str = ""
    avatar_url: str = ""
    locale: str = "en_US"
    last_said_at: datetime | None = None
    """When the window last opened, on the sandbox's clock; None if it never did."""
    blocked: bool = False
    """Whether they blocked the account."""
    follows: bool = False
    details: dict[str, Any] = field(default_factory=dict[str, Any])
    thread: Thread = field(default_factory=Thread)


@dataclass(frozen=True, slots=True)
class Accepted:
    """One send that the provider took, whatever became of the answer."""

    external_id: str
    """The provider's message id."""
    to: str
    own_id: str | None
    """The sender's id, where the provider carries one (biz_opaque_callback_data, metadata, tracking_id)."""
    text: str
    """What identifies it to a reader where no id is carried: its text, or the caption."""
    at: datetime
    answered: bool
    """Whether the sender was told."""


@dataclass(eq=False)
class Account:
    """A business's account with a provider. Providers may add fields in a subclass."""

    kind: str
    """whatsapp, messenger, instagram, telegram, zalo."""
    id: str
    """The provider's id of it: phone number id, page id, Instagram id, bot id, OA id."""
    name: str
    secrets: dict[str, str] = field(default_factory=dict[str, str])
    """Tokens and secrets by the provider's name for them (access_token, app_secret, verify_token...)."""
    webhook_url: str | None = None
    faults: Faults = field(default_factory=Faults)
    dice: Dice = field(default_factory=Dice)
    details: dict[str, Any] = field(default_factory=dict[str, Any])
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    accepted: list[Accepted] = field(default_factory=list[Accepted])
    refused: Counter[str] = field(default_factory=Counter[str])
    """How many sends were refused, by the provider's error."""

    def person(self, person_id: str) -> Person:
        """Somebody it knows; raises SandboxNotFound."""
        if (found := self.people.get(person_id)) is None:
            raise SandboxNotFound("This account knows nobody by that id.")
        return found


class World:
    """All accounts, and who is to hear of a change."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.address = "http://127.0.0.1"
        """URL at which the sandbox was last called, for links to itself in webhooks."""
        self._accounts: dict[tuple[str, str], Account] = {}
        self._followers: set[Follower] = set()
        self._numbers = itertools.count(1)

    def add_account(self, account: Account) -> Account:
        """Take in an account; raises SandboxConflict when its kind has one by that id."""
        if (account.kind, account.id) in self._accounts:
            raise SandboxConflict("There is such an account already.")
        self._accounts[account.kind, account.id] = account
        self.touch(account)
        return account

    def drop_account(self, account: Account) -> None:
        """Forget an account."""
        del self._accounts[account.kind, account.id]
        self.touch(account)

    def add_person(self, account: Account, person: Person) -> Person:
        """Make somebody known to an account; raises SandboxConflict when it knows them."""
        if person.id in account.people:
            raise SandboxConflict("The account knows somebody by that id already.")
        account.people[person.id] = person
        self.touch(account, person)
        return person

    def account(self, kind: str, account_id: str) -> Account:
        """An account; raises SandboxNotFound."""
        if (found := self._accounts.get((kind, account_id))) is None:
            raise SandboxNotFound("No such account in the sandbox.")
        return found

    def has(self, account: Account) -> bool:
        """Whether the account is here still."""
        return self._accounts.get((account.kind, account.id)) is account

    def accounts(self, *kinds: str) -> Iterator[Account]:
        """All accounts, or those of some kinds."""
        return (account for account in list(self._accounts.values()) if not kinds or account.kind in kinds)

    def number(self) -> int:
        """A number that nothing else here has."""
        return next(self._numbers)

    def touch(self, account: Account, person: Person | None = None) -> None:
        """Tell whoever follows that something about an account, or a person of it, is new."""
        change = Change(account.kind, account.id, person.id if person else None)
        for follower in self._followers:
            follower.hear(change)

    @contextmanager
    def follow(self) -> "Generator[Follower]":
        """Hear of changes from now on."""
        follower = Follower()
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)


@dataclass(frozen=True, slots=True)
class Change:
    kind: str
    account_id: str
    person_id: str | None


class Follower:
    """Gathers changes until they are asked for; the same change twice is one."""

    def __init__(self) -> None:
        self._changes: dict[Change, None] = {}
        self._some = asyncio.Event()

    def hear(self, change: Change) -> None:
        self._changes[change] = None
        self._some.set()

    async def changes(self) -> AsyncIterator[list[Change]]:
        """What is new, as often as there is something new."""
        while True:
            await self._some.wait()
            found, self._changes = list(self._changes), {}
            self._some.clear()
            yield found


def unique() -> str:
    """A short text that nothing else has, for ids in a provider's style."""
    return new_id().hex
