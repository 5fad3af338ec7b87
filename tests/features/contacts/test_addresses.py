"""Phone numbers and e-mail addresses in their normal form."""

import pytest
from hypothesis import given, strategies as st

from chatwright.features.contacts.addresses import (
    email_from_provider,
    national_digits,
    phone_from_provider,
    read_email,
    read_phone,
)


class TestReadPhone:
    @pytest.mark.parametrize(
        ("text", "region", "phone"),
        [
            ("+84 901 234 567", None, "+84901234567"),
            (" '+84-901.234.567 ", None, "+84901234567"),
            ("0901234567", "VN", "+84901234567"),
            ("84901234567", "VN", "+84901234567"),
            ("0084901234567", "VN", "+84901234567"),
            ("＋８４９０１２３４５６７", None, "+84901234567"),  # noqa: RUF001 - wide on purpose.
            ("tel:+84901234567", None, "+84901234567"),
            ("+1 650-253-0000 ext. 12", None, "+16502530000"),
            ("+39 06 1234 5678", "VN", "+390612345678"),
        ],
    )
    def test_ways_of_writing(self, text: str, region: str | None, phone: str) -> None:
        assert read_phone(text, region) == phone

    @pytest.mark.parametrize(
        ("text", "region", "words"),
        [
            ("0901234567", None, "country code"),
            ("8.49012E+11", "VN", "spreadsheet"),
            ("8,49012e11", None, "spreadsheet"),
            ("call me", "VN", "not a telephone"),
            ("", "VN", "not a telephone"),
            ("+999123456789", None, "not a telephone"),
            ("+84 12", None, "length"),
            ("1" * 60, "VN", "not a telephone|length"),
        ],
    )
    def test_what_is_no_number_says_why(self, text: str, region: str | None, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            read_phone(text, region)

    @given(st.text(max_size=30))
    def test_anything_is_read_or_refused(self, text: str) -> None:
        try:
            phone = read_phone(text, "VN")
        except ValueError:
            return
        assert read_phone(phone) == phone


class TestPhoneFromProvider:
    def test_the_plus_may_be_missing(self) -> None:
        assert phone_from_provider("84901234567") == "+84901234567"

    def test_nonsense_is_nobodys_number(self) -> None:
        assert phone_from_provider("unknown") is None


class TestNationalDigits:
    def test_as_dialled_at_home(self) -> None:
        assert national_digits("+84901234567") == "0901234567"


class TestReadEmail:
    def test_lower_case(self) -> None:
        assert read_email(" Anna@Example.COM ") == "anna@example.com"

    @pytest.mark.parametrize("text", ["", "anna", "anna@", "a b@example.com", "anna@example"])
    def test_nonsense_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="e-mail"):
            read_email(text)


class TestEmailFromProvider:
    def test_nonsense_is_nobodys_address(self) -> None:
        assert email_from_provider("anna") is None
