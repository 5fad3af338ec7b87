"""From what somebody wants to say to what a channel can show: one way for all channels, by their capabilities. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from chatwright.features.messaging.deliveries.cutting import pieces, shortened
from chatwright.features.messaging.rules import plain_text
from chatwright.kernel.errors import FieldProblem, InvalidInput
from chatwright.ports.channel import Capabilities
from chatwright.ports.content import (
    Button,
    ButtonsContent,
    Card,
    CarouselContent,
    ContactCardContent,
    Content,
    EmailContent,
    ListContent,
    ListRow,
    ListSection,
    LocationContent,
    MediaContent,
    QuickRepliesContent,
    ReplyContent,
    StoryReferenceContent,
    TextContent,
)

NUMBERED: Final = "The choices became numbers to answer with."
"""What is said of a message whose choices are answered by their number; `answer_to` reads those answers."""
MENU_LABEL: Final = "Options"
LONGEST_SECTION: Final = 10
"""Rows, as content takes them."""
_ANSWER: Final = re.compile(r"\s*(\d{1,3})\s*[.)]?\s*")
_OTHER_KINDS: Final[dict[str, tuple[str, ...]]] = {
    "sticker": ("image", "file"),
    "voice": ("audio", "file"),
    "image": ("file",),
    "video": ("file",),
    "audio": ("file",),
    "file": (),
}
"""As what a kind of file may go where a channel refuses the kind itself."""

MediaKind = Literal["image", "video", "audio", "voice", "sticker", "file"]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The stored file of a media message."""

    media_type: str
    size: int
    """Bytes."""
    url: str
    """Where anybody can fetch it for a while."""


@dataclass(slots=True)
class Degraded:
    """What goes out."""

    parts: list[Content] = field(default_factory=list[Content])
    """In order; at least one."""
    words: list[str] = field(default_factory=list[str])
    """What was changed, for people; empty when nothing was."""

    def say(self, words: str) -> None:
        """Note a change, once."""
        if words not in self.words:
            self.words.append(words)


def degrade(content: Content, can: Capabilities, file: StoredFile | None = None) -> Degraded:
    """The content as messages that the channel can show.

    Raises InvalidInput when nothing of the kind can be made of it.
    """
    out = Degraded()
    _Degrading(can, file, out).add(content)
    return out


def answer_to(content: Content, text: str) -> ReplyContent | None:
    """What an answer to numbered choices means: the choice with that number or with those words; None for neither."""
    choices = _answers_of(content)
    match = _ANSWER.fullmatch(text)
    if match is not None and 1 <= int(match[1]) <= len(choices):
        chosen = choices[int(match[1]) - 1]
    else:
        same = [choice for choice in choices if choice.label.casefold() == text.strip().casefold()]
        if not same:
            return None
        chosen = same[0]
    return ReplyContent(text=chosen.label, payload=chosen.payload or chosen.label)


