"""Which of many described things a request means: pure ranking, without a model and without the network.

A text is read as meanings. Words are folded (no accents, đ as d), English ones lose their endings, and words and
phrases of the vocabulary stand for what they mean, so that `xoá nhãn`, `xoa nhan` and `delete labels` are the same
two meanings. In a request, words that nobody knows are taken for the nearest known ones.

A meaning weighs more the fewer things speak of it. A thing is judged by how much of the request it speaks of, and
by how near the request comes to one of the phrases that it is known by.
"""

import math
import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher, get_close_matches
from functools import cache, lru_cache
from itertools import combinations
from pathlib import Path
from typing import Final, Generic, TypeVar

from chatwright.features.contacts.folding import fold

MOST_WORDS: Final = 40
"""What is read of a request; later words say little that the first did not."""
LONGEST_WORD: Final = 24

_WORD = re.compile(r"\w+")
_NEAR: Final = 0.6
"""How much a phrase counts beside the words: found by trying on the requests that are not held out."""
_COMMON: Final = 3
"""Added to how many things speak of a meaning, so that a chance word in one of them is no rarity."""
_NO_ANSWER: Final = 0.8
"""What a thing counts for that does not answer, when a question was asked."""
_LIKE: Final = 0.8
"""How much of a misspelt word and of the one it is taken for is the same, as difflib counts it."""
_MISREAD: Final = 0.7
"""What a word counts for that was taken for its neighbour."""
_SYLLABLE = re.compile(
    r"(?:b|ch?|d|gh?|gi|h|kh?|l|m|n|ngh?|nh|ph?|qu|r|s|th?|tr|v|x)?"
    r"(?:i?eu?|eo|i[au]?|[ou]?a[iouy]?|oeo?|o[io]?|u[eiu]?|uo[iu]?|uy[aeu]?|ye?u?)"
    r"(?:ch?|m|ng?|nh|p|t)?"
)
"""A Vietnamese syllable without its accents: one letter more or less gives another word, not a mistake."""
_SHORTEST_MENDED: Final = 4
_TWO_MISTAKES: Final = 7
"""From how many letters on a word may have one mistake, and two."""

Key = TypeVar("Key")
Stems = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words by which people ask."""

    ignored: frozenset[str]
    """Words that say nothing of what is asked for, as they are written."""
    questions: frozenset[str]
    """Words that make a question of a request."""
    meanings: Mapping[str, Sequence[str]]
    """The phrases for each meaning."""
    tools: Mapping[str, Sequence[str]]
    """The phrases by which people ask for one tool."""


@cache
def shipped_vocabulary() -> Vocabulary:
    """The vocabulary beside this file."""
    read = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text("utf-8"))
    return Vocabulary(
        ignored=frozenset(read["ignored"].split()),
        questions=frozenset(read["questions"].split()),
        meanings=read["meanings"],
        tools=read["tools"],
    )


@dataclass(frozen=True, slots=True)
class Described(Generic[Key]):
    """A thing to be found."""

    key: Key
    name: str
    """What it is called, in words."""
    phrases: Sequence[str] = ()
    """How people ask for it."""
    texts: Sequence[tuple[float, str]] = ()
    """What else is said of it, each text with its weight between 0 and 1."""
    answers: bool = False
    """Whether it answers questions and does nothing else; others do where one of their phrases asks one."""


@dataclass(slots=True)
class _Entry(Generic[Key]):
    key: Key
    weights: dict[str, float]
    phrases: list[frozenset[str]]
    answers: bool


@dataclass(frozen=True, slots=True)
class _Word:
    letters: str
    """As it is written, but for case and the order of its accents."""
    stem: str
    is_name: bool = False
    """Whether it is written like somebody's name, whose letters are no mistake."""
    sure: float = 1.0


