"""What goes wrong with an account on request."""

import random
from enum import Enum, auto
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Rate = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]


class Fate(Enum):
    """What becomes of one send."""

    FINE = auto()
    TOO_MANY = auto()
    """Refused: 429, or the provider's own form of it."""
    BROKEN = auto()
    """Refused: 500."""
    SILENT = auto()
    """Accepted, but the answer never arrives."""


class Faults(BaseModel):
    """The switches of one account, all off at first; they may be changed at any time."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, use_attribute_docstrings=True)

    too_many: Rate = 0
    """Share of sends that are refused for coming too fast."""
    broken: Rate = 0
    """Share of sends that are answered with status 500, before anything is done."""
    silent: Rate = 0
    """Share of sends that are accepted and whose answer is then cut off."""
    retry_after: Seconds = 1
    """What a refusal for coming too fast tells to wait, where the provider tells it."""
    hang: Seconds = 0
    """How long a cut-off answer is held before the connection closes."""
    latency: Seconds = 0
    """How long each call of the provider's API takes."""
    refused: dict[str, str] = {}
    """Recipients whose id ends so -> the provider's error (`131026`, `100/2018001`, `403`), in the answer to a send."""
    failed: dict[str, str] = {}
    """Recipients whose id ends so -> the provider's error, in a later status."""
    errors_at_once: bool = False
    """Whether what a provider usually finds only after accepting (a closed window) is in the answer already."""
    status_delay: Seconds = 0
    """How long after a send its first status comes."""
    status_copies: Annotated[int, Field(ge=1, le=20)] = 1
    """How often each webhook about a status is sent."""
    status_shuffle: bool = False
    """Whether statuses of a message come in any order."""
    no_statuses: bool = False
    """Whether statuses are left out altogether."""
    auto_read: bool = False
    """Whether everybody reads what they get at once."""
    copies: Annotated[int, Field(ge=1, le=20)] = 1
    """How often each other webhook is sent."""
    jitter: Seconds = 0
    """Each webhook, and each copy of one, waits up to so long, at random: they come in any order."""
    batch: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many events are gathered into one webhook, where the provider batches."""
    milliseconds: bool = False
    """Whether timestamps that are seconds come as milliseconds."""
    nameless: bool = False
    """Whether ids that a provider may leave out are left out (WhatsApp: `from` and `wa_id`)."""
    wrong_signature: bool = False
    """Whether webhooks are signed with another secret."""
    echo_first: bool = False
    """Whether the echo of a send comes before its answer."""
    media_seconds: Seconds | None = None
    """How long a media URL lives, unlike the provider's own."""
    usage: Annotated[int, Field(ge=0, le=1000)] = 5
    """What the usage headers tell, in percent of the allowance."""
    throttled_minutes: Annotated[int, Field(ge=0)] = 0
    """What the usage headers tell as the estimated time to regain access."""
    restricted: str | None = None
    """An error that every send meets (`131042`, `368`, `10/1893063`)."""
    seed: int | None = None
    """Makes the dice fall the same way again."""


class Dice:
    """Decides by the switches' rates."""

    def __init__(self) -> None:
        self._seed: int | None = None
        self._random = random.Random()  # noqa: S311 - faults are not secrets.

    def throw(self, faults: Faults) -> Fate:
        """The fate of the next send."""
        if faults.seed != self._seed:
            self._seed = faults.seed
            self._random = random.Random(faults.seed)  # noqa: S311 - the same.
        point = self._random.random()
        for rate, fate in (
            (faults.too_many, Fate.TOO_MANY),
            (faults.broken, Fate.BROKEN),
            (faults.silent, Fate.SILENT),
        ):
            if point < rate:
                return fate
            point -= rate
        return Fate.FINE


def by_ending(errors: dict[str, str], recipient: str) -> str | None:
    """The error for a recipient, by the longest ending that fits."""
    endings = [ending for ending in errors if recipient.endswith(ending)]
    return errors[max(endings, key=len)] if endings else None
