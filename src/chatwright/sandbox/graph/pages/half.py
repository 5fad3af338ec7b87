"""Messenger's and Instagram's accounts, people and nodes."""

import secrets
from typing import Any, cast

from chatwright.sandbox.graph import templates
from chatwright.sandbox.graph.accounts import GraphAccount, GraphPerson, Template
from chatwright.sandbox.graph.answers import DONE, Edges, selected
from chatwright.sandbox.graph.apps import LONG_TOKEN_SECONDS, describe
from chatwright.sandbox.graph.calls import Call, Desk
from chatwright.sandbox.graph.errors import GraphError, invalid, missing, no_object
from chatwright.sandbox.graph.files import Files
from chatwright.sandbox.graph.outbox import Outbox
from chatwright.sandbox.graph.pages.bubbles import check_file, media_in
from chatwright.sandbox.graph.pages.events import Events
from chatwright.sandbox.graph.pages.people import People
from chatwright.sandbox.graph.pages.sending import Sending
from chatwright.sandbox.graph.reading import Part
from chatwright.sandbox.hooks import Hooks
from chatwright.sandbox.provider import Action, NewAccount, NewPerson
from chatwright.sandbox.world import Bubble, SandboxConflict, World

REVIEW_SECONDS = 1.0
FIELDS = {
    "messenger": {
        "messages",
        "messaging_postbacks",
        "messaging_optins",
        "messaging_referrals",
        "message_deliveries",
        "message_reads",
        "message_echoes",
        "message_reactions",
        "message_edits",
        "messaging_handovers",
        "messaging_account_linking",
        "messaging_policy_enforcement",
        "standby",
        "feed",
        "leadgen",
        "mention",
        "message_template_status_update",
    },
    "instagram": {
        "messages",
        "messaging_postbacks",
        "message_reactions",
        "messaging_seen",
        "messaging_referral",
        "messaging_optins",
        "messaging_handover",
        "message_edit",
        "standby",
        "comments",
        "live_comments",
        "mentions",
        "story_insights",
    },
}


