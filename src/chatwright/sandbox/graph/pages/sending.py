"""POST /{page_id}/messages."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

from chatwright.sandbox.faults import Fate, by_ending
from chatwright.sandbox.graph.accounts import DAY, HOUR, GraphAccount, GraphPerson, PostComment, window_open
from chatwright.sandbox.graph.answers import Answer
from chatwright.sandbox.graph.calls import Call
from chatwright.sandbox.graph.errors import GraphError, invalid, missing, named, no_object
from chatwright.sandbox.graph.files import Files
from chatwright.sandbox.graph.outbox import Outbox
from chatwright.sandbox.graph.pages.bubbles import check_file, draw, read_message
from chatwright.sandbox.graph.pages.receipts import Receipts
from chatwright.sandbox.graph.pages.wire import from_account, new_mid
from chatwright.sandbox.graph.reading import Part
from chatwright.sandbox.hooks import Delivery, Hooks
from chatwright.sandbox.world import Accepted, Bubble, World

TYPES = {"RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"}
TAGS = {"HUMAN_AGENT"}
"""All others were retired on 2026-04-27."""
ACTIONS = {"typing_on", "typing_off", "mark_seen", "react", "unreact"}
TEXTS_PER_SECOND = 300.0
FILES_PER_SECOND = 10.0
PRIVATE_REPLIES_PER_HOUR = 750.0
NO_USER = 2018001
WINDOW_CLOSED = {"messenger": 2018278, "instagram": 2534022}
ECHO_SECONDS = 2.0
"""How long an answer waits at most for its echo to be received, when echoes are to come first."""
ALREADY_ANSWERED = 10900
CANNOT_ANSWER = 10903


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a message goes to."""

    person: GraphPerson
    comment: PostComment | None = None
    """The comment that it answers privately."""
    anonymous: bool = False
    """Whether the sender knows them by a user_ref alone."""


