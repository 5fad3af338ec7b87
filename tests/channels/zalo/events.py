"""Events of every kind as Zalo tells of them, about people and accounts that nobody has."""

from typing import Any

Json = dict[str, Any]

APP = "3011223344556677889"
OA = "4099887766554433221"
ADA = "9007199254740993001"
"""More digits than a float keeps."""
STAMP = "1795000000123"
PICTURE = "https://photo.example.vn/cup.jpg"


def by_user(name: str, **parts: Any) -> Json:
    """An event that a person causes."""
    return {
        "app_id": APP,
        "event_name": name,
        "sender": {"id": ADA},
        "recipient": {"id": OA},
        "user_id_by_app": "5900719925474099300",
        "timestamp": STAMP,
        **parts,
    }


def by_account(name: str, **parts: Any) -> Json:
    """An event that names the account as its sender."""
    return {
        "app_id": APP,
        "event_name": name,
        "sender": {"id": OA},
        "recipient": {"id": ADA},
        "timestamp": STAMP,
        **parts,
    }


def about(name: str, **parts: Any) -> Json:
    """An event about the account itself, or about a follower of it."""
    return {"app_id": APP, "oa_id": OA, "event_name": name, "timestamp": STAMP, **parts}


def said(kind: str, payload: Json, text: str = "", message_id: str = "m-1", **more: Any) -> Json:
    attachments = [{"type": kind, "payload": payload}]
    return {"msg_id": message_id, "text": text, "attachments": attachments, **more}


FILE = {
    "url": "https://file.example.vn/f",
    "size": "2048",
    "name": "bill.pdf",
    "type": "pdf",
    "checksum": "c",
}
CARD = {
    "thumbnail": PICTURE,
    "title": "Ben Orr",
    "description": '{"phone":"84907654321","qrCodeUrl":""}',
    "url": "https://zalo.example/ben",
}

MESSAGES: dict[str, Json] = {
    "text": by_user("user_send_text", message={"msg_id": "m-1", "text": "Two coffees"}),
    "text of one line that is a hashtag": by_user(
        "user_send_text", message={"msg_id": "m-1", "text": "#menu"}
    ),
    "answer": by_user("user_send_text", message={"msg_id": "m-2", "text": "That", "quote_msg_id": "m-0"}),
    "press": by_user("user_send_text", message={"msg_id": "m-1", "text": "#:YES"}),
    "image": by_user(
        "user_send_image", message=said("image", {"url": PICTURE, "thumbnail": PICTURE}, "Look")
    ),
    "two images": by_user(
        "user_send_image",
        message={
            "msg_id": "m-3",
            "attachments": [
                {"type": "image", "payload": {"url": PICTURE}},
                {"type": "image", "payload": {"url": f"{PICTURE}?2"}},
            ],
        },
    ),
    "gif": by_user("user_send_gif", message=said("gif", {"url": PICTURE})),
    "link": by_user(
        "user_send_link",
        message=said(
            "link",
            {"url": "https://shop.example/x", "description": '{"a":1}', "thumbnail": ""},
            "See https://shop.example/x",
        ),
    ),
    "link without words": by_user("user_send_link", message=said("link", {"url": "https://shop.example/x"})),
    "audio": by_user("user_send_audio", message=said("audio", {"url": "https://voice.example.vn/a.amr"})),
    "video": by_user(
        "user_send_video", message=said("video", {"url": "https://video.example.vn/v", "thumbnail": PICTURE})
    ),
    "sticker": by_user("user_send_sticker", message=said("sticker", {"id": "46345", "url": PICTURE})),
    "location": by_user(
        "user_send_location",
        message=said("location", {"coordinates": {"latitude": "10.7769", "longitude": "106.7009"}}),
    ),
    "business card": by_user("user_send_business_card", message=said("link", CARD)),
    "business card of nobody": by_user(
        "user_send_business_card", message=said("link", {"description": "no JSON", "title": "Ben"})
    ),
    "file": by_user("user_send_file", message=said("file", FILE)),
    "something of tomorrow": by_user("user_send_hologram", message=said("hologram", {"depth": 3})),
    "from nobody known": {
        **by_user("anonymous_send_text", message={"msg_id": "m-1", "text": "Hi", "conversation_id": "c9"}),
        "sender": {"id": "an0n"},
    },
    "image from nobody known": {
        **by_user("anonymous_send_image", message=said("image", {"url": PICTURE}, conversation_id="c9")),
        "sender": {"id": "an0n"},
    },
}
"""Messages that come in."""

