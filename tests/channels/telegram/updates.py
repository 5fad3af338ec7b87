"""Updates of every kind as Telegram tells of them (Bot API, Update), about people and chats that nobody has."""

from typing import Any

Json = dict[str, Any]

ADA: Json = {
    "id": 5012,
    "is_bot": False,
    "first_name": "Ada",
    "last_name": "Byron",
    "username": "ada",
    "language_code": "en",
}
ADA_CHAT: Json = {"id": 5012, "type": "private", "first_name": "Ada", "last_name": "Byron", "username": "ada"}
BEN: Json = {"id": 5077, "is_bot": False, "first_name": "Ben"}
BOT: Json = {"id": 7000000001, "is_bot": True, "first_name": "Bean Bar", "username": "bean_bar_bot"}
GROUP: Json = {"id": -4455, "type": "group", "title": "Night shift"}
SUPERGROUP: Json = {
    "id": -1009988776655,
    "type": "supergroup",
    "title": "Regulars",
    "username": "regulars",
    "is_forum": True,
}
OWNER: Json = {"id": 6001, "is_bot": False, "first_name": "Olive"}
FILE: Json = {"file_id": "F-large", "file_unique_id": "u", "file_size": 2048}
WHEN = 1_795_000_000


def message(number: int = 31, /, *, chat: Json = ADA_CHAT, sender: Json | None = ADA, **parts: Any) -> Json:
    """A message in a chat."""
    by = {} if sender is None else {"from": sender}
    return {"message_id": number, **by, "chat": chat, "date": WHEN, **parts}


MESSAGES: dict[str, Json] = {
    "text": message(text="Two flat whites"),
    "text in old style": {
        "message_id": 1,
        "chat": {"id": 5012, "first_name": "Ada"},
        "date": WHEN,
        "text": "Hi",
    },
    "reply": message(text="That one", reply_to_message=message(30, sender=BOT, text="Which?")),
    "photo": message(photo=[{**FILE, "file_id": "F-small"}, FILE], caption="Our menu"),
    "video": message(
        video={
            **FILE,
            "width": 4,
            "height": 3,
            "duration": 2,
            "mime_type": "video/quicktime",
            "file_name": "a.mov",
        }
    ),
    "video_note": message(video_note={**FILE, "length": 240, "duration": 2}),
    "animation": message(
        animation={**FILE, "mime_type": "video/mp4", "file_name": "steam.mp4"},
        document={**FILE, "mime_type": "video/mp4", "file_name": "steam.mp4"},
    ),
    "audio": message(audio={**FILE, "duration": 9, "title": "Jingle", "mime_type": "audio/mpeg"}),
    "voice": message(voice={**FILE, "duration": 3, "mime_type": "audio/ogg"}),
    "document": message(
        document={**FILE, "file_name": "bill.pdf", "mime_type": "application/pdf"}, caption="The bill"
    ),
    "sticker": message(
        sticker={**FILE, "type": "regular", "is_animated": False, "is_video": False, "emoji": "👋"}
    ),
    "moving sticker": message(sticker={**FILE, "is_animated": True, "is_video": False}),
    "video sticker": message(sticker={**FILE, "is_animated": False, "is_video": True}),
    "location": message(location={"latitude": 10.77, "longitude": 106.7, "live_period": 600}),
    "venue": message(
        venue={
            "location": {"latitude": 10.77, "longitude": 106.7},
            "title": "Bean Bar",
            "address": "1 Le Loi",
        },
        location={"latitude": 10.77, "longitude": 106.7},
    ),
    "own contact": message(contact={"phone_number": "84901234567", "first_name": "Ada", "user_id": 5012}),
    "somebody's contact": message(
        contact={"phone_number": "84907654321", "first_name": "Ben", "last_name": "Orr", "user_id": 5077}
    ),
    "a card without account": message(contact={"phone_number": "84907654321", "first_name": "Ben"}),
    "dice": message(dice={"emoji": "🎲", "value": 4}),
    "poll": message(poll={"id": "9", "question": "Milk?", "options": [{"text": "Oat"}, {"text": "Soy"}]}),
    "checklist": message(checklist={"title": "Monday", "tasks": [{"id": 1, "text": "Order beans"}]}),
    "game": message(game={"title": "Pour", "description": "Pour it"}),
    "invoice": message(
        invoice={"title": "Beans", "description": "1 kg", "currency": "VND", "total_amount": 9}
    ),
    "story": message(story={"id": 3, "chat": ADA_CHAT}),
    "answer to a story": message(text="Lovely", reply_to_story={"id": 3, "chat": GROUP}),
    "paid media": message(paid_media={"star_count": 5, "paid_media": []}),
    "giveaway": message(giveaway={"winner_count": 1}),
    "web app": message(web_app_data={"button_text": "Order", "data": '{"cups": 2}'}),
    "web app without JSON": message(web_app_data={"button_text": "Order", "data": "cups=2"}),
    "something of tomorrow": message(hologram={"depth": 3}, caption="Look"),
    "forwarded": message(
        text="As they said", forward_origin={"type": "hidden_user", "sender_user_name": "N", "date": WHEN}
    ),
    "forwarded in old style": message(text="As they said", forward_from=BEN, forward_date=WHEN),
    "in a group": message(chat=GROUP, text="Who is in?"),
    "in a topic": message(
        55,
        chat=SUPERGROUP,
        text="Which grinder?",
        message_thread_id=40,
        is_topic_message=True,
        reply_to_message=message(40, chat=SUPERGROUP, forum_topic_created={"name": "Gear", "icon_color": 1}),
    ),
    "as an anonymous admin": message(
        chat=SUPERGROUP,
        sender={"id": 1087968824, "is_bot": True, "first_name": "Group"},
        sender_chat=SUPERGROUP,
        text="Rules",
    ),
    "by another bot": message(chat=GROUP, sender={**BOT, "id": 8, "first_name": "Robo"}, text="Beep"),
    "a post of the group's channel": message(
        chat=SUPERGROUP,
        sender={"id": 777000, "is_bot": False, "first_name": "Telegram"},
        sender_chat={"id": -1007, "type": "channel", "title": "News"},
        is_automatic_forward=True,
        text="New beans",
    ),
    "album 1": message(41, media_group_id="135", photo=[FILE], caption="The whole shelf"),
    "album 2": message(42, media_group_id="135", photo=[FILE]),
    "start": message(text="/start"),
    "start from a link": message(text="/start spring-flyer_7"),
    "start in a group": message(chat=GROUP, text="/start@bean_bar_bot poster"),
    "stop": message(text="/stop"),
}
"""Messages that say something."""

