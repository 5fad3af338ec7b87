"""The methods that put something into a chat."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from chatwright.sandbox.faults import Fate, by_ending
from chatwright.sandbox.telegram.bot import Bot, StoredFile
from chatwright.sandbox.telegram.chats import chat_to_write_to
from chatwright.sandbox.telegram.entities import format_text, units
from chatwright.sandbox.telegram.files import part_of
from chatwright.sandbox.telegram.intake import file_meant, file_named
from chatwright.sandbox.telegram.keyboards import checked_markup
from chatwright.sandbox.telegram.messages import bubble_of, compose, text_of
from chatwright.sandbox.telegram.parameters import Parameters
from chatwright.sandbox.telegram.refusals import Refused, bad_request, forbidden, too_many
from chatwright.sandbox.world import Accepted, Bubble, Media, Person, World, unique

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
ALBUM = range(2, 11)

Parts = dict[str, Any]
Draft = tuple[Parts, Sequence[StoredFile]]
Handler = Callable[[Bot, Parameters], Awaitable[Any]]


class AnswerLost(Exception):
    """The method was done, and whoever called must not learn of it."""


class Sending:
    """Handlers of the methods, by name in lower case."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handlers(self) -> Mapping[str, Handler]:
        """All of them."""
        media = ("photo", "video", "animation", "audio", "voice", "video_note", "document", "sticker")
        return {
            "sendmessage": self._sends(_text),
            "sendlocation": self._sends(_location),
            "sendvenue": self._sends(_venue),
            "sendcontact": self._sends(_contact),
            "sendmediagroup": self._send_album,
            **{f"send{kind.replace('_', '')}": self._sends(_media(kind)) for kind in media},
        }

    def _sends(self, draft: Callable[[Bot, Parameters], Awaitable[Draft]]) -> Handler:
        async def send(bot: Bot, parameters: Parameters) -> Parts:
            person, fate = self._admit(bot, parameters, 1)
            parts, files = await draft(bot, parameters)
            message = self._put(bot, person, parameters, parts, files, fate)
            await self._answer(bot, fate)
            return message

        return send

    async def _send_album(self, bot: Bot, parameters: Parameters) -> list[Parts]:
        listed: object = parameters.nested("media", what="media")
        if not isinstance(listed, list):
            raise bad_request("expected an Array of InputMedia")
        items = cast("list[Parts]", listed)
        if len(items) not in ALBUM:
            few = "few" if len(items) < ALBUM.start else "many"
            raise bad_request(f"too {few} messages to send as an album")
        person, fate = self._admit(bot, parameters, len(items))
        drafts = [await _album_item(bot, parameters, item) for item in items]
        album = {"media_group_id": unique()[-16:]}
        messages = [self._put(bot, person, parameters, parts | album, files, fate) for parts, files in drafts]
        await self._answer(bot, fate)
        return messages

    def _admit(self, bot: Bot, parameters: Parameters, count: int) -> tuple[Person, Fate]:
        """Whether this send may be tried at all, and what becomes of it; raises Refused."""
        chat_id = parameters.text("chat_id")
        fate = bot.dice.throw(bot.faults)
        if fate is Fate.TOO_MANY:
            raise too_many(math.ceil(bot.faults.retry_after))
        if fate is Fate.BROKEN:
            raise Refused(500, "Internal Server Error")
        if (error := bot.faults.restricted or by_ending(bot.faults.refused, chat_id)) is not None:
            raise _as_told(error)
        person = chat_to_write_to(bot, chat_id)
        for _ in range(count):
            bot.allowance.take(person.id, self._world.clock.now())
        return person, fate

    def _put(
        self,
        bot: Bot,
        person: Person,
        parameters: Parameters,
        parts: Parts,
        files: Sequence[StoredFile],
        fate: Fate,
    ) -> Parts:
        """Put a message into the chat."""
        reply_to = _replied(person, parameters)
        if (markup := checked_markup(parameters.nested("reply_markup", what="reply markup"))) is not None:
            parts = parts | {"reply_markup": markup}
        at = self._world.clock.stamp()
        message = compose(bot, person, parts | _thread(parameters), by="account", at=at, reply_to=reply_to)
        media = [
            Media(file.path.partition("s/")[0], file.mime_type, file.content, file.url, file.filename)
            for file in files
        ]
        bubble = person.thread.add(bubble_of(message, side="account", at=at, media=media))
        bot.accepted.append(
            Accepted(bubble.id, person.id, None, text_of(message), at, answered=fate is not Fate.SILENT)
        )
        self._world.touch(bot, person)
        return _answered(message)

    async def _answer(self, bot: Bot, fate: Fate) -> None:
        if fate is Fate.SILENT:
            await asyncio.sleep(bot.faults.hang)
            raise AnswerLost


