"""What goes in and out of the contacts room about contacts themselves."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, EmailStr, Field, StringConstraints

from chatwright.features.contacts.addresses import REGIONS
from chatwright.features.contacts.filters import ContactFilter
from chatwright.features.contacts.values import ChannelName, FieldKey, FieldValue, Name, Prose
from chatwright.features.workspaces.models import TimeZone
from chatwright.kernel.moments import Moment
from chatwright.kernel.operation import DETAIL, OUTSIDE, Input, Output
from chatwright.kernel.paging import PageRequest

ConsentState = Literal["opted_in", "opted_out"]
Clearable = Literal["name", "first_name", "last_name", "locale", "timezone"]


def _known_region(code: str) -> str:
    if code not in REGIONS:
        message = "This is not the ISO 3166 code of a country with telephone numbers."
        raise ValueError(message)
    return code


Region = Annotated[str, Field(pattern=r"^[A-Z]{2}$"), AfterValidator(_known_region)]
Locale = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", max_length=35)]
TagNames = Annotated[list[Name], Field(min_length=1, max_length=50)]
IdentityValue = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class IdentityKey(Input):
    """A name under which a channel knows somebody."""

    inbox_id: UUID
    """The inbox whose channel knows them by it."""
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    """What the value is on that channel, e.g. `visitor`, `wa_id` or `psid`."""
    value: IdentityValue
    """The name itself."""


class ContactIdentity(Output):
    """A name under which a channel knows this contact."""

    inbox_id: UUID
    """The inbox whose channel knows them by it."""
    kind: str
    """What the value is on that channel."""
    value: Annotated[str, OUTSIDE]
    """The name itself."""


class Consent(Output):
    """What a contact last said about being written to on a channel, with the evidence."""

    channel: str
    """The channel it holds for, e.g. `whatsapp`."""
    state: ConsentState
    """Whether they agreed or objected."""
    source: str
    """Where it comes from, e.g. `signup form` or `message STOP`."""
    evidence: Annotated[str | None, DETAIL, OUTSIDE]
    """What shows it: the words, a form's address, a document's number."""
    given_at: datetime
    """When they said so."""
    recorded_by: Annotated[str, DETAIL]
    """Who wrote it down here."""


class Contact(Output):
    """A person on the other side: a customer, a visitor, a lead."""

    id: UUID
    """Id of the contact."""
    name: Annotated[str | None, OUTSIDE]
    """Full name, as shown in lists."""
    first_name: Annotated[str | None, DETAIL, OUTSIDE]
    """Given name."""
    last_name: Annotated[str | None, DETAIL, OUTSIDE]
    """Family name."""
    emails: Annotated[list[str], OUTSIDE]
    """E-mail addresses, the main one first."""
    phones: list[str]
    """Phone numbers in E.164, the main one first."""
    locale: str | None
    """Language tag, e.g. `vi` or `en-GB`."""
    timezone: str | None
    """IANA time zone."""
    tags: list[str]
    """Names of its tags."""
    fields: Annotated[dict[str, FieldValue], OUTSIDE]
    """Values of custom fields by their key."""
    identities: Annotated[list[ContactIdentity], DETAIL]
    """Under which names the channels know it, oldest first; only those of inboxes the caller may see."""
    consents: list[Consent]
    """The latest word on each channel."""
    blocked: bool
    """Whether its messages are ignored."""
    created_at: datetime
    """When it was first seen."""
    updated_at: datetime
    """When its own data last changed."""


class ContactProfile(Input):
    """A contact's own data, as far as it is given."""

    name: Name | None = None
    """Full name, as shown in lists. Made of the other two on creation when absent."""
    first_name: Name | None = None
    """Given name."""
    last_name: Name | None = None
    """Family name."""
    emails: Annotated[list[EmailStr], Field(max_length=20)] | None = None
    """All e-mail addresses, the main one first."""
    phones: Annotated[list[Name], Field(max_length=20)] | None = None
    """All phone numbers, the main one first: international with +, or national ones of `region`."""
    region: Region | None = None
    """Country (ISO 3166, e.g. `VN`) whose national phone numbers are meant where the + is missing."""
    locale: Locale | None = None
    """Language tag, e.g. `vi` or `en-GB`."""
    timezone: TimeZone | None = None
    """IANA time zone, e.g. `Asia/Ho_Chi_Minh`."""
    fields: dict[FieldKey, FieldValue | None] = Field(default_factory=dict, max_length=100)
    """Values of custom fields by key; null takes a value away, fields not named stay."""