class Ranking(Generic[Key]):
    """Things that can be asked for."""

    def __init__(self, things: Iterable[Described[Key]], vocabulary: Vocabulary) -> None:
        things = list(things)
        texts = [text for thing in things for text in _texts_of(thing)]
        self._reader = _Reader(vocabulary, texts)
        self._entries = [self._entry(thing) for thing in things]
        spread: dict[str, int] = defaultdict(int)
        for entry in self._entries:
            for meaning in entry.weights:
                spread[meaning] += 1
        self._rarity = {
            meaning: math.log(1 + len(self._entries) / (count + _COMMON)) for meaning, count in spread.items()
        }

    def find(self, request: str, among: Callable[[Key], bool], limit: int) -> list[Key]:
        """The things that a request most likely means, best first; those that tie stay in their order.

        Things that share no meaning with the request are left out, so there may be none.
        """
        asked = self._reader.of_request(request)
        known = {meaning: sure for meaning, sure in asked.items() if meaning in self._rarity}
        asks = self._reader.asks(request)
        scored = [
            (self._score(entry, known) * (_NO_ANSWER if asks and not entry.answers else 1), entry.key)
            for entry in self._entries
            if among(entry.key)
        ]
        found = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
        return [key for _, key in found[:limit]]

    def _entry(self, thing: Described[Key]) -> _Entry[Key]:
        weights: dict[str, float] = {}
        for weight, text in [(1.0, thing.name), *((0.8, p) for p in thing.phrases), *thing.texts]:
            for meaning in self._reader.of_text(text):
                weights[meaning] = max(weight, weights.get(meaning, 0))
        phrases = [frozenset(self._reader.of_text(text)) for text in (thing.name, *thing.phrases)]
        answers = thing.answers or any(self._reader.asks(phrase) for phrase in thing.phrases)
        return _Entry(thing.key, weights, [phrase for phrase in phrases if phrase], answers)

    def _score(self, entry: _Entry[Key], asked: Mapping[str, float]) -> float:
        whole = sum(self._rarity[meaning] * sure for meaning, sure in asked.items())
        shared = sum(
            self._rarity[meaning] * sure * entry.weights.get(meaning, 0) for meaning, sure in asked.items()
        )
        if not shared:
            return 0
        nearest = max((self._nearness(phrase, asked, whole) for phrase in entry.phrases), default=0)
        return shared / whole + _NEAR * nearest

    def _nearness(self, phrase: frozenset[str], asked: Mapping[str, float], whole: float) -> float:
        """Between 0 and 1: how much of the phrase and of the request is what they share."""
        shared = sum(self._rarity[meaning] * asked[meaning] for meaning in phrase if meaning in asked)
        return shared / math.sqrt(whole * sum(self._rarity[meaning] for meaning in phrase))


def _texts_of(thing: Described[Key]) -> Iterator[str]:
    yield thing.name
    yield from thing.phrases
    for _, text in thing.texts:
        yield text


@dataclass(slots=True)
class _Phrase:
    letters: Stems
    meanings: list[str] = field(default_factory=list[str])


class _Reader:
    """Reads texts as meanings."""

    def __init__(self, vocabulary: Vocabulary, texts: Iterable[str]) -> None:
        self._ignored = {_letters(word) for word in vocabulary.ignored | vocabulary.questions}
        self._ignored_bare = {fold(word) for word in vocabulary.ignored | vocabulary.questions}
        self._questions = {_letters(word) for word in vocabulary.questions}
        self._questions_bare = {fold(word) for word in vocabulary.questions}
        self._phrases: dict[Stems, list[_Phrase]] = defaultdict(list)
        self._longest = 1
        for meaning, phrases in vocabulary.meanings.items():
            for phrase in phrases:
                self._learn(phrase, meaning)
        words = [word for text in texts for word in _words(text)]
        stems = {word.stem for word in words} | {stem for phrase in self._phrases for stem in phrase}
        self._plain = {word.letters for word in words if word.letters.isascii()} | {
            word for word in self._ignored if word.isascii()
        }
        self._known = stems | {_stem(fold(word)) for word in vocabulary.ignored}
        self._joined = {"".join(stems): stems for stems in self._phrases if len(stems) > 1}
        self._neighbours: dict[str, set[str]] = defaultdict(set)
        for stem in sorted(stems):
            for shorter in _with_mistakes(stem):
                self._neighbours[shorter].add(stem)

    def _learn(self, text: str, meaning: str) -> None:
        words = list(_words(text))
        letters = tuple(word.letters for word in words)
        stems = tuple(word.stem for word in words)
        self._longest = max(self._longest, len(stems))
        for phrase in self._phrases[stems]:
            if phrase.letters == letters:
                phrase.meanings.append(meaning)
                return
        self._phrases[stems].append(_Phrase(letters, [meaning]))

    def of_text(self, text: str) -> dict[str, float]:
        """The meanings in a text of ours, each with how sure it is."""
        return self._meanings(list(_words(text)))

    def of_request(self, text: str) -> dict[str, float]:
        """The same for a text from outside, with its mistakes mended."""
        words = [mended for word in _words(text) for mended in self._mended(word)]
        return self._meanings(words[:MOST_WORDS], bare=self._is_bare(words))

    def _is_bare(self, words: Sequence[_Word]) -> bool:
        """Whether words look like Vietnamese without its accents."""
        telling = [word.letters for word in words if word.letters not in self._ignored]
        syllables = sum(
            letters not in self._plain and _SYLLABLE.fullmatch(letters) is not None for letters in telling
        )
        return syllables > 0 and 2 * syllables >= len(telling)

    def _meanings(self, words: Sequence[_Word], *, bare: bool = False) -> dict[str, float]:
        found: dict[str, float] = {}
        place = 0
        while place < len(words):
            meanings, length = self._at(words, place, bare=bare)
            sure = min(word.sure for word in words[place : place + length])
            for meaning in meanings:
                found[meaning] = max(sure, found.get(meaning, 0))
            place += length
        return found

    def _at(self, words: Sequence[_Word], place: int, *, bare: bool) -> tuple[list[str], int]:
        """What the longest phrase that begins at a place means, and how many words it has."""
        for length in range(min(self._longest, len(words) - place), 0, -1):
            part = words[place : place + length]
            meanings = [
                meaning
                for phrase in self._phrases.get(tuple(word.stem for word in part), ())
                if self._fits(phrase, part, bare=bare)
                for meaning in phrase.meanings
            ]
            if meanings:
                return meanings, length
        word = words[place]
        return ([] if word.is_name or self._says_nothing(word.letters) else [word.stem]), 1

    def asks(self, text: str) -> bool:
        """Whether a text is a question, by its words: marks are often left out."""
        return any(
            word.letters in self._questions
            or (word.letters in self._questions_bare and word.letters not in self._plain)
            for word in _words(text)
        )

    def _says_nothing(self, word: str) -> bool:
        return word in self._ignored or (word in self._ignored_bare and word not in self._plain)

    def _fits(self, phrase: _Phrase, words: Sequence[_Word], *, bare: bool) -> bool:
        """Whether written words can be this phrase.

        A single syllable says too little without its accents: `the` is English, `thẻ` a tag. And words that
        say nothing do not begin to because another one shares their stem: `can` is not `canned`.
        """
        (letters, *more), word = phrase.letters, words[0].letters
        if more or word == letters:
            return True
        if letters.isascii():
            return word.isascii() and word not in self._ignored
        return word.isascii() and (bare or word not in self._plain)

    def _mended(self, word: _Word) -> list[_Word]:
        """A word as it is, or the known words it was most likely meant to be."""
        if word.stem in self._known or word.is_name or not _can_be_mended(word.stem):
            return [word]
        if word.stem in self._joined:
            return [_Word(stem, stem) for stem in self._joined[word.stem]]
        candidates = {
            stem for shorter in _with_mistakes(word.stem) for stem in self._neighbours.get(shorter, ())
        }
        likely = [stem for stem in sorted(candidates) if _is_slip(word.stem, stem)]
        nearest = get_close_matches(word.stem, likely, n=1, cutoff=0)
        return [_Word(stem, stem, sure=_MISREAD) for stem in nearest] or [word]


