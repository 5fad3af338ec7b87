"""What people do on Messenger and Instagram, as webhooks."""

from typing import Any

from chatwright.sandbox.graph.accounts import GraphAccount, GraphPerson, PostComment
from chatwright.sandbox.graph.files import Files
from chatwright.sandbox.graph.outbox import Outbox
from chatwright.sandbox.graph.pages.receipts import Receipts
from chatwright.sandbox.graph.pages.wire import from_person, new_mid
from chatwright.sandbox.provider import (
    Action,
    Block,
    CannotDo,
    Comment,
    Edit,
    Follow,
    Happen,
    Press,
    React,
    Read,
    Say,
    SendLocation,
    SendMedia,
    Unblock,
    Unfollow,
    Unsend,
)
from chatwright.sandbox.world import Bubble, Media, World

REACTIONS = {
    "😍": "love",
    "❤": "love",
    "❤️": "love",
    "😆": "smile",
    "😮": "wow",
    "😢": "sad",
    "😠": "angry",
    "👍": "like",
    "👎": "dislike",
}
_MEDIA = {"image", "video", "audio", "file", "sticker"}
_RENAMED = {"voice": "audio", "document": "file", "animation": "image"}


class People:
    """Acts for the people that pages and Instagram accounts know."""

    def __init__(self, world: World, outbox: Outbox, files: Files) -> None:
        self._world = world
        self._outbox = outbox
        self._files = files
        self._receipts = Receipts(world, outbox)

    def act(self, account: GraphAccount, person: GraphPerson, action: Action) -> str | None:
        """Do it; returns the id of the bubble or comment, if it made one."""
        said = self._speak(account, person, action)
        if said is None:
            self._touch(account, person, action)
        return said

    def _speak(self, account: GraphAccount, person: GraphPerson, action: Action) -> str | None:
        """What adds something with an id."""
        said: str | None = None
        match action:
            case Say():
                said = self._say(account, person, {"text": action.text, **action.details}, action.reply_to)
            case SendMedia():
                said = self._send_media(account, person, action)
            case SendLocation() if account.kind == "messenger":
                payload = {"coordinates": {"lat": action.latitude, "long": action.longitude}}
                pin = {"type": "location", "title": action.name or "Pinned location", "payload": payload}
                said = self._say(account, person, {"attachments": [pin]})
            case Press():
                said = self._press(account, person, action)
            case Comment():
                said = self._comment(account, person, action)
            case Happen(name="message"):
                said = self._say(account, person, action.values)
            case _:
                pass
        return said

    def _touch(self, account: GraphAccount, person: GraphPerson, action: Action) -> None:
        """What changes something, or says nothing that stays."""
        match action:
            case React():
                self._react(account, person, action)
            case Edit():
                self._edit(account, person, action)
            case Unsend():
                self._unsend(account, person, action)
            case Read():
                self._read(account, person)
            case Follow() | Unfollow():
                person.follows = isinstance(action, Follow)
                if isinstance(action, Follow):
                    self._arrive(account, person, action.ref)
            case Block() | Unblock():
                person.blocked = isinstance(action, Block)
            case Happen(name="item"):
                self._item(account, person, str(action.values["field"]), action.values["item"])
            case _:
                raise CannotDo("People cannot do that there.")

    def _say(
        self,
        account: GraphAccount,
        person: GraphPerson,
        content: dict[str, Any],
        reply_to: str | None = None,
        media: list[Media] | None = None,
    ) -> str:
        """Send a message and put it into the thread."""
        message: dict[str, Any] = {"mid": new_mid(account), **content}
        if reply_to is not None:
            message["reply_to"] = {"mid": reply_to}
        attachments: list[dict[str, Any]] = message.get("attachments", [])
        kind = str(attachments[0]["type"]) if attachments else "text"
        bubble = Bubble(
            message["mid"],
            "person",
            kind,
            self._world.clock.stamp(),
            text=str(message.get("text", "")),
            media=media or [],
            reply_to=reply_to,
            details=message,
        )
        person.thread.add(bubble)
        self._opened(account, person)
        self._item(account, person, "messages", {"message": message})
        return bubble.id

    def _opened(self, account: GraphAccount, person: GraphPerson) -> None:
        person.last_said_at = self._world.clock.now()
        person.wrote = True
        self._world.touch(account, person)

    def _item(self, account: GraphAccount, person: GraphPerson, field: str, item: dict[str, Any]) -> None:
        head = from_person(account, person, self._world.clock.stamp())
        self._outbox.messaging(account, field, {**head, **item})

    def _send_media(self, account: GraphAccount, person: GraphPerson, action: SendMedia) -> str:
        kind = _RENAMED.get(action.kind, action.kind)
        if kind not in _MEDIA:
            raise CannotDo(f"There is {', '.join(sorted(_MEDIA))}.")
        if kind == "sticker" and account.kind == "instagram":
            return self._say(account, person, {"is_unsupported": True})
        file = self._files.keep(account, action.content, action.mime_type, action.filename)
        payload: dict[str, Any] = {"url": self._files.address(account, file, private=False)}
        if kind == "sticker":
            payload["sticker_id"] = int(action.details.get("sticker_id", 369239263222822))
        content: dict[str, Any] = {"attachments": [{"type": kind, "payload": payload}]}
        if action.caption:
            content["text"] = action.caption
        media = Media(kind, file.mime_type, file.content, filename=action.filename)
        return self._say(account, person, content, action.reply_to, [media])

    def _press(self, account: GraphAccount, person: GraphPerson, action: Press) -> str:
        bubble = person.thread.bubble(action.bubble)
        buttons = [*bubble.buttons, *(button for card in bubble.cards for button in card.buttons)]
        button = next((one for one in buttons if one.id == action.button), None)
        if button is None:
            raise CannotDo("There is no such button below this bubble.")
        if button.kind == "quick_reply":
            bubble.buttons = [one for one in bubble.buttons if one.kind != "quick_reply"]
            content = {"text": button.title, "quick_reply": {"payload": button.payload}}
            return self._say(account, person, content)
        if button.kind == "postback":
            return self._post_back(account, person, {"title": button.title, "payload": button.payload})
        raise CannotDo("Pressing this sends nothing to the account.")

    def _post_back(self, account: GraphAccount, person: GraphPerson, postback: dict[str, Any]) -> str:
        mid = new_mid(account)
        shown = Bubble(
            mid, "person", "postback", self._world.clock.stamp(), text=postback["title"], details=postback
        )
        person.thread.add(shown)
        self._opened(account, person)
        self._item(account, person, "messaging_postbacks", {"postback": {"mid": mid, **postback}})
        return mid

    def _arrive(self, account: GraphAccount, person: GraphPerson, ref: str) -> None:
        """Open the chat, through a link where there is a ref; who is new on Messenger presses Get Started."""
        source = {
            "ref": ref,
            "source": "SHORTLINK" if account.kind == "messenger" else "IGME",
            "type": "OPEN_THREAD",
        }
        if person.wrote:
            if ref:
                self._opened(account, person)
                field = "messaging_referrals" if account.kind == "messenger" else "messaging_referral"
                self._item(account, person, field, {"referral": source})
        elif account.kind == "messenger":
            profile: dict[str, Any] = account.details.get("messenger_profile", {})
            payload = profile.get("get_started", {}).get("payload", "GET_STARTED")
            postback = {"title": "Get Started", "payload": payload, **({"referral": source} if ref else {})}
            self._post_back(account, person, postback)

    def _react(self, account: GraphAccount, person: GraphPerson, action: React) -> None:
        bubble = person.thread.bubble(action.bubble)
        bubble.reactions.pop("person", None)
        emoji = action.emoji
        reaction: dict[str, Any] = {"mid": bubble.id, "action": "react" if action.emoji else "unreact"}
        if action.emoji:
            bubble.reactions["person"] = action.emoji
            name = REACTIONS.get(emoji, "other")
            if name == "smile" and account.kind == "instagram":
                name = "laugh"
            reaction |= {"reaction": name, "emoji": emoji}
        self._world.touch(account, person)
        self._item(account, person, "message_reactions", {"reaction": reaction})

    def _edit(self, account: GraphAccount, person: GraphPerson, action: Edit) -> None:
        bubble = _own(person, action.bubble)
        bubble.text, bubble.edited = action.text, True
        edits = bubble.details["_edits"] = int(bubble.details.get("_edits", 0)) + 1
        field = "message_edits" if account.kind == "messenger" else "message_edit"
        edit = {"mid": bubble.id, "text": action.text, "num_edit": edits}
        self._item(account, person, field, {"message_edit": edit})

    def _unsend(self, account: GraphAccount, person: GraphPerson, action: Unsend) -> None:
        bubble = _own(person, action.bubble)
        bubble.deleted = True
        self._item(account, person, "messages", {"message": {"mid": bubble.id, "is_deleted": True}})

    def _read(self, account: GraphAccount, person: GraphPerson) -> None:
        sent = [bubble for bubble in person.thread.bubbles if bubble.side == "account"]
        if sent and sent[-1].tick != "read":
            self._receipts.read(account, person, sent[-1])

    def _comment(self, account: GraphAccount, person: GraphPerson, action: Comment) -> str:
        post = action.post or f"{account.id}_{10**14 + self._world.number()}"
        comment_id = (
            f"{post}_{self._world.number()}"
            if account.kind == "messenger"
            else f"178{10**14 + self._world.number()}"
        )
        now = self._world.clock.now()
        account.comments[comment_id] = PostComment(comment_id, person.id, post, action.text, now)
        if account.kind == "messenger":
            value = {
                "item": "comment",
                "verb": "add",
                "comment_id": comment_id,
                "post_id": post,
                "parent_id": post,
                "from": {"id": person.id, "name": person.name},
                "message": action.text,
                "created_time": int(self._world.clock.stamp().timestamp()),
                "post": {"id": post, "status_type": "added_photos", "is_published": True},
                **action.details,
            }
            self._outbox.change(account, "feed", value)
            return comment_id
        live = bool(action.details.get("live"))
        details = {name: value for name, value in action.details.items() if name != "live"}
        value = {
            "id": comment_id,
            "from": {"id": person.id, "username": person.username, "self_ig_scoped_id": person.id},
            "text": action.text,
            "media": {"id": post, "media_product_type": "FEED"},
            **details,
        }
        self._outbox.change(account, "live_comments" if live else "comments", value)
        return comment_id


def _own(person: GraphPerson, bubble_id: str) -> Bubble:
    bubble = person.thread.bubble(bubble_id)
    if bubble.side != "person" or bubble.deleted:
        raise CannotDo("Only one's own messages can be changed.")
    return bubble
