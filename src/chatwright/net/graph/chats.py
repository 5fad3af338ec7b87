"""What a page or an Instagram account says in its chats: our contents as the bodies of the Send API.

Instagram messaging is sent through the same edge with the same bodies (Messenger Platform, Send API reference;
Instagram Platform, Messaging API), so the writer stands below both channels, as their reader does in
`messaging`. In what they differ, the channels say it by `Chats`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from chatwright.net.forms import FormFile
from chatwright.net.graph.client import GraphClient, attempt, not_yet_sent, path_of
from chatwright.net.graph.errors import GraphError
from chatwright.net.graph.messaging import USER_REF
from chatwright.net.graph.templates import filled_template
from chatwright.net.http import NoAnswer, NotSent
from chatwright.net.reading import as_text
from chatwright.ports.content import (
    Button,
    ButtonsContent,
    Card,
    CarouselContent,
    MediaContent,
    QuickRepliesContent,
    ReactionContent,
    TemplateContent,
    TextContent,
)
from chatwright.ports.sending import Outgoing, OutgoingFile, Reaction, SendOutcome

COMMENT = "comment:"
"""Begins the address of somebody who is known by nothing but a comment."""
HUMAN_AGENT = "HUMAN_AGENT"
LONGEST_SUBTITLE = 80
_ATTACHMENTS = {
    "image": "image",
    "sticker": "image",
    "video": "video",
    "audio": "audio",
    "voice": "audio",
    "file": "file",
}


@dataclass(frozen=True, slots=True)
class Chats:
    """The chats of one account."""

    client: GraphClient
    account: str
    """Whose `messages` edge it is."""
    carries_id: bool
    """Whether `metadata` comes back on the echo."""
    uploads: bool
    """Whether files are uploaded; else Meta fetches them from our address."""
    platform: str | None = None
    """What a page's uploads are for, if not for Messenger."""
    only_heart: bool = False
    """Whether no reaction but a heart can be sent."""

    async def send(self, outgoing: Outgoing) -> SendOutcome:
        """Put a message on the wire once."""
        match outgoing.content:
            case ReactionContent(emoji=emoji, message_id=message_id):
                return await self._react(outgoing, emoji, outgoing.reply_to or message_id)
            case MediaContent(kind=kind) if outgoing.file is not None and self.uploads:
                return await self._send_file(outgoing, outgoing.file, _ATTACHMENTS[kind])
            case _:
                message = message_of(outgoing)
        if message is None:
            return SendOutcome(reaction=Reaction.BAD_PAYLOAD, detail="This cannot be shown on the channel.")
        return await self.say(outgoing, message, messaging_type(outgoing))

    async def say(
        self, outgoing: Outgoing, message: Mapping[str, object], sort: Mapping[str, str]
    ) -> SendOutcome:
        """Send a message that is written already, as this sort of it."""
        written = {**message, "metadata": str(outgoing.message_id)} if self.carries_id else message
        body: dict[str, object] = {"recipient": recipient_of(outgoing), **sort, "message": written}
        if outgoing.reply_to is not None and not outgoing.reply_to_comment:
            body["reply_to"] = {"mid": outgoing.reply_to}
        return await attempt(self.client.post(self._edge("messages"), body), _message_ids)

    async def act(self, to: str, action: str, payload: Mapping[str, str] | None = None) -> None:
        """Show that we type or have read, or react; raises GraphError, NotSent or NoAnswer."""
        body: dict[str, object] = {"recipient": _recipient(to), "sender_action": action}
        if payload is not None:
            body["payload"] = dict(payload)
        await self.client.post(self._edge("messages"), body)

    async def show(self, to: str, action: str) -> None:
        """The same, where it is a courtesy: whatever the provider answers."""
        try:
            await self.act(to, action)
        except (GraphError, NotSent, NoAnswer):
            return

    async def _react(self, outgoing: Outgoing, emoji: str, mid: str) -> SendOutcome:
        if self.only_heart and emoji and not emoji.startswith("❤"):
            return SendOutcome(
                reaction=Reaction.BAD_PAYLOAD, detail="Instagram lets apps react with a heart only."
            )
        reaction = "love" if self.only_heart else emoji
        payload = {"message_id": mid, "reaction": reaction} if emoji else {"message_id": mid}
        body = {
            "recipient": recipient_of(outgoing),
            "sender_action": "react" if emoji else "unreact",
            "payload": payload,
        }
        # A reaction has no id of its own. Setting it again changes nothing.
        return await attempt(
            self.client.post(self._edge("messages"), body), lambda _: [f"reaction:{outgoing.message_id}"]
        )

    async def _send_file(self, outgoing: Outgoing, file: OutgoingFile, kind: str) -> SendOutcome:
        try:
            attachment_id = await self._upload(file, kind)
        except (GraphError, NotSent, NoAnswer) as error:
            return not_yet_sent(error)
        message = {"attachment": {"type": kind, "payload": {"attachment_id": attachment_id}}}
        return await self.say(outgoing, message, messaging_type(outgoing))

    async def _upload(self, file: OutgoingFile, kind: str) -> str:
        attachment = {"attachment": {"type": kind, "payload": {"is_reusable": True}}}
        form_file = FormFile("filedata", file.filename, file.media_type, file.read(), file.size)
        fields = {"message": orjson.dumps(attachment).decode()}
        if self.platform is not None:
            fields["platform"] = self.platform
        reply = await self.client.upload(self._edge("message_attachments"), fields, form_file)
        attachment_id = as_text(reply.body.get("attachment_id"))
        if attachment_id is None:
            message = "Meta took the file and did not name it."
            raise NotSent(message)
        return attachment_id

    def _edge(self, name: str) -> str:
        return path_of(self.account, name)


