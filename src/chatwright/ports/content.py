"""What a message can say, the same for every channel: one union, told apart by `type`.

A channel that cannot show a kind degrades it by its `Capabilities`; a kind that nobody here knows
becomes `Unsupported` with the original kept beside the raw event, so nothing from outside is dropped.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chatwright.kernel.lengths import Most
from chatwright.kernel.operation import DETAIL

MAX_TEXT = 10_000
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Label = Annotated[str, Field(min_length=1, max_length=80)]

Words = Annotated[str, Most(MAX_TEXT)]
"""Captions are as long as texts: what a channel does not show with a file goes as a text of its own."""
Line = Annotated[str, Most(1000)]
"""One line beside something. Providers show up to 80 characters of it; channels shorten it."""
Payload = Annotated[str, Most(1000)]
"""As long as the longest that a provider carries: Messenger's."""
Address = Annotated[str, Most(4096)]
"""Of a file or page; signed ones are long."""
Mail = Annotated[str, Most(500_000)]
"""Letters have no limit of their own."""
ProviderId = Annotated[str, Most(512)]


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
    url: Address | None = None
    """Where the provider or sender offers it, when it is not stored here."""
    caption: Words | None = None
    """Text shown with it."""
    filename: Annotated[str, Most(255)] | None = None
    """Name to show and to save it under."""


class LocationContent(_Part):
    """A place on the map."""

    type: Literal["location"] = "location"
    latitude: Annotated[float, Field(ge=-90, le=90)]
    """Degrees north."""
    longitude: Annotated[float, Field(ge=-180, le=180)]
    """Degrees east."""
    name: Line | None = None
    """Name of the place."""
    address: Line | None = None
    """Postal address in words."""


class ContactCardContent(_Part):
    """Somebody's contact details."""

    type: Literal["contact_card"] = "contact_card"
    name: Line
    """Full name."""
    phones: Annotated[list[Annotated[str, Most(100)]], Most(50)] = []
    """Phone numbers as the sender wrote them."""
    emails: Annotated[list[Annotated[str, Most(320)]], Most(50)] = []
    """E-mail addresses."""


class Button(_Part):
    """Something to press: it answers with its payload or opens a link."""

    label: Label
    """Words on the button."""
    payload: Payload | None = None
    """What comes back when it is pressed; the label when absent."""
    url: Address | None = None
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
    description: Line | None = None
    """More about it."""
    payload: Payload | None = None
    """What comes back when it is chosen; the title when absent."""


class ListSection(_Part):
    """Choices under one heading."""

    title: Line | None = None
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
    subtitle: Line | None = None
    """More words."""
    image_url: Address | None = None
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
    name: ProviderId
    """The template's name at the provider."""
    language: Annotated[str, Most(35)]
    """Its language code there, e.g. `en_US`."""
    parameters: Annotated[dict[Annotated[str, Most(200)], Annotated[str, Most(4096)]], Most(100)] = {}
    """Values for its placeholders."""


class ReactionContent(_Part):
    """A reaction to an earlier message."""

    type: Literal["reaction"] = "reaction"
    message_id: ProviderId
    """The message reacted to: our id, or the provider's where ours is not known."""
    emoji: Annotated[str, Most(64)]
    """The reaction; empty when it was taken back."""


class ReplyContent(_Part):
    """A press on a button, a quick reply or a list row that we had sent."""

    type: Literal["reply"] = "reply"
    text: Words
    """The words on what was pressed."""
    payload: Payload
    """What it stands for."""


class StoryReferenceContent(_Part):
    """An answer to, or mention in, a story or a comment under a post."""

    type: Literal["story_reference"] = "story_reference"
    kind: Literal["story_reply", "story_mention", "comment"]
    """What it refers to."""
    reference: ProviderId
    """The provider's id of the story or comment."""
    text: Words | None = None
    """What was written."""
    url: Address | None = None
    """Where to see it."""


class EmailContent(_Part):
    """An e-mail, without what it quotes of earlier ones; its files follow as messages of their own."""

    type: Literal["email"] = "email"
    subject: Annotated[str, Most(998)] = ""
    """Its subject."""
    text: Mail = ""
    """What is new in it, as plain text."""
    html: Annotated[Mail | None, DETAIL] = None
    """The whole of it as HTML, made safe to show; remote pictures are not among it."""
    quoted: Annotated[Mail | None, DETAIL] = None
    """What it quotes and its signature, as plain text."""


class UnsupportedContent(_Part):
    """Something this product does not know yet; the raw event keeps the whole of it."""

    type: Literal["unsupported"] = "unsupported"
    kind: Annotated[str, Most(100)]
    """The provider's name for it."""
    text: Words | None = None
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
