"""The channel: a bot of Telegram, its webhook on one side and the Bot API on the other."""

import contextlib
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from chatwright.channels.telegram.addresses import Chat, read_chat
from chatwright.channels.telegram.api import BotAPI, Done, Refused
from chatwright.channels.telegram.checking import describe_bot, describe_webhook, refused, unreachable
from chatwright.channels.telegram.files import DOWNLOAD_LIMIT, read_reference
from chatwright.channels.telegram.keyboards import DATA_BYTES
from chatwright.channels.telegram.refusals import outcome_of, reaction_to
from chatwright.channels.telegram.sending import Unsendable, call_for
from chatwright.channels.telegram.settings import TelegramSettings
from chatwright.channels.telegram.updates import ALLOWED_UPDATES, parse_update, query_to_answer, split_call
from chatwright.kernel.errors import Unauthenticated
from chatwright.net.downloads import FileGone, download
from chatwright.net.http import NoAnswer, NotSent, Web
from chatwright.net.reading import as_map, as_text, dig
from chatwright.ports.channel import (
    Capabilities,
    Download,
    DownloadFailed,
    Finding,
    HookRequest,
    InboxView,
    Pace,
    Verified,
)
from chatwright.ports.inbound import Inbound, RawEvent
from chatwright.ports.sending import Outgoing, Reaction, SendOutcome

TelegramInbox = InboxView[TelegramSettings]

_SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - a header's name.
_MEGABYTE = 1024 * 1024
_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
_STICKERS = frozenset({"image/webp", "video/webm", "application/x-tgsticker"})
_VOICES = frozenset({"audio/ogg", "audio/mpeg", "audio/mp4"})


