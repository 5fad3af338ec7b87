"""CSV as spreadsheets write it, and as they may safely open it."""

import pytest
from hypothesis import given, strategies as st

from chatwright.features.contacts.sheets import MAX_ROWS, decoded, read_sheet, written
from chatwright.kernel.errors import InvalidInput

CELLS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])).map(str.strip)


class TestReadSheet:
    @pytest.mark.parametrize(
        ("text", "rows"),
        [
            ("a,b\n1,2\n", [["1", "2"]]),
            ('a;b\r\n"1;2";3\r\n', [["1;2", "3"]]),
            ("a\tb\r1\t2", [["1", "2"]]),
            ("a|b\n1|2", [["1", "2"]]),
            ('a,b\n"x\ny","say ""hi"""', [["x\ny", 'say "hi"']]),
            ("a,b\n\n1\n1,2,3", [[], ["1"], ["1", "2", "3"]]),
            ("a,b\n 1 ,'+84\x00", [["1", "+84"]]),
            ('"a, and b";c\n1;2', [["1", "2"]]),
        ],
    )
    def test_ways_of_writing(self, text: str, rows: list[list[str]]) -> None:
        assert read_sheet(text).rows == rows

    def test_a_byte_order_mark_is_no_part_of_the_header(self) -> None:
        assert read_sheet("\ufeffname, email ").header == ["name", "email"]

    @pytest.mark.parametrize("text", ["", "\n", " , ,\nx", "name\n" + '"' + "x" * 200_000])
    def test_what_is_no_table_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidInput):
            read_sheet(text)

    def test_too_many_rows_are_refused(self) -> None:
        with pytest.raises(InvalidInput, match="split"):
            read_sheet("name" + "\nx" * (MAX_ROWS + 1))

    @given(st.text())
    def test_anything_is_read_or_refused(self, text: str) -> None:
        try:
            sheet = read_sheet(text)
        except InvalidInput:
            return
        assert any(sheet.header)


class TestWritten:
    @given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=4))
    def test_it_is_read_back_as_it_was(self, rows: list[list[str]]) -> None:
        sheet = read_sheet(written([["a", "b", "c"], *rows]).decode())
        assert sheet.rows == rows

    @given(CELLS)
    def test_no_cell_begins_like_a_formula(self, cell: str) -> None:
        shown = written([[cell]]).decode().strip('"\r\n')
        assert not shown.startswith(("=", "+", "-", "@")) or float(shown) < 0

    def test_negative_numbers_stay_numbers(self) -> None:
        assert written([["-1.5"]]) == b"-1.5\r\n"


class TestDecoded:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_unicode_files(self, encoding: str) -> None:
        assert decoded("Hồng".encode(encoding)) == "Hồng"

    def test_others_are_refused(self) -> None:
        with pytest.raises(InvalidInput, match="UTF-8"):
            decoded("Hông".encode("latin-1"))
