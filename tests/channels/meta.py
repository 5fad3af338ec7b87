"""Calls as Meta makes them for pages and Instagram accounts, about people and accounts that nobody has."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chatwright.ports.channel import HookRequest

Json = dict[str, Any]
SECRET = "5f4dcc3b5aa765d61d8327deb882cf99"
OLDER_SECRET = "0cc175b9c0f1b6a831c399e269772661"
APP = "410000000000077"
OTHER_APP = "263902037430900"
NOW = int(time.time()) - 60
"""Seconds: what is far in the past is taken for something played back."""
AT = datetime.fromtimestamp(NOW, UTC)
SECOND = timedelta(seconds=1)
CDN = "https://scontent.cdn.example/v/cup.jpg?oe=6A1B&oh=x"


def item(person: str, account: str, **parts: Any) -> Json:
    """Something in a chat, from a person to an account."""
    return {"sender": {"id": person}, "recipient": {"id": account}, "timestamp": NOW * 1000, **parts}


def message(person: str, account: str, mid: str, **parts: Any) -> Json:
    return item(person, account, message={"mid": mid, **parts})


def echo(person: str, account: str, mid: str, **parts: Any) -> Json:
    """A message that went out from the account."""
    return item(account, person, message={"mid": mid, "is_echo": True, **parts})


def attachment(kind: str, **payload: Any) -> Json:
    return {"type": kind, "payload": payload}


def entry(account: str, **lists: Any) -> Json:
    return {"id": account, "time": NOW * 1000, **lists}


def call(about: str, *entries: object, secret: str = SECRET) -> HookRequest:
    """A signed call with these entries."""
    return signed({"object": about, "entry": list(entries)}, secret)


def signed(body: object, secret: str = SECRET) -> HookRequest:
    """The body as Meta writes and signs it: beyond ASCII everything escaped, slashes too."""
    return raw_call(json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode(), secret)


def raw_call(body: bytes, secret: str = SECRET, **headers: str) -> HookRequest:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    named: Mapping[str, str] = {"x-hub-signature-256": f"sha256={signature}", **headers}
    return HookRequest("POST", named, {}, body)


def forgeries(good: HookRequest) -> dict[str, HookRequest]:
    """What pretends to be a good call."""
    body, signature = good.body, good.headers["x-hub-signature-256"]
    return {
        "no signature": HookRequest("POST", {}, {}, body),
        "an empty signature": HookRequest("POST", {"x-hub-signature-256": ""}, {}, body),
        "half a signature": HookRequest("POST", {"x-hub-signature-256": signature[:30]}, {}, body),
        "no hexadecimal": HookRequest("POST", {"x-hub-signature-256": "sha256=é"}, {}, body),
        "the older algorithm": HookRequest("POST", {"x-hub-signature": signature}, {}, body),
        "another app's secret": raw_call(body, "another app's secret"),
        "no secret at all": raw_call(body, ""),
        "an altered body": HookRequest("POST", good.headers, {}, body.replace(b"1", b"2", 1)),
        "the same written anew": HookRequest(
            "POST", good.headers, {}, json.dumps(json.loads(body), ensure_ascii=False).encode()
        ),
    }
