"""The one list of plug-ins."""

from chatwright.channels.email.channel import Email
from chatwright.channels.instagram.channel import Instagram
from chatwright.channels.messenger.channel import Messenger
from chatwright.channels.telegram.channel import Telegram
from chatwright.channels.webchat.channel import Webchat
from chatwright.channels.whatsapp.channel import WhatsApp
from chatwright.channels.zalo.channel import Zalo
from chatwright.net.http import Web
from chatwright.ports.channel import AnyChannel
from chatwright.ports.cipher import Cipher


def channels(cipher: Cipher, public_url: str, web: Web) -> tuple[AnyChannel, ...]:
    """Every channel there is; a new one is one more line."""
    return (
        Email(cipher, public_url, web),
        Instagram(web),
        Messenger(web),
        Telegram(web),
        Webchat(cipher, public_url),
        WhatsApp(web),
        Zalo(web),
    )