def recipient_of(outgoing: Outgoing) -> dict[str, str]:
    """Whom a message goes to; a private answer to a comment goes to whoever wrote that."""
    if outgoing.reply_to_comment and outgoing.reply_to is not None:
        return {"comment_id": outgoing.reply_to}
    return _recipient(outgoing.to)


def messaging_type(outgoing: Outgoing) -> dict[str, str]:
    """What sort of message it is (Send API, `messaging_type`).

    Past the window only a person of ours may answer, under a tag. What goes to a closed window is said to be news:
    an app must not pretend otherwise, and Meta refuses it.
    """
    if outgoing.content.type == "template":
        return {"messaging_type": "UTILITY"}
    if outgoing.reply_to_comment:
        return {"messaging_type": "RESPONSE"}
    if outgoing.window == "human" and outgoing.by_person:
        return {"messaging_type": "MESSAGE_TAG", "tag": HUMAN_AGENT}
    return {"messaging_type": "RESPONSE" if outgoing.by_person and outgoing.window == "open" else "UPDATE"}


def message_of(outgoing: Outgoing) -> dict[str, Any] | None:  # noqa: PLR0911 - one line per kind of content.
    """The message of a body; None for a content that has no form here."""
    match outgoing.content:
        case TextContent(text=text):
            return {"text": text}
        case MediaContent(kind=kind, url=url) if address := outgoing.file.url if outgoing.file else url:
            return {"attachment": {"type": _ATTACHMENTS[kind], "payload": {"url": address}}}
        case QuickRepliesContent(text=text, replies=replies):
            return {"text": text, "quick_replies": [_quick_reply(reply) for reply in replies]}
        case ButtonsContent(text=text, buttons=buttons):
            return _template("button", text=text, buttons=[_button(one) for one in buttons])
        case CarouselContent(cards=cards):
            return _template("generic", elements=[_element(card) for card in cards])
        case TemplateContent() as content:
            return {"template": filled_template(content)}
        case _:
            return None


def _recipient(to: str) -> dict[str, str]:
    if to.startswith(USER_REF):
        return {"user_ref": to.removeprefix(USER_REF)}
    if to.startswith(COMMENT):
        return {"comment_id": to.removeprefix(COMMENT)}
    return {"id": to}


def _message_ids(answer: Mapping[str, object]) -> Sequence[str]:
    mid = as_text(answer.get("message_id"))
    return [mid] if mid is not None else []


def _template(kind: str, **fields: object) -> dict[str, Any]:
    return {"attachment": {"type": "template", "payload": {"template_type": kind, **fields}}}


def _quick_reply(reply: Button) -> dict[str, str]:
    return {"content_type": "text", "title": reply.label, "payload": reply.payload or reply.label}


def _button(button: Button) -> dict[str, str]:
    if button.url is not None:
        return {"type": "web_url", "title": button.label, "url": button.url}
    return {"type": "postback", "title": button.label, "payload": button.payload or button.label}


def _element(card: Card) -> dict[str, Any]:
    # An element needs more than a title; a card may have nothing more.
    subtitle = card.subtitle or (None if card.image_url or card.buttons else card.title)
    fields: dict[str, Any] = {
        "title": card.title,
        "subtitle": subtitle and subtitle[:LONGEST_SUBTITLE],
        "image_url": card.image_url,
        "buttons": [_button(button) for button in card.buttons] or None,
    }
    return {name: value for name, value in fields.items() if value is not None}
