"""The sandbox proven by aiogram, which nobody here wrote: it sends every kind, and reads every update."""

from base64 import b64encode
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    KeyboardButton,
    Message,
    MessageReactionUpdated,
    ReactionTypeEmoji,
    ReplyKeyboardMarkup,
    ReplyParameters,
    Update,
)
from starlette.responses import Response

from tests.sandbox.running import Ear
from tests.sandbox.telegram.conftest import Corner

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
EVERYTHING = [*Update.model_fields]
"""Kinds of updates, `update_id` among them, which is none and does no harm."""


def picture(name: str = "cup.png") -> BufferedInputFile:
    return BufferedInputFile(PNG, name)


@pytest_asyncio.fixture(loop_scope="session")
async def bot(corner: Corner) -> AsyncGenerator[Bot]:
    server = TelegramAPIServer.from_base(f"{corner.stage.url}/telegram")
    async with Bot(corner.token, session=AiohttpSession(api=server)) as opened:
        yield opened


class TestSending:
    async def test_introduces_itself(self, bot: Bot, corner: Corner) -> None:
        me = await bot.get_me()
        assert (me.id, me.first_name, me.username) == (int(corner.bot["id"]), "Bean Bar", "bean_bar_bot")

    async def test_sends_text_with_formatting_a_reply_and_buttons(self, bot: Bot, corner: Corner) -> None:
        asked = int((await corner.bubbles())[0]["id"])
        buttons = [[InlineKeyboardButton(text="Yes", callback_data="y")]]
        sent = await bot.send_message(
            corner.chat,
            "Is <b>☕ coffee</b> fine?",
            parse_mode="HTML",
            reply_parameters=ReplyParameters(message_id=asked),
            reply_markup=InlineKeyboardMarkup(inline_keyboard=buttons),
        )
        assert sent.text == "Is ☕ coffee fine?"
        assert [(found.type, found.offset, found.length) for found in sent.entities or []] == [("bold", 3, 8)]
        assert sent.reply_to_message is not None
        assert sent.reply_to_message.text == "Hello"
        shown = (await corner.bubbles())[-1]
        assert (shown["id"], shown["text"], shown["tick"]) == (str(sent.message_id), sent.text, "sent")
        assert [button["title"] for button in shown["buttons"]] == ["Yes"]

    async def test_sends_files_of_every_kind(self, bot: Bot, corner: Corner) -> None:
        chat = corner.chat
        photo = await bot.send_photo(chat, picture(), caption="A cup")
        assert photo.photo is not None
        assert photo.caption == "A cup"
        again = await bot.send_photo(chat, photo.photo[-1].file_id)
        assert again.photo is not None
        assert again.photo[-1].file_id == photo.photo[-1].file_id
        sent: list[Message] = [
            await bot.send_document(chat, BufferedInputFile(b"a,b", "menu.csv")),
            await bot.send_video(chat, BufferedInputFile(b"mp4", "pour.mp4")),
            await bot.send_animation(chat, BufferedInputFile(b"gif", "steam.gif")),
            await bot.send_audio(chat, BufferedInputFile(b"mp3", "song.mp3")),
            await bot.send_voice(chat, BufferedInputFile(b"ogg", "voice.ogg")),
            await bot.send_video_note(chat, BufferedInputFile(b"mp4", "note.mp4")),
            await bot.send_sticker(chat, BufferedInputFile(b"webp", "wave.webp")),
        ]
        assert [message.content_type for message in sent] == [
            *("document", "video", "animation", "audio", "voice", "video_note", "sticker"),
        ]
        shown = (await corner.bubbles())[-len(sent) :]
        assert [bubble["media"][0]["kind"] for bubble in shown] == [message.content_type for message in sent]

    async def test_sends_an_album(self, bot: Bot, corner: Corner) -> None:
        album = await bot.send_media_group(
            corner.chat,
            [InputMediaPhoto(media=picture(), caption="Two"), InputMediaPhoto(media=picture("2.png"))],
        )
        assert len({message.media_group_id for message in album}) == 1
        assert [message.caption for message in album] == ["Two", None]
        alone = InputMediaDocument(media=BufferedInputFile(b"1", "a.txt"))
        with pytest.raises(TelegramBadRequest, match="too few"):
            await bot.send_media_group(corner.chat, [alone])

    async def test_sends_places_contacts_and_signs_of_life(self, bot: Bot, corner: Corner) -> None:
        place = await bot.send_location(corner.chat, 10.77, 106.7)
        venue = await bot.send_venue(corner.chat, 10.77, 106.7, "Bean Bar", "1 Main St")
        contact = await bot.send_contact(corner.chat, "+84123", "Minh")
        assert place.location is not None
        assert venue.venue is not None
        assert contact.contact is not None
        assert (place.location.latitude, venue.venue.title, contact.contact.first_name) == (
            10.77,
            "Bean Bar",
            "Minh",
        )
        assert await bot.send_chat_action(corner.chat, "typing")
        assert (await corner.stage.phone(corner.bot, corner.ada))["typing"]

    async def test_edits_reacts_and_deletes(self, bot: Bot, corner: Corner) -> None:
        sent = await bot.send_message(corner.chat, "Ready at 5")
        edited = await bot.edit_message_text("Ready at 6", chat_id=corner.chat, message_id=sent.message_id)
        assert isinstance(edited, Message)
        assert edited.edit_date is not None
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await bot.edit_message_text("Ready at 6", chat_id=corner.chat, message_id=sent.message_id)
        first = int((await corner.bubbles())[0]["id"])
        await bot.set_message_reaction(corner.chat, first, [ReactionTypeEmoji(emoji="👍")])
        with pytest.raises(TelegramBadRequest, match="REACTION_INVALID"):
            await bot.set_message_reaction(corner.chat, first, [ReactionTypeEmoji(emoji="🫖")])
        await bot.delete_message(corner.chat, sent.message_id)
        hello, last = (await corner.bubbles())[0], (await corner.bubbles())[-1]
        assert hello["reactions"] == {"account": "👍"}
        assert (last["text"], last["edited"], last["deleted"]) == ("Ready at 6", True, True)

    async def test_is_told_why_not(self, bot: Bot, corner: Corner) -> None:
        with pytest.raises(TelegramBadRequest, match="chat not found"):
            await bot.send_message(1, "?")
        with pytest.raises(TelegramBadRequest, match="message is too long"):
            await bot.send_message(corner.chat, "x" * 4097)
        with pytest.raises(TelegramBadRequest, match="can't parse entities"):
            await bot.send_message(corner.chat, "1 < 2 <b>", parse_mode="HTML")
        button = InlineKeyboardButton(text="Long", callback_data="x" * 65)
        keyboard = InlineKeyboardMarkup(inline_keyboard=[[button]])
        with pytest.raises(TelegramBadRequest, match="BUTTON_DATA_INVALID"):
            await bot.send_message(corner.chat, "?", reply_markup=keyboard)
        await corner.act("block")
        with pytest.raises(TelegramForbiddenError, match="blocked by the user"):
            await bot.send_message(corner.chat, "Are you there?")
        await corner.stage.fault(corner.bot, too_many=1, retry_after=7)
        with pytest.raises(TelegramRetryAfter) as waits:
            await bot.send_message(corner.chat, "Hello?")
        assert waits.value.retry_after == 7
        await corner.stage.fault(corner.bot, too_many=0, broken=1)
        with pytest.raises(TelegramServerError):
            await bot.send_message(corner.chat, "Hello?")

    async def test_is_told_where_a_group_went(self, bot: Bot, corner: Corner) -> None:
        group = await corner.stage.person(corner.bot, name="Regulars", details={"chat_type": "group"})
        await corner.stage.act(corner.bot, group, "happen", name="migrate")
        with pytest.raises(TelegramMigrateToChat) as moved:
            await bot.send_message(group["id"], "Hi all")
        assert (await bot.send_message(moved.value.migrate_to_chat_id, "Hi all")).chat.type == "supergroup"

    async def test_needs_its_token(self, corner: Corner) -> None:
        server = TelegramAPIServer.from_base(f"{corner.stage.url}/telegram")
        session = AiohttpSession(api=server)
        for token, refusal in (
            (f"{corner.bot['id']}:{'A' * 35}", TelegramUnauthorizedError),
            ("1:short", TelegramNotFound),
        ):
            async with Bot(token, session=session) as bot:
                with pytest.raises(refusal):
                    await bot.get_me()