class _Degrading:
    def __init__(self, can: Capabilities, file: StoredFile | None, out: Degraded) -> None:
        self._can = can
        self._file = file
        self._out = out

    def add(self, content: Content) -> None:
        match content:
            case TextContent(text=text):
                self._add_text(text)
            case MediaContent():
                self._add_media(content)
            case ButtonsContent(text=text, buttons=buttons) | QuickRepliesContent(text=text, replies=buttons):
                self._add_choices(text, buttons, content)
            case ListContent():
                self._add_list(content)
            case CarouselContent():
                self._add_carousel(content)
            case _ if content.type in self._can.contents:
                self._out.parts.append(content)
            case _:
                self._add_text(_in_words(content))
                self._out.say(f"The {content.type.replace('_', ' ')} became text.")

    def _add_text(self, text: str) -> None:
        parts = pieces(text, self._can.text_limit, self._can.text_bytes)
        self._out.parts += [TextContent(text=part) for part in parts]
        if len(parts) > 1:
            self._out.say(f"The text became {len(parts)} messages.")

    def _add_media(self, content: MediaContent) -> None:
        kind = self._kind_for(content)
        if kind is None:
            self._add_link(content)
            return
        if kind != content.kind:
            self._out.say(f"The {content.kind} is sent as {_named(kind)}.")
        caption = content.caption
        if caption is not None and not self._fits_caption(kind, caption):
            self._out.parts.append(content.model_copy(update={"kind": kind, "caption": None}))
            self._out.say("The caption follows as a message of its own.")
            self._add_text(caption)
            return
        self._out.parts.append(content.model_copy(update={"kind": kind}))

    def _kind_for(self, content: MediaContent) -> MediaKind | None:
        """As what the file can go; None when the channel takes it as nothing."""
        if "media" not in self._can.contents:
            return None
        kinds: tuple[MediaKind, ...] = (content.kind, *_OTHER_KINDS[content.kind])  # pyright: ignore[reportAssignmentType]
        return next((kind for kind in kinds if self._takes(kind)), None)

    def _takes(self, kind: str) -> bool:
        if kind not in self._can.files:
            return False
        types = self._can.media_types.get(kind)
        if self._file is None:
            return True
        return self._file.size <= self._can.files[kind] and (types is None or self._file.media_type in types)

    def _fits_caption(self, kind: MediaKind, caption: str) -> bool:
        return kind not in self._can.uncaptioned and len(caption) <= self._can.caption_limit

    def _add_link(self, content: MediaContent) -> None:
        url = content.url or (self._file.url if self._file else None)
        if url is None:
            message = f"This channel takes no {content.kind} like this one."
            raise InvalidInput(message, fields=[FieldProblem(path="content", message=message)])
        named = content.filename or content.kind
        self._add_text("\n".join([*([content.caption] if content.caption else []), f"{named}: {url}"]))
        self._out.say(f"The {content.kind} became a link.")

    def _add_choices(self, text: str, buttons: Sequence[Button], content: Content) -> None:
        answers = [button for button in buttons if button.url is None]
        links = [button for button in buttons if button.url is not None]
        lone_link = len(links) == 1 and not answers
        as_buttons = content.type == "buttons" or not self._fits_replies(answers, links)
        if as_buttons and links and not self._can.link_buttons and not lone_link:
            text = "\n".join([text, *_links_in_words(links)])
            self._out.say("Links went into the text.")
            buttons, links = answers, []
        if not buttons:
            self._add_text(text)
        elif content.type == "quick_replies" and self._fits_replies(answers, links):
            self._put_replies(text, answers)
        elif self._fits_buttons(buttons):
            if content.type != "buttons":
                self._out.say("The quick replies became buttons.")
            self._put_buttons(text, buttons)
        elif self._fits_replies(answers, links):
            self._out.say("The buttons became quick replies.")
            self._put_replies(text, answers)
        elif not links and self._fits_list(len(answers)):
            self._out.say("The choices became a list.")
            rows = [ListRow(title=each.label, payload=each.payload) for each in answers]
            self._put_list(text, MENU_LABEL, _sections(rows))
        else:
            self._add_numbers(text, buttons)

    def _add_list(self, content: ListContent) -> None:
        rows = [row for section in content.sections for row in section.rows]
        choices = [Button(label=row.title, payload=row.payload or row.title) for row in rows]
        if self._fits_list(len(rows)):
            self._put_list(content.text, content.button, content.sections)
        elif self._fits_buttons(choices):
            self._out.say("The list became buttons.")
            self._put_buttons(content.text, choices)
        elif self._fits_replies(choices, []):
            self._out.say("The list became quick replies.")
            self._put_replies(content.text, choices)
        else:
            words = [f"{row.title}: {row.description}" if row.description else row.title for row in rows]
            self._put_numbers(content.text, words, [])

    def _add_carousel(self, content: CarouselContent) -> None:
        if "carousel" in self._can.contents and self._can.cards_limit:
            groups = _groups(content.cards, self._can.cards_limit)
            self._out.parts += [
                CarouselContent(cards=[self._card(card) for card in group]) for group in groups
            ]
            if len(groups) > 1:
                self._out.say(f"The cards became {len(groups)} carousels.")
            return
        self._out.say("The cards became messages.")
        for card in content.cards:
            self._add_card(card)

    def _card(self, card: Card) -> Card:
        return card.model_copy(update={"buttons": [self._button(button) for button in card.buttons]})

    def _add_card(self, card: Card) -> None:
        words = "\n".join([card.title, *([card.subtitle] if card.subtitle else [])])
        if card.image_url is not None:
            caption = None if card.buttons else words
            self.add(MediaContent(kind="image", url=card.image_url, caption=caption))
            if not card.buttons:
                return
        if card.buttons:
            self.add(ButtonsContent(text=words, buttons=card.buttons))
        else:
            self._add_text(words)

    def _add_numbers(self, text: str, buttons: Sequence[Button]) -> None:
        answers = [button.label for button in buttons if button.url is None]
        self._put_numbers(text, answers, [button for button in buttons if button.url is not None])

    def _put_numbers(self, text: str, choices: Sequence[str], links: Sequence[Button]) -> None:
        numbered = [f"{number}. {choice}" for number, choice in enumerate(choices, start=1)]
        self._add_text("\n".join([text, *numbered, *_links_in_words(links)]))
        self._out.say(NUMBERED if choices else "Links went into the text.")

    def _put_buttons(self, text: str, buttons: Sequence[Button]) -> None:
        made = [self._button(button) for button in buttons]
        self._out.parts.append(ButtonsContent(text=self._headed(text), buttons=made))

    def _put_replies(self, text: str, replies: Sequence[Button]) -> None:
        made = [self._button(reply) for reply in replies]
        self._out.parts.append(QuickRepliesContent(text=self._headed(text), replies=made))

    def _put_list(self, text: str, button: str, sections: Sequence[ListSection]) -> None:
        made = [
            section.model_copy(update={"rows": [self._row(row) for row in section.rows]})
            for section in sections
        ]
        label = self._cut(button, self._can.label_limit)
        self._out.parts.append(ListContent(text=self._headed(text), button=label, sections=made))

    def _headed(self, text: str) -> str:
        """What fits above buttons; the beginning of a longer text goes ahead as messages of its own."""
        *ahead, last = pieces(text, self._can.button_text_limit, self._can.text_bytes)
        for part in ahead:
            self._add_text(part)
        if ahead:
            self._out.say("The text goes ahead of its buttons.")
        return last

    def _button(self, button: Button) -> Button:
        label = self._cut(button.label, self._can.label_limit)
        if button.url is not None:
            return button.model_copy(update={"label": label})
        if button.payload is None and label == button.label and not self._carries(label):
            # A channel finds a way to answer with what its button shows.
            return button
        return Button(label=label, payload=self._payload(button.payload or button.label))

    def _row(self, row: ListRow) -> ListRow:
        title = self._cut(row.title, self._can.row_limit)
        return row.model_copy(update={"title": title, "payload": self._payload(row.payload or row.title)})

    def _cut(self, label: str, limit: int) -> str:
        short = shortened(label, limit)
        if short != label:
            self._out.say("Long labels were cut.")
        return short

    def _payload(self, payload: str) -> str:
        if not self._carries(payload):
            message = f"On this channel the answer of a button takes {self._can.payload_bytes} bytes at most."
            raise InvalidInput(message, fields=[FieldProblem(path="content", message=message)])
        return payload

    def _carries(self, payload: str) -> bool:
        return len(payload.encode()) <= self._can.payload_bytes

    def _fits_buttons(self, buttons: Sequence[Button]) -> bool:
        return "buttons" in self._can.contents and len(buttons) <= self._can.buttons_limit

    def _fits_replies(self, answers: Sequence[Button], links: Sequence[Button]) -> bool:
        can = self._can
        return "quick_replies" in can.contents and not links and len(answers) <= can.quick_replies_limit

    def _fits_list(self, rows: int) -> bool:
        return "list" in self._can.contents and rows <= self._can.list_rows_limit


