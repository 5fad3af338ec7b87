"""OAuth: a code for a pair of tokens, and each refresh token once for the next pair."""

import base64
import hashlib
from collections.abc import Mapping
from urllib.parse import urlencode

from chatwright.sandbox.clock import Clock
from chatwright.sandbox.world import unique
from chatwright.sandbox.zalo.account import OfficialAccount
from chatwright.sandbox.zalo.refusals import Refused

ACCESS_SECONDS = 90_000
REFRESH_SECONDS = 90 * 24 * 3600
CODE_SECONDS = 600


def issue(account: OfficialAccount, clock: Clock) -> dict[str, str]:
    """A new pair; earlier access tokens live on until they end."""
    pair = {"access_token": unique() + unique(), "refresh_token": unique() + unique()}
    account.access_tokens[pair["access_token"]] = clock.after(ACCESS_SECONDS)
    account.refresh_tokens[pair["refresh_token"]] = clock.after(REFRESH_SECONDS)
    account.secrets |= pair
    # A string, unlike in any other OAuth.
    return {**pair, "expires_in": str(ACCESS_SECONDS)}


def check(account: OfficialAccount, token: str, clock: Clock) -> None:
    """Raises Refused for a token that has ended."""
    if account.access_tokens[token] <= clock.now():
        raise Refused(-220)


def grant(account: OfficialAccount, form: Mapping[str, str], secret: str, clock: Clock) -> dict[str, str]:
    """Answer POST /v4/oa/access_token; raises Refused."""
    if account.details.get("inactive"):
        raise Refused(-14002)
    if secret != account.secrets["app_secret"]:
        raise Refused(-14004)
    if form.get("grant_type") == "authorization_code":
        _take_code(account, form, clock)
    elif form.get("grant_type") == "refresh_token":
        _take_refresh_token(account, form.get("refresh_token", ""), clock)
    else:
        raise Refused(-201, "grant_type")
    return issue(account, clock)


def permit(account: OfficialAccount, asked: Mapping[str, str], clock: Clock) -> str:
    """Answer GET /v4/oa/permission as an admin does who agrees; returns where the browser goes on."""
    if account.details.get("inactive"):
        raise Refused(-14002)
    redirect = asked.get("redirect_uri", "")
    if not redirect or redirect != account.details.get("redirect_uri", redirect):
        raise Refused(-14003)
    code = unique()
    account.codes[code] = (clock.after(CODE_SECONDS), asked.get("code_challenge", ""))
    brought = {"oa_id": account.id, "code": code, "state": asked.get("state", "")}
    return f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(brought)}"


def _take_code(account: OfficialAccount, form: Mapping[str, str], clock: Clock) -> None:
    found = account.codes.pop(form.get("code", ""), None)
    if found is None or found[0] <= clock.now() or (found[1] and found[1] != _challenge(form)):
        raise Refused(-14010)


def _challenge(form: Mapping[str, str]) -> str:
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _take_refresh_token(account: OfficialAccount, token: str, clock: Clock) -> None:
    until = account.refresh_tokens.pop(token, None)
    if until is None or until <= clock.now():
        raise Refused(-14014)
