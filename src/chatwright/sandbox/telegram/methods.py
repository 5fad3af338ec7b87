"""All methods of the Bot API that the sandbox has, by name."""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from chatwright.sandbox.hooks import Hooks
from chatwright.sandbox.telegram.bot import DEFAULT_CONNECTIONS, Bot, Webhook
from chatwright.sandbox.telegram.chats import chat_of, chat_to_write_to
from chatwright.sandbox.telegram.files import link
from chatwright.sandbox.telegram.keyboards import checked_markup
from chatwright.sandbox.telegram.messages import buttons_of
from chatwright.sandbox.telegram.parameters import Parameters
from chatwright.sandbox.telegram.reactions import EMOJI, plain
from chatwright.sandbox.telegram.refusals import Refused, bad_request, conflict, not_found
from chatwright.sandbox.telegram.sending import AnswerLost, Handler, Sending, text_parts
from chatwright.sandbox.telegram.updates import MOST_AT_ONCE, Updates
from chatwright.sandbox.world import Bubble, Person, World, unique

TYPING_SECONDS = 5
QUERY_SECONDS = 15 * 60
"""How long a press may be answered; after a quarter of an hour it is too old in practice."""
DELETABLE_SECONDS = 48 * 3600
ANSWER_LIMIT = 200
PORTS = frozenset({443, 80, 88, 8443})
CHAT_ACTIONS = frozenset(
    {
        *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice"),
        *("upload_document", "choose_sticker", "find_location", "record_video_note", "upload_video_note"),
    }
)
_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")


