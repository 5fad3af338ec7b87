"""Tokens that turn over: the access token lives 25 hours, and each refresh token is good for one exchange.

Source: Official Account documentation, OAuth. `expires_in` is a string there, and nobody needs it: this server
exchanges the pair long before.
"""

from datetime import UTC, datetime, timedelta

from chatwright.channels.zalo.settings import ZaloSettings
from chatwright.kernel.errors import Unavailable
from chatwright.net.http import Web
from chatwright.net.reading import as_code, as_map, as_text
from chatwright.ports.channel import CredentialsLost

RENEW_AFTER = timedelta(hours=20)
_APP_INACTIVE = -14002
_WORDS = {
    _APP_INACTIVE: "The app is not active at developers.zalo.me. Activate it there.",
    -14004: "The app's secret key is wrong. Save the one that developers.zalo.me shows.",
}
_ASK_AGAIN = (
    "Zalo does not take the refresh token any more: it was used elsewhere, or is older than three months. "
    "Have an admin of the account permit the app again, and save both new tokens here."
)


def renewal_of(settings: ZaloSettings) -> datetime:
    """When to exchange the pair; at once where nobody knows how old it is."""
    return settings.tokens_at + RENEW_AFTER if settings.tokens_at else datetime.now(UTC)


async def exchange(web: Web, settings: ZaloSettings) -> ZaloSettings:
    """Exchange the pair for a new one.

    Raises CredentialsLost when only a person can help, and Unavailable when nobody answered. Where the answer
    alone was lost, the old refresh token is used up, and the next try says so.
    """
    answer = await web.call(
        "POST",
        f"{settings.oauth_url.rstrip('/')}/v4/oa/access_token",
        headers={"secret_key": settings.app_secret.get_secret_value()},
        form={
            "refresh_token": settings.refresh_token.get_secret_value(),
            "app_id": settings.app_id,
            "grant_type": "refresh_token",
        },
    )
    told = as_map(answer.json())
    access, refresh = as_text(told.get("access_token")), as_text(told.get("refresh_token"))
    if access is not None and refresh is not None:
        return settings.with_tokens(access, refresh, datetime.now(UTC))
    code = as_code(told.get("error"))
    if code is None:
        message = f"Zalo's token service answered HTTP {answer.status} and no tokens."
        raise Unavailable(message)
    raise CredentialsLost(_WORDS.get(code, _ASK_AGAIN))
