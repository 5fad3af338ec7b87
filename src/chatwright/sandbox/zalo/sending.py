"""The calls that put something into somebody's Zalo."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from chatwright.sandbox.faults import Fate, by_ending
from chatwright.sandbox.hooks import Hooks
from chatwright.sandbox.world import Accepted, Bubble, Person, World
from chatwright.sandbox.zalo.account import OfficialAccount, Template, is_daytime
from chatwright.sandbox.zalo.contents import Content, read_content
from chatwright.sandbox.zalo.events import Events, message_id
from chatwright.sandbox.zalo.refusals import Refused

FREE_SECONDS = 48 * 3600
WINDOW_SECONDS = 7 * 24 * 3600
PROMOTION = 3
REACTIONS = {
    "/-heart": "\N{HEAVY BLACK HEART}",
    "/-strong": "\N{THUMBS UP SIGN}",
    ":>": "\N{SMILING FACE WITH OPEN MOUTH}",
    ":o": "\N{FACE WITH OPEN MOUTH}",
    ":-((": "\N{LOUDLY CRYING FACE}",
    ":-h": "\N{POUTING FACE}",
}
TAKE_BACK = "/-remove"
JSON = Mapping[str, Any]


class Broken(Exception):
    """The call met a fault of the server's."""


class AnswerLost(Exception):
    """The call was done, and whoever called must not learn of it."""


