"""What a person sees when the product has started."""

import json
import os
import sys
from pathlib import Path

from chatwright.app.first_run import LOCAL
from chatwright.client.profiles import FILE_VARIABLE, read_profiles

_KEPT = (FILE_VARIABLE, "XDG_CONFIG_HOME")
"""What says where the profiles are; an MCP client starts its servers without our environment."""


def welcome(
    url: str, data: Path | None, setup_path: str | None, *, local: bool, sandbox_url: str | None = None
) -> str:
    """The start screen.

    `data` is the folder of the embedded database, if that is used; `local` says whether programs of this user
    find the server by the profile that was left for them; `sandbox_url` is where the provider sandbox is, if any.
    """
    phones = [] if sandbox_url is None else [("Phones", f"{sandbox_url}/")]
    paragraphs = [
        "Chatwright is running.",
        _lines(
            ("Page", f"{url}/"),
            ("Demo", f"{url}/demo"),
            *phones,
            ("MCP", f"{url}/mcp"),
            ("Data", "the database of DATABASE_URL" if data is None else str(data)),
        ),
    ]
    if setup_path is not None:
        paragraphs += [
            "Become the owner with this link. It works once, and is shown only now:",
            f"  {url}{setup_path}",
        ]
    paragraphs += (
        _local_client() if local else ["Connect an MCP client by HTTP; it asks you on a page of this server:"]
    )
    maker = "'chatwright token create --name NAME'" if local else "the page, once you have signed in,"
    paragraphs += [
        f"  {url}/mcp",
        "One that does not know OAuth sends a header with it:",
        "  Authorization: Bearer TOKEN",
        f"where {maker} makes the TOKEN.",
        "Stop with Ctrl-C.",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _local_client() -> list[str]:
    return [
        "Connect an MCP client on this machine by pasting this into its configuration:",
        json.dumps(stdio_configuration(), indent=2),
        "Or one that reaches this address by HTTP; it asks you on a page of this server:",
    ]


def stdio_configuration() -> dict[str, object]:
    """The entry of an MCP client that starts `chatwright mcp` of this very installation."""
    server: dict[str, object] = {
        "command": str(Path(sys.executable).with_name("chatwright")),
        "args": ["mcp"] if read_profiles().default == LOCAL else ["mcp", "--profile", LOCAL],
    }
    if kept := {name: os.environ[name] for name in _KEPT if os.environ.get(name)}:
        server["env"] = kept
    return {"mcpServers": {"chatwright": server}}


def _lines(*entries: tuple[str, str]) -> str:
    return "\n".join(f"  {name:<8}{text}" for name, text in entries)