def _in_words(content: Content) -> str:
    """What a channel says that cannot show the thing itself; raises InvalidInput where words would be no use."""
    match content:
        case LocationContent(name=name, address=address, latitude=latitude, longitude=longitude):
            place = f"https://www.openstreetmap.org/?mlat={latitude:.6f}&mlon={longitude:.6f}"
            return "\n".join(part for part in (name, address, place) if part)
        case ContactCardContent(name=name, phones=phones, emails=emails):
            return "\n".join([name, *phones, *emails])
        case EmailContent(subject=subject, text=text) if subject or text:
            return "\n\n".join(part for part in (subject, text) if part)
        case ReplyContent() | StoryReferenceContent():
            return plain_text(content)
        case _:
            message = f"This channel has no {content.type.replace('_', ' ')} messages."
            raise InvalidInput(message, fields=[FieldProblem(path="content", message=message)])


def _answers_of(content: Content) -> list[Button]:
    match content:
        case ButtonsContent(buttons=buttons) | QuickRepliesContent(replies=buttons):
            return [button for button in buttons if button.url is None]
        case ListContent(sections=sections):
            rows = [row for section in sections for row in section.rows]
            return [Button(label=row.title, payload=row.payload) for row in rows]
        case _:
            return []


def _links_in_words(links: Sequence[Button]) -> list[str]:
    return [f"{link.label}: {link.url}" for link in links]


def _sections(rows: Sequence[ListRow]) -> list[ListSection]:
    starts = range(0, len(rows), LONGEST_SECTION)
    return [ListSection(rows=list(rows[start : start + LONGEST_SECTION])) for start in starts]


def _groups(cards: Sequence[Card], most: int) -> list[list[Card]]:
    return [list(cards[start : start + most]) for start in range(0, len(cards), most)]


def _named(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
