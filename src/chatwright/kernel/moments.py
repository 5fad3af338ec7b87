"""Moments that callers give us."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime

_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_TOO_LATE: Final = datetime(3000, 1, 1, tzinfo=UTC)


def _within_reason(moment: datetime) -> datetime:
    if not _EARLIEST <= moment < _TOO_LATE:
        message = "A date and time lies in the years 1900 to 2999."
        raise ValueError(message)
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_within_reason)]
"""A date and time with an offset. At the ends of what Python counts, one cannot be told in UTC any more."""
