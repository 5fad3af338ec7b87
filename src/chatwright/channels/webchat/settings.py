"""What an inbox of this channel is set up with."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

ANY_ORIGIN = "*"
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]


def _origin(text: str) -> str:
    """An origin as browsers write it (RFC 6454): lower case, without a path or the scheme's usual port."""
    origin = text.strip().rstrip("/").lower()
    if origin == ANY_ORIGIN:
        return origin
    scheme, found, host = origin.partition("://")
    if not found or scheme not in {"http", "https"} or not host or set(host) & set("/?#@ *"):
        message = "an origin looks like https://www.example.com, or is * for every website"
        raise ValueError(message)
    return f"{scheme}://{host.removesuffix(':443' if scheme == 'https' else ':80')}"


Origin = Annotated[str, AfterValidator(_origin)]


class WebchatSettings(BaseModel):
    """A chat bubble on websites."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: Annotated[Words, Field(min_length=1)] = "Chat with us"
    """Name at the top of the chat."""
    greeting: Words = "Hi! How can we help?"
    """Words that the visitor reads before anything is said; empty for none."""
    color: Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$", to_lower=True)] = "#2563eb"
    """Colour of the bubble and of the visitor's own messages, as #rrggbb."""
    allowed_origins: Annotated[list[Origin], Field(max_length=100)] = []
    """Websites whose pages may carry the chat, e.g. https://www.example.com; * for every website."""