class CreateContact(ContactProfile):
    """A new contact. Nothing is mandatory, neither phone nor e-mail."""

    identities: list[IdentityKey] = Field(default_factory=list[IdentityKey], max_length=20)
    """Under which names channels know it; a caller limited to inboxes has to give one there."""
    tags: list[Name] = Field(default_factory=list, max_length=50)
    """Tags to put on it; new ones are made."""


class UpsertContact(ContactProfile):
    """A contact to find by an identity and bring up to date, or to make."""

    identity: IdentityKey
    """The name by which to find it."""
    tags: list[Name] = Field(default_factory=list, max_length=50)
    """Tags to add to it; new ones are made."""


class UpsertedContact(Output):
    """The contact, and whether it is a new one."""

    contact: Contact
    """The contact as it is now."""
    created: bool
    """Whether it was made by this call."""


class GetContact(Input):
    """A contact to show."""

    contact_id: UUID
    """Id of the contact."""


class FindContacts(PageRequest):
    """Which contacts to find: those that meet all that is given. Nothing given finds everybody."""

    query: Annotated[str, Field(max_length=200)] | None = None
    """Beginnings of words from names, e-mails, phones or field values; case and accents do not matter."""
    tag: Name | None = None
    """Only contacts with this tag."""
    segment_id: UUID | None = None
    """Only contacts of this segment."""
    inbox_id: UUID | None = None
    """Only contacts known in this inbox."""
    identity: IdentityValue | None = None
    """Only the contact that a channel knows by exactly this name."""


class FilterContacts(PageRequest):
    """Which contacts to find, by a filter."""

    filter: ContactFilter
    """Conditions on contacts, nested with and, or and not."""


class UpdateContact(ContactProfile):
    """Changes to a contact; what is left out stays."""

    contact_id: UUID
    """Id of the contact."""
    clear: list[Clearable] = Field(default_factory=list[Clearable], max_length=5)
    """What to empty. E-mails and phones are emptied by an empty list."""


class DeleteContact(Input):
    """A contact to delete for good."""

    contact_id: UUID
    """Id of the contact."""


class BlockContact(Input):
    """A contact whose messages to ignore."""

    contact_id: UUID
    """Id of the contact."""


class UnblockContact(Input):
    """A contact whose messages to take again."""

    contact_id: UUID
    """Id of the contact."""


class AddContactTags(Input):
    """Tags to put on a contact."""

    contact_id: UUID
    """Id of the contact."""
    tags: TagNames
    """Names of the tags; new ones are made."""


class RemoveContactTags(Input):
    """Tags to take off a contact."""

    contact_id: UUID
    """Id of the contact."""
    tags: TagNames
    """Names of the tags."""


class RecordConsent(Input):
    """What a contact said about being written to on a channel."""

    contact_id: UUID
    """Id of the contact."""
    channel: ChannelName
    """The channel it holds for, e.g. `whatsapp` or `email`."""
    state: ConsentState
    """Whether they agreed or objected."""
    source: Name
    """Where it comes from, e.g. `signup form` or `message STOP`."""
    evidence: Prose | None = None
    """What shows it: the words, a form's address, a document's number."""
    given_at: Moment | None = None
    """When they said so; now when absent."""


class ListConsents(PageRequest):
    """A contact's consents."""

    contact_id: UUID
    """Id of the contact."""


class ConsentRecord(Consent):
    """One time a contact said something about being written to."""

    id: UUID
    """Id of the record."""
    recorded_at: datetime
    """When it was written down."""
