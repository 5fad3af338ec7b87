"""What can go wrong between a request and its operation."""

from chatwright.kernel.errors import ChatwrightError


class MethodNotAllowed(ChatwrightError):
    code = "METHOD_NOT_ALLOWED"
    http_status = 405


class UnsupportedMediaType(ChatwrightError):
    code = "UNSUPPORTED_MEDIA_TYPE"
    http_status = 415
    hint = "Send JSON, with the header Content-Type: application/json."