class Sending:
    """Handlers of the sends; each returns the answer's `data`."""

    def __init__(self, world: World, hooks: Hooks, events: Events) -> None:
        self._world = world
        self._hooks = hooks
        self._events = events

    async def care(self, account: OfficialAccount, call: JSON) -> JSON:
        """Answer POST /v3.0/oa/message/cs."""
        user_id, message = _user_id(call.get("recipient")), call.get("message")
        fate = self._throw(account, user_id)
        if not isinstance(message, dict):
            raise Refused(-201, "message")
        now = self._world.clock.now()
        content = read_content(account, cast("JSON", message), now)
        person = self._reachable(account, user_id)
        quoted = cast("JSON", message).get("quote_message_id")
        if quoted is not None and person.thread.find(str(quoted)) is None:
            raise Refused(-201, "quote_message_id")
        bubble = content.bubble(message_id(), self._world.clock.stamp(), cast("JSON", message))
        bubble.reply_to = str(quoted) if quoted is not None else None
        await self._put(account, person, bubble, fate=fate, own_id=None, echo=content)
        return {"message_id": bubble.id, "user_id": person.id}

    async def template(self, account: OfficialAccount, call: JSON) -> JSON:
        """Answer POST /v3.0/oa/message/template: a template to somebody known by id, within the window."""
        user_id = str(call.get("user_id") or "")
        fate = self._throw(account, user_id)
        template = self._template(account, call, at_night=-234)
        person = self._reachable(account, user_id)
        bubble = self._shown(template, call)
        await self._put(account, person, bubble, fate=fate, own_id=None, echo=None)
        return {"message_id": bubble.id, "user_id": person.id}

    async def phone_template(self, account: OfficialAccount, call: JSON) -> JSON:
        """Answer POST /message/template of the business host: a template to a phone number, at any time of its life."""
        phone = str(call.get("phone") or "")
        fate = self._throw(account, phone)
        if not (phone.isdigit() and phone.startswith("84") and 11 <= len(phone) <= 12):
            raise Refused(-108)
        template = self._template(account, call, at_night=-133)
        person = account.with_phone(phone)
        if person is None:
            raise Refused(-118)
        if person.blocked:
            raise Refused(-217)
        in_earnest = call.get("mode") != "development"
        if in_earnest and account.sent_today >= account.daily_quota:
            raise Refused(-144)
        account.sent_today += in_earnest
        bubble = self._shown(template, call)
        tracking_id = str(call["tracking_id"]) if call.get("tracking_id") else None
        received = {"message": {"msg_id": bubble.id, "tracking_id": tracking_id}}
        await self._put(account, person, bubble, fate=fate, own_id=tracking_id, echo=None, received=received)
        quota = {
            "dailyQuota": str(account.daily_quota),
            "remainingQuota": str(account.daily_quota - account.sent_today),
        }
        sent_time = str(int(bubble.at.timestamp() * 1000))
        return {"msg_id": bubble.id, "sent_time": sent_time, "sending_mode": "1", "quota": quota}

    async def other(self, account: OfficialAccount, call: JSON) -> JSON:
        """Answer POST /v2.0/oa/message: reactions, and articles to all followers."""
        action = call.get("sender_action")
        if isinstance(action, dict):
            return self._react(account, call, cast("JSON", action))
        if not is_daytime(self._world.clock):
            raise Refused(-234)
        match call:
            case {
                "recipient": {"target": dict()},
                "message": {
                    "attachment": {
                        "payload": {"elements": [{"media_type": "article", "attachment_id": str(article)}]}
                    }
                },
            }:
                return await self._broadcast(account, article)
            case _:
                raise Refused(-240)

    def _react(self, account: OfficialAccount, call: JSON, action: JSON) -> JSON:
        person = self._reachable(account, _user_id(call.get("recipient")))
        icon = str(action.get("react_icon", ""))
        bubble = person.thread.find(str(action.get("react_message_id", "")))
        if bubble is None or (icon not in REACTIONS and icon != TAKE_BACK):
            raise Refused(-201, "sender_action")
        bubble.reactions.pop("account", None)
        if icon in REACTIONS:
            bubble.reactions["account"] = REACTIONS[icon]
        self._world.touch(account, person)
        parts = _from_account(account, person) | {"message": {"msg_id": bubble.id, "react_icon": icon}}
        self._events.tell(account, "oa_reacted_message", parts)
        return {"message_id": bubble.id, "user_id": person.id}

    async def _broadcast(self, account: OfficialAccount, article: str) -> JSON:
        for person in [person for person in account.people.values() if person.follows]:
            bubble = Bubble(
                message_id(), "account", "article", self._world.clock.stamp(), f"Article {article}"
            )
            await self._put(account, person, bubble, fate=Fate.FINE, own_id=None, echo=None)
        return {"message_id": message_id()}

    def _throw(self, account: OfficialAccount, to: str) -> Fate:
        fate = account.dice.throw(account.faults)
        if fate is Fate.TOO_MANY:
            raise Refused(-32)
        if fate is Fate.BROKEN:
            raise Broken
        if (error := account.faults.restricted or by_ending(account.faults.refused, to)) is not None:
            raise Refused(int(error))
        return fate

    def _reachable(self, account: OfficialAccount, user_id: str) -> Person:
        """Somebody who may be written to now; raises Refused."""
        person = account.people.get(user_id)
        if person is None:
            raise Refused(-201, "user_id")
        if person.blocked:
            raise Refused(-217)
        if person.last_said_at is None:
            raise Refused(-213)
        clock = self._world.clock
        if person.last_said_at <= clock.since(WINDOW_SECONDS):
            raise Refused(-230)
        account.billed += person.last_said_at <= clock.since(FREE_SECONDS)
        return person

    def _template(self, account: OfficialAccount, call: JSON, *, at_night: int) -> Template:
        template = account.templates.get(str(call.get("template_id") or ""))
        if template is None:
            raise Refused(-109)
        if template.status != "ENABLE":
            raise Refused(-131)
        data = call.get("template_data")
        if not isinstance(data, dict) or not data:
            raise Refused(-111)
        if set(template.params) - cast("JSON", data).keys():
            raise Refused(-112)
        if template.tag == PROMOTION and not is_daytime(self._world.clock):
            raise Refused(at_night)
        return template

    def _shown(self, template: Template, call: JSON) -> Bubble:
        return Bubble(
            message_id(),
            "account",
            "template",
            self._world.clock.stamp(),
            text=template.filled(dict(call["template_data"])),
            header=template.name,
            tick="sent",
            details=dict(call),
        )

    async def _put(
        self,
        account: OfficialAccount,
        person: Person,
        bubble: Bubble,
        *,
        fate: Fate,
        own_id: str | None,
        echo: Content | None,
        received: JSON | None = None,
    ) -> None:
        """Put a message into the phone and on record; tell of it; raises AnswerLost where that is its fate."""
        person.thread.add(bubble)
        account.accepted.append(
            Accepted(bubble.id, person.id, own_id, bubble.text, bubble.at, answered=fate is not Fate.SILENT)
        )
        self._world.touch(account, person)
        if echo is not None:
            parts = {"message": _echoed(bubble, echo)}
            echoes = self._events.tell(account, echo.event, _from_account(account, person) | parts)
            if account.faults.echo_first:
                await asyncio.gather(*(delivery.tried.wait() for delivery in echoes))
        if not account.faults.no_statuses:
            self._hooks.spawn(self._tell_received(account, person, bubble, received))
        if fate is Fate.SILENT:
            await asyncio.sleep(account.faults.hang)
            raise AnswerLost

    async def _tell_received(
        self, account: OfficialAccount, person: Person, bubble: Bubble, received: JSON | None
    ) -> None:
        await self._world.clock.wait(account.faults.status_delay)
        bubble.tick = "delivered"
        self._world.touch(account, person)
        parts: dict[str, Any] = {**(received or {"message": {"msg_id": bubble.id}})}
        delivery_time = {"delivery_time": str(int(self._world.clock.stamp().timestamp() * 1000))}
        parts["message"] = parts["message"] | delivery_time
        self._events.tell(
            account, "user_received_message", _from_account(account, person) | parts, status=True
        )
        if account.faults.auto_read:
            self.read(account, person)

    def read(self, account: OfficialAccount, person: Person) -> None:
        """Somebody saw everything."""
        unread = [
            bubble for bubble in person.thread.bubbles if bubble.side == "account" and bubble.tick != "read"
        ]
        for bubble in unread:
            bubble.tick = "read"
        if unread and not account.faults.no_statuses:
            parts = {"message": {"msg_ids": [bubble.id for bubble in unread]}}
            self._events.tell(
                account, "user_seen_message", _from_account(account, person) | parts, status=True
            )
        self._world.touch(account, person)


def _user_id(recipient: object) -> str:
    user_id = cast("JSON", recipient).get("user_id") if isinstance(recipient, dict) else None
    if not isinstance(user_id, str) or not user_id:
        raise Refused(-201, "recipient.user_id")
    return user_id


def _from_account(account: OfficialAccount, person: Person) -> dict[str, Any]:
    return {"sender": {"id": account.id}, "recipient": {"id": person.id}, "user_id_by_app": by_app(person)}


def by_app(person: Person) -> str:
    """Somebody's id for one app, which is another than for the account."""
    return str(person.details.get("user_id_by_app") or f"5{person.id[:-1]}")


def _echoed(bubble: Bubble, content: Content) -> dict[str, Any]:
    message: dict[str, Any] = {"msg_id": bubble.id, "text": bubble.text}
    if content.media:
        (media,) = content.media
        payload = {"url": media.url, "name": media.filename}
        message["attachments"] = [{"type": content.kind, "payload": payload}]
    return message
