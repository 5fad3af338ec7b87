"""Meta's error codes and what each asks of us: one table for WhatsApp, Messenger and Instagram.

A rule that names a subcode goes before one that names the code alone. Sources: WA is Meta's page "Cloud API error
codes" (with the texts that the pywa library keeps of it), GRAPH the Graph API's "Handling errors" and "Rate limits", MS
the Messenger Platform's "Error codes" and its changelog, TM the errors of the message templates API.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Final, Literal

from chatwright.ports.sending import Reaction

Code = int | tuple[int, int]
"""A code, or a code with its subcode."""
MINUTE: Final = 60.0
HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Rule:
    """What some codes ask of us."""

    reaction: Reaction
    source: str
    codes: Iterable[Code]
    words: str
    """What it means, for people."""
    retry_after: float | None = None
    """Seconds."""
    scope: Literal["inbox", "pair"] = "inbox"


_TOKEN_LOST = (458, 459, 460, 463, 464, 467, 492)
"""App removed, checkpoint, password changed, expired, unconfirmed, invalid, role lost."""

RULES: Final = (
    # Their trouble, or the way there.
    Rule(
        Reaction.RETRY,
        "GRAPH 1, 2; WA 131000, 131016, 133004, 135000",
        (1, 2, 131000, 131016, 133004, 135000),
        "Meta has trouble of its own.",
    ),
    Rule(
        Reaction.RETRY,
        "WA 131053: also when Meta could not fetch the file from our address",
        (131053,),
        "Meta could not take the file.",
    ),
    Rule(
        Reaction.RETRY,
        "WA 131057: for about a minute while a number's throughput is raised",
        (131057,),
        "WhatsApp is changing something about the number.",
        retry_after=MINUTE,
    ),
    Rule(
        Reaction.RETRY,
        "MS 100/2018008: Meta could not fetch the file from our address",
        ((100, 2018008),),
        "Meta could not take the file.",
    ),
    # Too fast.
    Rule(
        Reaction.RETRY_AFTER,
        "GRAPH 4, 17, 32, 341 and 80000 to 80014 (business use cases); WA 80007",
        (4, 17, 32, 341, *range(80000, 80015)),
        "The allowance of calls is used up for now.",
        retry_after=5 * MINUTE,
    ),
    Rule(
        Reaction.RETRY_AFTER,
        "MS 613: what a page sends in a second; a longer wait is told by the usage headers",
        (613,),
        "The page sends faster than Meta lets it.",
        retry_after=2.0,
    ),
    Rule(
        Reaction.RETRY_AFTER,
        "WA 130429: throughput of the number, counted over a second",
        (130429,),
        "The number sends faster than WhatsApp lets it.",
        retry_after=2.0,
    ),
    Rule(
        Reaction.RETRY_AFTER,
        "WA 131056: about one message to a person in 6 seconds, after a burst",
        (131056,),
        "Too many messages to this person in a short time.",
        retry_after=6.0,
        scope="pair",
    ),
    Rule(
        Reaction.RETRY_AFTER,
        "WA 131048: too many messages were blocked or reported",
        (131048,),
        "WhatsApp slows the number down because people blocked or reported its messages.",
        retry_after=HOUR,
    ),
    Rule(
        Reaction.RETRY_AFTER,
        "WA 133016: ten attempts to register in 72 hours",
        (133016,),
        "The number was registered too often.",
        retry_after=HOUR,
    ),
    # Credentials and permissions.
    Rule(
        Reaction.REFRESH_TOKEN,
        "GRAPH 190 and 102 without a subcode, 0: also seen for a moment with a token that is good",
        (0, 102, 190),
        "Meta does not accept the access token.",
    ),
    Rule(
        Reaction.RECONNECT,
        "GRAPH 190 and 102 with subcodes",
        tuple((code, subcode) for code in (102, 190) for subcode in _TOKEN_LOST),
        "The access token is good no longer.",
    ),
    Rule(
        Reaction.RECONNECT,
        "GRAPH 3, 10, 200 to 299 but for 230; WA 131005; MS 10/2018065",
        (3, 10, *(code for code in range(200, 300) if code != 230), 131005, (10, 2018065)),
        "The access token lacks a permission.",
    ),
    Rule(
        Reaction.RECONNECT,
        "GRAPH 100/33 and WA 33: our own number, page or account, never the recipient",
        ((100, 33), 33),
        "Meta knows no such account of ours, or lets this token see it no longer.",
    ),
    # The account is stopped.
    Rule(
        Reaction.PAUSE_CHANNEL,
        "GRAPH 368; WA 131031",
        (368, 131031),
        "Meta has stopped the account for breaking a policy.",
    ),
    Rule(
        Reaction.PAUSE_CHANNEL,
        "WA 131042, 131044",
        (131042, 131044),
        "WhatsApp cannot charge the account: see to its payment method.",
    ),
    Rule(
        Reaction.PAUSE_CHANNEL,
        "WA 131037, 131045, 133010",
        (131037, 131045, 133010),
        "The number is not ready: see to its registration and its display name.",
    ),
    Rule(
        Reaction.PAUSE_CHANNEL,
        "WA 131064",
        (131064,),
        "The account's limit is used up because templates were in a wrong category.",
    ),
    Rule(
        Reaction.PAUSE_CHANNEL,
        "MS 10/1893063, since 2026-06-25: probed after 30 minutes first",
        ((10, 1893063),),
        "Facebook keeps the page from sending for a while.",
        retry_after=HOUR / 2,
    ),
    Rule(
        Reaction.PAUSE_CHANNEL,
        "GRAPH 2022, 10904 (Page Messages)",
        (2022, 10904),
        "Messages are turned off for the page.",
    ),
    Rule(
        Reaction.PAUSE_CHANNEL,
        "MS 2/2018344",
        ((2, 2018344),),
        "The page has to accept Meta's terms for contacts first.",
    ),
    # The person.
    Rule(
        Reaction.WINDOW_CLOSED,
        "WA 131047; MS 10/2018278; Instagram 10/2534022 and 2018028",
        (131047, (10, 2018278), (10, 2534022), (10, 2018028), (100, 2018028), 2018028),
        "The person wrote too long ago.",
    ),
    Rule(
        Reaction.OPTED_OUT,
        "WA 131050: of marketing messages",
        (131050,),
        "The person does not want marketing messages.",
    ),
    Rule(
        Reaction.UNREACHABLE,
        "WA 131026 (no WhatsApp, an old app, terms not accepted, perhaps a block), 131021, 131030",
        (131026, 131021, 131030),
        "WhatsApp cannot deliver to this person.",
    ),
    Rule(
        Reaction.UNREACHABLE,
        "WA 130497: it is the country that is closed, and the others are not",
        (130497,),
        "The account may not write to people in this country.",
    ),
    Rule(
        Reaction.UNREACHABLE,
        "MS 551, 551/1545041, 200/1545041, 10/2018108, 100/2018001; GRAPH 230 (Page Messages)",
        (230, 551, (551, 1545041), (200, 1545041), (10, 2018108), (100, 2018001)),
        "The person cannot be reached: gone, or has turned messages off.",
    ),
    # This message alone. Neither the person nor the number is at fault, so that nothing else stops.
    Rule(
        Reaction.BAD_PAYLOAD,
        "WA 131049: not before 24 hours have passed, and no opt-out",
        (131049,),
        "WhatsApp shows this person no more marketing for now: not before tomorrow.",
    ),
    Rule(
        Reaction.BAD_PAYLOAD,
        "WA 130472",
        (130472,),
        "WhatsApp holds marketing back from this person for an experiment.",
    ),
    Rule(
        Reaction.BAD_PAYLOAD,
        "WA 132015, 132016",
        (132015, 132016),
        "WhatsApp has paused or disabled the template for its quality.",
    ),
    Rule(
        Reaction.BAD_PAYLOAD,
        "WA 132000, 132001, 132005, 132007, 132008, 132012, 132018",
        (132000, 132001, 132005, 132007, 132008, 132012, 132018),
        "The template does not exist in this language, or its values do not fit it.",
    ),
    Rule(
        Reaction.BAD_PAYLOAD,
        "WA 131063: the marketing messages API alone may send them",
        (131063,),
        "Marketing templates are turned off for this account.",
    ),
    Rule(
        Reaction.BAD_PAYLOAD,
        "WA 131062: sign-in codes go to phone numbers only",
        (131062,),
        "This message needs the person's phone number.",
    ),
    Rule(
        Reaction.BAD_PAYLOAD,
        "GRAPH 100; WA 131008, 131009, 131051, 131052, 131055, 134100 to 134102, 137000",
        (100, 131008, 131009, 131051, 131052, 131055, 134100, 134101, 134102, 137000),
        "Meta does not take the message as it is.",
    ),
    Rule(
        Reaction.BAD_PAYLOAD,
        "WA 132068, 132069",
        (132068, 132069),
        "The flow in the message is blocked or throttled.",
    ),
    Rule(
        Reaction.BAD_PAYLOAD,
        "WA 131020, 131041, 131059, 131201 to 131215",
        (131020, 131041, 131059, *range(131201, 131216)),
        "The group does not take the message.",
    ),
    Rule(
        Reaction.BAD_PAYLOAD,
        "MS 2018015, 2018040, 2018041, 2018047, 2018053, 2018109, 2018218",
        tuple(
            (code, subcode)
            for code in (10, 100)
            for subcode in (2018015, 2018040, 2018041, 2018047, 2018053, 2018109, 2018218)
        ),
        "Meta does not take the message as it is.",
    ),
    Rule(
        Reaction.BAD_PAYLOAD,
        "GRAPH 10900, 10903 (Page Messages): one private answer to a comment, within seven days",
        (10900, 10903),
        "The comment was answered already, or too long ago.",
    ),
    Rule(
        Reaction.BAD_PAYLOAD,
        "TM 2388019 (limit), 2388040 (length), 2388047 (format), 2388293, 2388299 (placeholders)",
        tuple((100, subcode) for subcode in (2388019, 2388040, 2388047, 2388293, 2388299)),
        "Meta does not take the template.",
    ),
)


def rule_for(code: int | None, subcode: int | None = None) -> Rule | None:
    """The rule of a code and subcode; None when nobody here knows it."""
    if code is None:
        return None
    rules = _index()
    exact = rules.get((code, subcode)) if subcode is not None else None
    return exact or rules.get(code)


@cache
def _index() -> dict[Code, Rule]:
    return dict(chain.from_iterable(((code, rule) for code in rule.codes) for rule in RULES))
