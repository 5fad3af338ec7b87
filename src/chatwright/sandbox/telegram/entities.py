"""Formatted text: what `parse_mode` makes of it and what it refuses (Bot API, "Formatting options").

Offsets and lengths of entities count UTF-16 units; those in refusals count bytes.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from chatwright.sandbox.telegram.refusals import bad_request

Entity = dict[str, Any]

_FOUND = re.compile(
    r"(?P<bot_command>(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w+)?)"
    r"|(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<url>https?://[^\s<>\"]+)"
)
"""What is recognised in plain text."""

_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "tg-emoji": "custom_emoji",
}
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][\w-]*)(?P<rest>[^<>]*)>")
_REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")
_HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True)
class Formatted:
    """Text as it is shown, and the formatted ranges of it."""

    text: str
    entities: list[Entity] = field(default_factory=list[Entity])


def units(text: str) -> int:
    """Length in UTF-16 units, which all limits and offsets count in."""
    return len(text.encode("utf-16-le")) // 2


def format_text(text: str, parse_mode: str) -> Formatted:
    """Take `parse_mode` at its word; raises Refused where it does."""
    match parse_mode.lower():
        case "":
            return Formatted(text, recognised(text))
        case "html":
            return _Html(text).parsed()
        case "markdownv2":
            return _Markdown(text, _MARKDOWN_V2).parsed()
        case "markdown":
            return _Markdown(text, _MARKDOWN).parsed()
        case _:
            raise bad_request("unsupported parse_mode")


def recognised(text: str) -> list[Entity]:
    """Commands, addresses and links that plain text holds."""
    return [
        {
            "type": found.lastgroup,
            "offset": units(text[: found.start()]),
            "length": units(found.group()),
        }
        for found in _FOUND.finditer(text)
    ]


@dataclass
class _Open:
    """A range that has begun."""

    mark: str
    kind: str
    offset: int
    begins_at: int
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


class _Parser:
    """What both notations share: text so far, ranges so far, ranges still open."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._parts: list[str] = []
        self._length = 0
        self.entities: list[Entity] = []
        self.open: list[_Open] = []

    def say(self, text: str) -> None:
        self._parts.append(text)
        self._length += units(text)

    def begin(self, mark: str, kind: str, at: int, extra: Mapping[str, Any] | None = None) -> None:
        self.open.append(_Open(mark, kind, self._length, at, extra or {}))

    def end(self, extra: Mapping[str, Any] | None = None) -> None:
        opened = self.open.pop()
        if length := self._length - opened.offset:
            entity = {"type": opened.kind, "offset": opened.offset, "length": length}
            self.entities.append(entity | dict(opened.extra) | dict(extra or {}))

    def result(self) -> Formatted:
        self.entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
        return Formatted("".join(self._parts), self.entities)

    def refuse(self, reason: str, at: int) -> NoReturn:
        offset = len(self.source[:at].encode())
        raise bad_request(f"can't parse entities: {reason.replace('%', str(offset))}")


class _Html(_Parser):
    def parsed(self) -> Formatted:
        at = 0
        while at < len(self.source):
            at = self._step(at)
        if self.open:
            self.refuse(f'Can\'t find end tag corresponding to start tag "{self.open[-1].mark}"', at)
        return self.result()

    def _step(self, at: int) -> int:
        character = self.source[at]
        if character == "<":
            return self._tag(at)
        if character == "&" and (reference := _REFERENCE.match(self.source, at)):
            self.say(html.unescape(reference.group()))
            return reference.end()
        self.say(character)
        return at + 1

    def _tag(self, at: int) -> int:
        found = _TAG.match(self.source, at)
        if found is None:
            self.refuse('Unsupported start tag "" at byte offset %', at)
        name = found["name"].lower()
        if found["end"]:
            self._close(name, at)
        elif name not in _TAGS:
            self.refuse(f'Unsupported start tag "{name}" at byte offset %', at)
        else:
            self.begin(name, _TAGS[name], at, _link(found["rest"]) if name == "a" else None)
        return found.end()

    def _close(self, name: str, at: int) -> None:
        if not self.open:
            self.refuse("Unexpected end tag at byte offset %", at)
        expected = self.open[-1].mark
        if expected != name:
            self.refuse(
                f'Unmatched end tag at byte offset %, expected "</{expected}>", found "</{name}>"', at
            )
        self.end()


