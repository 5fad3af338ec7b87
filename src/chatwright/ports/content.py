"""What a message can say, the same for every channel: one union, told apart by `type`.

A channel that cannot show a kind degrades it by its `Capabilities`; a kind that nobody here knows
becomes `Unsupported` with the original kept beside the raw event, so nothing from outside is dropped.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chatwright.kernel.operation import DETAIL

MAX_TEXT = 10_000
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Label = Annotated[str, Field(min_length=1, max_length=80)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TextContent(_Part):
    """Plain text."""

    type: Literal["text"] = "text"
    text: Text
    """What is said."""


class MediaContent(_Part):
    """An image, a video, a sound, a sticker or a file."""

    type: Literal["media"] = "media"
    kind: Literal["image", "video", "audio", "voice", "sticker", "file"]
    """How to show it."""
    attachment_id: UUID | None = None
    """The stored file; absent while it is still being fetched from the provider."""
    url: str | None = None
    """Where the provider or sender offers it, when it is not stored here."""
    caption: str | None = None
    """Text shown with it."""
    filename: str | None = None
    """Name to show and to save it under."""


class LocationContent(_Part):
    """A place on the map."""

    type: Literal["location"] = "location"
    latitude: Annotated[float, Field(ge=-90, le=90)]
    """Degrees north."""
    longitude: Annotated[float, Field(ge=-180, le=180)]
    """Degrees east."""
    name: str | None = None
    """Name of the place."""
    address: str | None = None
    """Postal address in words."""


class ContactCardContent(_Part):
    """Somebody's contact details."""

    type: Literal["contact_card"] = "contact_card"
    name: str
    """Full name."""
    phones: list[str] = []
    """Phone numbers as the sender wrote them."""
    emails: list[str] = []
    """E-mail addresses."""


class Button(_Part):
    """Something to press: it answers with its payload or opens a link."""

    label: Label
    """Words on the button."""
    payload: str | None = None
    """What comes back when it is pressed; the label when absent."""
    url: str | None = None
    """The page it opens instead of answering."""


class ButtonsContent(_Part):
    """Text with buttons that stay."""

    type: Literal["buttons"] = "buttons"
    text: Text
    """What is said."""
    buttons: Annotated[list[Button], Field(min_length=1, max_length=10)]
    """What can be pressed."""


class QuickRepliesContent(_Part):
    """Text with suggested answers that vanish when one is chosen."""

    type: Literal["quick_replies"] = "quick_replies"
    text: Text
    """What is said."""
    replies: Annotated[list[Button], Field(min_length=1, max_length=13)]
    """The suggested answers."""


class ListRow(_Part):
    """One choice of a list."""

    title: Label
    """The choice."""
    description: str | None = None
    """More about it."""
    payload: str | None = None
    """What comes back when it is chosen; the title when absent."""


class ListSection(_Part):
    """Choices under one heading."""

    title: str | None = None
    """The heading."""
    rows: Annotated[list[ListRow], Field(min_length=1, max_length=10)]
    """The choices."""


class ListContent(_Part):
    """A menu that opens from a button."""

    type: Literal["list"] = "list"
    text: Text
    """What is said."""
    button: Label
    """Words on the button that opens the menu."""
    sections: Annotated[list[ListSection], Field(min_length=1, max_length=10)]
    """The choices."""


class Card(_Part):
    """One card of a carousel."""

    title: Label
    """Headline."""
    subtitle: str | None = None
    """More words."""
    image_url: str | None = None
    """Picture."""
    buttons: Annotated[list[Button], Field(max_length=3)] = []
    """What can be pressed."""


class CarouselContent(_Part):
    """Cards side by side."""

    type: Literal["carousel"] = "carousel"
    cards: Annotated[list[Card], Field(min_length=1, max_length=10)]
    """The cards."""


class TemplateContent(_Part):
    """A message that the provider approved beforehand."""

    type: Literal["template"] = "template"
    name: str
    """The template's name at the provider."""
    language: str
    """Its language code there, e.g. `en_US`."""
    parameters: dict[str, str] = {}
    """Values for its placeholders."""


class ReactionContent(_Part):
    """A reaction to an earlier message."""

    type: Literal["reaction"] = "reaction"
    message_id: str
    """The message reacted to: our id, or the provider's where ours is not known."""
    emoji: str
    """The reaction; empty when it was taken back."""


class ReplyContent(_Part):
    """A press on a button, a quick reply or a list row that we had sent."""

    type: Literal["reply"] = "reply"
    text: str
    """The words on what was pressed."""
    payload: str
    """What it stands for."""


class StoryReferenceContent(_Part):
    """An answer to, or mention in, a story or a comment under a post."""

    type: Literal["story_reference"] = "story_reference"
    kind: Literal["story_reply", "story_mention", "comment"]
    """What it refers to."""
    reference: str
    """The provider's id of the story or comment."""
    text: str | None = None
    """What was written."""
    url: str | None = None
    """Where to see it."""


class EmailContent(_Part):
    """An e-mail, without what it quotes of earlier ones; its files follow as messages of their own."""

    type: Literal["email"] = "email"
    subject: str = ""
    """Its subject."""
    text: str = ""
    """What is new in it, as plain text."""
    html: Annotated[str | None, DETAIL] = None
    """The whole of it as HTML, made safe to show; remote pictures are not among it."""
    quoted: Annotated[str | None, DETAIL] = None
    """What it quotes and its signature, as plain text."""


class UnsupportedContent(_Part):
    """Something this product does not know yet; the raw event keeps the whole of it."""

    type: Literal["unsupported"] = "unsupported"
    kind: str
    """The provider's name for it."""
    text: str | None = None
    """Any words found in it."""


Content = Annotated[
    TextContent
    | MediaContent
    | LocationContent
    | ContactCardContent
    | ButtonsContent
    | QuickRepliesContent
    | ListContent
    | CarouselContent
    | TemplateContent
    | ReactionContent
    | ReplyContent
    | StoryReferenceContent
    | EmailContent
    | UnsupportedContent,
    Field(discriminator="type"),
]
