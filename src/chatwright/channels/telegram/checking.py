"""What the Bot API says of the bot itself and of its webhook, in words."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from chatwright.channels.telegram.api import Refused
from chatwright.channels.telegram.refusals import reaction_to
from chatwright.channels.telegram.updates import ALLOWED_UPDATES
from chatwright.kernel.errors import ChatwrightError
from chatwright.net.reading import as_code, as_list, as_moment, as_text
from chatwright.ports.channel import Finding
from chatwright.ports.sending import Reaction


def describe_bot(me: Mapping[str, Any]) -> Finding:
    """The bot that the token belongs to."""
    name = as_text(me.get("username")) or as_text(me.get("first_name")) or "without a name"
    return Finding("token", ok=True, words=f"The token belongs to the bot @{name}.")


def refused(name: str, refusal: Refused) -> Finding:
    """Why nothing could be found out."""
    reaction = reaction_to(refusal)
    if reaction is Reaction.RECONNECT:
        words = "Telegram does not know this token. Ask @BotFather for the bot's token and save it here."
    else:
        words = f"Telegram refused: {refusal.description}"
    return Finding(name, ok=False, words=words, reaction=reaction)


def unreachable(name: str, error: ChatwrightError) -> Finding:
    """There was no answer at all."""
    return Finding(name, ok=False, words=error.message, reaction=Reaction.RETRY)


def describe_webhook(info: Mapping[str, Any], hook_url: str) -> Finding:
    """Whether updates find their way to us, and what Telegram says where they do not."""
    faults = list(_faults(info, hook_url))
    waiting = as_code(info.get("pending_update_count")) or 0
    words = " ".join(faults) or "Telegram sends its updates here."
    if waiting:
        words += f" {waiting} of them are waiting to be taken."
    return Finding("webhook", ok=not faults, words=words)


def _faults(info: Mapping[str, Any], hook_url: str) -> Iterator[str]:
    url = as_text(info.get("url"))
    if url is None:
        yield "The bot has no webhook, so no messages arrive. Connect the inbox again to set it."
        return
    if url != hook_url:
        yield "The bot sends its updates to another address than this inbox's. Connect the inbox again."
    missing = set(ALLOWED_UPDATES) - {as_text(name) for name in as_list(info.get("allowed_updates"))}
    if missing:
        yield f"The bot does not tell of {', '.join(sorted(missing))}. Connect the inbox again."
    error = as_text(info.get("last_error_message"))
    if error is not None and as_code(info.get("pending_update_count")):
        yield f"Telegram cannot deliver{_since(as_moment(info.get('last_error_date')))}: {error}."


def _since(at: datetime | None) -> str:
    return f" (last tried {at:%Y-%m-%d %H:%M} UTC)" if at else ""
