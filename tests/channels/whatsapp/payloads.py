"""Webhooks of WhatsApp in our own values: each kind that Meta documents, and what was seen beside that."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from chatwright.ports.channel import HookRequest

NUMBER_ID = "209348571629384"
NUMBER = "15550142093"
WABA = "118830047215566"
SECRET = "0f3b6c1d2e4a5b6c7d8e9f00112233aa"
OLDER_SECRET = "99aa88bb77cc66dd55ee44ff33221100"
PHONE = "4915155512345"
USER_ID = "DE.77120954388213460192"
PARENT_ID = "DE.ENT.20011887766554433"
NOW = int(time.time())

JSON = dict[str, Any]


def signed(body: bytes, secret: str = SECRET) -> HookRequest:
    """A call as Meta signs it."""
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "x-hub-signature-256": f"sha256={signature}"}
    return HookRequest("POST", headers, {}, body)


def call(*entries: Mapping[str, Any], secret: str = SECRET) -> HookRequest:
    """A call with these entries, escaped as Meta escapes: ASCII alone, and slashes too."""
    body = json.dumps({"object": "whatsapp_business_account", "entry": list(entries)}).replace("/", "\\/")
    return signed(body.encode(), secret)


def entry(*changes: Mapping[str, Any], waba: str = WABA) -> JSON:
    return {"id": waba, "time": NOW, "changes": list(changes)}


def change(field: str, value: Any) -> JSON:
    return {"field": field, "value": value}


def value(number_id: str = NUMBER_ID, **parts: Any) -> JSON:
    metadata = {"display_phone_number": NUMBER, "phone_number_id": number_id}
    return {"messaging_product": "whatsapp", "metadata": metadata, **parts}


def card(*, named: bool = True, user_id: str = USER_ID, phone: str = PHONE) -> JSON:
    """Somebody in `contacts`; without `named`, somebody with a username who hides the number."""
    profile = {"name": "Jonas Weber"} if named else {"name": "Jonas Weber", "username": "jonas.weber"}
    found: JSON = {"profile": profile, "user_id": user_id, "parent_user_id": PARENT_ID}
    return {**found, "wa_id": phone} if named else found


def message(kind: str, part: Any, *, wamid: str | None = None, at: object = None, **more: Any) -> JSON:
    """One of `messages`, from somebody whose number shows."""
    sender = {"from": PHONE, "from_user_id": USER_ID, "from_parent_user_id": PARENT_ID}
    name = wamid or f"wamid.{hashlib.sha256(repr((kind, part, more)).encode()).hexdigest()}"
    return {**sender, "id": name, "timestamp": str(at or NOW), "type": kind, kind: part, **more}


def said(*messages: Mapping[str, Any], contact: Mapping[str, Any] | None = None) -> HookRequest:
    """A call with these messages."""
    return call(entry(change("messages", value(contacts=[contact or card()], messages=list(messages)))))


def status(word: str, *, wamid: str = "wamid.sent-1", **more: Any) -> JSON:
    whom = {"recipient_id": PHONE, "recipient_user_id": USER_ID}
    return {"id": wamid, "status": word, "timestamp": str(NOW), **whom, **more}


def statuses(*items: Mapping[str, Any]) -> HookRequest:
    return call(entry(change("messages", value(statuses=list(items)))))


def happened(field: str, bare: Mapping[str, Any]) -> HookRequest:
    """A change of the account, which has neither metadata nor contacts."""
    return call(entry(change(field, bare)))


def file(kind: str, **more: Any) -> JSON:
    types = {
        "image": "image/jpeg",
        "video": "video/mp4",
        "audio": "audio/ogg; codecs=opus",
        "sticker": "image/webp",
    }
    digest = "3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8="
    return {
        "id": f"77{len(kind)}0{len(more)}",
        "mime_type": types.get(kind, "application/pdf"),
        "sha256": digest,
        **more,
    }


TEMPLATE = {
    "message_template_id": 5540019283,
    "message_template_name": "pickup_ready",
    "message_template_language": "de",
}
AD = {
    "source_type": "ad",
    "source_id": "120208811223344",
    "source_url": "https://fb.me/3xAmple",
    "headline": "Boots for autumn",
    "body": "Two pairs, one price",
    "media_type": "image",
    "image_url": "https://scontent.example/ad.jpg",
    "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e",
    "welcome_message": {"text": "Hello! Which size?"},
}

MESSAGES: Mapping[str, JSON] = {
    "text": message("text", {"body": "Grüß Gott 😀 / alles klar?"}),
    "text in milliseconds": message("text", {"body": "just now"}, at=NOW * 1000),
    "answer": message("text", {"body": "Yes, that one"}, context={"from": NUMBER, "id": "wamid.sent-1"}),
    "forwarded": message("text", {"body": "Look"}, context={"frequently_forwarded": True}),
    "product enquiry": message(
        "text",
        {"body": "Still there?"},
        context={"referred_product": {"catalog_id": "88001", "product_retailer_id": "BOOT-42"}},
    ),
    "image": message("image", file("image", caption="The broken one")),
    "image with url": message("image", file("image", url="https://lookaside.example/x?mid=1")),
    "video": message("video", file("video")),
    "audio": message("audio", file("audio", voice=False)),
    "voice": message("audio", file("audio", voice=True)),
    "voice of its own type": message("voice", file("audio")),
    "document": message("document", file("document", filename="Rechnung 17.pdf", caption="Invoice")),
    "sticker": message("sticker", file("sticker", animated=True)),
    "location": message(
        "location",
        {"latitude": 47.0707, "longitude": 15.4395, "name": "Clock tower", "address": "Schlossberg, Graz"},
    ),
    "bare location": message("location", {"latitude": "-33.9", "longitude": 18.4}),
    "impossible location": message("location", {"latitude": 123.0, "longitude": 5}),
    "contacts": message(
        "contacts",
        [
            {
                "name": {"formatted_name": "Mira Novak", "first_name": "Mira"},
                "phones": [{"phone": "+43 660 5550199", "wa_id": "436605550199", "type": "CELL"}],
                "emails": [{"email": "mira@example.com", "type": "WORK"}],
            },
            {
                "name": {"first_name": "Plumber"},
                "phones": [{"wa_id": "436605550111"}],
                "vcard": "BEGIN:VCARD",
            },
        ],
    ),
    "contact request": message(
        "contacts",
        [
            {
                "name": {"formatted_name": "Jonas"},
                "phones": [{"phone": "+49 151 55512345"}],
                "origin": "contact_request",
            }
        ],
    ),
    "reaction": message("reaction", {"message_id": "wamid.sent-1", "emoji": "🙏"}),
    "reaction taken back": message("reaction", {"message_id": "wamid.sent-1"}),
    "quick reply of a template": message("button", {"payload": "STOP_NEWS", "text": "Stop"}),
    "button": message(
        "interactive", {"type": "button_reply", "button_reply": {"id": "size-42", "title": "Size 42"}}
    ),
    "row": message(
        "interactive",
        {
            "type": "list_reply",
            "list_reply": {"id": "tue-9", "title": "Tuesday 9:00", "description": "in Graz"},
        },
    ),
    "form": message(
        "interactive",
        {
            "type": "nfm_reply",
            "nfm_reply": {"name": "flow", "body": "Sent", "response_json": '{"flow_token":"t1","day":"tue"}'},
        },
    ),
    "form that is no object": message(
        "interactive", {"type": "nfm_reply", "nfm_reply": {"name": "flow", "response_json": "[1"}}
    ),
    "call permission": message(
        "interactive",
        {
            "type": "call_permission_reply",
            "call_permission_reply": {"response": "accept", "is_permanent": False},
        },
    ),
    "order": message(
        "order",
        {
            "catalog_id": "88001",
            "text": "For Friday, please",
            "product_items": [
                {"product_retailer_id": "BOOT-42", "quantity": 2, "item_price": 79.9, "currency": "EUR"},
                {"product_retailer_id": "LACE-1", "quantity": "1"},
            ],
        },
    ),
    "ad": message("text", {"body": "Is this available?"}, referral=AD),
    "post": message(
        "text",
        {"body": "Hi"},
        referral={"source_type": "post", "source_id": "9912", "source_url": "https://fb.me/p"},
    ),
    "unsupported": message(
        "unsupported",
        {"type": "poll_creation"},
        errors=[
            {
                "code": 131051,
                "title": "Message type unknown",
                "message": "Message type unknown",
                "error_data": {"details": "Message type is currently not supported."},
            }
        ],
    ),
    "unsupported without more": {
        key: part
        for key, part in message("unsupported", None, wamid="wamid.bare").items()
        if key != "unsupported"
    },
    "legacy unknown": message("unknown", None, errors=[{"code": 501, "title": "Unknown message type"}]),
    "kind of tomorrow": message("hologram", {"depth": 3}),
    "empty text": message("text", {"body": ""}),
}
"""Messages that become a message, a reaction or something unsupported, by what they are."""

SYSTEM: Mapping[str, JSON] = {
    "number": message(
        "system",
        {"type": "user_changed_number", "body": "Jonas changed from A to B", "wa_id": "4915155599999"},
    ),
    "number by its older name": message(
        "system", {"type": "customer_changed_number", "body": "Jonas changed", "new_wa_id": "4915155588888"}
    ),
    "user id": message(
        "system",
        {
            "type": "user_changed_user_id",
            "body": "Jonas has another id",
            "user_id": "DE.10000000000000000009",
            "previous_user_id": USER_ID,
        },
    ),
    "device": message(
        "system",
        {"type": "customer_identity_changed", "body": "Jonas's security code changed", "customer": PHONE},
        identity={"acknowledged": True, "created_timestamp": str(NOW), "hash": "dF9oHq"},
    ),
    "of tomorrow": message("system", {"type": "user_moved_to_mars", "body": "Jonas is gone"}),
}

CHANGES: Mapping[str, JSON] = {
    "edit": message(
        "edit",
        {"original_message_id": "wamid.first", "message": {"type": "text", "text": {"body": "at nine"}}},
    ),
    "edited caption": message(
        "edit",
        {
            "original_message_id": "wamid.first",
            "message": {"type": "image", "image": file("image", caption="new")},
        },
    ),
    "revoke": message("revoke", {"original_message_id": "wamid.first"}),
}

ACCOUNT: Mapping[str, tuple[str, JSON]] = {
    "approved": (
        "message_template_status_update",
        {"event": "APPROVED", **TEMPLATE, "reason": "NONE", "message_template_category": "UTILITY"},
    ),
    "rejected": (
        "message_template_status_update",
        {
            "event": "REJECTED",
            **TEMPLATE,
            "reason": "INVALID_FORMAT",
            "rejection_info": {"reason": "Two braces."},
        },
    ),
    "unarchived": ("message_template_status_update", {"event": "UNARCHIVED", **TEMPLATE}),
    "quality": (
        "message_template_quality_update",
        {**TEMPLATE, "previous_quality_score": "GREEN", "new_quality_score": "RED"},
    ),
    "category": (
        "template_category_update",
        {**TEMPLATE, "previous_category": "UTILITY", "new_category": "MARKETING"},
    ),
    "components": (
        "message_template_components_update",
        {**TEMPLATE, "message_template_element": "Hi {{1}}"},
    ),
    "banned": ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}),
    "restricted": (
        "account_update",
        {
            "event": "ACCOUNT_RESTRICTION",
            "restriction_info": [
                {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": NOW + 86400},
                {"restriction_type": "RESTRICTED_CUSTOMER_INITIATED_MESSAGING", "expiration": NOW + 86400},
            ],
        },
    ),
    "app removed": ("account_update", {"event": "PARTNER_APP_UNINSTALLED", "waba_info": {"waba_id": WABA}}),
    "event of tomorrow": ("account_update", {"event": "ACCOUNT_TRANSCENDED"}),
    "alert": (
        "account_alerts",
        {
            "entity_type": "WABA",
            "alert_info": {"alert_type": "OBA_REQUEST", "alert_description": "Not this time."},
        },
    ),
    "review": ("account_review_update", {"decision": "REJECTED"}),
    "flagged": (
        "phone_number_quality_update",
        {"display_phone_number": NUMBER, "event": "FLAGGED", "current_limit": "TIER_2K"},
    ),
    "throughput": (
        "phone_number_quality_update",
        {
            "display_phone_number": NUMBER,
            "event": "THROUGHPUT_UPGRADE",
            "max_daily_conversations_per_business": "TIER_UNLIMITED",
        },
    ),
    "name": (
        "phone_number_name_update",
        {"display_phone_number": NUMBER, "decision": "APPROVED", "requested_verified_name": "Boots & Co"},
    ),
    "capability": ("business_capability_update", {"max_daily_conversations_per_business": 2000}),
    "username": (
        "business_username_update",
        {"display_phone_number": NUMBER, "username": "boots", "status": "approved"},
    ),
    "security": ("security", {"display_phone_number": NUMBER, "event": "PIN_CHANGED"}),
}
"""Changes of the account: the field and its value."""

KEPT: Mapping[str, tuple[str, JSON]] = {
    "call": ("calls", value(calls=[{"id": "wacid.1", "event": "connect", "from": PHONE}])),
    "history": (
        "history",
        value(history=[{"metadata": {"phase": 0, "chunk_order": 1, "progress": 40}, "threads": []}]),
    ),
    "history declined": ("history", value(history=[{"errors": [{"code": 2593109, "title": "declined"}]}])),
    "address book": (
        "smb_app_state_sync",
        value(state_sync=[{"type": "contact", "contact": {"full_name": "Ana"}, "action": "add"}]),
    ),
    "group": ("group_lifecycle_update", value(groups=[{"group_id": "G1", "type": "group_create"}])),
    "flow": ("flows", {"event": "FLOW_STATUS_CHANGE", "flow_id": "31", "old_status": "DRAFT"}),
    "automatic": ("automatic_events", value(automatic_events=[{"id": "ev1", "event_name": "Purchase"}])),
    "field of tomorrow": ("quantum_state", value(spin="up")),
}
"""Fields that are kept and counted under their names."""
