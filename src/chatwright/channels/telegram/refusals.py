"""What a refusal of the Bot API asks of us (the words are those of the server's source, Client.cpp)."""

from chatwright.channels.telegram.addresses import Chat
from chatwright.channels.telegram.api import Refused
from chatwright.ports.sending import Reaction, SendOutcome

_BY_CODE = {
    401: Reaction.RECONNECT,
    # The server has no such method for a token that it does not know.
    404: Reaction.RECONNECT,
    409: Reaction.RETRY,
    429: Reaction.RETRY_AFTER,
}
_BY_WORDS = (
    ("bot was blocked by the user", Reaction.OPTED_OUT),
    ("user is deactivated", Reaction.UNREACHABLE),
    ("bot was kicked", Reaction.UNREACHABLE),
    ("bot is not a member", Reaction.UNREACHABLE),
    ("bot can't initiate conversation", Reaction.UNREACHABLE),
    ("bot can't send messages to", Reaction.UNREACHABLE),
    ("chat not found", Reaction.UNREACHABLE),
    ("user not found", Reaction.UNREACHABLE),
    ("group chat was deactivated", Reaction.UNREACHABLE),
    ("have no rights to send", Reaction.UNREACHABLE),
    ("not enough rights to send", Reaction.UNREACHABLE),
    ("chat_write_forbidden", Reaction.UNREACHABLE),
    ("message thread not found", Reaction.UNREACHABLE),
    ("business connection not found", Reaction.UNREACHABLE),
    ("business_connection_invalid", Reaction.UNREACHABLE),
    # A business account may be written for only in chats that were active within a day.
    ("business_peer_usage_missing", Reaction.WINDOW_CLOSED),
)
"""Parts of descriptions in lower case, with what they mean."""
_USUAL_WAIT = 5.0
"""Seconds, for a refusal that should say how long and does not."""


def outcome_of(refused: Refused, chat: Chat) -> SendOutcome:
    """What became of a send to this chat."""
    moved_to = chat.moved_to(refused.migrated_to).text if refused.migrated_to else None
    reaction = Reaction.RETRY if moved_to else reaction_to(refused)
    wait = refused.retry_after or (_USUAL_WAIT if reaction is Reaction.RETRY_AFTER else None)
    return SendOutcome(
        reaction=reaction,
        code=str(refused.code),
        detail=refused.description,
        retry_after=wait,
        # A group has a limit of its own, twenty messages a minute; elsewhere the limit is the whole bot's.
        scope="pair" if chat.is_group else "inbox",
        moved_to=moved_to,
    )


def reaction_to(refused: Refused) -> Reaction:
    """What the refusal asks of us, wherever it was met."""
    if refused.code in _BY_CODE:
        return _BY_CODE[refused.code]
    if refused.code >= 500:
        return Reaction.RETRY
    words = refused.description.lower()
    return next((reaction for part, reaction in _BY_WORDS if part in words), Reaction.BAD_PAYLOAD)
