"""Decisions of the authorization server, as pure functions. The numbers of the RFCs stand beside them."""

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Sequence
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from chatwright.features.workspaces.oauth.errors import Refused
from chatwright.features.workspaces.oauth.store import PresentedGrant
from chatwright.features.workspaces.rules import (
    all_scopes,
    effective_scopes,
    narrowed_scopes,
    scopes_of_member,
)
from chatwright.ports.scopes import own_scopes

ApplicationType = Literal["web", "native"]

METHOD: Final = "S256"
"""The only way to challenge; `plain` proves nothing to who can read the request."""
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
LONGEST_URI: Final = 2000
_NEVER: Final = frozenset(
    {
        "javascript",
        "data",
        "vbscript",
        "file",
        "blob",
        "about",
        "filesystem",
        "view-source",
        "ws",
        "wss",
        "ftp",
    }
)
"""Schemes of URIs that a browser itself would act on, or that lead to no application."""
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f-\uffff\\]")

USUAL_SCOPES: Final = frozenset(
    {"contacts:read", "contacts:write", "conversations:read", "conversations:write"}
    | {"inboxes:read", "workspace:read"}
)
"""What a client asks for that names nothing."""
SCOPE_WORDS: Final = {
    "contacts:read": "See contacts, their tags, fields and notes",
    "contacts:write": "Change contacts: create, edit, tag, merge, import and delete them",
    "conversations:read": "Read conversations and messages",
    "conversations:write": "Write to customers, and assign and close conversations",
    "inboxes:read": "See the connected channels",
    "inboxes:write": "Connect, change and remove channels",
    "workspace:read": "See the workspace's settings and its members",
    "workspace:write": "Change the workspace, and invite and remove members",
    "tokens:read": "See access tokens and what other programs were allowed",
    "tokens:write": "Make access tokens and OAuth clients, and take access back",
    "approvals:read": "See the calls that wait for a person's approval",
    "approvals:write": "Approve or refuse risky calls in your place",
    "audit:read": "Read the audit trail: who did what",
    "owners:write": "Make and unmake owners of the workspace",
    "agency:read": "See the agency's other workspaces",
    "agency:write": "Create further workspaces of the agency",
}
"""What a scope lets a program do, in words for whoever is asked."""


def is_risky(scope: str) -> bool:
    """Whether a scope deserves a second look: it changes, sends or deletes, or shows what others may do."""
    own = own_scopes().get(scope)
    if own is not None:
        return own.is_risky
    return scope.endswith(":write") or scope in {"audit:read", "tokens:read", "agency:read"}


def words_for(scope: str) -> str:
    """A scope in words."""
    own = own_scopes().get(scope)
    if own is not None:
        return own.words
    noun, _, access = scope.partition(":")
    return SCOPE_WORDS.get(scope, f"{'See' if access == 'read' else 'Change'} {noun.replace('_', ' ')}")


def with_reading(scopes: Iterable[str]) -> frozenset[str]:
    """Scopes with what they include: who may write may read."""
    held = frozenset(scopes)
    return all_scopes() & (held | {f"{scope.partition(':')[0]}:read" for scope in held})


def scopes_of(grant: PresentedGrant) -> frozenset[str]:
    """What a presented token may do: its scopes, within the grant's, within what its person may do now."""
    scopes = narrowed_scopes(grant.scopes, with_reading(grant.granted_scopes))
    scopes = effective_scopes(scopes, read_only=grant.read_only)
    if grant.role is None:
        return scopes
    return narrowed_scopes(scopes, scopes_of_member(grant.role, agency=grant.agency))


def wanted_scopes(asked: str | None, usual: Collection[str] | None) -> frozenset[str]:
    """The scopes of a request (RFC 6749, section 3.3); unknown ones are left out, as clients add them from habit.

    Raises Refused with `invalid_scope` when it names some and none is known.
    """
    if not (asked or "").strip():
        return frozenset(usual or USUAL_SCOPES) & all_scopes()
    known = all_scopes() & frozenset((asked or "").split())
    if not known:
        raise Refused("invalid_scope", "None of the scopes is one of this server's.")
    return known


def fewer_scopes(asked: str | None, held: Collection[str]) -> frozenset[str]:
    """Scopes for one more token out of those held; raises Refused for any beyond them."""
    if not (asked or "").strip():
        return frozenset(held)
    wanted = frozenset((asked or "").split())
    if not wanted <= with_reading(held):
        raise Refused("invalid_scope", "A token cannot have scopes that were not granted.")
    return wanted