class Telegram:
    """See `ports.channel.Channel`, `Connecting`, `Answering`, `Downloading` and `Typing`."""

    name: ClassVar[str] = "telegram"
    Settings = TelegramSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        contents=frozenset(
            {"text", "media", "location", "contact_card", "buttons", "quick_replies", "reaction"}
        ),
        # Bot API, sendMessage: 1-4096 characters after entities; captions 0-1024.
        text_limit=4096,
        caption_limit=1024,
        uncaptioned=frozenset({"sticker"}),
        # Telegram takes 100 buttons (python-telegram-bot, InlineKeyboardMarkupLimit); content has ten at most.
        buttons_limit=10,
        button_text_limit=4096,
        payload_bytes=DATA_BYTES,
        quick_replies_limit=13,
        typing=True,
        # Bot API, Sending files: 10 MB for photos and 50 MB for others; stickers 512 KB.
        files={
            "image": 10 * _MEGABYTE,
            "video": 50 * _MEGABYTE,
            "audio": 50 * _MEGABYTE,
            "voice": 50 * _MEGABYTE,
            "sticker": 512 * 1024,
            "file": 50 * _MEGABYTE,
        },
        media_types={"image": _PICTURES, "sticker": _STICKERS, "voice": _VOICES},
        # Bots FAQ, "My bot is hitting limits": about 30 a second in all, one a second in a chat.
        pace=Pace(per_second=30),
        pair_pace=Pace(per_second=1),
    )

    def __init__(self, web: Web) -> None:
        self._web = web
        self._api = BotAPI(web)

    def verify(self, inbox: TelegramInbox, request: HookRequest) -> Verified:
        """Check the secret that we gave Telegram with the webhook; bodies carry no signature."""
        given = request.headers.get(_SECRET_HEADER, "").encode()
        if not inbox.hook_token or not hmac.compare_digest(given, secret_for(inbox.hook_token).encode()):
            message = "The secret token of this call is missing or wrong."
            raise Unauthenticated(message)
        return Verified()

    def split(self, inbox: TelegramInbox, request: HookRequest, verified: Verified) -> Sequence[RawEvent]:  # noqa: ARG002 - the port's.
        """One call is one update."""
        return split_call(request.body)

    def parse(self, inbox: TelegramInbox, payload: Mapping[str, Any]) -> Sequence[Inbound]:  # noqa: ARG002 - the port's.
        """Read one update."""
        return parse_update(payload)

    def answer(self, inbox: TelegramInbox, request: HookRequest) -> Mapping[str, Any] | None:  # noqa: ARG002 - the port's.
        """Confirm a press on a button; Telegram runs a method that an answer names."""
        query_id = query_to_answer(request.body)
        return {"method": "answerCallbackQuery", "callback_query_id": query_id} if query_id else None

    async def send(self, inbox: TelegramInbox, outgoing: Outgoing) -> SendOutcome:
        """Call the method that shows this content."""
        chat = read_chat(outgoing.to)
        if chat is None:
            return SendOutcome(reaction=Reaction.UNREACHABLE, detail="This is no chat of Telegram's.")
        try:
            call = call_for(outgoing, chat)
            answer = await self._api.call(inbox.settings, call.method, call.fields, call.file)
        except Unsendable as error:
            return SendOutcome(reaction=Reaction.BAD_PAYLOAD, detail=str(error))
        except NotSent as error:
            return SendOutcome(reaction=Reaction.RETRY, code=error.code, detail=error.message)
        except NoAnswer as error:
            return SendOutcome(reaction=Reaction.UNKNOWN, code=error.code, detail=error.message)
        if isinstance(answer, Refused):
            return outcome_of(answer, chat)
        return SendOutcome(external_id=_id_in(chat, answer))

    def account(self, settings: TelegramSettings) -> str | None:
        """The bot: it has one webhook."""
        return settings.bot_id

    async def check(self, inbox: TelegramInbox) -> Sequence[Finding]:
        """Whether the token is good, and whether updates reach us."""
        token, me = await self._ask(inbox, "token", "getMe")
        if token is not None:
            return [token]
        webhook, info = await self._ask(inbox, "webhook", "getWebhookInfo")
        return [describe_bot(me), webhook or describe_webhook(info, inbox.hook_url)]

    async def connect(self, inbox: TelegramInbox) -> Sequence[Finding]:
        """Have the bot send its updates here, with a secret that only the two of us know."""
        token, me = await self._ask(inbox, "token", "getMe")
        if token is not None:
            return [token]
        webhook = {
            "url": inbox.hook_url,
            "secret_token": secret_for(inbox.hook_token),
            "allowed_updates": ALLOWED_UPDATES,
        }
        failed, _ = await self._ask(inbox, "webhook", "setWebhook", webhook)
        hooked = Finding("webhook", ok=True, words="Telegram sends its updates here from now on.")
        return [describe_bot(me), failed or hooked]

    async def disconnect(self, inbox: TelegramInbox) -> None:
        """Take the webhook down; a token that has ended has none to take down."""
        await self._ask(inbox, "webhook", "deleteWebhook")

    async def download(self, inbox: TelegramInbox, media: str) -> Download:
        """Ask where the file lies just now, and fetch it from there."""
        reference = read_reference(media)
        if reference is None:
            message = "This names no file of Telegram's."
            raise FileGone(message)
        if (reference.size or 0) > DOWNLOAD_LIMIT:
            message = "Telegram gives bots no files larger than 20 MB."
            raise FileGone(message)
        path = await self._path_of(inbox, reference.file_id)
        opened = await download(self._web, inbox.settings.download_url(path))
        return replace(opened, media_type=reference.media_type, filename=reference.filename)

    async def show_typing(self, inbox: TelegramInbox, to: str, last_external_id: str | None) -> None:  # noqa: ARG002 - the port's.
        """Shown for five seconds, or until a message comes."""
        chat = read_chat(to)
        if chat is None:
            return
        fields: dict[str, Any] = {"chat_id": int(chat.id), "action": "typing"}
        if chat.topic is not None:
            fields["message_thread_id"] = int(chat.topic)
        if chat.business is not None:
            fields["business_connection_id"] = chat.business
        with contextlib.suppress(NotSent, NoAnswer):
            await self._api.call(inbox.settings, "sendChatAction", fields)

    async def _ask(
        self, inbox: TelegramInbox, about: str, method: str, fields: Mapping[str, Any] | None = None
    ) -> tuple[Finding | None, Mapping[str, Any]]:
        """What a method says, or else what is wrong."""
        try:
            answer = await self._api.call(inbox.settings, method, fields)
        except (NotSent, NoAnswer) as error:
            return unreachable(about, error), {}
        return (refused(about, answer), {}) if isinstance(answer, Refused) else (None, as_map(answer.result))

    async def _path_of(self, inbox: TelegramInbox, file_id: str) -> str:
        """Where a file lies for the next hour; raises DownloadFailed or FileGone."""
        try:
            answer = await self._api.call(inbox.settings, "getFile", {"file_id": file_id})
        except (NotSent, NoAnswer) as error:
            raise DownloadFailed(error.message) from error
        if isinstance(answer, Done) and (path := as_text(dig(answer.result, "file_path"))):
            return path
        words = answer.description if isinstance(answer, Refused) else "it does not say where it lies"
        message = f"Telegram does not give out the file: {words}."
        if isinstance(answer, Refused) and reaction_to(answer) is Reaction.BAD_PAYLOAD:
            raise FileGone(message)
        raise DownloadFailed(message)


def secret_for(hook_token: str) -> str:
    """What Telegram has to show with each call: 64 of the characters that it allows there."""
    return hmac.new(hook_token.encode(), b"telegram webhook", hashlib.sha256).hexdigest()


def _id_in(chat: Chat, answer: Done) -> str | None:
    """The new message's name; a method that makes none, such as a reaction, has none."""
    number = as_text(dig(answer.result, "message_id"))
    return chat.message(number) if number else None