def _link(attributes: str) -> dict[str, Any]:
    found = _HREF.search(attributes)
    return {"url": html.unescape(found[1] or found[2] or "")} if found else {}


@dataclass(frozen=True)
class _Notation:
    """A dialect of Markdown."""

    marks: Mapping[str, str]
    """Mark to the kind of range it begins and ends; longer marks first."""
    reserved: frozenset[str]
    """Characters that mean something and must not stand for themselves."""
    escapable: frozenset[str]


_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
_MARKDOWN_V2 = _Notation(
    marks={
        "```": "pre",
        "||": "spoiler",
        "__": "underline",
        "*": "bold",
        "_": "italic",
        "~": "strikethrough",
        "`": "code",
    },
    reserved=_RESERVED,
    escapable=frozenset(map(chr, range(1, 127))),
)
_MARKDOWN = _Notation(
    marks={"```": "pre", "*": "bold", "_": "italic", "`": "code"},
    reserved=frozenset(),
    escapable=frozenset("_*`["),
)
_RAW = frozenset({"```", "`"})
"""Marks between which nothing else is read."""


class _Markdown(_Parser):
    def __init__(self, source: str, notation: _Notation) -> None:
        super().__init__(source)
        self._notation = notation

    def parsed(self) -> Formatted:
        at = 0
        while at < len(self.source):
            at = self._step(at)
        if self.open:
            self._refuse_open(self.open[-1].kind, self.open[-1].begins_at)
        return self.result()

    def _step(self, at: int) -> int:
        source, character = self.source, self.source[at]
        if character == "\\" and source[at + 1 : at + 2] in self._notation.escapable:
            self.say(source[at + 1])
            return at + 2
        if mark := next((mark for mark in self._notation.marks if source.startswith(mark, at)), None):
            return self._raw(mark, at) if mark in _RAW else self._toggle(mark, at)
        if character == "[":
            self.begin("[", "text_link", at)
            return at + 1
        if character == "]" and any(opened.mark == "[" for opened in self.open):
            return self._end_link(at)
        if character == ">" and (at == 0 or source[at - 1] == "\n"):
            return at + 1
        if character in self._notation.reserved:
            self.refuse(
                f"Character '{character}' is reserved and must be escaped with the preceding '\\'", at
            )
        self.say(character)
        return at + 1

    def _toggle(self, mark: str, at: int) -> int:
        if self.open and self.open[-1].mark == mark:
            self.end()
        else:
            self.begin(mark, self._notation.marks[mark], at)
        return at + len(mark)

    def _raw(self, mark: str, at: int) -> int:
        begin = at + len(mark)
        end = self.source.find(mark, begin)
        if end < 0:
            self._refuse_open(self._notation.marks[mark], at)
        self.begin(mark, self._notation.marks[mark], at)
        self.say(re.sub(r"\\([`\\])", r"\1", self.source[begin:end]))
        self.end()
        return end + len(mark)

    def _end_link(self, at: int) -> int:
        if self.open[-1].mark != "[":
            self._refuse_open(self.open[-1].kind, self.open[-1].begins_at)
        end = self.source.find(")", at)
        if self.source[at + 1 : at + 2] != "(" or end < 0:
            self._refuse_open("text_link", self.open[-1].begins_at)
        self.end({"url": self.source[at + 2 : end]})
        return end + 1

    def _refuse_open(self, kind: str, at: int) -> NoReturn:
        if not self._notation.reserved:
            self.refuse("Can't find end of the entity starting at byte offset %", at)
        name = "".join(word.capitalize() for word in kind.split("_"))
        self.refuse(f"Can't find end of {name} entity at byte offset %", at)