def _answered(message: Parts) -> Parts:
    """A message as its sender gets it: only keyboards of its own are told of."""
    markup = message.get("reply_markup")
    if markup is None or "inline_keyboard" in markup:
        return message
    return {name: part for name, part in message.items() if name != "reply_markup"}


def _as_told(error: str) -> Refused:
    """A switch's error: a status, and maybe its words after a slash."""
    code, _, reason = error.partition("/")
    match code:
        case "403":
            return forbidden(reason or "bot was blocked by the user")
        case "400":
            return bad_request(reason or "chat not found")
        case "429":
            return too_many(int(reason or 1))
        case _:
            return Refused(int(code) if code.isdigit() else 400, reason or "Bad Request")


def _replied(person: Person, parameters: Parameters) -> Bubble | None:
    reply: object = parameters.nested("reply_parameters", what="reply parameters")
    asked = cast("Parts", reply) if isinstance(reply, dict) else {}
    wanted = str(asked.get("message_id") or parameters.text("reply_to_message_id"))
    if not wanted:
        return None
    found = person.thread.find(wanted)
    if (found is None or found.deleted) and not (
        asked.get("allow_sending_without_reply") or parameters.flag("allow_sending_without_reply")
    ):
        raise bad_request("message to be replied not found")
    return found


def _thread(parameters: Parameters) -> Parts:
    thread = parameters.integer("message_thread_id")
    return {"message_thread_id": thread, "is_topic_message": True} if thread else {}


async def _text(_: Bot, parameters: Parameters) -> Draft:
    return text_parts(parameters), ()


def text_parts(parameters: Parameters) -> Parts:
    """Text and its entities; raises Refused when it is empty, too long or wrongly formatted."""
    text = parameters.text("text")
    if not text.strip():
        raise bad_request("message text is empty")
    return _formatted(parameters, "text", "entities", TEXT_LIMIT, "message is too long")


def _caption(parameters: Parameters) -> Parts:
    if not parameters.has("caption"):
        return {}
    return _formatted(parameters, "caption", "caption_entities", CAPTION_LIMIT, "message caption is too long")


def _formatted(parameters: Parameters, name: str, ranges: str, limit: int, too_long: str) -> Parts:
    given: object = parameters.nested(ranges, what="entities")
    formatted = format_text(parameters.text(name), parameters.text("parse_mode"))
    entities = cast("list[Any]", given) if isinstance(given, list) else formatted.entities
    if units(formatted.text) > limit:
        raise bad_request(too_long)
    if not formatted.text.strip() and name == "text":
        raise bad_request("text must be non-empty")
    return {name: formatted.text} | ({ranges: entities} if entities else {})


def _media(kind: str) -> Callable[[Bot, Parameters], Awaitable[Draft]]:
    async def draft(bot: Bot, parameters: Parameters) -> Draft:
        caption = {} if kind in {"sticker", "video_note"} else _caption(parameters)
        file = await file_named(bot, parameters, kind, kind)
        return part_of(kind, file) | caption, [file]

    return draft


async def _album_item(bot: Bot, parameters: Parameters, item: Parts) -> Draft:
    kind = str(item.get("type", ""))
    if kind not in {"photo", "video", "audio", "document"}:
        raise bad_request("can't parse InputMedia: unknown media type specified")
    caption = _caption(Parameters(item))
    file = await file_meant(bot, parameters, str(item.get("media", "")), kind)
    return part_of(kind, file) | caption, [file]


async def _location(_: Bot, parameters: Parameters) -> Draft:
    return {"location": _place(parameters)}, ()


async def _venue(_: Bot, parameters: Parameters) -> Draft:
    place = _place(parameters)
    venue = {"location": place, **{name: _needed(parameters, name) for name in ("title", "address")}}
    return {"venue": venue, "location": place}, ()


def _place(parameters: Parameters) -> Parts:
    latitude, longitude = parameters.number("latitude"), parameters.number("longitude")
    for name, value, most in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if value is None or abs(value) > most:
            raise bad_request(f"{name} is empty" if value is None else f"wrong {name} specified")
    return {"latitude": latitude, "longitude": longitude}


async def _contact(_: Bot, parameters: Parameters) -> Draft:
    contact = {name: _needed(parameters, name) for name in ("phone_number", "first_name")}
    if last := parameters.text("last_name"):
        contact["last_name"] = last
    return {"contact": contact}, ()


def _needed(parameters: Parameters, name: str) -> str:
    if not (value := parameters.text(name)):
        raise bad_request(f"{name} is empty")
    return value