ECHOES: dict[str, Json] = {
    "text": by_account("oa_send_text", message={"msg_id": "o-1", "text": "With pleasure"}),
    "text of a person": {
        **by_account("oa_send_text", message={"msg_id": "o-1", "text": "With pleasure"}),
        "sender": {"id": OA, "admin_id": "1001"},
    },
    "image": by_account("oa_send_image", message=said("image", {"url": PICTURE}, message_id="o-1")),
    "gif": by_account("oa_send_gif", message=said("gif", {"url": PICTURE}, message_id="o-1")),
    "list": by_account(
        "oa_send_list",
        message={"msg_id": "o-1", "text": "", "attachments": [{"type": "list", "payload": []}]},
    ),
    "file": by_account("oa_send_file", message=said("file", FILE, message_id="o-1")),
    "sticker": by_account("oa_send_sticker", message=said("sticker", {"id": "1"}, message_id="o-1")),
    "text to nobody known": {
        **by_account(
            "oa_send_anonymous_text", message={"msg_id": "o-1", "text": "Hi", "conversation_id": "c9"}
        ),
        "recipient": {"id": "an0n"},
    },
}
"""What went out from the account, by whatever hand."""

OTHERS: dict[str, Json] = {
    "seen": by_account("user_seen_message", message={"msg_ids": ["o-1", "o-2"]}),
    "received": by_account(
        "user_received_message", message={"msg_id": "o-1", "delivery_time": "1795000000999"}
    ),
    "received a template": by_account(
        "user_received_message",
        message={
            "msg_id": "o-1",
            "tracking_id": "0198d0c0-0000-7000-8000-000000000001",
            "delivery_time": STAMP,
        },
    ),
    "reacted": by_user("user_reacted_message", message={"msg_id": "o-1", "react_icon": "/-heart"}),
    "reaction taken back": by_user(
        "user_reacted_message", message={"msg_id": "o-1", "react_icon": "/-remove"}
    ),
    "chatnow": about("user_click_chatnow", user_id=ADA),
    "follow": about("follow", follower={"id": ADA}, source="qr_code"),
    "unfollow": about("unfollow", follower={"id": ADA}, source="oa_profile"),
    "info": by_user(
        "user_submit_info",
        info={"name": "Ada Byron", "phone": 84901234567, "user_dob": "10/12/1990", "city": "Ha Noi"},
    ),
    "info changed": about("update_user_info", user_id=ADA, info={"gender": "2"}),
    "widget": about("widget_interaction_accepted", user_id=ADA),
    "call": by_user("user_call_oa", call_id="k"),
    "may call": by_user("user_reply_consent", user_consent="APPROVED"),
    "withdrawal": about("user_withdraw", user_id=ADA),
    "quota": about("change_oa_daily_quota", quota={"prev_quota": "500", "new_quota": "5000"}),
    "extension": about("extension_purchased", extension={"id": "7"}),
    "template": about(
        "change_template_status",
        template_id="300001",
        status={"prev_status": "PENDING_REVIEW", "new_status": "REJECT"},
        reason="No brand in it",
    ),
    "template quality": about(
        "change_template_quality", template_id=300001, quality={"prev_quality": "HIGH", "new_quality": "LOW"}
    ),
}
"""Everything else that means something."""

UNKNOWN: dict[str, Json] = {
    "oa_reacted_message": by_account(
        "oa_reacted_message", message={"msg_id": "m-1", "react_icon": "/-heart"}
    ),
    "oa_send_consent": by_account("oa_send_consent", request_type="call"),
    "oa_call_user": by_account("oa_call_user", call_id="k"),
    "add_user_to_tag": about("add_user_to_tag", user_id=ADA, tag={"name": "VIP"}),
    "remove_user_from_tag": about("remove_user_from_tag", user_id=ADA, tag={"name": "VIP"}),
    "remove_tag": about("remove_tag", tag={"name": "VIP"}),
    "user_send_group_text": by_user("user_send_group_text", message={"msg_id": "g-1", "text": "Hi all"}),
    "oa_send_group_text": by_account("oa_send_group_text", message={"msg_id": "g-2", "text": "Hi all"}),
    "create_group": about("create_group", group_id="g"),
    "event_of_tomorrow": about("event_of_tomorrow", depth=3),
}
"""Events that are kept, counted and have no effect, by the kind they are counted under."""
