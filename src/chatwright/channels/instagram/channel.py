"""The channel: an Instagram professional account's chats on Meta's Graph API."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from pydantic import BaseModel

from chatwright.channels.instagram.settings import InstagramSettings
from chatwright.channels.instagram.tokens import renewal_of, renewed
from chatwright.channels.instagram.wire import IGSID, INSTAGRAM, parse_event, split_call
from chatwright.net.downloads import download
from chatwright.net.graph.chats import Chats
from chatwright.net.graph.client import GraphClient, path_of
from chatwright.net.graph.errors import GraphError
from chatwright.net.graph.findings import (
    TOKEN,
    App,
    enter_by_hand,
    find_permissions,
    find_subscription,
    finding_of,
    point_app,
    subscribe,
    unsubscribe,
)
from chatwright.net.graph.profiles import find_profile
from chatwright.net.graph.webhooks import SIGNATURE, handshake, verify_signature
from chatwright.net.http import NoAnswer, NotSent, Web
from chatwright.net.reading import as_text
from chatwright.ports.channel import (
    Capabilities,
    Download,
    Finding,
    HookRequest,
    InboxView,
    Pace,
    ReplyWindow,
    Verified,
)
from chatwright.ports.inbound import Inbound, Person, RawEvent
from chatwright.ports.sending import Outgoing, Reaction, SendOutcome

InstagramInbox = InboxView[InstagramSettings]

ME: Final = "me"
"""The account, or the page linked to it, whichever the token is of: their ids differ by login and by app."""
MEGABYTE: Final = 1024 * 1024
FIELDS: Final = (
    "messages",
    "messaging_postbacks",
    "message_reactions",
    "messaging_seen",
    "messaging_referral",
    "message_edit",
    "comments",
    "live_comments",
)
"""What an account tells of (Instagram Platform, Webhooks, Fields)."""
PAGE_FIELDS: Final = ("messages",)
"""With Facebook Login the app's fields count; the page only has to be subscribed to any field of its own."""
PERMISSIONS: Final = ("instagram_basic", "instagram_manage_messages")
_AUDIO: Final = frozenset({"audio/aac", "audio/mp4", "audio/x-m4a", "audio/wav", "audio/x-wav"})


