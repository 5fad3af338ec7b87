"""A look at a number: whether the token, the number, its account and the webhook are what they have to be."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Final

from chatwright.channels.whatsapp.news import in_words
from chatwright.channels.whatsapp.settings import WhatsAppSettings
from chatwright.net.graph.client import GraphClient, path_of
from chatwright.net.graph.errors import GraphError, Refusal
from chatwright.net.graph.findings import finding_of
from chatwright.net.http import NoAnswer, NotSent
from chatwright.net.reading import as_map, as_text, dig, texts
from chatwright.ports.channel import Finding
from chatwright.ports.sending import Reaction

TOKEN = "token"  # noqa: S105 - a finding's name.
NUMBER = "number"
ACCOUNT = "account"
WEBHOOK = "webhook"
LIMIT = "limit"
QUALITY = "quality"
_NUMBER_FIELDS: Final = (
    "id,display_phone_number,verified_name,status,name_status,quality_rating,code_verification_status,"
    "webhook_configuration"
)
_LIMIT_FIELDS: Final = ("whatsapp_business_manager_messaging_limit", "messaging_limit_tier")
"""The newer field is of the whole business portfolio; the older one is of a number."""
_READY: Final = frozenset({"CONNECTED", "FLAGGED", "RESTRICTED", "RATE_LIMITED"})
_HOOKS: Final = ("phone_number", "whatsapp_business_account", "application")
"""Where a webhook can be set, the one that counts first."""
_QUALITIES: Final[Mapping[str, str]] = {
    "GREEN": "good",
    "YELLOW": "medium: fewer messages that people do not want would help",
    "RED": "low: people block or report the messages, and WhatsApp may limit the number",
}


async def check(client: GraphClient, settings: WhatsAppSettings, hook_url: str) -> Sequence[Finding]:
    """Everything that has to be in place, the most basic first."""
    try:
        number = (await client.get(path_of(settings.phone_number_id), fields=_NUMBER_FIELDS)).body
    except (GraphError, NotSent, NoAnswer) as error:
        return [_no_number(error)]
    account, apps, limit = await asyncio.gather(
        _find_account(client, settings), _find_apps(client, settings), _find_limit(client, settings)
    )
    subscribed = apps if not apps.ok else _webhook(number, hook_url)
    token = Finding(TOKEN, ok=True, words="WhatsApp accepts the access token.")
    return [token, _number(number), account, subscribed, limit, _quality(number)]


async def connect(
    client: GraphClient, settings: WhatsAppSettings, hook_url: str, token: str
) -> Sequence[Finding]:
    """Have the account and the number call us; WhatsApp asks our address at once whether it expects that.

    The account's own webhook tells of templates and of the account. The number's goes before it and tells of
    messages, so that each number of an account can have an inbox of its own.
    """
    hook = {"override_callback_uri": hook_url, "verify_token": token}
    try:
        await client.post(path_of(settings.waba_id, "subscribed_apps"), hook)
        await client.post(path_of(settings.phone_number_id), {"webhook_configuration": hook})
    except (GraphError, NotSent, NoAnswer) as error:
        fault = finding_of(WEBHOOK, error)
        words = f"WhatsApp could not be pointed at {hook_url}. {fault.words}"
        return [Finding(WEBHOOK, ok=False, words=words, reaction=fault.reaction)]
    return [Finding(WEBHOOK, ok=True, words="WhatsApp calls this server.")]


async def disconnect(client: GraphClient, settings: WhatsAppSettings, hook_url: str) -> None:
    """Take down what points here: the number's webhook, and the account's unless another inbox has it by now.

    The app stays subscribed to the account, because other numbers may live by that.
    """
    with contextlib.suppress(GraphError, NotSent, NoAnswer):
        nothing = {"webhook_configuration": {"override_callback_uri": ""}}
        await client.post(path_of(settings.phone_number_id), nothing)
    with contextlib.suppress(GraphError, NotSent, NoAnswer):
        apps = path_of(settings.waba_id, "subscribed_apps")
        hooks = {as_text(as_map(app).get("override_callback_uri")) async for app in client.items(apps)}
        if hook_url in hooks:
            await client.post(apps, {})


def _no_number(error: GraphError | NotSent | NoAnswer) -> Finding:
    refusal = error.refusal if isinstance(error, GraphError) else Refusal()
    if "appsecret_proof" in (refusal.message or ""):
        words = "The first app secret is not of the app that the access token is of."
        return Finding("app_secret", ok=False, words=words, reaction=Reaction.RECONNECT)
    if (refusal.code, refusal.subcode) == (100, 33) or refusal.code == 33:
        words = "WhatsApp knows no number by this id, or the access token may not use it."
        return Finding(NUMBER, ok=False, words=words, reaction=Reaction.RECONNECT)
    return finding_of(TOKEN, error, vital=True)


def _number(number: Mapping[str, object]) -> Finding:
    shown = texts(number)
    name = (
        f"{shown.get('display_phone_number', 'the number')} ({shown.get('verified_name', 'without a name')})"
    )
    status = shown.get("status", "CONNECTED")
    if status in _READY:
        return Finding(NUMBER, ok=True, words=f"The number is {name}.")
    words = f"The number {name} is not connected: WhatsApp says {status}. Register it in WhatsApp Manager."
    return Finding(NUMBER, ok=False, words=words, reaction=Reaction.PAUSE_CHANNEL)


async def _find_account(client: GraphClient, settings: WhatsAppSettings) -> Finding:
    try:
        edge = client.items(path_of(settings.waba_id, "phone_numbers"), fields="id", limit="100")
        numbers = {as_text(as_map(item).get("id")) async for item in edge}
    except (GraphError, NotSent, NoAnswer) as error:
        return finding_of(ACCOUNT, error, vital=True)
    if settings.phone_number_id in numbers:
        return Finding(ACCOUNT, ok=True, words="The number belongs to the WhatsApp Business Account.")
    words = (
        "The number does not belong to this WhatsApp Business Account. See both ids in WhatsApp > API Setup."
    )
    return Finding(ACCOUNT, ok=False, words=words, reaction=Reaction.RECONNECT)


async def _find_apps(client: GraphClient, settings: WhatsAppSettings) -> Finding:
    try:
        edge = client.items(path_of(settings.waba_id, "subscribed_apps"))
        subscribed = [item async for item in edge]
    except (GraphError, NotSent, NoAnswer) as error:
        return finding_of(WEBHOOK, error)
    words = (
        "Apps hear of the account." if subscribed else "No app hears of the account. Connect the inbox again."
    )
    return Finding(WEBHOOK, ok=bool(subscribed), words=words)


def _webhook(number: Mapping[str, object], hook_url: str) -> Finding:
    hooks = [as_text(dig(number, "webhook_configuration", name)) for name in _HOOKS]
    hook = next((url for url in hooks if url), None)
    if hook == hook_url:
        return Finding(WEBHOOK, ok=True, words="WhatsApp calls this server.")
    words = (
        f"WhatsApp calls {'another server' if hook else 'nobody'} for this number. Connect the inbox again."
    )
    return Finding(WEBHOOK, ok=False, words=words)


async def _find_limit(client: GraphClient, settings: WhatsAppSettings) -> Finding:
    """The messaging limit, whose name at WhatsApp changes; what cannot be read is no fault of the inbox."""
    for field in _LIMIT_FIELDS:
        try:
            limit = as_text(
                (await client.get(path_of(settings.phone_number_id), fields=field)).body.get(field)
            )
        except (GraphError, NotSent, NoAnswer):
            continue
        if limit is not None:
            words = f"The account may write first to {in_words(limit)} in 24 hours."
            return Finding(LIMIT, ok=True, words=words)
    return Finding(LIMIT, ok=True, words="WhatsApp does not say how many people may be written to first.")


def _quality(number: Mapping[str, object]) -> Finding:
    rating = as_text(number.get("quality_rating")) or "UNKNOWN"
    words = f"The number's quality is {_QUALITIES.get(rating, 'not known yet')}."
    return Finding(QUALITY, ok=rating != "RED", words=words)
