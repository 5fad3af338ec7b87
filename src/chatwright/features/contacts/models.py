"""What goes in and out of the contacts room."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from chatwright.kernel.operation import Input, Output

ConsentState = Literal["opted_in", "opted_out"]
FieldValue = str | bool | int | float


def _storable(text: str) -> str:
    if "\x00" in text:
        message = "Text must not contain the character U+0000."
        raise ValueError(message)
    return text.strip()


Words = Annotated[str, Field(max_length=200), AfterValidator(_storable)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_storable)]
Prose = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_storable)]
FieldKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Locale = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")]
Region = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
TagNames = Annotated[list[Name], Field(min_length=1, max_length=50)]


class IdentityKey(Input):
    """A name under which a channel knows somebody."""

    inbox_id: UUID
    """The inbox whose channel knows them by it."""
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    """What the value is on that channel, e.g. `visitor`, `wa_id` or `psid`."""
    value: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_storable)]
    """The name itself."""


class ContactIdentity(Output):
    """A name under which a channel knows this contact."""

    inbox_id: UUID
    """The inbox whose channel knows them by it."""
    kind: str
    """What the value is on that channel."""
    value: str
    """The name itself."""


class Consent(Output):
    """What a contact last said about being written to on a channel, with the evidence."""

    channel: str
    """The channel it holds for, e.g. `whatsapp`."""
    state: ConsentState
    """Whether they agreed or objected."""
    source: str
    """Where it comes from, e.g. `signup form` or `message STOP`."""
    evidence: str | None
    """What shows it: the words, a form's address, a document's number."""
    given_at: datetime
    """When they said so."""
    recorded_by: str
    """Who wrote it down here."""


class Contact(Output):
    """A person on the other side: a customer, a visitor, a lead."""

    id: UUID
    """Id of the contact."""
    name: str | None
    """Full name, as shown in lists."""
    first_name: str | None
    """Given name."""
    last_name: str | None
    """Family name."""
    emails: list[str]
    """E-mail addresses, the main one first."""
    phones: list[str]
    """Phone numbers in E.164, the main one first."""
    locale: str | None
    """Language tag, e.g. `vi` or `en-GB`."""
    timezone: str | None
    """IANA time zone."""
    tags: list[str]
    """Names of its tags."""
    fields: dict[str, FieldValue]
    """Values of custom fields by their key."""
    identities: list[ContactIdentity]
    """Under which names the channels know it, oldest first; only those of inboxes the caller may see."""
    consents: list[Consent]
    """The latest word on each channel."""
    blocked: bool
    """Whether its messages are ignored."""
    created_at: datetime
    """When it was first seen."""
    updated_at: datetime
    """When its own data last changed."""
