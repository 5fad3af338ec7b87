"""What a look at an account of Meta's found, in words, and how its webhooks are subscribed.

Pages and Instagram accounts are looked at by the same calls (Graph API, Page and IG User `subscribed_apps`;
`debug_token`; App `subscriptions`), so these stand below both channels.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from chatwright.net.graph.client import GraphClient, outcome_of, path_of
from chatwright.net.graph.errors import GraphError
from chatwright.net.http import NoAnswer, NotSent
from chatwright.net.reading import as_list, as_map, as_text, dig
from chatwright.ports.channel import Finding
from chatwright.ports.sending import Reaction

TOKEN = "token"  # noqa: S105 - the finding's name.
PERMISSIONS = "permissions"
SUBSCRIPTION = "subscription"
WEBHOOK = "webhook"
_LATER = {Reaction.RETRY, Reaction.RETRY_AFTER, Reaction.UNKNOWN}


@dataclass(frozen=True, slots=True)
class App:
    """Our app at Meta."""

    id: str
    secret: str

    def client(self, client: GraphClient) -> GraphClient:
        """The API as the app itself sees it (Graph API, App access tokens)."""
        hidden = (client.token, self.secret)
        return replace(client, token=f"{self.id}|{self.secret}", app_secret=None, hidden=hidden)


def finding_of(name: str, error: GraphError | NotSent | NoAnswer, *, vital: bool = False) -> Finding:
    """What an error of a look means; `vital` where the account is of no use without what was looked at."""
    outcome = outcome_of(error)
    words = outcome.detail or "Meta did not say what is wrong."
    if outcome.reaction in _LATER:
        return Finding(name, ok=False, words=words, reaction=Reaction.RETRY)
    if outcome.reaction is Reaction.PAUSE_CHANNEL:
        return Finding(name, ok=False, words=words, reaction=Reaction.PAUSE_CHANNEL)
    return Finding(name, ok=False, words=words, reaction=Reaction.RECONNECT if vital else None)


async def find_permissions(client: GraphClient, app: App, needed: Collection[str]) -> Finding:
    """Whether the token was given what the channel needs; `needed` are the names of permissions."""
    try:
        reply = await app.client(client).get("debug_token", input_token=client.token)
    except (GraphError, NotSent, NoAnswer) as error:
        return finding_of(PERMISSIONS, error)
    granted = {as_text(scope) for scope in as_list(dig(reply.body, "data", "scopes"))}
    missing = sorted(set(needed) - granted)
    if missing:
        words = f"The access token lacks these permissions: {', '.join(missing)}. Make a new one with them."
        return Finding(PERMISSIONS, ok=False, words=words)
    return Finding(PERMISSIONS, ok=True, words="The access token has every permission it needs.")


async def find_subscription(
    client: GraphClient, node: str, fields: Collection[str], app_id: str | None
) -> Finding:
    """Whether the account sends our app what the channel works with."""
    try:
        reply = await client.get(path_of(node, "subscribed_apps"))
    except (GraphError, NotSent, NoAnswer) as error:
        return finding_of(SUBSCRIPTION, error)
    apps = [as_map(one) for one in as_list(reply.body.get("data"))]
    ours = [one for one in apps if app_id is None or as_text(one.get("id")) == app_id]
    subscribed = {as_text(field) for one in ours for field in as_list(one.get("subscribed_fields"))}
    missing = [] if "*" in subscribed else sorted(set(fields) - subscribed)
    return _subscription(missing)


async def subscribe(client: GraphClient, node: str, fields: Sequence[str]) -> Finding:
    """Have the account send our app these fields; doing it again changes nothing."""
    try:
        await client.post(path_of(node, "subscribed_apps"), {"subscribed_fields": ",".join(fields)})
    except (GraphError, NotSent, NoAnswer) as error:
        return finding_of(SUBSCRIPTION, error)
    return _subscription([])


async def unsubscribe(client: GraphClient, node: str) -> None:
    """Have the account send our app nothing any more, if it can be told."""
    try:
        await client.delete(path_of(node, "subscribed_apps"))
    except (GraphError, NotSent, NoAnswer):
        return


async def point_app(
    client: GraphClient, app: App, about: str, fields: Sequence[str], hook: tuple[str, str]
) -> Finding:
    """Have Meta call our address for all that the app's accounts of one kind tell.

    An app has one address for each kind of object, so that the inboxes of one app share it: each call is taken
    apart by account. `hook` is the address with its verify token, which Meta asks about at once.
    """
    url, verify_token = hook
    body = {
        "object": about,
        "callback_url": url,
        "verify_token": verify_token,
        "fields": ",".join(fields),
        "include_values": True,
    }
    try:
        await app.client(client).post(path_of(app.id, "subscriptions"), body)
    except (GraphError, NotSent, NoAnswer) as error:
        fault = finding_of(WEBHOOK, error)
        words = f"{fault.words} Enter {url} with the verify token in the app's dashboard instead."
        return Finding(WEBHOOK, ok=False, words=words)
    return Finding(WEBHOOK, ok=True, words="Meta calls this server.")


def enter_by_hand(url: str) -> Finding:
    """What is left to a person where nobody can point the app for them."""
    words = (
        f"Meta has to call {url}: enter it with the inbox's verify token in the app's dashboard, under"
        " Webhooks, unless it is there."
    )
    return Finding(WEBHOOK, ok=True, words=words)


def _subscription(missing: Sequence[str]) -> Finding:
    if missing:
        words = f"Meta does not tell us of: {', '.join(missing)}. Reconnect the inbox to subscribe to them."
        return Finding(SUBSCRIPTION, ok=False, words=words)
    return Finding(SUBSCRIPTION, ok=True, words="Meta tells us of everything this inbox works with.")