class Sending:
    """Takes messages of pages and Instagram accounts."""

    def __init__(self, world: World, hooks: Hooks, outbox: Outbox, files: Files) -> None:
        self._world = world
        self._hooks = hooks
        self._outbox = outbox
        self._files = files
        self._receipts = Receipts(world, outbox)

    async def messages(self, call: Call) -> Answer:
        """Take a message, or a sender action."""
        account, body = call.account, call.body
        if call.node not in {account.id, account.details.get("page_id")}:
            raise no_object(call.node)
        if not body.get("recipient"):
            raise missing("recipient")
        addressee = self._addressee(
            account, Part(body["recipient"], "recipient", lacking=missing, wrong=invalid)
        )
        if body.get("sender_action") is not None:
            return Answer(self._action(account, addressee.person, body))
        fate = account.dice.throw(account.faults)
        if fate is Fate.TOO_MANY:
            raise GraphError(613, "Calls to this api have exceeded the rate limit.")
        if fate is Fate.BROKEN:
            raise GraphError(2, "Service temporarily unavailable")
        bubble = draw(account, read_message(body), new_mid(account), self._world.clock.stamp())
        if body.get("reply_to"):
            # Beside the message and not in it (Graph API, Page Messages).
            bubble.reply_to = Part(body["reply_to"], "reply_to", lacking=missing, wrong=invalid).text("mid")
        self._check(account, addressee, body, bubble)
        await self._fetch(account, bubble)
        return await self._accept(
            account, addressee, bubble, utility=_type(body) == "UTILITY", silent=fate is Fate.SILENT
        )

    def _addressee(self, account: GraphAccount, recipient: Part) -> Addressee:
        if recipient.has("comment_id"):
            comment = account.comments.get(str(recipient.fields["comment_id"]))
            person = account.addresses.get(comment.person_id) if comment is not None else None
            if comment is None or person is None:
                raise GraphError(100, "No matching comment found.", subcode=NO_USER)
            return Addressee(person, comment)
        for name in ("id", "user_ref", "notification_messages_token"):
            if recipient.has(name):
                person = account.addresses.get(str(recipient.fields[name]))
                if person is None:
                    raise GraphError(100, "No matching user found", subcode=NO_USER)
                return Addressee(person, anonymous=name == "user_ref")
        raise missing("recipient[id]")

    def _check(
        self, account: GraphAccount, addressee: Addressee, body: dict[str, Any], bubble: Bubble
    ) -> None:
        faults, person, clock = account.faults, addressee.person, self._world.clock
        for fault in (faults.restricted, by_ending(faults.refused, person.id)):
            if fault is not None:
                raise named(fault)
        if person.blocked:
            raise GraphError(551, "This person isn't available right now.", subcode=1545041)
        self._check_window(account, addressee, body)
        if addressee.comment is not None:
            rate, burst, name = PRIVATE_REPLIES_PER_HOUR / HOUR, PRIVATE_REPLIES_PER_HOUR, "private replies"
        elif bubble.kind in {"audio", "video"}:
            rate, burst, name = FILES_PER_SECOND, FILES_PER_SECOND, "files"
        else:
            rate = burst = float(account.details.get("mps", TEXTS_PER_SECOND))
            name = "texts"
        if not account.bucket(clock, name, rate=rate, burst=burst).take():
            raise GraphError(613, "Calls to this api have exceeded the rate limit.")

    def _check_window(self, account: GraphAccount, addressee: Addressee, body: dict[str, Any]) -> None:
        type_, tag = _type(body), body.get("tag")
        if type_ == "UTILITY":
            if account.kind != "messenger":
                raise invalid("Param messaging_type UTILITY is not supported.")
            if "template" not in body["message"]:
                raise invalid("Messages of type UTILITY must hold a template.")
            return
        if type_ == "MESSAGE_TAG" and not tag:
            raise missing("tag")
        if tag is not None and str(tag) not in TAGS:
            raise invalid(f"Invalid tag {tag}: it is not supported any more.")
        if addressee.comment is not None:
            self._check_comment(addressee.comment)
            return
        seconds = 7 * DAY if tag == "HUMAN_AGENT" else DAY
        if not window_open(self._world.clock, addressee.person, seconds):
            raise GraphError(
                10, "This message is sent outside of allowed window.", subcode=WINDOW_CLOSED[account.kind]
            )

    def _check_comment(self, comment: PostComment) -> None:
        if comment.answered:
            raise GraphError(ALREADY_ANSWERED, "Activity already replied to")
        if comment.at <= self._world.clock.since(7 * DAY):
            raise GraphError(CANNOT_ANSWER, "This activity is too old to be replied to")

    async def _fetch(self, account: GraphAccount, bubble: Bubble) -> None:
        """Read files that are named by address; the two do so before they answer."""
        for media in bubble.media:
            if media.url and not media.content:
                fetched = await self._files.fetch(media.url)
                if fetched is None:
                    raise GraphError(100, "Failed to fetch the file from the url", subcode=2018008)
                media.content, media.mime_type = fetched
                check_file(account, media)

    async def _accept(
        self, account: GraphAccount, addressee: Addressee, bubble: Bubble, *, utility: bool, silent: bool
    ) -> Answer:
        person = addressee.person
        metadata = bubble.details.get("metadata")
        own_id = str(metadata) if metadata is not None else None
        account.accepted.append(
            Accepted(bubble.id, person.id, own_id, bubble.text, self._world.clock.now(), answered=not silent)
        )
        if addressee.comment is not None:
            addressee.comment.answered = True
        person.thread.add(bubble)
        self._world.touch(account, person)
        echo = self._echo(account, person, bubble)
        if account.faults.echo_first and echo is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(echo.tried.wait(), ECHO_SECONDS)
        if not utility:
            self._hooks.spawn(self._receipts.follow(account, person, bubble))
        answer = {"recipient_id": person.id, "message_id": bubble.id}
        if addressee.anonymous:
            del answer["recipient_id"]
        return Answer(answer, silent)

    def _echo(self, account: GraphAccount, person: GraphPerson, bubble: Bubble) -> Delivery | None:
        message: dict[str, Any] = {"mid": bubble.id, "is_echo": True, "app_id": int(account.app_id)}
        if bubble.text:
            message["text"] = bubble.text
        if bubble.media:
            message["attachments"] = [
                {"type": media.kind, "payload": {"url": media.url}} for media in bubble.media
            ]
        elif bubble.cards or bubble.kind in {"button", "media", "template"}:
            message["attachments"] = [{"type": "template", "payload": {"template_type": bubble.kind}}]
        if account.kind == "messenger" and "metadata" in bubble.details:
            message["metadata"] = bubble.details["metadata"]
        item = {**from_account(account, person, bubble.at), "message": message}
        field = "message_echoes" if account.kind == "messenger" else "messages"
        return self._outbox.messaging(account, field, item)

    def _action(self, account: GraphAccount, person: GraphPerson, body: dict[str, Any]) -> dict[str, Any]:
        action = str(body["sender_action"])
        if action not in ACTIONS:
            raise invalid(f"Param sender_action must be one of {{{', '.join(sorted(ACTIONS))}}}.")
        if action.startswith("typing"):
            person.thread.typing = action == "typing_on"
        elif action == "mark_seen":
            for bubble in person.thread.bubbles:
                if bubble.side == "person":
                    bubble.tick = "read"
        else:
            payload = Part(body.get("payload"), "payload", lacking=missing, wrong=invalid)
            target = person.thread.find(payload.text("message_id"))
            if target is None:
                raise GraphError(100, "No matching message found.")
            target.reactions.pop("account", None)
            if action == "react":
                target.reactions["account"] = payload.text("reaction")
        self._world.touch(account, person)
        return {"recipient_id": person.id}


def _type(body: dict[str, Any]) -> str:
    type_ = str(body.get("messaging_type", "MESSAGE_TAG" if body.get("tag") else "RESPONSE"))
    if type_ not in TYPES:
        raise invalid(f"Param messaging_type must be one of {{{', '.join(sorted(TYPES))}}}.")
    return type_
