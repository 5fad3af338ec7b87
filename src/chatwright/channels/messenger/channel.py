"""The channel: a Facebook page's chats on Meta's Graph API."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from pydantic import BaseModel

from chatwright.channels.messenger.leads import fetch_answers
from chatwright.channels.messenger.settings import MessengerSettings
from chatwright.channels.messenger.wire import PAGE, PSID, parse_event, split_call
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
from chatwright.net.graph.templates import create_template, delete_template, list_templates
from chatwright.net.graph.tokens import try_out
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
from chatwright.ports.inbound import Inbound, InboundLead, Person, RawEvent
from chatwright.ports.sending import Outgoing, SendOutcome
from chatwright.ports.templates import ProviderTemplate, TemplateDraft

MessengerInbox = InboxView[MessengerSettings]

MEGABYTE: Final = 1024 * 1024
CHAT_FIELDS: Final = (
    "messages",
    "messaging_postbacks",
    "messaging_optins",
    "messaging_referrals",
    "message_deliveries",
    "message_reads",
    "message_echoes",
    "message_reactions",
    "message_edits",
    "messaging_handovers",
    "messaging_policy_enforcement",
    "message_template_status_update",
    "standby",
)
"""What a page tells of its chats (Messenger Platform, Webhooks, Available fields)."""
PERMISSIONS: Final = ("pages_messaging", "pages_manage_metadata")


class Messenger:
    """See `ports.channel.Channel`, and the optional ports named by the methods."""

    name: ClassVar[str] = "messenger"
    Settings = MessengerSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        contents=frozenset({"text", "media", "buttons", "quick_replies", "carousel", "template", "reaction"}),
        # Send API reference, `message.text`.
        text_limit=2000,
        # There are no captions: text goes as a message of its own.
        caption_limit=0,
        # Button template reference: up to 3 buttons below up to 640 characters, titles of 20.
        buttons_limit=3,
        button_text_limit=640,
        label_limit=20,
        # Button and quick reply references, `payload`.
        payload_bytes=1000,
        # Quick replies reference.
        quick_replies_limit=13,
        # Generic template reference.
        cards_limit=10,
        typing=True,
        read_receipts=True,
        marks_read=True,
        # Attachment upload reference: 25 MB.
        files=dict.fromkeys(("image", "video", "audio", "voice", "sticker", "file"), 25 * MEGABYTE),
        # Messenger Platform, Policy overview: 24 hours, 7 days for people under HUMAN_AGENT, utility templates.
        window=ReplyWindow(timedelta(hours=24), human_for=timedelta(days=7), templates=True),
        # Messenger Platform, Rate limiting: 300 calls a second with text, links, reactions and stickers. Files
        # have 10, of which only a refusal tells.
        pace=Pace(300),
        comments=True,
    )

    def __init__(self, web: Web) -> None:
        self._web = web

    def handshake(self, inbox: MessengerInbox, request: HookRequest) -> str:
        """Handshaking: repeat Meta's challenge."""
        return handshake(request.query, inbox.hook_token)

    def verify(self, inbox: MessengerInbox, request: HookRequest) -> Verified:
        """Check that Meta, who knows the app's secret, signed exactly these bytes."""
        secrets = [secret.get_secret_value() for secret in inbox.settings.app_secrets]
        verify_signature(request.body, request.headers.get(SIGNATURE), secrets)
        return Verified()

    def split(self, inbox: MessengerInbox, request: HookRequest, verified: Verified) -> Sequence[RawEvent]:  # noqa: ARG002 - the port's.
        """Cut the call into events of chats, comments and forms, of any number of pages."""
        return split_call(inbox.settings, request.body)

    def parse(self, inbox: MessengerInbox, payload: Mapping[str, Any]) -> Sequence[Inbound]:
        """Read one event."""
        return parse_event(inbox.settings, payload)

    async def send(self, inbox: MessengerInbox, outgoing: Outgoing) -> SendOutcome:
        """Put a message on the wire once."""
        return await self._chats(inbox).send(outgoing)

    def account(self, settings: MessengerSettings) -> str | None:
        """The page's id, under which webhooks name it too."""
        return settings.page_id

    async def check(self, inbox: MessengerInbox) -> Sequence[Finding]:
        """Look whether the token opens the page, with which permissions, and what the page tells us."""
        client, app = self._client(inbox), app_of(inbox.settings)
        token = await find_page(client, inbox.settings.page_id)
        if not token.ok:
            return [token]
        permissions = [await find_permissions(client, app, permissions_of(inbox.settings))] if app else []
        fields = fields_of(inbox.settings)
        app_id = inbox.settings.app_id
        return [
            token,
            *permissions,
            await find_subscription(client, inbox.settings.page_id, fields, app_id),
        ]

    async def connect(self, inbox: MessengerInbox) -> Sequence[Finding]:
        """Connecting: have the page tell our app of everything, and the app call our address."""
        client, app, fields = self._client(inbox), app_of(inbox.settings), fields_of(inbox.settings)
        hook = (inbox.hook_url, inbox.hook_token)
        pointed = await point_app(client, app, PAGE, fields, hook) if app else enter_by_hand(inbox.hook_url)
        return [pointed, await subscribe(client, inbox.settings.page_id, fields)]

    async def disconnect(self, inbox: MessengerInbox) -> None:
        """Connecting: have the page tell us nothing any more."""
        await unsubscribe(self._client(inbox), inbox.settings.page_id)

    def renew_at(self, inbox: MessengerInbox) -> datetime | None:  # noqa: ARG002 - the port's.
        """Renewing: a page's token has no end."""
        return None

    async def renew(self, inbox: MessengerInbox) -> BaseModel:
        """Renewing: Meta at times refuses a good token, so one that it refused is tried once more."""
        await try_out(self._client(inbox), inbox.settings.page_id)
        return inbox.settings

    async def download(self, inbox: MessengerInbox, media: str) -> Download:  # noqa: ARG002 - the port's.
        """Downloading: Meta's addresses of files are good without a token, for a while."""
        return await download(self._web, media)

    async def show_typing(self, inbox: MessengerInbox, to: str, last_external_id: str | None) -> None:  # noqa: ARG002 - the port's.
        """Typing: for 20 seconds, or until a message goes out."""
        await self._chats(inbox).show(to, "typing_on")

    async def mark_read(self, inbox: MessengerInbox, to: str, last_external_id: str) -> None:  # noqa: ARG002 - the port's.
        """MarkingRead: everything so far."""
        await self._chats(inbox).show(to, "mark_seen")

    async def introduce(self, inbox: MessengerInbox, address: str) -> Person | None:
        """Introducing: by the person's profile."""
        return await find_profile(self._client(inbox), PSID, address, "first_name,last_name,locale")

    async def fetch_lead(self, inbox: MessengerInbox, lead: InboundLead) -> InboundLead:
        """FetchingLeads: what somebody answered in a form."""
        return await fetch_answers(self._client(inbox), lead)

    async def list_templates(self, inbox: MessengerInbox) -> Sequence[ProviderTemplate]:
        """Templating: the page's utility templates; Meta tells seldom of their review, so they are asked for."""
        return await list_templates(self._client(inbox), inbox.settings.page_id)

    async def create_template(self, inbox: MessengerInbox, draft: TemplateDraft) -> ProviderTemplate:
        """Templating: submit one; pages have utility templates alone."""
        return await create_template(self._client(inbox), inbox.settings.page_id, draft)

    async def delete_template(self, inbox: MessengerInbox, name: str, language: str) -> None:
        """Templating: delete one."""
        await delete_template(self._client(inbox), inbox.settings.page_id, name, language)

    def _client(self, inbox: MessengerInbox) -> GraphClient:
        settings = inbox.settings
        return GraphClient(
            self._web,
            settings.access_token.get_secret_value(),
            settings.base_url,
            settings.version,
            settings.app_secrets[0].get_secret_value(),
        )

    def _chats(self, inbox: MessengerInbox) -> Chats:
        return Chats(self._client(inbox), inbox.settings.page_id, carries_id=True, uploads=True)


def app_of(settings: MessengerSettings) -> App | None:
    """Our app, where its id is known."""
    if settings.app_id is None:
        return None
    return App(settings.app_id, settings.app_secrets[0].get_secret_value())


def fields_of(settings: MessengerSettings) -> list[str]:
    """What the page should tell us of."""
    comments = ["feed", "mention"] if settings.comments else []
    return [*CHAT_FIELDS, *comments, *(["leadgen"] if settings.leads else [])]


def permissions_of(settings: MessengerSettings) -> list[str]:
    """What the token has to be given (Webhooks for Pages; Lead Ads, Retrieving)."""
    comments = ["pages_read_engagement"] if settings.comments else []
    return [*PERMISSIONS, *comments, *(["leads_retrieval"] if settings.leads else [])]


async def find_page(client: GraphClient, page_id: str) -> Finding:
    """Whether the token opens the page."""
    try:
        reply = await client.get(path_of(page_id), fields="id,name")
    except (GraphError, NotSent, NoAnswer) as error:
        return finding_of(TOKEN, error, vital=True)
    name = as_text(reply.body.get("name")) or page_id
    return Finding(TOKEN, ok=True, words=f"The access token opens the page {name}.")
