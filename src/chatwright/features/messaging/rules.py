"""Pure decisions of the messaging room: who may answer, how far a status may move, what content says."""

from typing import Final

from chatwright.features.messaging.errors import NotYourConversation, OwnerChanged
from chatwright.features.messaging.models import Owner
from chatwright.kernel.caller import PrincipalKind
from chatwright.ports.content import (
    ButtonsContent,
    CarouselContent,
    ContactCardContent,
    Content,
    EmailContent,
    ListContent,
    LocationContent,
    MediaContent,
    QuickRepliesContent,
    ReactionContent,
    ReplyContent,
    StoryReferenceContent,
    TemplateContent,
    TextContent,
    UnsupportedContent,
)

AUTOMATIC: Final = frozenset({PrincipalKind.AGENT, PrincipalKind.FLOW})
"""Principals that answer as the bot; everybody else speaks for a person."""

PREVIEW_LENGTH: Final = 200

RANK: Final = {
    "queued": 0,
    "held": 0,
    "cancelled": 0,
    "sending": 1,
    "unknown": 2,
    "sent": 3,
    "delivered": 4,
    "read": 5,
}


def furthest(now: str, news: str) -> str:
    """The status a message has after news that may come late, twice or in any order.

    It only moves forward. A failure counts unless the message is known to have arrived, and once failed it
    stays so.
    """
    if now == "failed":
        return now
    if news == "failed":
        return now if now in {"delivered", "read"} else news
    return news if RANK[news] > RANK[now] else now


def owner_after_send(kind: PrincipalKind, owner: Owner, *, keep_owner: bool) -> Owner:
    """Who answers after this principal has spoken; raises NotYourConversation if it may not speak.

    A flow or an agent speaks only while the bot owns the conversation. A person's message takes it over.
    """
    if kind in AUTOMATIC:
        if owner != "bot":
            raise NotYourConversation(f"This conversation is answered by: {owner}.")
        return owner
    return owner if keep_owner else "human"


def check_version(version: int, expected: int | None) -> None:
    """Raise OwnerChanged when the caller looked at an older version."""
    if expected is not None and expected != version:
        raise OwnerChanged(f"The owner of this conversation has changed (version {version}, not {expected}).")


def plain_text(content: Content) -> str:  # noqa: PLR0911, PLR0912, C901 - one line per kind of content.
    """Content in words, for previews, search and channels that show only text."""
    match content:
        case TextContent(text=text):
            return text
        case MediaContent(kind=kind, caption=caption, filename=filename):
            return caption or f"[{kind}{f' {filename}' if filename else ''}]"
        case LocationContent(name=name, latitude=latitude, longitude=longitude):
            return f"[location {name or f'{latitude:.5f}, {longitude:.5f}'}]"
        case ContactCardContent(name=name, phones=phones, emails=emails):
            return f"[contact {' '.join([name, *phones, *emails])}]"
        case ButtonsContent(text=text, buttons=choices) | QuickRepliesContent(text=text, replies=choices):
            return "\n".join([text, *_numbered([choice.label for choice in choices])])
        case ListContent(text=text, sections=sections):
            return "\n".join([text, *_numbered([row.title for section in sections for row in section.rows])])
        case CarouselContent(cards=cards):
            return "\n".join(_numbered([card.title for card in cards]))
        case TemplateContent(name=name):
            return f"[template {name}]"
        case ReactionContent(emoji=emoji):
            return emoji or "[reaction taken back]"
        case ReplyContent(text=text):
            return text
        case StoryReferenceContent(kind=kind, text=text):
            return text or f"[{kind.replace('_', ' ')}]"
        case EmailContent(subject=subject, text=text):
            return text or subject
        case UnsupportedContent(kind=kind, text=text):
            return text or f"[unsupported: {kind}]"


def preview(content: Content) -> str:
    """The beginning of what content says."""
    return plain_text(content)[:PREVIEW_LENGTH]


def _numbered(choices: list[str]) -> list[str]:
    return [f"{number}. {choice}" for number, choice in enumerate(choices, start=1)]
