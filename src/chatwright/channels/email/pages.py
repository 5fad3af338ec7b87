"""HTML of mails: made safe to show, and turned into text."""

import html
import re
from collections import Counter
from html.parser import HTMLParser

import nh3

LONGEST_HTML = 500_000
"""Characters; a mail with more shows its text, and the raw mail keeps the whole."""
DEEPEST = 1000
"""Elements within each other; a deeper page is shown as text. The time to make a page safe grows with the square."""
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "caption",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
    }
    | {
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
    }
    | {"ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
)
_NEVER_NESTED = frozenset(
    {
        "area",
        "base",
        "br",
        "col",
        "dd",
        "dt",
        "embed",
        "hr",
        "img",
        "input",
        "li",
        "link",
        "meta",
        "option",
        "p",
    }
    | {"param", "source", "td", "th", "tr", "track", "wbr"}
)
"""Elements that have no end, or that the next of their kind ends."""
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_TAG = re.compile(r"<[^<>]*>")
_TAG_NAME = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "table", "ul", "ol"})


def safe_html(page: str) -> str:
    """The page without scripts, styles, forms, and pictures from elsewhere, which would tell that it was read."""
    if _is_too_deep(page):
        return page_of(html.unescape(_TAG.sub(" ", page)))
    return nh3.clean(page, url_schemes=_SCHEMES, attribute_filter=_safe_attribute)


def page_of(text: str) -> str:
    """Plain text as a page."""
    return f"<p>{html.escape(text, quote=False).replace(chr(10), '<br>')}</p>"


def text_of(safe: str) -> str:
    """A safe page in words; what it quotes is marked with `>` as in plain mails."""
    reader = _Reader()
    # The parser is slow on broken pages; nh3 writes none.
    reader.feed(safe[:LONGEST_HTML])
    reader.close()
    return reader.text()


def _is_too_deep(page: str) -> bool:
    """Whether elements may be too deep within each other, counting those that are never closed as well."""
    depth, opened = 0, Counter[str]()
    for closing, name in _TAG_NAME.findall(page):
        kind = name.lower()
        if kind in _NEVER_NESTED:
            continue
        if not closing:
            opened[kind] += 1
            depth += 1
        elif opened[kind]:
            opened[kind] -= 1
            depth -= 1
        if depth > DEEPEST:
            return True
    return False


def _safe_attribute(element: str, attribute: str, value: str) -> str | None:
    if (element, attribute) == ("img", "src") and not value.lower().startswith("cid:"):
        return None
    # Where the page is shown, a link without a scheme would lead to a place of ours.
    if attribute == "href" and not _SCHEME.match(value.strip()):
        return None
    return value


class _Reader(HTMLParser):
    """Collects lines, each with how deeply it is quoted."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[tuple[int, str]] = []
        self._line: list[str] = []
        self._quoted = 0
        self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br" and not self._line:
            self._lines.append((self._quoted, ""))
        elif tag in _BLOCKS:
            self._end_line(apart=tag in _PARAGRAPHS)
        if tag == "blockquote":
            self._quoted += 1
        elif tag == "pre":
            self._verbatim += 1
        elif tag == "li":
            self._line.append("- ")
        elif tag == "img":
            self._line.append(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._end_line(apart=tag in _PARAGRAPHS)
        if tag == "blockquote":
            self._quoted = max(0, self._quoted - 1)
        elif tag == "pre":
            self._verbatim = max(0, self._verbatim - 1)

    def handle_data(self, data: str) -> None:
        if not self._verbatim:
            self._line.append(data)
            return
        first, *others = data.split("\n")
        self._line.append(first)
        for line in others:
            self._end_line(apart=False)
            self._line.append(line)

    def text(self) -> str:
        """What was read, with at most one empty line between others."""
        self._end_line(apart=False)
        kept: list[str] = []
        for quoted, line in self._lines:
            shown = f"{'>' * min(quoted, 5)} {line}".rstrip() if quoted else line
            if shown.strip("> ") or (kept and kept[-1].strip("> ")):
                kept.append(shown)
        while kept and not kept[-1].strip("> "):
            kept.pop()
        return "\n".join(kept).strip("\n")

    def _end_line(self, *, apart: bool) -> None:
        joined = "".join(self._line)
        line = joined.rstrip() if self._verbatim else " ".join(joined.split())
        self._line.clear()
        if line:
            self._lines.append((self._quoted, line))
        if apart and self._lines and self._lines[-1][1]:
            self._lines.append((self._quoted, ""))
