"""Phone numbers and e-mail addresses in the one form in which they are kept and compared."""

import re
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

REGIONS: Final = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""ISO 3166 codes of the countries whose national numbers can be read."""
_SPREADSHEET_NUMBER: Final = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+")


def read_phone(text: str, region: str | None = None) -> str:
    """The number in E.164 (`+84901234567`), without an extension.

    `region` says whose national numbers are meant where the country code is missing. Raises ValueError with
    words for whoever wrote the number.
    """
    written = text.strip().lstrip("'")
    if _SPREADSHEET_NUMBER.fullmatch(written):
        message = "A spreadsheet has cut this number short; format the column as text and export it again."
        raise ValueError(message)
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException as error:
        no_country = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        message = (
            "The country code is missing: start with + or give a region."
            if no_country and not written.startswith("+")
            else "This is not a telephone number."
        )
        raise ValueError(message) from error
    if not phonenumbers.is_possible_number(number):
        message = "No telephone number of its country has this length."
        raise ValueError(message)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def read_email(text: str) -> str:
    """The address in lower case; raises ValueError with words for whoever wrote it."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        message = "This is not an e-mail address."
        raise ValueError(message) from error


def phone_from_provider(text: str) -> str | None:
    """A number as channels tell it, often international without the +; None when it is no number."""
    for written in (text, f"+{text.strip()}"):
        try:
            return read_phone(written)
        except ValueError:
            continue
    return None


def email_from_provider(text: str) -> str | None:
    """An address as channels tell it; None when it is none."""
    try:
        return read_email(text)
    except ValueError:
        return None


def national_digits(phone: str) -> str:
    """The digits people dial at home for an E.164 number, e.g. `0901234567`."""
    number = phonenumbers.parse(phone)
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return re.sub(r"\D", "", written)
