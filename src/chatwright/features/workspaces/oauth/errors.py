"""What can go wrong in the authorization server."""

from chatwright.kernel.errors import ChatwrightError, NotFound


class GrantNotFound(NotFound):
    code = "GRANT_NOT_FOUND"


class ClientNotFound(NotFound):
    code = "OAUTH_CLIENT_NOT_FOUND"


class Refused(ChatwrightError):
    """A request of a client that is refused in OAuth's own words (RFC 6749, sections 4.1.2.1 and 5.2)."""

    code = "OAUTH_REFUSED"
    http_status = 400

    def __init__(self, error: str, message: str) -> None:
        """`error` is the code of the RFCs, such as `invalid_grant`."""
        super().__init__(message)
        self.error = error


class ClientRefused(Refused):
    """The client is unknown, not trusted, or did not prove who it is."""

    code = "OAUTH_CLIENT_REFUSED"
    http_status = 401

    def __init__(self, message: str) -> None:
        super().__init__("invalid_client", message)


class SentBack(Refused):
    """A refusal that the client is told by sending the person back to it, once both are known to belong together."""

    def __init__(self, redirect_uri: str, state: str | None, error: str, message: str) -> None:
        super().__init__(error, message)
        self.redirect_uri = redirect_uri
        self.state = state
