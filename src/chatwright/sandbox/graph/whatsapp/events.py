"""What happens to a WhatsApp number and its business account by itself."""

from collections.abc import Callable
from typing import Any

from chatwright.sandbox.graph.accounts import GraphAccount, Template
from chatwright.sandbox.graph.outbox import Outbox
from chatwright.sandbox.graph.whatsapp.wire import moment, new_wamid, value_of
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
            "message_template_status_update": self._template_status,
            "template_category_update": self._template_category,
            "message_template_quality_update": self._template_quality,
            "smb_message_echoes": self._app_echo,
            "field": self._any_field,
        }
        if name not in events:
            raise CannotDo(f"The sandbox's WhatsApp numbers know {', '.join(events)}.")
        return events[name](account, values)

    def template_status(self, account: GraphAccount, template: Template, status: str, reason: str) -> None:
        """Move a template on and tell."""
        template.status, template.reason = status, reason
        self._outbox.change(
            account,
            "message_template_status_update",
            {
                "event": status,
                **_named(template),
                "message_template_category": template.category,
                "reason": reason,
            },
        )

    def _template_status(self, account: GraphAccount, values: dict[str, Any]) -> None:
        """Of `template` (an id) or `name` and `language`, to `status`, with a `reason`."""
        template = _template(account, values)
        self.template_status(account, template, str(values["status"]), str(values.get("reason", "NONE")))

    def _template_category(self, account: GraphAccount, values: dict[str, Any]) -> None:
        template = _template(account, values)
        previous, template.category = template.category, str(values["category"])
        categories = {"previous_category": previous, "new_category": template.category}
        self._outbox.change(account, "template_category_update", {**_named(template), **categories})

    def _template_quality(self, account: GraphAccount, values: dict[str, Any]) -> None:
        template = _template(account, values)
        previous, template.quality = template.quality, str(values["quality"])
        scores = {"previous_quality_score": previous, "new_quality_score": template.quality}
        self._outbox.change(account, "message_template_quality_update", {**_named(template), **scores})

    def _app_echo(self, account: GraphAccount, values: dict[str, Any]) -> str:
        """Somebody at the business writes `text` to `person` in the app; `message` for other kinds."""
        person = account.addresses.get(str(values["person"]))
        if person is None:
            raise SandboxNotFound("The number knows nobody by that id.")
        own = account.details["display_phone_number"]
        at = self._world.clock.stamp()
        message: dict[str, Any] = {
            "from": "".join(filter(str.isdigit, own)),
            "to": person.phone,
            "to_user_id": person.user_id,
            "id": new_wamid(),
            "timestamp": moment(account, at),
            "type": "text",
            "text": {"body": str(values.get("text", ""))},
            **values.get("message", {}),
        }
        kind = message["type"]
        if kind != "text":
            message.pop("text")
        if kind not in {"edit", "revoke"}:
            text = str(values.get("text", ""))
            person.thread.add(Bubble(message["id"], "account", kind, at, text=text, details=message))
            self._world.touch(account, person)
        value = {**value_of(account, person), "message_echoes": [message]}
        self._outbox.change(account, "smb_message_echoes", value)
        return str(message["id"])

    def _any_field(self, account: GraphAccount, values: dict[str, Any]) -> None:
        """Any change: `field` and `value`; what every value has is added where `bare` is not set."""
        value = values["value"] if values.get("bare") else {**value_of(account), **values["value"]}
        self._outbox.change(account, str(values["field"]), value)


def _template(account: GraphAccount, values: dict[str, Any]) -> Template:
    found = account.templates.get(str(values.get("template", ""))) or account.find_template(
        str(values.get("name")), str(values.get("language"))
    )
    if found is None:
        raise SandboxNotFound("The account has no such template.")
    return found


def _named(template: Template) -> dict[str, Any]:
    return {
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
    }
