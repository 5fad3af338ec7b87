"""What Zalo says of the account, in words."""

from chatwright.channels.zalo.api import Done, Refused
from chatwright.channels.zalo.refusals import meaning_of
from chatwright.channels.zalo.settings import ZaloSettings
from chatwright.net.reading import as_text, dig
from chatwright.ports.channel import Finding
from chatwright.ports.sending import Reaction

_GRAVE = frozenset({Reaction.RECONNECT, Reaction.PAUSE_CHANNEL})


def describe_account(answer: Done, settings: ZaloSettings) -> list[Finding]:
    """Whose tokens these are."""
    name, oa_id = as_text(dig(answer.data, "name")), as_text(dig(answer.data, "oa_id"))
    token = Finding("token", ok=True, words="Zalo takes the access token.")
    if oa_id is not None and oa_id != settings.oa_id:
        words = f"The tokens belong to the account {oa_id} ({name}), and not to {settings.oa_id}."
        return [token, Finding("account", ok=False, words=words, reaction=Reaction.RECONNECT)]
    return [token, Finding("account", ok=True, words=f"This is the account {name or settings.oa_id}.")]


def describe_refusal(refused: Refused) -> Finding:
    """Why nothing could be found out."""
    reaction = meaning_of(refused.code).reaction
    if reaction is Reaction.REFRESH_TOKEN:
        words = (
            "Zalo does not take the access token any more. This server exchanges it with the refresh token."
        )
        return Finding("token", ok=False, words=words)
    words = f"Zalo refused: {refused.message} ({refused.code})."
    return Finding(
        "token", ok=False, words=words, reaction=reaction if reaction in _GRAVE else Reaction.RETRY
    )


def describe_webhook(hook_url: str) -> Finding:
    """Zalo tells nobody where it sends events, so people have to look."""
    words = f"Zalo does not tell where it sends events: see at developers.zalo.me that it is {hook_url}."
    return Finding("webhook", ok=True, words=words)
