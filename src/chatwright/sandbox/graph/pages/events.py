"""What happens to a page or an Instagram account by itself, or by its own people."""

from collections.abc import Callable
from typing import Any

from chatwright.sandbox.graph.accounts import GraphAccount, GraphPerson
from chatwright.sandbox.graph.outbox import Outbox
from chatwright.sandbox.graph.pages.wire import from_account, new_mid
from chatwright.sandbox.provider import CannotDo
from chatwright.sandbox.world import Bubble, SandboxNotFound, World


class Events:
    """Lets them happen, by name."""

    def __init__(self, world: World, outbox: Outbox) -> None:
        self._world = world
        self._outbox = outbox

    def occur(self, account: GraphAccount, name: str, values: dict[str, Any]) -> str | None:
        """Let it happen; raises CannotDo for names nobody knows."""
        events: dict[str, Callable[[GraphAccount, dict[str, Any]], str | None]] = {
            "human_echo": self._human_echo,
            "leadgen": self._leadgen,
            "comment_change": self._change_comment,
            "field": self._any_field,
            "item": self._any_item,
        }
        if name not in events:
            raise CannotDo(f"The sandbox's pages know {', '.join(events)}.")
        return events[name](account, values)

    def _human_echo(self, account: GraphAccount, values: dict[str, Any]) -> str:
        """Somebody at the business writes `text` to `person` in the inbox app, or another app (`app_id`) does."""
        person = self._person(account, values)
        at = self._world.clock.stamp()
        message: dict[str, Any] = {
            "mid": new_mid(account),
            "is_echo": True,
            "text": str(values.get("text", "")),
            **values.get("message", {}),
        }
        if "app_id" in values:
            message["app_id"] = int(values["app_id"])
        person.thread.add(
            Bubble(message["mid"], "account", "text", at, text=message["text"], details=message)
        )
        self._world.touch(account, person)
        field = "message_echoes" if account.kind == "messenger" else "messages"
        self._outbox.messaging(account, field, {**from_account(account, person, at), "message": message})
        return str(message["mid"])

    def _leadgen(self, account: GraphAccount, values: dict[str, Any]) -> str:
        """Somebody fills in a form (`fields` by name). The webhook tells ids alone, as `numbers` on request."""
        lead_id = str(values.get("id") or 10**15 + self._world.number())
        at = self._world.clock.stamp()
        form_id, ad_id = str(values.get("form_id", "900100200300")), str(values.get("ad_id", "600100200300"))
        account.leads[lead_id] = {
            "id": lead_id,
            "created_time": at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "form_id": form_id,
            "ad_id": ad_id,
            "campaign_id": "500100200300",
            "is_organic": False,
            "platform": "fb",
            "field_data": [
                {"name": name, "values": [value]} for name, value in dict(values.get("fields", {})).items()
            ],
        }
        change: dict[str, Any] = {
            "leadgen_id": lead_id,
            "page_id": account.id,
            "form_id": form_id,
            "ad_id": ad_id,
            "adgroup_id": ad_id,
            "created_time": int(at.timestamp()),
        }
        if values.get("numbers"):
            change = {name: int(value) for name, value in change.items()}
        self._outbox.change(account, "leadgen", change)
        return lead_id

    def _change_comment(self, account: GraphAccount, values: dict[str, Any]) -> None:
        """A `comment` of a page's post is edited, removed, hidden or shown again (`verb`), with a new `text`."""
        comment = account.comments.get(str(values["comment"]))
        if comment is None:
            raise SandboxNotFound("The page has no such comment.")
        comment.text = str(values.get("text", comment.text))
        verb = str(values["verb"])
        person = account.addresses[comment.person_id]
        if verb == "removed":
            del account.comments[comment.id]
        change = {
            "item": "comment",
            "verb": verb,
            "comment_id": comment.id,
            "post_id": comment.post,
            "parent_id": comment.post,
            "from": {"id": person.id, "name": person.name},
            "message": comment.text,
            "created_time": int(comment.at.timestamp()),
        }
        self._outbox.change(account, "feed", change)

    def _any_field(self, account: GraphAccount, values: dict[str, Any]) -> None:
        """Any change: `field` and `value`."""
        self._outbox.change(account, str(values["field"]), values["value"])

    def _any_item(self, account: GraphAccount, values: dict[str, Any]) -> None:
        """Any item of a chat: `field` and `item`, whole; in standby where `standby` says so."""
        standby = bool(values.get("standby"))
        self._outbox.messaging(account, str(values["field"]), values["item"], standby=standby)

    def _person(self, account: GraphAccount, values: dict[str, Any]) -> GraphPerson:
        person = account.addresses.get(str(values["person"]))
        if person is None:
            raise SandboxNotFound("The account knows nobody by that id.")
        return person