class Pages:
    """Everything that is Messenger's and Instagram's own."""

    def __init__(self, world: World, hooks: Hooks, desk: Desk, outbox: Outbox, files: Files) -> None:
        self._world = world
        self._hooks = hooks
        self._desk = desk
        self._outbox = outbox
        self._files = files
        self._people = People(world, outbox, files)
        self._events = Events(world, outbox)
        sending = Sending(world, hooks, outbox, files)
        self.edges: Edges = {
            ("POST", "messages"): sending.messages,
            ("POST", "message_attachments"): self._upload,
            ("GET", ""): self._show,
            ("GET", "accounts"): self._list_pages,
            ("GET", "conversations"): self._list_conversations,
            ("GET", "messages"): self._list_messages,
            ("POST", "replies"): self._answer_comment,
            ("POST", "comments"): self._answer_comment,
            ("GET", "messenger_profile"): self._show_profile,
            ("POST", "messenger_profile"): self._set_profile,
            ("DELETE", "messenger_profile"): self._drop_profile,
            ("GET", "message_templates"): self._list_templates,
            ("POST", "message_templates"): self._create_template,
            ("DELETE", "message_templates"): self._delete_template,
            ("GET", "subscribed_apps"): self._list_apps,
            ("POST", "subscribed_apps"): self._subscribe,
            ("DELETE", "subscribed_apps"): self._unsubscribe,
        }

    def create_account(self, new: NewAccount, account: GraphAccount) -> GraphAccount:
        """Complete an account; a token of Instagram Login lives for 60 days."""
        account.details.setdefault("username", new.name.lower().replace(" ", "."))
        if new.kind == "instagram":
            if account.details.setdefault("login", "instagram") == "instagram":
                account.details["app_scoped_id"] = str(10**16 + self._world.number())
                account.token_until = account.token_until or self._world.clock.after(LONG_TOKEN_SECONDS)
            else:
                account.details.setdefault("page_id", str(10**14 + self._world.number()))
        return account

    def create_person(self, account: GraphAccount, new: NewPerson) -> GraphPerson:
        """Make somebody; `details.user_ref` is another address, of a checkbox plugin."""
        digits = 16 if account.kind == "messenger" else 17
        person_id = new.id or str(secrets.randbelow(9 * 10 ** (digits - 1)) + 10 ** (digits - 1))
        person = GraphPerson(
            person_id,
            new.name,
            new.username or new.name.lower().replace(" ", "."),
            new.phone,
            locale=new.locale,
            details=dict(new.details),
        )
        if person.id in account.addresses:
            raise SandboxConflict("The account knows somebody by that id already.")
        account.addresses[person.id] = person
        if (user_ref := new.details.get("user_ref")) is not None:
            account.addresses[str(user_ref)] = person
        return person

    def act(self, account: GraphAccount, person: GraphPerson, action: Action) -> str | None:
        """See `Provider.act`."""
        return self._people.act(account, person, action)

    def occur(self, account: GraphAccount, name: str, values: dict[str, Any]) -> str | None:
        """See `Provider.occur`."""
        return self._events.occur(account, name, values)

    async def _upload(self, call: Call) -> dict[str, Any]:
        """Keep a file for later, from the call itself or an address."""
        message = Part(call.body.get("message"), "message", lacking=missing, wrong=invalid)
        attachment = message.part("attachment")
        kind = attachment.text("type")
        if (upload := call.files.get("filedata")) is not None:
            file = self._files.keep(call.account, upload.content, upload.mime_type, upload.filename)
            return {"attachment_id": file.id}
        media = media_in(call.account, attachment.part("payload"), kind)
        fetched = await self._files.fetch(media.url)
        if fetched is None:
            raise GraphError(100, "Failed to fetch the file from the url", subcode=2018008)
        media.content, media.mime_type = fetched
        check_file(call.account, media)
        return {"attachment_id": self._files.keep(call.account, media.content, media.mime_type).id}

    async def _show(self, call: Call) -> dict[str, Any]:
        account, node = call.account, call.node
        if node in account.leads:
            return selected(call, account.leads[node])
        if node in account.templates:
            return selected(call, account.templates[node].shown())
        if node in account.comments:
            comment = account.comments[node]
            return {
                "id": comment.id,
                "message": comment.text,
                "text": comment.text,
                "from": {"id": comment.person_id},
            }
        if node in account.addresses:
            return selected(call, self._profile(account, account.addresses[node]))
        if node == account.id:
            return selected(call, _instagram(account) if account.kind == "instagram" else _page(account))
        if node == account.details.get("page_id"):
            linked = {"id": account.id, "username": account.details["username"]}
            return selected(call, {"id": node, "name": account.name, "instagram_business_account": linked})
        raise no_object(node)

    def _profile(self, account: GraphAccount, person: GraphPerson) -> dict[str, Any]:
        """Somebody's profile, with their consent: they wrote, and did not withhold it (`no_profile`)."""
        if not person.wrote or person.details.get("no_profile"):
            if account.kind == "instagram":
                raise GraphError(230, "User consent is required to access user profile")
            raise GraphError(100, "The profile of this person is not available.", subcode=2018218)
        if account.kind == "instagram":
            return {
                "id": person.id,
                "name": person.name,
                "username": person.username,
                "profile_pic": person.avatar_url,
                "follower_count": int(person.details.get("follower_count", 42)),
                "is_verified_user": False,
                "is_user_follow_business": person.follows,
                "is_business_follow_user": False,
            }
        first, _, last = person.name.partition(" ")
        return {
            "id": person.id,
            "first_name": first,
            "last_name": last,
            "name": person.name,
            "profile_pic": person.avatar_url,
            "locale": person.locale,
        }

    async def _list_pages(self, call: Call) -> dict[str, Any]:
        pages = [
            {
                "id": one.id,
                "name": one.name,
                "access_token": one.secrets["access_token"],
                "tasks": ["MESSAGING"],
            }
            for one in self._desk.trusted(call.token)
            if one.kind == "messenger"
        ]
        return {"data": pages}

    async def _list_conversations(self, call: Call) -> dict[str, Any]:
        """The conversations, or the one with `user_id`; a conversation's id is that of its person with t_ before."""
        asked = call.query.get("user_id")
        people = [
            one for one in call.account.people.values() if one.thread.bubbles and asked in {None, one.id}
        ]
        return {"data": [{"id": f"t_{one.id}"} for one in people]}

    async def _list_messages(self, call: Call) -> dict[str, Any]:
        """The latest messages of a conversation, newest first."""
        person = call.account.addresses.get(call.node.removeprefix("t_"))
        if person is None:
            raise no_object(call.node)
        latest = [one for one in person.thread.bubbles if not one.deleted][-25:]
        return {"data": [_message(call.account, person, bubble) for bubble in reversed(latest)]}

    async def _answer_comment(self, call: Call) -> dict[str, Any]:
        if call.node not in call.account.comments:
            raise no_object(call.node)
        if not call.text("message"):
            raise missing("message")
        return {"id": f"{call.node}_{self._world.number()}"}

    async def _show_profile(self, call: Call) -> dict[str, Any]:
        return {"data": [call.account.details.get("messenger_profile", {})]}

    async def _set_profile(self, call: Call) -> dict[str, Any]:
        profile = call.account.details.setdefault("messenger_profile", {})
        profile.update(call.body)
        return {"result": "success"}

    async def _drop_profile(self, call: Call) -> dict[str, Any]:
        profile = call.account.details.get("messenger_profile", {})
        for name in call.body.get("fields", []):
            profile.pop(name, None)
        return {"result": "success"}

    async def _list_templates(self, call: Call) -> dict[str, Any]:
        return templates.listed(call)

    async def _create_template(self, call: Call) -> dict[str, Any]:
        if call.account.kind != "messenger" or call.node != call.account.id:
            raise no_object(call.node)
        template = templates.create(self._world, call)
        self._hooks.spawn(self._decide(call.account, template))
        return {"id": template.id, "status": template.status, "category": template.category}

    async def _decide(self, account: GraphAccount, template: Template) -> None:
        """Pages hear nothing of the review: they ask."""
        await self._world.clock.wait(float(account.details.get("review_seconds", REVIEW_SECONDS)))
        template.status, template.reason = templates.verdict(template)

    async def _delete_template(self, call: Call) -> dict[str, Any]:
        return templates.delete(call)

    async def _list_apps(self, call: Call) -> dict[str, Any]:
        return {"data": [describe(call.account)] if call.account.subscribed else []}

    async def _subscribe(self, call: Call) -> dict[str, Any]:
        given = call.body.get("subscribed_fields", call.query.get("subscribed_fields"))
        if not given:
            raise missing("subscribed_fields")
        names = cast("list[object]", given) if isinstance(given, list) else str(given).split(",")
        fields = {str(name).strip() for name in names}
        unknown = fields - FIELDS[call.account.kind]
        if unknown:
            raise invalid(f"Param subscribed_fields must not hold {', '.join(sorted(unknown))}.")
        call.account.subscribed |= fields
        return DONE

    async def _unsubscribe(self, call: Call) -> dict[str, Any]:
        call.account.subscribed.clear()
        return DONE


def _page(account: GraphAccount) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "category": "Shopping",
        "link": f"https://facebook.com/{account.id}",
    }


def _instagram(account: GraphAccount) -> dict[str, Any]:
    """Of Instagram Login: `id` is scoped to the app, and `user_id` is the account's own."""
    return {
        "id": account.details.get("app_scoped_id", account.id),
        "user_id": account.id,
        "username": account.details["username"],
        "name": account.name,
        "account_type": "BUSINESS",
        "profile_picture_url": "",
        "followers_count": 1200,
    }


def _message(account: GraphAccount, person: GraphPerson, bubble: Bubble) -> dict[str, Any]:
    own, other = {"id": account.id, "name": account.name}, {"id": person.id, "name": person.name}
    sender, recipient = (own, other) if bubble.side == "account" else (other, own)
    return {
        "id": bubble.id,
        "created_time": bubble.at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "from": sender,
        "to": {"data": [recipient]},
        "message": bubble.text,
    }