class Methods:
    """Runs methods for bots."""

    def __init__(self, world: World, hooks: Hooks) -> None:
        self._world = world
        self._hooks = hooks
        self.updates = Updates(world, hooks, self._call_silently)
        self._handlers: Mapping[str, Handler] = {
            **Sending(world).handlers(),
            "getme": self._get_me,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
            "getupdates": self._get_updates,
            "sendchataction": self._send_chat_action,
            "setmessagereaction": self._set_reaction,
            "editmessagetext": self._edit_text,
            "editmessagereplymarkup": self._edit_markup,
            "deletemessage": self._delete_message,
            "answercallbackquery": self._answer_query,
            "getfile": self._get_file,
            "getchat": self._get_chat,
            "getuserprofilephotos": self._get_photos,
            "setmycommands": self._set_commands,
            "getmycommands": self._get_commands,
            "deletemycommands": self._delete_commands,
        }

    async def call(self, bot: Bot, name: str, parameters: Parameters) -> Any:  # noqa: ANN401 - any JSON.
        """Run one method; raises Refused, or AnswerLost when it was done and nobody may know."""
        handler = self._handlers.get(name.lower())
        if handler is None:
            raise not_found()
        if bot.faults.latency:
            await asyncio.sleep(bot.faults.latency)
        return await handler(bot, parameters)

    async def _call_silently(self, bot: Bot, name: str, values: Mapping[str, Any]) -> None:
        with contextlib.suppress(Refused, AnswerLost):
            await self.call(bot, name, Parameters(values))

    async def _get_me(self, bot: Bot, _: Parameters) -> dict[str, Any]:
        abilities = {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }
        return bot.me() | abilities

    async def _set_webhook(self, bot: Bot, parameters: Parameters) -> bool:
        url = parameters.text("url").strip()
        if not url:
            return await self._delete_webhook(bot, parameters)
        _check_address(url, strict=bool(bot.details.get("strict_webhooks")))
        secret = parameters.text("secret_token")
        if not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        connections = min(max(parameters.integer("max_connections", DEFAULT_CONNECTIONS), 1), 100)
        _remember_allowed(bot, parameters)
        if parameters.flag("drop_pending_updates"):
            bot.pending.clear()
        bot.webhook = Webhook(url, secret, connections)
        bot.webhook_url = url
        bot.last_error = None
        self.updates.rehang(bot)
        self._world.touch(bot)
        return True

    async def _delete_webhook(self, bot: Bot, parameters: Parameters) -> bool:
        bot.webhook = bot.webhook_url = None
        if parameters.flag("drop_pending_updates"):
            bot.pending.clear()
        self.updates.rehang(bot)
        self._world.touch(bot)
        return True

    async def _get_webhook_info(self, bot: Bot, _: Parameters) -> dict[str, Any]:
        info: dict[str, Any] = {
            "url": bot.webhook.url if bot.webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(bot.pending),
        }
        if bot.webhook is not None:
            info["max_connections"] = bot.webhook.max_connections
        if bot.last_error is not None:
            at, reason = bot.last_error
            info |= {"last_error_date": int(at.timestamp()), "last_error_message": reason}
        if bot.allowed_updates is not None:
            info["allowed_updates"] = sorted(bot.allowed_updates)
        return info

    async def _get_updates(self, bot: Bot, parameters: Parameters) -> list[dict[str, Any]]:
        if bot.webhook is not None:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        _remember_allowed(bot, parameters)
        return await self.updates.poll(
            bot,
            offset=parameters.integer("offset"),
            limit=min(parameters.integer("limit", MOST_AT_ONCE), MOST_AT_ONCE),
            seconds=min(max(parameters.integer("timeout"), 0), 50),
        )

    async def _send_chat_action(self, bot: Bot, parameters: Parameters) -> bool:
        person = chat_to_write_to(bot, parameters.text("chat_id"))
        if parameters.text("action") not in CHAT_ACTIONS:
            raise bad_request("wrong parameter action in request")
        person.thread.typing = True
        self._world.touch(bot, person)
        self._hooks.spawn(self._stop_typing(bot, person))
        return True

    async def _stop_typing(self, bot: Bot, person: Person) -> None:
        await self._world.clock.wait(TYPING_SECONDS)
        person.thread.typing = False
        self._world.touch(bot, person)

    async def _set_reaction(self, bot: Bot, parameters: Parameters) -> bool:
        person, bubble = _message(bot, parameters, "react")
        listed: object = parameters.nested("reaction", what="reaction")
        reactions = cast("list[dict[str, Any]]", listed) if isinstance(listed, list) else []
        emoji = [plain(str(reaction.get("emoji", ""))) for reaction in reactions]
        if len(emoji) > 1 or not EMOJI.issuperset(emoji):
            raise bad_request("REACTION_INVALID")
        bubble.reactions.pop("account", None)
        if emoji:
            bubble.reactions["account"] = emoji[0]
        self._world.touch(bot, person)
        return True

    async def _edit_text(self, bot: Bot, parameters: Parameters) -> dict[str, Any]:
        parts = text_parts(parameters)
        markup = checked_markup(parameters.nested("reply_markup", what="reply markup"))
        _, bubble = _message(bot, parameters, "edit")
        if "text" not in bubble.details:
            raise bad_request("there is no text in the message to edit")
        kept = {
            name: bubble.details[name]
            for name in bubble.details.keys() - {"text", "entities", "reply_markup"}
        }
        return self._edited(bot, parameters, kept | parts | ({"reply_markup": markup} if markup else {}))

    async def _edit_markup(self, bot: Bot, parameters: Parameters) -> dict[str, Any]:
        markup = checked_markup(parameters.nested("reply_markup", what="reply markup"))
        _, bubble = _message(bot, parameters, "edit")
        kept = {name: bubble.details[name] for name in bubble.details.keys() - {"reply_markup"}}
        return self._edited(bot, parameters, kept | ({"reply_markup": markup} if markup else {}))

    def _edited(self, bot: Bot, parameters: Parameters, message: dict[str, Any]) -> dict[str, Any]:
        person, bubble = _message(bot, parameters, "edit")
        if bubble.side != "account":
            raise bad_request("message can't be edited")
        if message == bubble.details:
            raise bad_request(
                "message is not modified: specified new message content and reply markup are exactly the same "
                "as a current content and reply markup of the message"
            )
        message["edit_date"] = int(self._world.clock.stamp().timestamp())
        bubble.text, bubble.edited, bubble.details = str(message.get("text", bubble.text)), True, message
        bubble.buttons = buttons_of(message.get("reply_markup"))
        self._world.touch(bot, person)
        return message

    async def _delete_message(self, bot: Bot, parameters: Parameters) -> bool:
        person, bubble = _message(bot, parameters, "delete")
        if self._world.clock.since(DELETABLE_SECONDS) > bubble.at:
            raise bad_request("message can't be deleted for everyone")
        bubble.deleted = True
        self._world.touch(bot, person)
        return True

    async def _answer_query(self, bot: Bot, parameters: Parameters) -> bool:
        text = parameters.text("text")
        if len(text) > ANSWER_LIMIT:
            raise bad_request("MESSAGE_TOO_LONG")
        chat_id, asked_at = bot.queries.pop(parameters.text("callback_query_id"), ("", None))
        now = self._world.clock.now()
        if asked_at is None or now - asked_at > timedelta(
            seconds=QUERY_SECONDS / self._world.clock.lifetimes
        ):
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        if text and (person := bot.people.get(chat_id)) is not None:
            kind = "alert" if parameters.flag("show_alert") else "toast"
            person.thread.add(Bubble(unique(), "system", kind, self._world.clock.stamp(), text))
            self._world.touch(bot, person)
        return True

    async def _get_file(self, bot: Bot, parameters: Parameters) -> dict[str, Any]:
        return link(bot, self._world, parameters.text("file_id"))

    async def _get_chat(self, bot: Bot, parameters: Parameters) -> dict[str, Any]:
        person = bot.people.get(parameters.text("chat_id"))
        if person is None:
            raise bad_request("chat not found")
        return chat_of(person) | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": _NO_GIFTS,
        }

    async def _get_photos(self, bot: Bot, parameters: Parameters) -> dict[str, Any]:
        if parameters.text("user_id") not in bot.people:
            raise bad_request("user not found")
        return {"total_count": 0, "photos": []}

    async def _set_commands(self, bot: Bot, parameters: Parameters) -> bool:
        listed: object = parameters.nested("commands", what="commands")
        bot.commands = cast("list[dict[str, str]]", listed) if isinstance(listed, list) else []
        return True

    async def _get_commands(self, bot: Bot, _: Parameters) -> list[dict[str, str]]:
        return bot.commands

    async def _delete_commands(self, bot: Bot, _: Parameters) -> bool:
        bot.commands = []
        return True


_NO_GIFTS = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}


def _message(bot: Bot, parameters: Parameters, what: str) -> tuple[Person, Bubble]:
    """The message that a call names by chat and id."""
    person = chat_to_write_to(bot, parameters.text("chat_id"))
    bubble = person.thread.find(parameters.text("message_id"))
    if bubble is None or bubble.deleted or bubble.side == "system":
        raise bad_request(f"message to {what} not found")
    return person, bubble


def _remember_allowed(bot: Bot, parameters: Parameters) -> None:
    """What is left out stays as it was; an empty list is the default set."""
    listed: object = parameters.nested("allowed_updates", what="allowed updates")
    if isinstance(listed, list):
        bot.allowed_updates = frozenset(map(str, cast("list[object]", listed))) or None


def _check_address(url: str, *, strict: bool) -> None:
    """As the public server does when `strict`; else as one of your own in local mode, which takes plain HTTP."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise bad_request("bad webhook: invalid webhook URL specified")
    if strict and parts.scheme != "https":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if strict and (port or 443) not in PORTS:
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
