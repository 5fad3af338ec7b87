"""Which servers this user talks to: addresses and tokens in a file that only they can read.

    {"profiles": {"local": {"url": "http://127.0.0.1:8800", "token": "cw_..."}}, "default": "local"}

Standard library only: `chatwright mcp` reads it, and must start at once.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

FILE_VARIABLE = "CHATWRIGHT_CONFIG"
"""The file of profiles that the command line reads; else `chatwright/profiles.json` in the user's configuration."""
URL_VARIABLE = "CHATWRIGHT_URL"
"""The server that the command line talks to, instead of one of a profile."""
TOKEN_VARIABLE = "CHATWRIGHT_TOKEN"  # noqa: S105 - the name of a variable.
"""The access token for the server of `CHATWRIGHT_URL`."""
PROFILE_VARIABLE = "CHATWRIGHT_PROFILE"
"""The profile that the command line uses, where `--profile` does not say."""


class Profile(NamedTuple):
    """A server and the token to show it."""

    name: str
    url: str
    token: str | None


class Profiles(NamedTuple):
    """The file's content."""

    by_name: dict[str, Profile]
    default: str | None


class ProfileError(Exception):
    """No profile can be used, or the file cannot; with a stable code and what to do about it."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def config_path() -> Path:
    """Where the profiles are: `$CHATWRIGHT_CONFIG`, or `chatwright/profiles.json` in the user's configuration."""
    if named := os.environ.get(FILE_VARIABLE):
        return Path(named).expanduser()
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "chatwright" / "profiles.json"


def choose_profile(name: str | None = None) -> Profile:
    """The profile of this name; else the one the environment says; else the default. Raises ProfileError.

    `CHATWRIGHT_URL`, with `CHATWRIGHT_TOKEN`, stands for a profile where there is no file, as in a container.
    """
    wanted = name or os.environ.get(PROFILE_VARIABLE)
    url = os.environ.get(URL_VARIABLE)
    if wanted is None and url:
        return Profile(URL_VARIABLE, url, os.environ.get(TOKEN_VARIABLE) or None)
    known = read_profiles()
    wanted = wanted or known.default
    if wanted is None:
        message = "This user has no profile of a server yet."
        raise ProfileError(
            "NO_PROFILE", message, "Start one here with 'chatwright up', or see 'chatwright profile'."
        )
    if wanted not in known.by_name:
        names = ", ".join(sorted(known.by_name)) or "none"
        raise ProfileError("UNKNOWN_PROFILE", f"There is no profile '{wanted}'.", f"There are: {names}.")
    return known.by_name[wanted]


def read_profiles() -> Profiles:
    """All profiles; none when there is no file. Raises ProfileError when it cannot be read."""
    path = config_path()
    try:
        content: object = json.loads(path.read_text())
    except FileNotFoundError:
        return Profiles({}, None)
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read: {error}"
        raise ProfileError("BAD_PROFILES", message, "Mend the file, or remove it.") from error
    try:
        return _parsed(cast("Mapping[str, Any]", content))
    except (AttributeError, KeyError, TypeError) as error:
        message = f"{path} does not hold profiles."
        raise ProfileError("BAD_PROFILES", message, "Mend the file, or remove it.") from error


def save_profile(profile: Profile, *, default: bool = False) -> None:
    """Add or replace a profile; the first one becomes the default."""
    known = read_profiles()
    by_name = {**known.by_name, profile.name: profile}
    _write(Profiles(by_name, profile.name if default or known.default not in by_name else known.default))


def use_profile(name: str) -> None:
    """Make a profile the default; raises ProfileError when there is none of this name."""
    choose_profile(name)
    _write(Profiles(read_profiles().by_name, name))


def remove_profile(name: str) -> None:
    """Forget a profile; raises ProfileError when there is none of this name."""
    choose_profile(name)
    known = read_profiles()
    by_name = {other: profile for other, profile in known.by_name.items() if other != name}
    _write(Profiles(by_name, known.default if known.default in by_name else next(iter(by_name), None)))


def _parsed(content: Mapping[str, Any]) -> Profiles:
    by_name = {
        name: Profile(name, str(entry["url"]), entry.get("token"))
        for name, entry in content["profiles"].items()
    }
    return Profiles(by_name, content.get("default"))


def _write(profiles: Profiles) -> None:
    """Replace the file at once, so that nobody reads half of it; made for this user's eyes from the start."""
    content = {
        "profiles": {
            profile.name: {"url": profile.url, "token": profile.token}
            for profile in profiles.by_name.values()
        },
        "default": profiles.default,
    }
    path = config_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
