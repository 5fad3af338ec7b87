"""What Zalo answers when it does not do as asked: status 200 and a negative number that says why."""

from typing import Any

TEXTS = {
    -32: "Your application reach limit call api",
    -100: "Unknown error or the attachment has expired",
    -104: "App secret key invalid",
    -108: "Phone number invalid",
    -109: "Template ID invalid",
    -111: "Template data empty",
    -112: "Template data invalid",
    -118: "Zalo account does not exist or is inactive",
    -131: "Template not approved",
    -133: "Template of this kind cannot be sent at night",
    -144: "Official Account exceeds the daily quota",
    -201: "Parameter is invalid",
    -211: "Out of quota",
    -213: "User has not followed Official Account",
    -216: "Access token is invalid",
    -217: "User has blocked invitations from Official Account",
    -220: "Access token has expired",
    -230: "User has not interacted with Official Account in the past 7 days",
    -234: "Promotion cannot be sent from 22:00 to 06:00",
    -240: "This API version has been shut down",
    -14002: "Application is inactive",
    -14003: "Redirect URI is invalid",
    -14004: "Secret key is invalid",
    -14010: "Authorization code is invalid or has expired",
    -14014: "Refresh token is invalid",
}
"""The provider's numbers, where the sandbox uses them, and our words for them: nobody may decide by the words."""


class Refused(Exception):
    """An answer whose `error` is not 0."""

    def __init__(self, code: int, detail: str = "") -> None:
        text = TEXTS.get(code, "Error")
        super().__init__(f"{text}: {detail}" if detail else text)
        self.code = code

    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        return {"error": self.code, "message": str(self)}

    def oauth_body(self) -> dict[str, Any]:
        """The same, as the token endpoint puts it."""
        return {
            "error_name": str(self),
            "error_reason": str(self),
            "error_description": str(self),
            "error": self.code,
        }
