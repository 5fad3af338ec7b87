"""News of the account, its numbers and its templates, in words and in what they mean for sending."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from chatwright.channels.whatsapp.people import person_of, phone_digits
from chatwright.channels.whatsapp.settings import WhatsAppSettings
from chatwright.net.graph.templates import CATEGORIES, status_of
from chatwright.net.reading import as_list, as_map, as_moment, as_text, dig
from chatwright.ports.inbound import (
    Inbound,
    InboundAccount,
    InboundConsent,
    InboundIdentity,
    InboundTemplate,
    InboundUnknown,
)

Fields = Mapping[str, object]
Health = Literal["ok", "limited", "paused", "reconnect"]
News = tuple[str, Health | None]
"""Words, and what they mean for sending."""
HIGH_THROUGHPUT = 1000.0
"""Messages a second of a number after its upgrade (WhatsApp, Throughput)."""
_WORDS: Final[Mapping[str, News]] = {
    "ACCOUNT_DELETED": ("The WhatsApp Business Account was deleted.", "reconnect"),
    "ACCOUNT_VIOLATION": ("WhatsApp found that the account breaks a policy.", "limited"),
    "PARTNER_REMOVED": ("The account was taken from us: connect it again.", "reconnect"),
    "PARTNER_APP_UNINSTALLED": ("The account's owner removed our app: connect it again.", "reconnect"),
    "ACCOUNT_OFFBOARDED": ("The number moved to another device or app: connect it again.", "reconnect"),
    "ACCOUNT_RECONNECTED": ("The number is connected again.", "ok"),
    "FLAGGED": ("The number's quality is low: people block or report its messages.", "limited"),
    "UNFLAGGED": ("The number's quality is good again.", "ok"),
}
_BANS: Final[Mapping[str, News]] = {
    "DISABLE": ("WhatsApp has disabled the account.", "paused"),
    "SCHEDULE_FOR_DISABLE": ("WhatsApp is going to disable the account.", "limited"),
    "REINSTATE": ("WhatsApp has reinstated the account.", "ok"),
}
_RESTRICTIONS: Final[Mapping[str, News]] = {
    "RESTRICTED_CUSTOMER_INITIATED_MESSAGING": ("The account may not answer people.", "paused"),
    "RESTRICTED_BIZ_INITIATED_MESSAGING": ("The account may not write to people first.", "limited"),
    "RESTRICTED_UTILITY_TEMPLATES": ("The account may not make utility templates.", "limited"),
}
_GRAVEST_FIRST: Sequence[Health] = ("reconnect", "paused", "limited", "ok")


def read_preference(preference: Fields, contact: Fields) -> Sequence[Inbound]:
    """Somebody stopped, resumed or signed up for marketing messages."""
    person = person_of(preference.get("wa_id"), preference.get("user_id"), None, contact)
    category, value = as_text(preference.get("category")), as_text(preference.get("value"))
    if person is None or category != "marketing_messages" or value not in {"stop", "resume", "signup"}:
        return [InboundUnknown(f"preference {category or ''} {value or ''}".strip())]
    source = as_text(preference.get("detail")) or f"chose '{value}' for marketing messages in WhatsApp"
    at = as_moment(preference.get("timestamp"))
    return [InboundConsent(person, value != "stop", "marketing", source, at)]


def read_user_id(update: Fields, contact: Fields) -> Sequence[Inbound]:
    """Somebody's business-scoped user id has changed; the number in it is the one they have now."""
    ids, parents = as_map(update.get("user_id")), as_map(update.get("parent_user_id"))
    before = person_of(None, ids.get("previous"), parents.get("previous"))
    profile = {"profile": contact.get("profile")}
    now = person_of(update.get("wa_id"), ids.get("current"), parents.get("current"), profile)
    if before is None or now is None:
        return [InboundUnknown("user_id_update without ids")]
    return [InboundIdentity(before, now, as_text(update.get("detail")) or "user_id_update")]


def read_change(settings: WhatsAppSettings, account: str, field: str, value: Fields) -> Sequence[Inbound]:
    """What a change of a whole field means for the inbox."""
    if (errors := as_list(value.get("errors"))) and field == "messages":
        return [InboundUnknown(f"error {as_text(dig(error, 'code')) or ''}".strip()) for error in errors]
    reader = _CHANGES.get(field)
    if reader is None:
        return [InboundUnknown(field or "no field")]
    number = phone_digits(as_text(value.get("display_phone_number")) or "")
    if account != settings.waba_id or (number and settings.phone_number and number != settings.phone_number):
        return [InboundUnknown(f"{field} of another account")]
    return [reader(value, number) or InboundUnknown(field)]


