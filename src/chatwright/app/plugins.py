"""The one list of plug-ins."""

from chatwright.channels.webchat.channel import Webchat
from chatwright.ports.channel import AnyChannel
from chatwright.ports.cipher import Cipher


def channels(cipher: Cipher, public_url: str) -> tuple[AnyChannel, ...]:
    """Every channel there is; a new one is one more line."""
    return (Webchat(cipher, public_url),)
