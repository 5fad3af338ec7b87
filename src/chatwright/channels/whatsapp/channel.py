"""The channel: a number of the WhatsApp Business Platform, its webhooks on one side and the Cloud API on the other."""

import base64
import binascii
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from pydantic import BaseModel

from chatwright.channels.whatsapp import checking, sending
from chatwright.channels.whatsapp.parsing import parse_event
from chatwright.channels.whatsapp.settings import WhatsAppSettings
from chatwright.channels.whatsapp.wire import split_call
from chatwright.net.downloads import FileGone, download
from chatwright.net.graph import templates
from chatwright.net.graph.client import GraphClient, path_of
from chatwright.net.graph.errors import GraphError
from chatwright.net.graph.tokens import try_out
from chatwright.net.graph.webhooks import SIGNATURE, handshake, verify_signature
from chatwright.net.http import NoAnswer, NotSent, Web
from chatwright.net.reading import as_text
from chatwright.ports.channel import (
    Capabilities,
    Download,
    DownloadFailed,
    Finding,
    HookRequest,
    InboxView,
    Pace,
    ReplyWindow,
    Verified,
)
from chatwright.ports.inbound import Inbound, RawEvent
from chatwright.ports.sending import Outgoing, Reaction, SendOutcome
from chatwright.ports.templates import ProviderTemplate, TemplateDraft

WhatsAppInbox = InboxView[WhatsAppSettings]
MEGABYTE: Final = 1024 * 1024
_AUDIO: Final = frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"})
_LATER: Final = frozenset({Reaction.RETRY, Reaction.RETRY_AFTER, Reaction.REFRESH_TOKEN, Reaction.UNKNOWN})