def _account(value: Fields, _: str) -> Inbound | None:
    event = as_text(value.get("event"))
    if event is None:
        return None
    ban = as_text(dig(value, "ban_info", "waba_ban_state")) or ""
    told = [_WORDS.get(event), _BANS.get(ban), *map(_restriction, as_list(value.get("restriction_info")))]
    found = [news for news in told if news is not None]
    words = " ".join(words for words, _ in found) or f"WhatsApp says of the account: {event}."
    healths: list[Health] = [health for _, health in found if health is not None]
    gravest = min(healths, key=_GRAVEST_FIRST.index, default=None)
    return InboundAccount(event, words, gravest)


def _restriction(restriction: object) -> News:
    kind = as_text(dig(restriction, "restriction_type")) or "unnamed"
    return _RESTRICTIONS.get(kind, (f"WhatsApp has restricted the account ({kind}).", None))


def _alert(value: Fields, _: str) -> Inbound | None:
    alert = as_map(value.get("alert_info")) or value
    kind = as_text(alert.get("alert_type"))
    words = as_text(alert.get("alert_description"))
    return InboundAccount(kind, words or f"WhatsApp warns: {kind}.") if kind else None


def _review(value: Fields, _: str) -> Inbound | None:
    decision = as_text(value.get("decision"))
    if decision is None:
        return None
    words = f"WhatsApp's review of the account: {decision.lower()}."
    return InboundAccount("account_review_update", words, "paused" if decision == "REJECTED" else None)


def _quality(value: Fields, number: str) -> Inbound | None:
    event = as_text(value.get("event"))
    if event is None:
        return None
    limit = _limit(value)
    words, health = _WORDS.get(event, (f"WhatsApp says of the number: {event}.", None))
    upgraded = event == "THROUGHPUT_UPGRADE" and number
    return InboundAccount(
        event,
        f"{words} {limit}".strip(),
        health,
        per_second=HIGH_THROUGHPUT if upgraded else None,
    )


def _name(value: Fields, _: str) -> Inbound | None:
    decision, name = as_text(value.get("decision")), as_text(value.get("requested_verified_name"))
    if decision is None:
        return None
    words = f"WhatsApp decided on the name '{name or '?'}': {decision.lower()}."
    return InboundAccount("phone_number_name_update", words)


def _capability(value: Fields, _: str) -> Inbound | None:
    limit = _limit(value)
    return InboundAccount("business_capability_update", limit) if limit else None


def _security(value: Fields, _: str) -> Inbound | None:
    event = as_text(value.get("event"))
    return InboundAccount("security", f"The number's PIN: {event.lower()}.") if event else None


def _own_username(value: Fields, _: str) -> Inbound | None:
    name, status = as_text(value.get("username")), as_text(value.get("status"))
    if name is None and status is None:
        return None
    return InboundAccount(
        "business_username_update", f"The number's username '{name or ''}': {status or 'new'}."
    )


def _template(value: Fields, _: str) -> Inbound | None:
    """All that can happen to a template; what did not change is left out."""
    name, language = (
        as_text(value.get("message_template_name")),
        as_text(value.get("message_template_language")),
    )
    if name is None or language is None:
        return None
    category = as_text(value.get("new_category")) or as_text(value.get("message_template_category"))
    quality = as_text(value.get("new_quality_score"))
    reason = as_text(value.get("reason"))
    details = as_text(dig(value, "rejection_info", "reason")) or as_text(
        dig(value, "other_info", "description")
    )
    return InboundTemplate(
        name,
        language,
        status_of(as_text(value.get("event"))),
        CATEGORIES.get(category.upper(), category.lower()) if category else None,
        quality.lower() if quality else None,
        details or (reason if reason != "NONE" else None),
        as_text(value.get("message_template_id")),
    )


def _limit(value: Fields) -> str:
    """How many people may be written to first in 24 hours, by the field's newer and older names."""
    names = ("max_daily_conversations_per_business", "max_daily_conversation_per_phone", "current_limit")
    limit = next((text for name in names if (text := as_text(value.get(name)))), None)
    return f"It may write first to {in_words(limit)} in 24 hours." if limit else ""


def in_words(limit: str) -> str:
    """A messaging limit: a number of people, or a tier such as `TIER_2K`."""
    size = limit.removeprefix("TIER_")
    if size in {"UNLIMITED", "-1"}:
        return "any number of people"
    return f"{size.replace('K', ',000')} people"


_CHANGES: Final[Mapping[str, Callable[[Fields, str], Inbound | None]]] = {
    "account_update": _account,
    "account_alerts": _alert,
    "account_review_update": _review,
    "phone_number_quality_update": _quality,
    "phone_number_name_update": _name,
    "business_capability_update": _capability,
    "business_username_update": _own_username,
    "security": _security,
    "message_template_status_update": _template,
    "message_template_quality_update": _template,
    "message_template_components_update": _template,
    "template_category_update": _template,
}
