"""Ids: UUID version 7, so that ids made later sort later."""

import secrets
import time
from typing import Final
from uuid import UUID

_NANOSECONDS_PER_MILLISECOND: Final = 1_000_000


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 12 of their fraction, 62 random bits.

    The fraction (section 6.2, method 3) keeps what one process makes within a millisecond in the order of making, to a
    quarter of a microsecond: the rows of an import are listed as they were in the file.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), _NANOSECONDS_PER_MILLISECOND)
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76
    value |= (nanoseconds << 12) // _NANOSECONDS_PER_MILLISECOND << 64
    value |= 0b10 << 62
    value |= secrets.randbits(62)
    return UUID(int=value)