def is_challenge(text: str) -> bool:
    """Whether this can be the challenge of a verifier: 43 characters of base64url (RFC 7636, section 4.2)."""
    return _CHALLENGE.fullmatch(text) is not None


def proves(verifier: str, challenge: str) -> bool:
    """Whether a verifier is the challenge's (RFC 7636, section 4.6)."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode())


def check_resources(asked: Sequence[str], endpoint: str) -> str:
    """What a token is for (RFC 8707): this server's MCP endpoint, whatever part of it was named.

    Raises Refused with `invalid_target` when anything else is among those asked for.
    """
    for resource in asked:
        rest = resource.removeprefix(endpoint)
        if not resource.startswith(endpoint) or (rest and rest[0] != "/") or "#" in rest or "?" in rest:
            raise Refused("invalid_target", "This server issues tokens for its own MCP endpoint only.")
    return endpoint


def redirect_allowed(wanted: str, registered: Iterable[str]) -> bool:
    """Whether people may be sent there: exactly as registered, but on the own machine at any port.

    RFC 8252, section 7.3: a program listens on a port that it gets when it starts.
    """
    return any(wanted == known or _same_but_port(wanted, known) for known in registered)


def redirect_problem(uri: str, application_type: ApplicationType | None = None) -> str | None:
    """What speaks against a redirect URI, in words; None when nothing does.

    A web application has https on a host of its own; a native one its own scheme, or this machine (RFC 8252).
    """
    parts = _split(uri)
    if parts is None:
        return "This is no absolute URI without a fragment."
    if parts.scheme in _NEVER:
        return f"People cannot be sent to {parts.scheme}: addresses."
    if parts.scheme in {"https", "http"} and (not parts.hostname or parts.username is not None):
        return "It needs a host, and cannot hold a user name."
    here = is_loopback(uri)
    if parts.scheme == "http" and not here:
        return "Plain http is only for this machine: localhost, 127.0.0.1 or [::1]."
    if application_type == "web" and (parts.scheme != "https" or here):
        return "A web application needs https on a host of its own."
    return None


def is_loopback(uri: str) -> bool:
    """Whether a redirect URI leads to the person's own machine."""
    parts = _split(uri)
    return parts is not None and parts.scheme in {"http", "https"} and is_own_machine(parts.hostname or "")


def is_own_machine(host: str) -> bool:
    """Whether a host's name is this machine, for whoever asks."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_local(uri: str) -> bool:
    """Whether what is behind a redirect URI is a program on the person's machine, of which any may pose as another."""
    parts = _split(uri)
    return parts is None or parts.scheme not in {"http", "https"} or is_loopback(uri)


def host_of(uri: str) -> str:
    """The host a person should know it by; of an application's own scheme, the scheme."""
    parts = _split(uri)
    if parts is None:
        return uri[:100]
    return parts.hostname or f"{parts.scheme}:"


def is_document_url(client_id: str) -> bool:
    """Whether a client id is the address of a metadata document: it has a path, and nothing that hides where it leads.

    Client ID Metadata Documents, section 3. Whether it must be https, the way out decides: hosts that the server's
    settings allow by name may speak plain http.
    """
    parts = _split(client_id)
    if parts is None or parts.scheme not in {"https", "http"} or not parts.hostname:
        return False
    steps = parts.path.split("/")
    plain = parts.username is None and parts.password is None and not parts.query
    return plain and parts.path not in {"", "/"} and not {".", ".."}.intersection(steps)


def _same_but_port(wanted: str, known: str) -> bool:
    one, other = _split(wanted), _split(known)
    if one is None or other is None or one.scheme != "http" or not is_loopback(known):
        return False
    return one._replace(netloc=one.hostname or "") == other._replace(
        netloc=other.hostname or ""
    ) and _is_plain(one)


def _is_plain(parts: SplitResult) -> bool:
    return parts.username is None and parts.password is None


def _split(uri: str) -> SplitResult | None:
    """The parts of an absolute URI without a fragment; None for anything else."""
    if len(uri) > LONGEST_URI or _UNPRINTABLE.search(uri) or "#" in uri:
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    return parts if _SCHEME.fullmatch(parts.scheme) and (parts.netloc or parts.path) else None
