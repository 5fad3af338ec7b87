"""Events: how they are shaped, signed, sent, and sent again.

The signature is a plain SHA-256 over app id, body, timestamp and the account's secret key; for some events the
account's id was seen in the app id's place. Whoever does not answer 200 within two seconds gets the event five more
times, and after that nothing any more.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from chatwright.sandbox.hooks import Delivery, Hook, Hooks
from chatwright.sandbox.world import World, unique
from chatwright.sandbox.zalo.account import OfficialAccount

LADDER = (30.0, 300.0, 900.0, 1800.0, 3600.0)
DEADLINE_SECONDS = 2.0
MANAGEMENT = frozenset(
    {
        *(
            "follow",
            "unfollow",
            "user_submit_info",
            "update_user_info",
            "add_user_to_tag",
            "remove_user_from_tag",
        ),
        *("remove_tag", "change_oa_daily_quota", "change_template_status", "extension_purchased"),
        *("widget_interaction_accepted", "user_withdraw"),
    }
)
"""Events that tell of the account more than of a conversation; with the mac form `mixed` they are signed by its id."""

PHONE_TEMPLATES = frozenset({"user_received_message", "change_oa_daily_quota", "change_template_status"})
"""Events that the service for phone templates sends too, or alone, and marks as its own."""


class Events:
    """Sends an account's events to its app."""

    def __init__(self, world: World, hooks: Hooks) -> None:
        self._world = world
        self._hooks = hooks

    def tell(
        self, account: OfficialAccount, name: str, parts: Mapping[str, Any], *, status: bool = False
    ) -> Sequence[Delivery]:
        """Send an event with these parts beside the common ones, as often as the switches say."""
        if account.webhook_url is None:
            return ()
        stamp = str(int(self._world.clock.stamp().timestamp() * 1000))
        event = {"app_id": account.app_id, "event_name": name, **parts, "timestamp": stamp}
        body = orjson.dumps(event)
        hook = Hook(
            account=(account.kind, account.id),
            url=account.webhook_url,
            body=body,
            headers=_headers(account, name, body, stamp),
            ladder=LADDER,
            attempt_headers=_attempt_headers,
            timeout=DEADLINE_SECONDS,
            on_failure=lambda delivery: self._give_up(account, delivery),
        )
        copies = account.faults.status_copies if status else account.faults.copies
        return [self._hooks.send(hook) for _ in range(copies)]

    def _give_up(self, account: OfficialAccount, delivery: Delivery) -> None:
        """After the last attempt the app is unsubscribed, until its webhook is set again."""
        if len(delivery.attempts) > len(LADDER) and account.webhook_url == delivery.hook.url:
            account.webhook_url = None
            self._world.touch(account)


def signature(first: str, body: bytes, timestamp: str, secret: str) -> str:
    """The hex digest; `first` is the app's id or the account's."""
    return hashlib.sha256(first.encode() + body + timestamp.encode() + secret.encode()).hexdigest()


def message_id() -> str:
    return unique()[-19:]


def _headers(account: OfficialAccount, name: str, body: bytes, stamp: str) -> dict[str, str]:
    form = account.details.get("mac_form", "app_id")
    by_account = form == "oa_id" or (form == "mixed" and name in MANAGEMENT)
    secret = account.secrets["oa_secret"] + ("-wrong" if account.faults.wrong_signature else "")
    mac = signature(account.id if by_account else account.app_id, body, stamp, secret)
    prefix = account.details.get("mac_prefix", "mac=")
    phone_template = {"X-ZEvent-Server": "ZNS"} if name in PHONE_TEMPLATES else {}
    return {
        "content-type": "application/json",
        "X-ZEvent-Signature": f"{prefix}{mac}",
        **phone_template,
    }


def _attempt_headers(attempt: int) -> Mapping[str, str]:
    return {"num_retry": str(attempt)} if attempt else {}
