"""What a refused client is told to do about it: `WWW-Authenticate`, as RFC 6750 and RFC 9728 have it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chatwright.kernel.errors import ChatwrightError, Unauthenticated
from chatwright.surfaces.mcp.errors import StepUpNeeded, TokenInAddress

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"


class CredentialsMissing(Unauthenticated):
    """No bearer token in the Authorization header."""

    hint = "Send the header 'Authorization: Bearer cw_...'; chatwright token create makes a token."

    def __init__(self) -> None:
        super().__init__("This server needs an access token.")


@dataclass(frozen=True)
class Place:
    """Where this server is, and who gives out tokens for it."""

    public_url: str
    """Without a slash at the end."""
    issuer: str

    @property
    def audience(self) -> str:
        """The resource that tokens name. Every endpoint is the same one, under another view."""
        return self.resource("/mcp")

    def resource(self, path: str) -> str:
        """The endpoint at a path, as its metadata names it."""
        return self.public_url + path

    def metadata(self, path: str) -> str:
        """Where the metadata of the endpoint at a path are."""
        return f"{self.public_url}{WELL_KNOWN}{path}"


class Challenges:
    """Makes challenges for the server at a place."""

    def __init__(self, place: Place, at_first: Iterable[str]) -> None:
        self.place = place
        self._at_first = tuple(at_first)

    def of(self, error: ChatwrightError, path: str) -> str | None:
        """The challenge that goes with an error at the endpoint of a path; None where a token would not help.

        Who showed no token is only told where to get one; who showed a bad one also hears so.
        """
        parts: dict[str, str] = {}
        scopes: Iterable[str] = self._at_first
        match error:
            case StepUpNeeded():
                parts = _said("insufficient_scope", error)
                scopes = error.scopes
            case CredentialsMissing():
                pass
            case Unauthenticated():
                parts = _said("invalid_token", error)
            case TokenInAddress():
                parts = _said("invalid_request", error)
            case _:
                return None
        parts |= {"scope": " ".join(scopes), "resource_metadata": self.place.metadata(path)}
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items())


def _said(code: str, error: ChatwrightError) -> dict[str, str]:
    return {"error": code, "error_description": error.message.replace('"', "'")}