class WhatsApp:
    """See `ports.channel`: Channel, Handshaking, Connecting, Renewing, Downloading, Typing, MarkingRead, Templating."""

    name: ClassVar[str] = "whatsapp"
    Settings = WhatsAppSettings
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
                "template",
                "reaction",
            }
        ),
        # Cloud API, Text messages and Interactive messages.
        text_limit=4096,
        caption_limit=1024,
        uncaptioned=frozenset({"audio", "voice", "sticker"}),
        buttons_limit=3,
        button_text_limit=1024,
        label_limit=20,
        payload_bytes=256,
        # A page is opened by a message of its own, with that one button (interactive `cta_url`).
        link_buttons=False,
        quick_replies_limit=3,
        list_rows_limit=10,
        row_limit=24,
        typing=True,
        read_receipts=True,
        marks_read=True,
        # Cloud API, Media: supported types and sizes; animated stickers have 500 KB, others 100.
        files={
            "image": 5 * MEGABYTE,
            "video": 16 * MEGABYTE,
            "audio": 16 * MEGABYTE,
            "voice": 16 * MEGABYTE,
            "sticker": 500 * 1024,
            "file": 100 * MEGABYTE,
        },
        media_types={
            "image": frozenset({"image/jpeg", "image/png"}),
            "video": frozenset({"video/mp4", "video/3gpp"}),
            "audio": _AUDIO,
            "voice": frozenset({"audio/ogg"}),
            "sticker": frozenset({"image/webp"}),
        },
        # Cloud API, Send messages: customer service window.
        window=ReplyWindow(open_for=timedelta(hours=24), templates=True),
        # WhatsApp, Throughput: 80 a second for a number at first; 20 for one that is also in the Business app.
        pace=Pace(per_second=80),
        # One in six seconds; a burst of 45 is let through and has to be waited for afterwards.
        pair_pace=Pace(per_second=1 / 6, burst=45),
    )

    def __init__(self, web: Web) -> None:
        self._web = web

    def verify(self, inbox: WhatsAppInbox, request: HookRequest) -> Verified:
        """Check the signature; what is older than any retry is found out later, when it is cut apart."""
        secrets = [secret.get_secret_value() for secret in inbox.settings.app_secrets]
        verify_signature(request.body, request.headers.get(SIGNATURE), secrets)
        return Verified()

    def handshake(self, inbox: WhatsAppInbox, request: HookRequest) -> str:
        """Answer Meta's question whether the webhook is ours."""
        return handshake(request.query, inbox.hook_token)

    def split(self, inbox: WhatsAppInbox, request: HookRequest, verified: Verified) -> Sequence[RawEvent]:  # noqa: ARG002 - the port's.
        """Cut the call into messages, statuses and changes, of this number and of others."""
        return split_call(request.body)

    def parse(self, inbox: WhatsAppInbox, payload: Mapping[str, Any]) -> Sequence[Inbound]:
        """Read one event."""
        return parse_event(inbox.settings, payload)

    async def send(self, inbox: WhatsAppInbox, outgoing: Outgoing) -> SendOutcome:
        """Put a message on the wire once; it carries our id, which its statuses bring back."""
        return await sending.send(self._client(inbox), inbox.settings, outgoing)

    def account(self, settings: WhatsAppSettings) -> str | None:
        """The number's id at Meta."""
        return settings.phone_number_id

    async def check(self, inbox: WhatsAppInbox) -> Sequence[Finding]:
        """Look at the token, the number, its account, the webhook, the limit and the quality."""
        return await checking.check(self._client(inbox), inbox.settings, inbox.hook_url)

    async def connect(self, inbox: WhatsAppInbox) -> Sequence[Finding]:
        """Point the account and the number at us."""
        return await checking.connect(self._client(inbox), inbox.settings, inbox.hook_url, inbox.hook_token)

    async def disconnect(self, inbox: WhatsAppInbox) -> None:
        """Take down what points here."""
        await checking.disconnect(self._client(inbox), inbox.settings, inbox.hook_url)

    def renew_at(self, inbox: WhatsAppInbox) -> datetime | None:  # noqa: ARG002 - the port's.
        """A system user's token has no end."""
        return None

    async def renew(self, inbox: WhatsAppInbox) -> BaseModel:
        """Try the token once more: Meta at times refuses a good one for a moment."""
        await try_out(self._client(inbox), inbox.settings.phone_number_id)
        return inbox.settings

    async def show_typing(self, inbox: WhatsAppInbox, to: str, last_external_id: str | None) -> None:  # noqa: ARG002 - the port's.
        """Show it for 25 seconds or until we send; WhatsApp takes the same call as a receipt for what came in."""
        if last_external_id is not None:
            await self._note(inbox, last_external_id, {"typing_indicator": {"type": "text"}})

    async def mark_read(self, inbox: WhatsAppInbox, to: str, last_external_id: str) -> None:  # noqa: ARG002 - the port's.
        """Show blue ticks at everything up to this message."""
        await self._note(inbox, last_external_id, {})

    async def download(self, inbox: WhatsAppInbox, media: str) -> Download:
        """Ask where the file is, which is good for five minutes, and open it there with the same token."""
        name, _, expected = media.partition(" ")
        client = self._client(inbox)
        number = inbox.settings.phone_number_id
        try:
            found = (await client.get(path_of(name), phone_number_id=number)).body
        except (GraphError, NotSent, NoAnswer) as error:
            raise _not_found(error) from error
        if (url := as_text(found.get("url"))) is None:
            message = "WhatsApp does not say where the file is."
            raise DownloadFailed(message)
        opened = await download(self._web, url, client.headers)
        content = _checked(opened.content, expected or as_text(found.get("sha256")) or "")
        return Download(as_text(found.get("mime_type")) or opened.media_type, content)

    async def list_templates(self, inbox: WhatsAppInbox) -> Sequence[ProviderTemplate]:
        """Every template of the account."""
        return await templates.list_templates(self._client(inbox), inbox.settings.waba_id)

    async def create_template(self, inbox: WhatsAppInbox, draft: TemplateDraft) -> ProviderTemplate:
        """Submit a template for approval."""
        return await templates.create_template(self._client(inbox), inbox.settings.waba_id, draft)

    async def delete_template(self, inbox: WhatsAppInbox, name: str, language: str) -> None:
        """Delete a template in one language."""
        await templates.delete_template(self._client(inbox), inbox.settings.waba_id, name, language)

    async def _note(self, inbox: WhatsAppInbox, external_id: str, more: Mapping[str, object]) -> None:
        body = {**sending.PRODUCT, "status": "read", "message_id": external_id, **more}
        try:
            await self._client(inbox).post(path_of(inbox.settings.phone_number_id, "messages"), body)
        except (GraphError, NotSent, NoAnswer):
            return

    def _client(self, inbox: WhatsAppInbox) -> GraphClient:
        settings = inbox.settings
        secret = settings.app_secrets[0].get_secret_value() if settings.prove_calls else None
        token = settings.access_token.get_secret_value()
        return GraphClient(self._web, token, settings.base_url, settings.version, secret)


def _not_found(error: GraphError | NotSent | NoAnswer) -> DownloadFailed:
    if not isinstance(error, GraphError):
        return DownloadFailed(error.message)
    kind = DownloadFailed if error.refusal.reaction in _LATER else FileGone
    return kind(error.refusal.words)


async def _checked(content: AsyncIterator[bytes], expected: str) -> AsyncIterator[bytes]:
    """The file, followed by an error if it is not the one whose digest WhatsApp named."""
    digest = hashlib.sha256()
    async for piece in content:
        digest.update(piece)
        yield piece
    if expected and digest.digest() != _digest(expected):
        message = "The file arrived damaged."
        raise DownloadFailed(message)


def _digest(text: str) -> bytes:
    """A SHA-256 as webhooks write it, in base64, or as the API may, in hexadecimal digits."""
    try:
        return bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text)
    except (ValueError, binascii.Error):
        return b""
