"""Text cut to a length: complete, short enough, and never inside what people see as one character."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from chatwright.features.messaging.deliveries.cutting import pieces, shortened

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
FLAG = "\U0001f1fb\U0001f1f3"
WAVE = "\U0001f44b\U0001f3fd"
ACCENT = "e\u0301"
HEART = "\u2764\ufe0f"


class TestPieces:
    def test_a_short_text_stays_whole(self) -> None:
        assert pieces("hello", 10) == ["hello"]

    def test_it_is_cut_between_paragraphs_rather_than_sentences_and_words(self) -> None:
        assert pieces("One two. Three.\n\nFour five six.", 20) == ["One two. Three.", "Four five six."]
        assert pieces("One two. Three four.", 14) == ["One two.", "Three four."]
        assert pieces("alpha beta gamma", 11) == ["alpha beta", "gamma"]

    def test_a_word_without_end_is_cut_all_the_same(self) -> None:
        assert pieces("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]

    @pytest.mark.parametrize("one", [FAMILY, FLAG, WAVE, ACCENT, HEART], ids=ascii)
    def test_what_people_see_as_one_character_stays_whole(self, one: str) -> None:
        found = pieces(one * 20, len(one) * 3 + 1)
        assert "".join(found) == one * 20
        assert all(len(piece) % len(one) == 0 for piece in found)

    def test_bytes_count_where_a_channel_counts_them(self) -> None:
        found = pieces("ü" * 1000, 1000, 999)
        assert "".join(found) == "ü" * 1000
        assert [len(piece.encode()) for piece in found] == [998, 998, 4]

    @given(st.text(min_size=1), st.integers(20, 60), st.none() | st.integers(80, 120))
    def test_nothing_is_lost_or_too_long(self, text: str, characters: int, most_bytes: int | None) -> None:
        found = pieces(text, characters, most_bytes)
        assert "".join("".join(found).split()) == "".join(text.split())
        assert all(len(piece) <= characters for piece in found)
        assert all(most_bytes is None or len(piece.encode()) <= most_bytes for piece in found)

    @given(st.lists(st.sampled_from([FAMILY, FLAG, WAVE, ACCENT, "x", " "]), min_size=1), st.integers(8, 20))
    def test_no_piece_begins_with_the_rest_of_a_character(self, parts: list[str], characters: int) -> None:
        for piece in pieces("".join(parts), characters):
            assert not unicodedata.category(piece[0]).startswith("M")
            assert piece[0] not in {"\u200d", "\U0001f3fd"}


class TestShortened:
    def test_a_long_label_gets_an_ellipsis(self) -> None:
        assert shortened("Please call me back tomorrow", 20) == "Please call me back…"

    def test_a_label_that_fits_stays(self) -> None:
        assert shortened("Exactly twenty chars", 20) == "Exactly twenty chars"

    def test_an_emoji_at_the_end_is_left_out_whole(self) -> None:
        assert shortened(f"Hello {FAMILY} and more", 9) == "Hello…"
