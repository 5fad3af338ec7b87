"""What concerns the app rather than an account: its webhooks, its tokens."""

import secrets
from typing import Any

import httpx2

from chatwright.sandbox.graph.accounts import DAY, HOUR, GraphAccount
from chatwright.sandbox.graph.answers import DONE
from chatwright.sandbox.graph.calls import Call, Desk
from chatwright.sandbox.graph.errors import GraphError, missing
from chatwright.sandbox.world import World

LONG_TOKEN_SECONDS = 60 * DAY


class Apps:
    """Apps exist as far as accounts name them."""

    def __init__(self, world: World, desk: Desk) -> None:
        self._world = world
        self._desk = desk

    async def subscribe(self, call: Call) -> dict[str, Any]:
        """POST /{app_id}/subscriptions: the webhooks of all the app's accounts of one kind."""
        url, token = call.text("callback_url"), call.text("verify_token")
        if not url or not token:
            raise missing("callback_url" if not url else "verify_token")
        await shake_hands(url, token)
        for account in self._desk.accounts():
            if account.app_id == call.account.app_id and account.kind == call.account.kind:
                account.webhook_url, account.secrets["verify_token"] = url, token
                if account.details.get("login") == "facebook":
                    # Its page is subscribed to any field; what is told of Instagram is up to the app.
                    account.subscribed |= set((call.text("fields") or "").split(",")) - {""}
        return DONE

    def debug_token(self, query: dict[str, str]) -> dict[str, Any]:
        """GET /debug_token?input_token=."""
        given = query.get("input_token", "")
        try:
            account = self._desk.trusted(given)[0]
        except GraphError as error:
            problem = {"code": error.code, "message": error.message, "subcode": error.subcode}
            return {"data": {"is_valid": False, "error": problem, "scopes": []}}
        scopes = PAGE_SCOPES if account.details.get("login") == "facebook" else SCOPES[account.kind]
        until = int(account.token_until.timestamp()) if account.token_until is not None else 0
        data = {
            "app_id": account.app_id,
            "type": "SYSTEM_USER" if account.is_whatsapp else "PAGE",
            "application": "Sandbox",
            "expires_at": until,
            "data_access_expires_at": until,
            "is_valid": True,
            "scopes": scopes,
            "granular_scopes": [{"scope": scope, "target_ids": [account.owner_id]} for scope in scopes],
            "profile_id": account.id,
        }
        return {"data": data}

    def access_token(self, query: dict[str, str]) -> dict[str, Any]:
        """GET /oauth/access_token: an app token, or a long-lived one for a user's."""
        for account in self._desk.accounts():
            if (account.app_id, account.app_secret) == (query.get("client_id"), query.get("client_secret")):
                if query.get("grant_type") == "client_credentials":
                    return {"access_token": account.app_token, "token_type": "bearer"}
                token = account.secrets["access_token"]
                return {"access_token": token, "token_type": "bearer", "expires_in": int(LONG_TOKEN_SECONDS)}
        raise GraphError(101, message="Error validating client secret.")

    def refresh(self, query: dict[str, str]) -> dict[str, Any]:
        """GET /refresh_access_token: another 60 days for an Instagram user token that is a day old at least."""
        if query.get("grant_type") != "ig_refresh_token":
            raise GraphError(100, message="Invalid grant_type.")
        account = self._desk.trusted(query.get("access_token", ""))[0]
        clock = self._world.clock
        if account.kind != "instagram" or account.details.get("login") != "instagram":
            raise GraphError(100, message="This token cannot be refreshed.")
        if account.token_issued is not None and account.token_issued > clock.since(24 * HOUR):
            raise GraphError(100, message="A token can be refreshed once it is 24 hours old.")
        account.secrets["access_token"] = "IGAA" + secrets.token_urlsafe(60)
        account.token_issued, account.token_until = clock.now(), clock.after(LONG_TOKEN_SECONDS)
        return {
            "access_token": account.secrets["access_token"],
            "token_type": "bearer",
            "expires_in": int(LONG_TOKEN_SECONDS),
            "permissions": ",".join(SCOPES["instagram"]),
        }


async def shake_hands(url: str, token: str) -> None:
    """Ask an address whether it expects webhooks; raises GraphError when it does not repeat the challenge."""
    challenge = str(10**9 + secrets.randbelow(10**9))
    query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
    try:
        async with httpx2.AsyncClient(timeout=10, trust_env=False) as client:
            response = await client.get(url, params=query)
    except (httpx2.HTTPError, httpx2.InvalidURL):
        response = None
    if response is None or response.status_code != 200 or response.text != challenge:
        raise GraphError(
            2200, message="Callback verification failed: the URL couldn't be validated.", subcode=1349126
        )


def describe(account: GraphAccount) -> dict[str, Any]:
    """The app as `subscribed_apps` lists it."""
    if account.is_whatsapp:
        app = {
            "name": "Sandbox",
            "id": account.app_id,
            "link": "https://www.facebook.com/games/?app_id=" + account.app_id,
        }
        override = account.overrides.get("whatsapp_business_account")
        further = {"override_callback_uri": override} if override is not None else {}
        return {"whatsapp_business_api_data": app, **further}
    return {"id": account.app_id, "name": "Sandbox", "subscribed_fields": sorted(account.subscribed)}


SCOPES = {
    "whatsapp": ["whatsapp_business_management", "whatsapp_business_messaging"],
    "messenger": [
        "pages_messaging",
        "pages_manage_metadata",
        "pages_show_list",
        "pages_read_engagement",
        "pages_utility_messaging",
        "leads_retrieval",
    ],
    "instagram": ["instagram_business_basic", "instagram_business_manage_messages"],
}
PAGE_SCOPES = ["instagram_basic", "instagram_manage_messages", "pages_manage_metadata", "pages_messaging"]
"""Of an Instagram account that is reached by its page's token."""
