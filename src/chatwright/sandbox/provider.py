"""What each provider's half of the sandbox fulfils, and what people can do on their phones."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Protocol

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from chatwright.kernel.errors import Conflict
from chatwright.sandbox.faults import Faults
from chatwright.sandbox.world import Account, Person


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class NewAccount(_Said):
    """An account to come; what is left out, the provider makes up."""

    kind: str
    """whatsapp, messenger, instagram, telegram or zalo."""
    id: str | None = None
    name: str = "Sandbox Shop"
    webhook_url: str | None = None
    """Where its webhooks go, where the provider does not learn that by a call."""
    secrets: dict[str, str] = {}
    """Tokens and secrets by the provider's names for them."""
    details: dict[str, Any] = {}
    """Whatever else the provider knows, e.g. waba_id or app_id."""
    faults: Faults = Faults()


class NewPerson(_Said):
    """A person to come; what is left out, the provider makes up."""

    id: str | None = None
    name: str = "Ada"
    username: str = ""
    phone: str = ""
    locale: str = "en_US"
    details: dict[str, Any] = {}
    """Whatever else the provider knows, e.g. user_id (BSUID)."""


class Say(_Said):
    type: Literal["say"] = "say"
    text: str
    reply_to: str | None = None
    """Id of the bubble it answers."""
    details: dict[str, Any] = {}
    """Further parts of the message in the provider's words, e.g. a referral."""


class SendMedia(_Said):
    type: Literal["media"] = "media"
    kind: str
    """image, video, audio, voice, document, sticker, animation..."""
    content: Base64Bytes
    mime_type: str
    filename: str = ""
    caption: str = ""
    reply_to: str | None = None
    details: dict[str, Any] = {}


class SendLocation(_Said):
    type: Literal["location"] = "location"
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class SendContact(_Said):
    type: Literal["contact"] = "contact"
    name: str
    phone: str


class Press(_Said):
    """Press a button, a quick reply or a row of a bubble."""

    type: Literal["press"] = "press"
    bubble: str
    button: str
    """Id of the button within the bubble."""


class React(_Said):
    type: Literal["react"] = "react"
    bubble: str
    emoji: str
    """Empty takes the reaction back."""


class Edit(_Said):
    type: Literal["edit"] = "edit"
    bubble: str
    text: str


class Unsend(_Said):
    type: Literal["unsend"] = "unsend"
    bubble: str


class Read(_Said):
    """Open the chat: everything in it is read."""

    type: Literal["read"] = "read"


class Follow(_Said):
    type: Literal["follow"] = "follow"
    ref: str = ""
    """What a link or ad told, as in /start <ref> or m.me?ref=."""


class Unfollow(_Said):
    type: Literal["unfollow"] = "unfollow"


class Block(_Said):
    type: Literal["block"] = "block"


class Unblock(_Said):
    type: Literal["unblock"] = "unblock"


class Comment(_Said):
    """Write below a post of the account."""

    type: Literal["comment"] = "comment"
    text: str
    post: str = ""
    """Id of the post or medium; made up when left out."""
    details: dict[str, Any] = {}


class Happen(_Said):
    """Anything else that only this provider knows; `name` in its words, e.g. user_changed_number."""

    type: Literal["happen"] = "happen"
    name: str
    values: dict[str, Any] = {}


Action = Annotated[
    Say
    | SendMedia
    | SendLocation
    | SendContact
    | Press
    | React
    | Edit
    | Unsend
    | Read
    | Follow
    | Unfollow
    | Block
    | Unblock
    | Comment
    | Happen,
    Field(discriminator="type"),
]


class CannotDo(Conflict):
    """The provider's app does not let people do that, or not now."""

    code = "SANDBOX_CANNOT_DO"


class Provider(Protocol):
    """One provider's half: the API that the product calls, and people whose deeds become its webhooks."""

    prefix: ClassVar[str]
    """Path below which its API is served, without slashes; the base URL to set in the adapter ends with it."""
    kinds: ClassVar[frozenset[str]]
    """Kinds of accounts that it has."""

    def routes(self) -> Sequence[BaseRoute]:
        """Its API, below the prefix."""
        ...

    def create_account(self, new: NewAccount) -> Account:
        """Make an account; the caller adds it to the world."""
        ...

    def create_person(self, account: Account, new: NewPerson) -> Person:
        """Make a person; the caller adds them to the account."""
        ...

    async def act(self, account: Account, person: Person, action: Action) -> str | None:
        """Do what a person does; returns the id of the bubble it made. Raises CannotDo."""
        ...

    async def occur(self, account: Account, name: str, values: dict[str, Any]) -> str | None:
        """Let something happen to the account itself, in the provider's words; raises CannotDo."""
        ...