NOTES: dict[str, Json] = {
    "joined": message(chat=GROUP, new_chat_members=[BEN], new_chat_member=BEN, new_chat_participant=BEN),
    "left": message(chat=GROUP, left_chat_member=BEN),
    "renamed": message(chat=GROUP, new_chat_title="Day shift"),
    "pinned": message(chat=GROUP, pinned_message=message(chat=GROUP, text="Rules")),
    "topic made": message(
        chat=SUPERGROUP, message_thread_id=40, forum_topic_created={"name": "Gear", "icon_color": 1}
    ),
    "paid": message(successful_payment={"currency": "VND", "total_amount": 9}),
}
"""What a chat tells of itself."""


def member(status: str, **more: Any) -> Json:
    return {"user": BOT, "status": status, **more}


def own_membership(before: str, now: str, chat: Json = ADA_CHAT) -> Json:
    return {
        "chat": chat,
        "from": ADA,
        "date": WHEN,
        "old_chat_member": member(before),
        "new_chat_member": member(now),
    }


def press(data: str = "YES", **parts: Any) -> Json:
    """Somebody pressed an inline button."""
    keyboard = {
        "inline_keyboard": [
            [{"text": "Yes, please", "callback_data": "YES"}],
            [{"text": "Menu", "url": "https://m.example"}],
        ]
    }
    shown = message(30, sender=BOT, text="Another?", reply_markup=keyboard)
    return {"id": "4382", "from": ADA, "message": shown, "chat_instance": "-77", "data": data, **parts}


def reaction(*new: Json, **parts: Any) -> Json:
    return {
        "chat": ADA_CHAT,
        "message_id": 30,
        "user": ADA,
        "date": WHEN,
        "old_reaction": [],
        "new_reaction": list(new),
        **parts,
    }


BUSINESS: Json = {"business_connection_id": "bc_77"}