class Instagram:
    """See `ports.channel.Channel`, and the optional ports named by the methods."""

    name: ClassVar[str] = "instagram"
    Settings = InstagramSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        contents=frozenset({"text", "media", "buttons", "quick_replies", "carousel", "reaction"}),
        # Instagram API, Send messages: 1000 bytes of UTF-8.
        text_limit=1000,
        text_bytes=1000,
        # There are no captions: text goes as a message of its own.
        caption_limit=0,
        # Button template reference.
        buttons_limit=3,
        button_text_limit=640,
        label_limit=20,
        payload_bytes=1000,
        # Instagram, Quick replies.
        quick_replies_limit=13,
        # Generic template reference.
        cards_limit=10,
        typing=True,
        read_receipts=True,
        marks_read=True,
        # Instagram, Attachment upload (2026-04-01).
        files={
            "image": 8 * MEGABYTE,
            "sticker": 8 * MEGABYTE,
            **dict.fromkeys(("video", "audio", "voice", "file"), 25 * MEGABYTE),
        },
        media_types={
            "image": frozenset({"image/png", "image/jpeg", "image/gif"}),
            "sticker": frozenset({"image/png", "image/jpeg", "image/gif"}),
            "video": frozenset(
                {"video/mp4", "video/ogg", "video/x-msvideo", "video/quicktime", "video/webm"}
            ),
            "audio": _AUDIO,
            "voice": _AUDIO,
            "file": frozenset({"application/pdf"}),
        },
        # Instagram Messaging, Policies: 24 hours, 7 days for people under HUMAN_AGENT; there are no templates.
        window=ReplyWindow(timedelta(hours=24), human_for=timedelta(days=7)),
        # Messenger Platform, Rate limiting: 300 calls a second with text, links, reactions and stickers. Files
        # have 10, of which only a refusal tells.
        pace=Pace(300),
        comments=True,
    )

    def __init__(self, web: Web) -> None:
        self._web = web

    def handshake(self, inbox: InstagramInbox, request: HookRequest) -> str:
        """Handshaking: repeat Meta's challenge."""
        return handshake(request.query, inbox.hook_token)

    def verify(self, inbox: InstagramInbox, request: HookRequest) -> Verified:
        """Check that Meta, who knows the app's secret, signed exactly these bytes."""
        secrets = [secret.get_secret_value() for secret in inbox.settings.app_secrets]
        verify_signature(request.body, request.headers.get(SIGNATURE), secrets)
        return Verified()

    def split(self, inbox: InstagramInbox, request: HookRequest, verified: Verified) -> Sequence[RawEvent]:  # noqa: ARG002 - the port's.
        """Cut the call into events of chats and comments, of any number of accounts."""
        return split_call(inbox.settings, request.body)

    def parse(self, inbox: InstagramInbox, payload: Mapping[str, Any]) -> Sequence[Inbound]:
        """Read one event."""
        return parse_event(inbox.settings, payload)

    async def send(self, inbox: InstagramInbox, outgoing: Outgoing) -> SendOutcome:
        """Put a message on the wire once."""
        return await self._chats(inbox).send(outgoing)

    def account(self, settings: InstagramSettings) -> str | None:
        """The professional account's id, under which webhooks name it too."""
        return settings.account_id

    async def check(self, inbox: InstagramInbox) -> Sequence[Finding]:
        """Look whether the token opens the account, with which permissions, and what the account tells us."""
        client, settings = self._client(inbox), inbox.settings
        token = await find_account(client, settings)
        if not token.ok:
            return [token]
        app = app_of(settings)
        permissions = [await find_permissions(client, app, PERMISSIONS)] if app else []
        subscription = await find_subscription(client, ME, fields_of(settings), app.id if app else None)
        return [token, *permissions, subscription]

    async def connect(self, inbox: InstagramInbox) -> Sequence[Finding]:
        """Connecting: have the account tell our app of everything, and, with Facebook Login, the app call us."""
        client, app = self._client(inbox), app_of(inbox.settings)
        hook = (inbox.hook_url, inbox.hook_token)
        pointed = (
            await point_app(client, app, INSTAGRAM, FIELDS, hook) if app else enter_by_hand(inbox.hook_url)
        )
        return [pointed, await subscribe(client, ME, fields_of(inbox.settings))]

    async def disconnect(self, inbox: InstagramInbox) -> None:
        """Connecting: have the account tell us nothing any more.

        A page stays subscribed, as its own inbox may need that; nobody takes in what it tells of Instagram.
        """
        if inbox.settings.login == "instagram":
            await unsubscribe(self._client(inbox), ME)

    def renew_at(self, inbox: InstagramInbox) -> datetime | None:
        """Renewing: ten days before the token ends."""
        return renewal_of(inbox.settings)

    async def renew(self, inbox: InstagramInbox) -> BaseModel:
        """Renewing: exchange the token for one of another 60 days."""
        return await renewed(self._client(inbox), inbox.settings)

    async def download(self, inbox: InstagramInbox, media: str) -> Download:  # noqa: ARG002 - the port's.
        """Downloading: Meta's addresses of files are good without a token, for a while."""
        return await download(self._web, media)

    async def show_typing(self, inbox: InstagramInbox, to: str, last_external_id: str | None) -> None:  # noqa: ARG002 - the port's.
        """Typing: for 20 seconds, or until a message goes out."""
        await self._chats(inbox).show(to, "typing_on")

    async def mark_read(self, inbox: InstagramInbox, to: str, last_external_id: str) -> None:  # noqa: ARG002 - the port's.
        """MarkingRead: everything so far."""
        await self._chats(inbox).show(to, "mark_seen")

    async def introduce(self, inbox: InstagramInbox, address: str) -> Person | None:
        """Introducing: by the person's profile."""
        return await find_profile(self._client(inbox), IGSID, address, "name,username")

    def _client(self, inbox: InstagramInbox) -> GraphClient:
        settings = inbox.settings
        token = settings.access_token.get_secret_value()
        # The proof is one of the Graph API on graph.facebook.com alone.
        secret = settings.app_secrets[0].get_secret_value() if settings.login == "facebook" else None
        return GraphClient(self._web, token, settings.url, settings.version, secret)

    def _chats(self, inbox: InstagramInbox) -> Chats:
        paged = inbox.settings.login == "facebook"
        return Chats(
            self._client(inbox),
            ME,
            # Neither the echoes nor the bodies of Instagram are documented to have `metadata`.
            carries_id=False,
            # Uploading is documented for pages alone; else Meta fetches files from us.
            uploads=paged,
            platform=INSTAGRAM if paged else None,
            only_heart=True,
        )


def app_of(settings: InstagramSettings) -> App | None:
    """Our app, where it can be asked: Facebook's server does not know tokens of Instagram Login."""
    if settings.app_id is None or settings.login == "instagram":
        return None
    return App(settings.app_id, settings.app_secrets[0].get_secret_value())


def fields_of(settings: InstagramSettings) -> Sequence[str]:
    """What the account, or its page, has to be subscribed to."""
    return FIELDS if settings.login == "instagram" else PAGE_FIELDS


async def find_account(client: GraphClient, settings: InstagramSettings) -> Finding:
    """Whether the token opens the account."""
    own = settings.login == "instagram"
    path, id_field = (ME, "user_id") if own else (path_of(settings.account_id), "id")
    try:
        reply = await client.get(path, fields=f"{id_field},username")
    except (GraphError, NotSent, NoAnswer) as error:
        return finding_of(TOKEN, error, vital=True)
    found = as_text(reply.body.get(id_field))
    if found != settings.account_id:
        words = f"The access token is of the account {found}. Give that one's id, or the token of this one."
        return Finding(TOKEN, ok=False, words=words, reaction=Reaction.RECONNECT)
    name = as_text(reply.body.get("username")) or found
    return Finding(TOKEN, ok=True, words=f"The access token opens the account {name}.")