def _words(text: str) -> Iterator[_Word]:
    """The words of a text. Where few of them have capitals, those that do are somebody's name."""
    written = [match[0][:LONGEST_WORD] for match in _WORD.finditer(_composed(text))]
    capitals = sum(word[0].isupper() for word in written[1:])
    names = 2 * capitals < len(written)
    for place, word in enumerate(written):
        yield _word(word, may_be_name=names and place > 0)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text).replace("_", " ")


@lru_cache(maxsize=8192)
def _word(written: str, *, may_be_name: bool) -> _Word:
    return _Word(
        letters=_letters(written),
        stem=_stem(fold(written)),
        is_name=may_be_name and written[0].isupper() and not written.isupper(),
    )


def _letters(word: str) -> str:
    """A word without regard to case and to which of its vowels carries the tone: `xoá` is `xóa`."""
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFD", word.casefold())
    marks = sorted(letter for letter in parts if unicodedata.combining(letter))
    return "".join(letter for letter in parts if not unicodedata.combining(letter)) + "".join(marks)


_ENDINGS: Final = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", ""))


def _stem(word: str) -> str:
    """An English word without its endings; Vietnamese syllables have none of these."""
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word.removesuffix(ending) + instead
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    if len(word) > 4 and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 3 and word.endswith("y") else word


def _can_be_mended(word: str) -> bool:
    return len(word) >= _SHORTEST_MENDED and _SYLLABLE.fullmatch(word) is None


def _is_slip(written: str, meant: str) -> bool:
    """Whether one word can be a misspelt other: the same letters in another order, or nearly the same word.

    An unknown English word is often one letter away from some Vietnamese syllable, and does not mean it.
    """
    if sorted(written) == sorted(meant):
        return True
    return _SYLLABLE.fullmatch(meant) is None and SequenceMatcher(None, written, meant).ratio() >= _LIKE


def _with_mistakes(word: str) -> Iterator[str]:
    """A word and what is left of it without one or two of its letters: two words that are near share one."""
    yield word
    if len(word) < _SHORTEST_MENDED:
        return
    for gone in range(1, 3 if len(word) >= _TWO_MISTAKES else 2):
        for places in combinations(range(len(word)), gone):
            yield "".join(letter for place, letter in enumerate(word) if place not in places)