class TestHearing:
    @pytest_asyncio.fixture(loop_scope="session")
    async def heard(self, bot: Bot, ear: Ear) -> "Heard":
        await bot.set_webhook(ear.url, secret_token="s3cret_", allowed_updates=EVERYTHING)
        return Heard(bot, ear)

    async def test_messages_of_every_kind(self, heard: "Heard", corner: Corner) -> None:
        await corner.act("say", text="/help please https://example.org")
        for kind in ("image", "video", "animation", "audio", "voice", "video_note", "document", "sticker"):
            content = b64encode(PNG).decode()
            await corner.act("media", kind=kind, content=content, mime_type="image/png", caption=f"My {kind}")
        await corner.act("location", latitude=1.5, longitude=2.5)
        await corner.act("location", latitude=1.5, longitude=2.5, name="Home", address="2 Hill Rd")
        await corner.act("contact", name="Ada Byron", phone="+84901234567")
        await corner.act("happen", name="message", values={"dice": {"emoji": "🎲", "value": 4}})
        messages = [update.message for update in await heard.updates(corner)]
        assert [message.content_type for message in messages if message] == [
            *("text", "photo", "video", "animation", "audio", "voice", "video_note", "document", "sticker"),
            *("location", "venue", "contact", "dice"),
        ]
        text, contact = messages[0], messages[11]
        assert text is not None
        assert text.from_user is not None
        assert (text.from_user.id, text.chat.type) == (corner.chat, "private")
        assert [found.type for found in text.entities or []] == ["bot_command", "url"]
        assert contact is not None
        assert contact.contact is not None
        assert contact.contact.user_id == corner.chat

    async def test_everything_else_people_do(self, heard: "Heard", bot: Bot, corner: Corner) -> None:
        buttons = [[InlineKeyboardButton(text="Yes", callback_data="yes")]]
        asked = await bot.send_message(
            corner.chat, "Sure?", reply_markup=InlineKeyboardMarkup(inline_keyboard=buttons)
        )
        bubble = str(asked.message_id)
        await corner.act("press", bubble=bubble, button="0.0")
        await corner.act("react", bubble=bubble, emoji="🔥")
        await corner.act("react", bubble=bubble, emoji="")
        said = await corner.act("say", text="two flat whites", reply_to=bubble)
        await corner.act("edit", bubble=said, text="three flat whites")
        await corner.act("follow", ref="spring-sale")
        await corner.act("block")
        await corner.act("unblock")
        updates = await heard.updates(corner)
        assert [update.event_type for update in updates] == [
            *(
                "callback_query",
                "message_reaction",
                "message_reaction",
                "message",
                "edited_message",
                "message",
            ),
            *("my_chat_member", "my_chat_member"),
        ]
        events: list[Any] = [update.event for update in updates]
        pressed, reacted, unreacted, answered, edited, started, blocked, unblocked = events
        assert isinstance(pressed, CallbackQuery)
        assert (pressed.data, pressed.message and pressed.message.message_id) == ("yes", asked.message_id)
        assert await bot.answer_callback_query(pressed.id, "Noted")
        with pytest.raises(TelegramBadRequest, match="query is too old"):
            await bot.answer_callback_query(pressed.id)
        assert isinstance(reacted, MessageReactionUpdated)
        (given,), (taken_back,) = reacted.new_reaction, unreacted.old_reaction
        assert isinstance(given, ReactionTypeEmoji)
        assert given.emoji == taken_back.emoji == "🔥"
        assert answered.reply_to_message.message_id == asked.message_id
        assert (edited.text, edited.message_id) == ("three flat whites", answered.message_id)
        assert started.text == "/start spring-sale"
        assert isinstance(blocked, ChatMemberUpdated)
        assert (blocked.new_chat_member.status, unblocked.new_chat_member.status) == ("kicked", "member")

    async def test_keyboards_instead_of_the_phones_own(
        self, heard: "Heard", bot: Bot, corner: Corner
    ) -> None:
        rows = [[KeyboardButton(text="Tea"), KeyboardButton(text="My number", request_contact=True)]]
        await bot.send_message(corner.chat, "What?", reply_markup=ReplyKeyboardMarkup(keyboard=rows))
        bubble = (await corner.bubbles())[-1]["id"]
        await corner.act("press", bubble=bubble, button="0.0")
        await corner.act("press", bubble=bubble, button="0.1")
        tea, number = [update.message for update in await heard.updates(corner)]
        assert tea is not None
        assert number is not None
        assert number.contact is not None
        assert (tea.text, number.contact.phone_number) == ("Tea", "+84901234567")

    async def test_albums_groups_and_topics(self, heard: "Heard", corner: Corner) -> None:
        for caption in ("Both", ""):
            content, album = b64encode(PNG).decode(), {"media_group_id": "77"}
            await corner.act(
                "media", kind="image", content=content, mime_type="image/png", caption=caption, details=album
            )
        stage, bot = corner.stage, corner.bot
        group = await stage.person(bot, name="Staff", details={"chat_type": "group"})
        await stage.act(
            bot, group, "say", text="In here", details={"message_thread_id": 4, "is_topic_message": True}
        )
        await stage.act(bot, group, "happen", name="migrate")
        messages = [update.message for update in await heard.updates(corner)]
        first, second, topic, farewell, arrival = [message for message in messages if message]
        assert first.media_group_id == second.media_group_id == "77"
        assert (topic.chat.title, topic.message_thread_id) == ("Staff", 4)
        assert farewell.migrate_to_chat_id == arrival.chat.id
        assert arrival.migrate_from_chat_id == farewell.chat.id

    async def test_files_can_be_fetched(self, heard: "Heard", bot: Bot, corner: Corner) -> None:
        content = b64encode(b"a,b").decode()
        await corner.act("media", kind="document", content=content, mime_type="text/csv", filename="m.csv")
        (update,) = await heard.updates(corner)
        assert update.message is not None
        assert update.message.document is not None
        fetched = await bot.download(update.message.document)
        assert fetched is not None
        assert fetched.read() == b"a,b"

    async def test_a_webhooks_answer_may_be_a_call(self, heard: "Heard", ear: Ear, corner: Corner) -> None:
        call = b'{"method":"sendMessage","chat_id":%d,"text":"At once"}' % corner.chat
        ear.answers.append(Response(call))
        await corner.act("say", text="Quick?")
        await corner.stage.settled()
        assert (await corner.bubbles())[-1]["text"] == "At once"

    async def test_polling_instead_of_a_webhook(self, heard: "Heard", bot: Bot, corner: Corner) -> None:
        with pytest.raises(TelegramConflictError, match="webhook is active"):
            await bot.get_updates()
        await bot.delete_webhook()
        dispatcher, said = Dispatcher(), list[str | None]()

        @dispatcher.message()
        async def hear(message: Message) -> None:
            said.append(message.text)
            await message.answer("Polled")
            if len(said) == 2:
                await dispatcher.stop_polling()

        await corner.act("say", text="one")
        await corner.act("say", text="two")
        await dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False)  # pyright: ignore[reportUnknownMemberType] - a type of aiogram's that is no type.
        assert said == ["one", "two"]
        assert [bubble["text"] for bubble in (await corner.bubbles())[-2:]] == ["Polled", "Polled"]


class Heard:
    """What came to an ear, as aiogram reads it."""

    def __init__(self, bot: Bot, ear: Ear) -> None:
        self._bot = bot
        self._ear = ear

    async def updates(self, corner: Corner) -> list[Update]:
        await corner.stage.settled()
        assert {heard.headers["x-telegram-bot-api-secret-token"] for heard in self._ear.heard} == {"s3cret_"}
        return [
            Update.model_validate(event, context={"bot": self._bot})
            for event in sorted(self._ear.events, key=lambda event: event["update_id"])
        ]
