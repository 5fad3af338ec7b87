"""Reactions to messages, both ways (Bot API, ReactionType)."""

from chatwright.net.reading import as_list, as_map, as_text

CUSTOM = "\N{WHITE QUESTION MARK ORNAMENT}"
"""Shown for an emoji of somebody's own making, which is a picture and no character."""
PAID = "\N{WHITE MEDIUM STAR}"
_COLOURFUL = "\N{VARIATION SELECTOR-16}"

Json = dict[str, str]


def reaction_of(emoji: str) -> list[Json]:
    """A bot's reaction as it is set; an empty list takes it back."""
    return [{"type": "emoji", "emoji": emoji.replace(_COLOURFUL, "")}] if emoji else []


def emoji_in(reactions: object) -> str:
    """The first of somebody's reactions; empty when there is none any more."""
    for reaction in map(as_map, as_list(reactions)):
        match reaction.get("type"):
            case "emoji":
                return as_text(reaction.get("emoji")) or CUSTOM
            case "paid":
                return PAID
            case _:
                return CUSTOM
    return ""