OTHERS: dict[str, tuple[str, Json]] = {
    "edited": ("edited_message", message(text="Three flat whites", edit_date=WHEN + 60)),
    "press": ("callback_query", press()),
    "press on a message that is gone": (
        "callback_query",
        press(message={"chat": ADA_CHAT, "message_id": 30, "date": 0}),
    ),
    "press without a message": (
        "callback_query",
        {"id": "4383", "from": ADA, "inline_message_id": "i9", "chat_instance": "-77", "data": "YES"},
    ),
    "press in a group": ("callback_query", press(message=message(30, chat=GROUP, sender=BOT, text="Vote"))),
    "reaction": ("message_reaction", reaction({"type": "emoji", "emoji": "🔥"})),
    "reaction taken back": ("message_reaction", reaction()),
    "reaction of one's own making": (
        "message_reaction",
        reaction({"type": "custom_emoji", "custom_emoji_id": "5"}),
    ),
    "blocked": ("my_chat_member", own_membership("member", "kicked")),
    "unblocked": ("my_chat_member", own_membership("kicked", "member")),
    "thrown out of a group": ("my_chat_member", own_membership("member", "left", GROUP)),
    "taken into a group": ("my_chat_member", own_membership("left", "administrator", GROUP)),
    "group moves on": ("message", message(chat=GROUP, migrate_to_chat_id=-1009988776655)),
    "supergroup came from": ("message", message(1, chat=SUPERGROUP, migrate_from_chat_id=-4455)),
    "business connected": (
        "business_connection",
        {
            "id": "bc_77",
            "user": OWNER,
            "user_chat_id": 6001,
            "date": WHEN,
            "is_enabled": True,
            "rights": {"can_reply": True},
        },
    ),
    "business gone": (
        "business_connection",
        {"id": "bc_77", "user": OWNER, "user_chat_id": 6001, "date": WHEN, "is_enabled": False},
    ),
    "business message": ("business_message", message(text="Are you open?", **BUSINESS)),
    "business message of the owner": (
        "business_message",
        message(32, sender=OWNER, text="Until ten", **BUSINESS),
    ),
    "business message of the bot": (
        "business_message",
        message(33, sender=OWNER, sender_business_bot=BOT, text="Until ten", **BUSINESS),
    ),
    "edited business message": (
        "edited_business_message",
        message(text="Open today?", edit_date=WHEN, **BUSINESS),
    ),
    "deleted business messages": (
        "deleted_business_messages",
        {**BUSINESS, "chat": ADA_CHAT, "message_ids": [31, 32]},
    ),
}
"""Updates that are no plain message."""

UNKNOWN: dict[str, tuple[str, Json]] = {
    "channel_post": (
        "channel_post",
        message(sender=None, chat={"id": -1007, "type": "channel", "title": "News"}, text="New beans"),
    ),
    "edited_channel_post": (
        "edited_channel_post",
        message(sender=None, chat={"id": -1007, "type": "channel"}, text="Newer beans"),
    ),
    "message_reaction_count": (
        "message_reaction_count",
        {"chat": SUPERGROUP, "message_id": 3, "date": WHEN, "reactions": []},
    ),
    "inline_query": ("inline_query", {"id": "1", "from": ADA, "query": "beans", "offset": ""}),
    "chosen_inline_result": ("chosen_inline_result", {"result_id": "1", "from": ADA, "query": "beans"}),
    "shipping_query": (
        "shipping_query",
        {"id": "1", "from": ADA, "invoice_payload": "p", "shipping_address": {}},
    ),
    "pre_checkout_query": (
        "pre_checkout_query",
        {"id": "1", "from": ADA, "currency": "VND", "total_amount": 9},
    ),
    "purchased_paid_media": ("purchased_paid_media", {"from": ADA, "paid_media_payload": "p"}),
    "poll": ("poll", {"id": "9", "question": "Milk?", "options": []}),
    "poll_answer": ("poll_answer", {"poll_id": "9", "user": ADA, "option_ids": [0]}),
    "chat_member": (
        "chat_member",
        {**own_membership("left", "member", GROUP), "new_chat_member": {"user": BEN, "status": "member"}},
    ),
    "chat_join_request": (
        "chat_join_request",
        {"chat": SUPERGROUP, "from": BEN, "user_chat_id": 5077, "date": WHEN},
    ),
    "chat_boost": ("chat_boost", {"chat": SUPERGROUP, "boost": {"boost_id": "b"}}),
    "removed_chat_boost": ("removed_chat_boost", {"chat": SUPERGROUP, "boost_id": "b", "remove_date": WHEN}),
    "managed_bot": ("managed_bot", {"user": ADA, "bot": BOT}),
    "something of tomorrow": ("hologram", {"depth": 3}),
}
"""Updates that are kept, counted and have no effect; the second is the kind they are counted under."""
