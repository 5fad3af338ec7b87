"""Message templates: as Meta keeps them, and filled in to be sent.

WhatsApp's templates and the utility templates of pages are one thing under two kinds of accounts (WhatsApp Business
Account and Page, `message_templates`; Send API, `message.template`), so they stand below both channels.

The values of a template are named by where they go:

    1, 2, ...  or any name    a placeholder of the body, by position or by name
    header.1, header.NAME     a placeholder of the header
    header.image, header.video, header.document    address of the file in the header
    button.0.url              the end of the first button's address
    button.0.payload          what a press on the first button sends back
    button.0.code             the code that the first button copies
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from chatwright.net.graph.client import GraphClient, path_of
from chatwright.net.graph.errors import GraphError
from chatwright.net.http import NoAnswer, NotSent
from chatwright.net.reading import as_list, as_map, as_text, dig
from chatwright.ports.channel import ProviderRefused, TemplateTaken
from chatwright.ports.content import TemplateContent
from chatwright.ports.sending import Reaction
from chatwright.ports.templates import ProviderTemplate, TemplateDraft

CATEGORIES: Final = {"MARKETING": "marketing", "UTILITY": "utility", "AUTHENTICATION": "authentication"}
_STATUSES: Final[Mapping[str, str]] = {
    "REINSTATED": "approved",
    "UNARCHIVED": "approved",
    "PENDING_DELETION": "deleted",
    "LIMIT_EXCEEDED": "disabled",
    "LOCKED": "disabled",
}
"""Meta's words that are not our own ones."""
_FIELDS: Final = "id,name,language,status,category,components,quality_score,rejected_reason"
_FILES: Final = frozenset({"image", "video", "document"})
_BUTTONS: Final[Mapping[str, tuple[str, str, str]]] = {
    "url": ("url", "text", "text"),
    "payload": ("quick_reply", "payload", "payload"),
    "code": ("copy_code", "coupon_code", "coupon_code"),
}
"""What a value of a button is: the button's kind, and the parameter's type and key."""


def status_of(word: str | None) -> str | None:
    """A template's status in our words; one that we do not know stays as it is."""
    return _STATUSES.get(word.upper(), word.lower()) if word else None


def filled_template(content: TemplateContent) -> dict[str, Any]:
    """A template with its values, as a message carries it."""
    components = template_components(content.parameters)
    template: dict[str, Any] = {"name": content.name, "language": {"code": content.language}}
    return {**template, "components": components} if components else template


def template_components(values: Mapping[str, str]) -> list[dict[str, Any]]:
    """The components that fill a template in, for the values under the names that stand above."""
    headers = {name.partition(".")[2]: text for name, text in values.items() if name.startswith("header.")}
    buttons = {name: text for name, text in values.items() if name.startswith("button.")}
    body = {
        name: text for name, text in values.items() if name not in buttons and not name.startswith("header.")
    }
    components = [_component("header", _header(headers)), _component("body", _placeholders(body))]
    return [*(part for part in components if part["parameters"]), *_buttons(buttons)]


async def list_templates(client: GraphClient, owner: str) -> Sequence[ProviderTemplate]:
    """Every template of the account; raises ProviderRefused."""
    edge = client.items(path_of(owner, "message_templates"), fields=_FIELDS, limit="100")
    try:
        return [template async for item in edge if (template := _template(as_map(item))) is not None]
    except (GraphError, NotSent, NoAnswer) as error:
        raise _refused(error) from error


async def create_template(client: GraphClient, owner: str, draft: TemplateDraft) -> ProviderTemplate:
    """Submit a template for approval; raises ProviderRefused with what is wrong with it, or TemplateTaken."""
    body = {
        "name": draft.name,
        "language": draft.language,
        "category": draft.category.upper(),
        "components": draft.components,
    }
    try:
        made = (await client.post(path_of(owner, "message_templates"), body)).body
    except GraphError as error:
        there = await _named(client, owner, draft) if error.refusal.reaction is Reaction.BAD_PAYLOAD else None
        raise (_refused(error) if there is None else TemplateTaken(there)) from error
    except (NotSent, NoAnswer) as error:
        raise _refused(error) from error
    return ProviderTemplate(
        draft.name,
        draft.language,
        (as_text(made.get("category")) or draft.category).lower(),
        status_of(as_text(made.get("status"))) or "pending",
        draft.components,
        as_text(made.get("id")),
    )


async def delete_template(client: GraphClient, owner: str, name: str, language: str) -> None:
    """Delete a template in one language; by its name alone Meta deletes it in all. Raises ProviderRefused."""
    path = path_of(owner, "message_templates")
    try:
        async for item in client.items(path, fields="id,name,language", name=name):
            found = as_map(item)
            template_id = as_text(found.get("id"))
            if (found.get("name"), found.get("language")) == (name, language) and template_id:
                await client.delete(path, name=name, hsm_id=template_id)
    except (GraphError, NotSent, NoAnswer) as error:
        raise _refused(error) from error


async def _named(client: GraphClient, owner: str, draft: TemplateDraft) -> ProviderTemplate | None:
    """The account's template of a draft's name and language; None when there is none, or Meta does not say."""
    edge = client.items(path_of(owner, "message_templates"), fields=_FIELDS, name=draft.name)
    try:
        found = [template async for item in edge if (template := _template(as_map(item))) is not None]
    except (GraphError, NotSent, NoAnswer):
        return None
    # Meta's filter also gives templates whose names only begin alike.
    wanted = (draft.name, draft.language)
    return next((one for one in found if (one.name, one.language) == wanted), None)


def _refused(error: GraphError | NotSent | NoAnswer) -> ProviderRefused:
    """What an error means, in words for whoever made the template."""
    if isinstance(error, GraphError):
        return ProviderRefused(error.refusal.words)
    return ProviderRefused(error.message, hint="Look at the list of templates, and try again.")


def _template(item: Mapping[str, object]) -> ProviderTemplate | None:
    name, language = as_text(item.get("name")), as_text(item.get("language"))
    if name is None or language is None:
        return None
    quality = as_text(dig(item, "quality_score", "score"))
    reason = as_text(item.get("rejected_reason"))
    return ProviderTemplate(
        name,
        language,
        (as_text(item.get("category")) or "").lower(),
        status_of(as_text(item.get("status"))) or "pending",
        [cast("dict[str, Any]", as_map(part)) for part in as_list(item.get("components"))],
        as_text(item.get("id")),
        quality.lower() if quality else None,
        None if reason == "NONE" else reason,
    )


def _component(kind: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": kind, "parameters": parameters}


def _header(values: Mapping[str, str]) -> list[dict[str, Any]]:
    files = [{"type": kind, kind: {"link": values[kind]}} for kind in sorted(_FILES & values.keys())]
    return files or _placeholders(values)


def _placeholders(values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Positional ones in their order, or named ones under their names."""
    if all(name.isdigit() for name in values):
        return [{"type": "text", "text": values[name]} for name in sorted(values, key=int)]
    return [{"type": "text", "parameter_name": name, "text": text} for name, text in values.items()]


def _buttons(values: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, text in sorted(values.items()):
        _, index, what = (*name.split("."), "", "")[:3]
        if index.isdigit() and what in _BUTTONS:
            sub_type, kind, key = _BUTTONS[what]
            part = _component("button", [{"type": kind, key: text}])
            found.append({**part, "sub_type": sub_type, "index": index})
    return found
