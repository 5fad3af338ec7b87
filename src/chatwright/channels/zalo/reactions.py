"""Zalo's reactions: short words for six emoji (Official Account documentation, sender_action)."""

HEART = "\N{HEAVY BLACK HEART}"
TAKE_BACK = "/-remove"
_COLOURFUL = "\N{VARIATION SELECTOR-16}"

EMOJI = {
    "/-heart": HEART,
    "/-strong": "\N{THUMBS UP SIGN}",
    ":>": "\N{SMILING FACE WITH OPEN MOUTH}",
    ":o": "\N{FACE WITH OPEN MOUTH}",
    ":-((": "\N{LOUDLY CRYING FACE}",
    ":-h": "\N{POUTING FACE}",
}
_ICONS = {emoji: icon for icon, emoji in EMOJI.items()}


def emoji_of(icon: str) -> str:
    """The emoji of an icon, empty when the reaction was taken back; an icon that nobody knows stands for itself."""
    return "" if icon == TAKE_BACK else EMOJI.get(icon, icon)


def icon_of(emoji: str) -> str | None:
    """The icon of an emoji; None where Zalo has none."""
    return _ICONS.get(emoji.replace(_COLOURFUL, "")) if emoji else TAKE_BACK
