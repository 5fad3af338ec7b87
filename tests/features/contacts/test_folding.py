"""Text without regard to case and accents."""

import pytest
from hypothesis import given, strategies as st

from chatwright.features.contacts.folding import fold, prefix_query, tag_key, words_of


class TestFold:
    @pytest.mark.parametrize(
        ("text", "folded"),
        [
            ("Đặng Thị Hồng", "dang thi hong"),
            ("ĐẶNG THỊ HỒNG", "dang thi hong"),
            ("\u0110\u0061\u0323\u0306ng", "dang"),
            ("Straße", "strasse"),
            ("Łódź Ørsted Æon Œuvre", "lodz orsted aeon oeuvre"),
            ("İstanbul ılık", "istanbul ilik"),  # noqa: RUF001 - an i without a dot on purpose.
            ("ﬁn ＡＢ", "fin ab"),  # noqa: RUF001 - wide on purpose.
            ("한국", "한국"),
            ("กำ", "กํา"),
            ("", ""),
        ],
    )
    def test_scripts(self, text: str, folded: str) -> None:
        assert fold(text) == folded

    @given(st.text())
    def test_folding_twice_changes_nothing_more(self, text: str) -> None:
        assert fold(fold(text)) == fold(text)


class TestTagKey:
    def test_case_goes_and_accents_stay(self) -> None:
        assert tag_key("MỚI") == tag_key("mo\u031b\u0301i") != tag_key("moi")


class TestWordsOf:
    def test_signs_part_words(self) -> None:
        assert words_of("Anna-Lê, o'Neil@x.vn") == ["anna", "le", "o", "neil", "x", "vn"]

    @given(st.text())
    def test_words_are_safe_inside_quotes(self, text: str) -> None:
        assert not {"'", "\\", " ", "\x00"} & set("".join(words_of(text)))


class TestPrefixQuery:
    @pytest.mark.parametrize(
        ("text", "query"),
        [
            ("an lê", "'an':* & 'le':*"),
            ("+84 (90) 123-45", "'849012345':*"),
            ("24 7", "'24':* & '7':*"),
            ("' & !", None),
        ],
    )
    def test_words_or_a_number(self, text: str, query: str | None) -> None:
        assert prefix_query(text) == query
