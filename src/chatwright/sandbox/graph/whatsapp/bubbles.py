"""What a send shows in the person's phone, once it is checked as WhatsApp checks it."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from chatwright.sandbox.graph.accounts import GraphAccount
from chatwright.sandbox.graph.errors import GraphError
from chatwright.sandbox.graph.reading import Part
from chatwright.sandbox.world import Bubble, Button, Card, Media

MEDIA_KINDS = {"image", "video", "audio", "document", "sticker"}
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def draw(account: GraphAccount, message: Part, bubble_id: str, at: datetime) -> Bubble:
    """The bubble of a message; raises GraphError as the API does in its answer."""
    kind = str(message.fields.get("type", "text"))
    bubble = Bubble(bubble_id, "account", kind, at, details=message.fields)
    if kind == "template":
        _draw_template(account, message.part("template"), bubble)
    elif kind in MEDIA_KINDS:
        bubble.media = [_media(account, message.part(kind), kind, bubble)]
    elif kind in _DRAWERS:
        _DRAWERS[kind](message, bubble)
    else:
        known = ", ".join(sorted({"template", *MEDIA_KINDS, *_DRAWERS}))
        raise GraphError(100, message=f"Param type must be one of {{{known}}} - got {kind!r}.")
    return bubble


def _draw_text(message: Part, bubble: Bubble) -> None:
    bubble.text = message.part("text").text("body", most=4096)


def _draw_location(message: Part, bubble: Bubble) -> None:
    location = message.part("location")
    latitude, longitude = location.number("latitude"), location.number("longitude")
    name, address = location.text_or_none("name"), location.text_or_none("address")
    bubble.text = ", ".join(filter(None, (name, address))) or f"{latitude}, {longitude}"


def _draw_contacts(message: Part, bubble: Bubble) -> None:
    names = [card.part("name").text("formatted_name") for card in message.parts("contacts")]
    bubble.text = ", ".join(names)


def _draw_reaction(message: Part, bubble: Bubble) -> None:
    reaction = message.part("reaction")
    bubble.reply_to = reaction.text("message_id")
    bubble.text = reaction.text_or_none("emoji") or ""


def _draw_interactive(message: Part, bubble: Bubble) -> None:
    interactive = message.part("interactive")
    kind = interactive.text("type")
    if kind not in _INTERACTIVES:
        raise interactive.wrong(f"Interactive type {kind!r} is not supported.")
    _draw_frame(interactive, bubble, body_required=kind != "product", long_body=kind == "list")
    _INTERACTIVES[kind](interactive, bubble)


def _draw_frame(interactive: Part, bubble: Bubble, *, body_required: bool, long_body: bool) -> None:
    header = interactive.part_or_none("header")
    if header is not None:
        kind = header.text("type")
        if kind == "text":
            bubble.header = header.text("text", most=60)
        elif kind in {"image", "video", "document"}:
            bubble.media = [_linked(header.part(kind), kind)]
        else:
            raise header.wrong(f"Header type {kind!r} is not supported.")
    if body_required or interactive.has("body"):
        bubble.text = interactive.part("body").text("text", most=4096 if long_body else 1024)
    footer = interactive.part_or_none("footer")
    bubble.footer = footer.text("text", most=60) if footer is not None else ""


def _draw_buttons(interactive: Part, bubble: Bubble) -> None:
    titles: list[str] = []
    ids: list[str] = []
    for index, button in enumerate(interactive.part("action").parts("buttons", most=3)):
        if button.text("type") != "reply":
            raise button.wrong("Button type must be reply.")
        reply = button.part("reply")
        titles.append(reply.text("title", most=20))
        ids.append(reply.text("id", most=256))
        bubble.buttons.append(Button(str(index), titles[-1], payload=ids[-1]))
    _refuse_twins(interactive, titles, "titles")
    _refuse_twins(interactive, ids, "ids")


def _draw_list(interactive: Part, bubble: Bubble) -> None:
    action = interactive.part("action")
    bubble.menu_title = action.text("button", most=20)
    sections = action.parts("sections", most=10)
    ids: list[str] = []
    for section in sections:
        title = (
            section.text("title", most=24) if len(sections) > 1 else section.text_or_none("title", most=24)
        )
        for row in section.parts("rows"):
            ids.append(row.text("id", most=200))
            bubble.buttons.append(
                Button(
                    str(len(bubble.buttons)),
                    row.text("title", most=24),
                    "row",
                    ids[-1],
                    row.text_or_none("description", most=72) or "",
                    title or "",
                )
            )
    if len(ids) > 10:
        raise interactive.wrong("Total row count exceed max allowed count: 10.")
    _refuse_twins(interactive, ids, "row ids")


def _draw_link(interactive: Part, bubble: Bubble) -> None:
    parameters = interactive.part("action").part("parameters")
    title, url = parameters.text("display_text", most=20), parameters.text("url")
    bubble.buttons = [Button("0", title, "url", url)]


def _draw_flow(interactive: Part, bubble: Bubble) -> None:
    parameters = interactive.part("action").part("parameters")
    bubble.buttons = [
        Button("0", parameters.text("flow_cta", most=20), "flow", parameters.fields.get("flow_token", ""))
    ]


def _draw_request(interactive: Part, bubble: Bubble) -> None:
    kind = interactive.text("type")
    titles = {"location_request_message": "Send location", "request_contact_info": "Share contact"}
    bubble.buttons = [Button("0", titles.get(kind, "Answer"), kind)]


def _draw_carousel(interactive: Part, bubble: Bubble) -> None:
    for index, card in enumerate(interactive.part("action").parts("cards", least=2, most=10)):
        header = card.part("header")
        shown = Card(
            (card.part_or_none("body") or header).fields.get("text", ""),
            image_url=str(header.fields.get("image", {}).get("link", "")),
        )
        action = card.part("action")
        for number, button in enumerate(action.parts("buttons", most=2) if action.has("buttons") else []):
            reply = button.part("quick_reply") if button.has("quick_reply") else button.part("reply")
            shown.buttons.append(
                Button(f"{index}.{number}", reply.text("title", most=20), payload=reply.text("id", most=256))
            )
        bubble.cards.append(shown)


def _draw_products(interactive: Part, bubble: Bubble) -> None:
    bubble.menu_title = "View items"
    interactive.part("action")


def _refuse_twins(part: Part, values: list[str], what: str) -> None:
    if len(set(values)) < len(values):
        raise part.wrong(f"Duplicate {what} are not allowed.")


def _media(account: GraphAccount, part: Part, kind: str, bubble: Bubble) -> Media:
    bubble.text = part.text_or_none("caption", most=1024) or ""
    if bubble.text and kind in {"audio", "sticker"}:
        raise part.wrong(f"Param {kind}['caption'] is not supported.")
    media = _linked(part, kind)
    media.filename = part.text_or_none("filename", most=240) or ""
    if part.has("id"):
        stored = account.files.get(part.text("id"))
        if stored is None:
            raise part.wrong(f"Media id {part.text('id')} does not exist or has expired.")
        media.content, media.mime_type = stored.content, stored.mime_type
        media.filename = media.filename or stored.filename
    return media


def _linked(part: Part, kind: str) -> Media:
    if not part.has("id") and not part.has("link"):
        raise part.wrong(f"Param {part.path} must have an id or a link.")
    link = part.text_or_none("link", most=2048) or ""
    if link and not link.startswith(("http://", "https://")):
        raise part.wrong(f"Param {part.path}['link'] is not a valid URI.")
    return Media(kind, "", url=link)


def _draw_template(account: GraphAccount, call: Part, bubble: Bubble) -> None:
    name, language = call.text("name"), call.part("language").text("code")
    template = account.find_template(name, language)
    if template is None or template.status in {"PENDING", "REJECTED", "IN_APPEAL"}:
        raise GraphError(
            132001,
            f"template name ({name}) does not exist in {language}",
            message="Template name does not exist in the translation",
        )
    if template.status == "PAUSED":
        raise GraphError(132015, "Template is paused due to low quality")
    if template.status == "DISABLED":
        raise GraphError(132016, "Template is disabled")
    _fill_parts(
        template.components, call.parts("components") if call.fields.get("components") else [], bubble
    )


def _fill_parts(components: list[dict[str, Any]], given: list[Part], bubble: Bubble) -> None:
    for component in components:
        kind = _kind(component)
        parameters = _parameters(given, kind)
        if kind == "BUTTONS":
            bubble.buttons += _filled_buttons(component, given)
            continue
        if kind == "CAROUSEL":
            bubble.cards = _filled_cards(component, given, bubble.at)
            continue
        media = str(component.get("format", "TEXT")).lower()
        if kind == "HEADER" and media != "text":
            bubble.media = [_header_media(parameters, media)]
            continue
        text = _filled(str(component.get("text", "")), kind.lower(), parameters)
        if kind == "HEADER":
            bubble.header = text
        elif kind == "BODY":
            bubble.text = text
        elif kind == "FOOTER":
            bubble.footer = text


def _parameters(given: list[Part], kind: str) -> list[Part]:
    for part in given:
        if str(part.fields.get("type", "")).upper() == kind and part.has("parameters"):
            return part.parts("parameters")
    return []


def _filled(text: str, where: str, parameters: list[Part]) -> str:
    names = list(dict.fromkeys(_PLACEHOLDER.findall(text)))
    if len(names) != len(parameters):
        raise GraphError(
            132000,
            f"{where}: number of localizable_params ({len(parameters)}) does not match the expected number "
            f"of params ({len(names)})",
            message="Number of parameters does not match the expected number of params",
        )
    values: dict[str, str] = {}
    for name, parameter in zip(names, parameters, strict=True):
        kind = parameter.text("type")
        value: object = parameter.fields.get(kind)
        shown = parameter.part(kind).fields.get("fallback_value", "") if isinstance(value, dict) else value
        if not shown or any(mark in str(shown) for mark in ("\n", "\t", "     ")):
            raise GraphError(
                132012, f"{where}: a parameter is empty or holds a line break, tab or run of spaces"
            )
        values[str(parameter.fields.get("parameter_name", name))] = str(shown)
    if set(values) != set(names):
        raise GraphError(132012, f"{where}: Parameter name is missing or unknown")
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def _header_media(parameters: list[Part], kind: str) -> Media:
    if kind == "location":
        return Media("location", "")
    if len(parameters) != 1 or parameters[0].fields.get("type") != kind:
        raise GraphError(132012, f"header: Format mismatch, expected {kind.upper()}")
    return _linked(parameters[0].part(kind), kind)


def _filled_buttons(component: dict[str, Any], given: list[Part], prefix: str = "") -> list[Button]:
    by_index = {
        str(part.fields.get("index")): part.parts("parameters")[0].fields
        for part in given
        if str(part.fields.get("type", "")).lower() == "button" and part.has("parameters")
    }
    buttons: list[Button] = []
    for index, button in enumerate(component.get("buttons", [])):
        kind, title = str(button.get("type", "")).upper(), str(button.get("text", ""))
        parameter = by_index.get(str(index), {})
        target, shown = "", kind.lower()
        if kind in {"URL", "OTP"}:
            target = str(button.get("url", ""))
            if "{{" in target and not parameter.get("text"):
                raise GraphError(131008, f"buttons: Button at index {index} of type Url requires a parameter")
            target = _PLACEHOLDER.sub(str(parameter.get("text", "")), target)
        elif kind == "QUICK_REPLY":
            target, shown = str(parameter.get("payload", title)), "template"
        buttons.append(Button(f"{prefix}{index}", title or kind.title(), shown, target))
    return buttons


def _filled_cards(component: dict[str, Any], given: list[Part], at: datetime) -> list[Card]:
    """The cards of a template; a send fills each of them by its `card_index`."""
    carousel = next((part for part in given if str(part.fields.get("type")).upper() == "CAROUSEL"), None)
    called = carousel.parts("cards") if carousel is not None else []
    cards: list[dict[str, Any]] = component.get("cards", [])
    if len(called) != len(cards):
        raise GraphError(132012, f"carousel: {len(cards)} cards are expected, and {len(called)} were given")
    found: list[Card] = []
    for index, (card, call) in enumerate(zip(cards, called, strict=True)):
        inner = Bubble("", "account", "card", at)
        parts = call.parts("components")
        _fill_parts([one for one in card["components"] if _kind(one) != "BUTTONS"], parts, inner)
        buttons = [
            button
            for one in card["components"]
            if _kind(one) == "BUTTONS"
            for button in _filled_buttons(one, parts, f"{index}.")
        ]
        image = inner.media[0].url if inner.media else ""
        found.append(Card(inner.text, image_url=image, buttons=buttons))
    return found


def _kind(component: dict[str, Any]) -> str:
    return str(component.get("type", "")).upper()


_INTERACTIVES: dict[str, Callable[[Part, Bubble], None]] = {
    "button": _draw_buttons,
    "list": _draw_list,
    "cta_url": _draw_link,
    "flow": _draw_flow,
    "location_request_message": _draw_request,
    "address_message": _draw_request,
    "request_contact_info": _draw_request,
    "call_permission_request": _draw_request,
    "carousel": _draw_carousel,
    "product": _draw_products,
    "product_list": _draw_products,
    "catalog_message": _draw_products,
}
_DRAWERS: dict[str, Callable[[Part, Bubble], None]] = {
    "text": _draw_text,
    "location": _draw_location,
    "contacts": _draw_contacts,
    "reaction": _draw_reaction,
    "interactive": _draw_interactive,
}
