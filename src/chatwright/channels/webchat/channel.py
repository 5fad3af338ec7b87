"""The channel: pages with the widget on one side, this server on the other, no provider between."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

import orjson

from chatwright.channels.webchat.settings import ANY_ORIGIN, WebchatSettings
from chatwright.channels.webchat.tokens import VisitorTokens
from chatwright.channels.webchat.wire import parse_event, split_call
from chatwright.kernel.errors import Forbidden, Unauthenticated
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import Capabilities, Finding, HookRequest, InboxView, Verified, Welcome
from chatwright.ports.cipher import Cipher
from chatwright.ports.content import MAX_TEXT
from chatwright.ports.inbound import Inbound, RawEvent
from chatwright.ports.sending import Outgoing, SendOutcome

LARGEST_FILE = 25 * 1024 * 1024
"""Bytes: what the product stores at most."""

WebchatInbox = InboxView[WebchatSettings]


class Webchat:
    """See `ports.channel.Channel` and `ports.channel.HostedChannel`."""

    name: ClassVar[str] = "webchat"
    Settings = WebchatSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        contents=frozenset(
            {
                "text",
                "media",
                "location",
                "contact_card",
                "buttons",
                "quick_replies",
                "list",
                "carousel",
                "reply",
            }
        ),
        text_limit=MAX_TEXT,
        caption_limit=MAX_TEXT,
        buttons_limit=10,
        button_text_limit=MAX_TEXT,
        payload_bytes=MAX_TEXT,
        quick_replies_limit=13,
        list_rows_limit=100,
        cards_limit=10,
        files=dict.fromkeys(("image", "video", "audio", "voice", "sticker", "file"), LARGEST_FILE),
        typing=True,
        read_receipts=True,
        repeatable=True,
    )
    """The limits are our own: the widget shows whatever the content union can say."""

    def __init__(self, cipher: Cipher, public_url: str) -> None:
        self._tokens = VisitorTokens(cipher)
        self._own_origin = _origin_of(public_url)

    def verify(self, inbox: WebchatInbox, request: HookRequest) -> Verified:
        """Check the page's origin, then its visitor's token."""
        self.allowed_origin(inbox, request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        visitor = self._tokens.read(inbox.id, token.strip()) if scheme.lower() == "bearer" else None
        if visitor is None:
            message = "This visitor's session is missing, or has ended."
            raise Unauthenticated(message, hint="Begin a session again.")
        return Verified(address=str(visitor))

    def split(self, inbox: WebchatInbox, request: HookRequest, verified: Verified) -> Sequence[RawEvent]:  # noqa: ARG002 - the port's.
        """Cut the call into the widget's events."""
        return split_call(verified.address or "", request.body)

    def parse(self, inbox: WebchatInbox, payload: Mapping[str, Any]) -> Sequence[Inbound]:  # noqa: ARG002 - the port's.
        """Read one event of the widget."""
        return [parse_event(payload)]

    async def send(self, inbox: WebchatInbox, outgoing: Outgoing) -> SendOutcome:  # noqa: ARG002 - the port's.
        """Nothing to carry: the page reads the message from where it is kept."""
        return SendOutcome(external_id=str(outgoing.message_id))

    def account(self, settings: WebchatSettings) -> str | None:  # noqa: ARG002 - the port's.
        """Any website may have any number of inboxes."""
        return None

    async def check(self, inbox: WebchatInbox) -> Sequence[Finding]:
        """There is no provider that could be missing; what can be wrong is who may show the chat."""
        origins = inbox.settings.allowed_origins
        if not origins:
            return [
                Finding("websites", ok=True, words="Only this server's own pages may show the chat so far.")
            ]
        return [Finding("websites", ok=True, words=f"These may show the chat: {', '.join(origins)}.")]

    def allowed_origin(self, inbox: WebchatInbox, request: HookRequest) -> str | None:
        """The page's origin, if it is our own or one of the inbox's."""
        origin = request.headers.get("origin")
        if origin is None:
            # Browsers name the origin of every call but a read from the server's own pages.
            if request.method == "GET":
                return None
            message = "The call does not say which website it comes from."
            raise Forbidden(message)
        allowed = inbox.settings.allowed_origins
        if ANY_ORIGIN in allowed or origin in allowed or self._is_own(origin, request):
            return origin
        message = "This website may not use this chat."
        raise Forbidden(message, hint="Add its origin to the inbox's allowed_origins.")

    def profile(self, inbox: WebchatInbox) -> Mapping[str, Any]:
        """Name, greeting and colour."""
        return inbox.settings.model_dump(include={"name", "greeting", "color"})

    def welcome(self, inbox: WebchatInbox, request: HookRequest) -> Welcome:
        """Renew a visitor's token, or begin a visitor."""
        visitor = self._tokens.read(inbox.id, _token_in(request.body)) or new_id()
        return Welcome(self._tokens.issue(inbox.id, visitor), str(visitor))

    def _is_own(self, origin: str, request: HookRequest) -> bool:
        return origin == self._own_origin or origin.partition("://")[2] == request.headers.get("host")


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _token_in(body: bytes) -> str:
    """The token in a session's body; empty when there is none to be found."""
    try:
        call: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    token = cast("dict[str, object]", call).get("token") if isinstance(call, dict) else None
    return token if isinstance(token, str) else ""
