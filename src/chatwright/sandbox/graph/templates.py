"""Message templates: made, listed, deleted, and looked over as the provider does."""

import re
from typing import Any

from chatwright.sandbox.graph.accounts import Template
from chatwright.sandbox.graph.answers import DONE
from chatwright.sandbox.graph.calls import Call
from chatwright.sandbox.graph.errors import GraphError, invalid, missing
from chatwright.sandbox.graph.reading import Part
from chatwright.sandbox.world import World

CATEGORIES = {"MARKETING", "UTILITY", "AUTHENTICATION"}
TEMPLATE_LIMIT = 6000
_NAME = re.compile(r"[a-z0-9_]{1,512}")
_PLACEHOLDER = re.compile(r"\{\{\s*\w+\s*\}\}")


def create(world: World, call: Call) -> Template:
    """Make a template, still PENDING; raises GraphError."""
    account, body = call.account, call.body
    for name in ("name", "language", "category", "components"):
        if not body.get(name):
            raise missing(name)
    name, language, category = str(body["name"]), str(body["language"]), str(body["category"]).upper()
    if not _NAME.fullmatch(name):
        raise _refused("The template name can only have lowercase letters, numbers and underscores.", 2388042)
    if category not in CATEGORIES or (category == "AUTHENTICATION" and not account.is_whatsapp):
        raise GraphError(100, message=f"Param category must be one of {{{', '.join(sorted(CATEGORIES))}}}.")
    if account.find_template(name, language) is not None:
        raise _refused("There is already content in this language for this template.", 2388024)
    components = Part(body, "", lacking=missing, wrong=invalid).parts("components")
    if category == "AUTHENTICATION":
        _complete_code(components)
    _check(components)
    template = Template(
        str(10**15 + world.number()),
        name,
        language,
        category,
        body["components"],
        parameter_format=str(body.get("parameter_format", "POSITIONAL")).upper(),
        made=int(world.clock.stamp().timestamp()),
    )
    account.templates[template.id] = template
    return template


def _complete_code(components: list[Part]) -> None:
    """WhatsApp words the messages that carry a code itself."""
    for component in components:
        kind = component.text("type").upper()
        if kind == "BODY":
            component.fields["text"] = "Your code: {{1}} is your verification code."
        elif kind == "BUTTONS":
            for button in component.parts("buttons"):
                button.fields.setdefault("text", "Copy code")
                button.fields["url"] = "https://www.whatsapp.com/otp/code/?code={{1}}"


def edit(call: Call, template: Template) -> Template:
    """Change a template; raises GraphError."""
    body = Part(call.body, "", lacking=missing, wrong=invalid)
    if body.has("components"):
        _check(body.parts("components"))
        template.components = call.body["components"]
    template.category = (body.text_or_none("category") or template.category).upper()
    return template


def listed(call: Call) -> dict[str, Any]:
    """Templates by page: filters name, language, status, category; limit and after."""
    found = [one for one in call.account.templates.values() if _fits(one, call)]
    start, limit = int(call.query.get("after") or 0), int(call.query.get("limit") or 25)
    page = found[start : start + limit]
    answer: dict[str, Any] = {"data": [one.shown() for one in page]}
    paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(start + len(page))}}
    if start + limit < len(found):
        paging["next"] = f"?after={start + limit}"
    if call.query.get("summary"):
        names = {template.name for template in call.account.templates.values()}
        counts = {"message_template_count": len(names), "message_template_limit": TEMPLATE_LIMIT}
        answer["summary"] = {"total_count": len(found), "are_translations_complete": True, **counts}
    return {**answer, "paging": paging}


def delete(call: Call) -> dict[str, Any]:
    """Delete by name, in all languages, or one of them by hsm_id."""
    name, template_id = call.text("name"), call.text("hsm_id")
    if not name:
        raise missing("name")
    gone = [
        one.id
        for one in call.account.templates.values()
        if one.name == name and template_id in {None, one.id}
    ]
    if not gone:
        raise _refused("Message template not found.", 2593002)
    for found in gone:
        del call.account.templates[found]
    return DONE


def verdict(template: Template) -> tuple[str, str]:
    """What the review says, and why: a template whose name asks for it is rejected."""
    if "reject" in template.name:
        return "REJECTED", "INVALID_FORMAT"
    return "APPROVED", "NONE"


def _fits(template: Template, call: Call) -> bool:
    return (
        call.query.get("name", template.name) == template.name
        and call.query.get("language", template.language) == template.language
        and call.query.get("status", template.status).upper() == template.status
        and call.query.get("category", template.category).upper() == template.category
    )


def _check(components: list[Part]) -> None:
    bodies = [one for one in components if one.text("type").upper() == "BODY"]
    if len(bodies) != 1:
        raise _refused("A template has exactly one body.", 2388043)
    text = bodies[0].text("text").strip()
    if len(text) > 1024:
        raise _refused("The body has more than 1024 characters.", 2388040)
    holes = list(_PLACEHOLDER.finditer(text))
    if holes and (holes[0].start() == 0 or holes[-1].end() == len(text)):
        raise _refused("Variables can't be at the start or end of the template.", 2388299)
    words = len(_PLACEHOLDER.sub("", text).split())
    if holes and words < 2 * len(holes):
        raise _refused("This template has too many variables for its length.", 2388293)
    for component in components:
        if component.text("type").upper() == "BUTTONS":
            for button in component.parts("buttons", most=10):
                button.text("type")


def _refused(details: str, subcode: int) -> GraphError:
    return GraphError(100, message=details, subcode=subcode)


def filled(text: str, parameters: list[dict[str, Any]]) -> str:
    """A component's text with its parameters; raises GraphError when their number differs."""
    holes = list(dict.fromkeys(_PLACEHOLDER.findall(text)))
    if len(holes) != len(parameters):
        raise GraphError(
            100, message=f"The template expects {len(holes)} parameters, and {len(parameters)} were given."
        )
    values = dict(zip(holes, (str(one.get("text", "")) for one in parameters), strict=True))
    return _PLACEHOLDER.sub(lambda found: values[found[0]], text)
