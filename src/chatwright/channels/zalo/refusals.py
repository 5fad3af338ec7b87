"""What each of Zalo's error codes asks of us, as one table (Official Account and ZBS documentation, Error codes)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from chatwright.channels.zalo.api import Refused
from chatwright.ports.sending import Reaction, SendOutcome

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
MORNING = 6
"""The hour from which promotions may be sent again."""
MIDNIGHT = 0
"""The hour at which daily quotas begin anew."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means for a send."""

    reaction: Reaction
    seconds: float | None = None
    """How long to wait, where that is always the same."""
    until_hour: int | None = None
    """Until which hour of the day in Vietnam to wait."""
    scope: Literal["inbox", "pair"] = "inbox"


_TOKEN = Meaning(Reaction.REFRESH_TOKEN)
_GONE = Meaning(Reaction.UNREACHABLE)
_REFUSED_BY_PERSON = Meaning(Reaction.OPTED_OUT)
_CLOSED = Meaning(Reaction.WINDOW_CLOSED)
_AT_NIGHT = Meaning(Reaction.RETRY_AFTER, until_hour=MORNING, scope="pair")
"""Only such messages have to wait, so nobody but the person does."""
_ACCOUNT_QUOTA = Meaning(Reaction.PAUSE_CHANNEL, until_hour=MIDNIGHT)
_PAIR_QUOTA = Meaning(Reaction.RETRY_AFTER, until_hour=MIDNIGHT, scope="pair")
_WRONG = Meaning(Reaction.BAD_PAYLOAD)
_PERSON_NEEDED = Meaning(Reaction.RECONNECT)
_BILL = Meaning(Reaction.PAUSE_CHANNEL)

MEANINGS: dict[int, Meaning] = {
    **dict.fromkeys((-216, -220, -124), _TOKEN),
    # The text says the app's or the account's limit: either is counted by the minute.
    -32: Meaning(Reaction.RETRY_AFTER, seconds=60),
    # Also said of an upload whose week is over; ours are made for each message.
    -100: Meaning(Reaction.RETRY),
    **dict.fromkeys((-211, -144, -115), _ACCOUNT_QUOTA),
    # Of one person, or of one template.
    **dict.fromkeys((-218, -147, -1441, -1471, -1472), _PAIR_QUOTA),
    **dict.fromkeys((-217, -139, -140, -141), _REFUSED_BY_PERSON),
    **dict.fromkeys((-213, -227, -244, -114, -118, -119), _GONE),
    **dict.fromkeys((-230, -232), _CLOSED),
    **dict.fromkeys((-234, -133), _AT_NIGHT),
    **dict.fromkeys((-201, -108, -109, -111, -112, -113, -131, -233, -249), _WRONG),
    # Of calls that were shut down, and of words that break the rules.
    **dict.fromkeys((-240, -248), _WRONG),
    **dict.fromkeys((-204, -205, -209, -212, -219, -221, -223), _PERSON_NEEDED),
    **dict.fromkeys((-135, -1351, -138), _PERSON_NEEDED),
    **dict.fromkeys((-224, -136, -137, -320, -321), _BILL),
}
_FAMILIES = (-112, -113)
"""-1121 and the like say more closely what is wrong with a template's data."""
_UNKNOWN = Meaning(Reaction.RETRY)
"""A code that nobody knows may pass; delivery gives up by itself."""


def outcome_of(refused: Refused, now: datetime) -> SendOutcome:
    """What became of a send that was refused at this moment."""
    meaning = meaning_of(refused.code)
    wait = meaning.seconds
    if meaning.until_hour is not None:
        wait = seconds_until(meaning.until_hour, now)
    return SendOutcome(
        reaction=meaning.reaction,
        code=str(refused.code),
        detail=refused.message,
        retry_after=wait,
        scope=meaning.scope,
        load=refused.load,
    )


def meaning_of(code: int) -> Meaning:
    """What a code means."""
    if code in MEANINGS:
        return MEANINGS[code]
    family = next((known for known in _FAMILIES if str(code).startswith(str(known))), None)
    return MEANINGS[family] if family is not None else _UNKNOWN


def seconds_until(hour: int, now: datetime) -> float:
    """Until the clocks of Vietnam next show this hour."""
    there = now.astimezone(VIETNAM)
    then = there.replace(hour=hour, minute=0, second=0, microsecond=0)
    if then <= there:
        then += timedelta(days=1)
    return (then - there).total_seconds()
