"""The server that a command talks to."""

from collections.abc import Generator
from contextlib import contextmanager

from chatwright.client.profiles import ProfileError, choose_profile
from chatwright.client.server import Server
from chatwright.kernel.errors import Problem
from chatwright.surfaces.cli.failures import fail


@contextmanager
def chosen_server(profile: str | None) -> Generator[Server]:
    """Connect to the server of the profile, or of the default one; ends the command when there is none."""
    with profile_errors_shown():
        chosen = choose_profile(profile)
    with Server(chosen.url, chosen.token) as server:
        yield server


@contextmanager
def profile_errors_shown() -> Generator[None]:
    """End the command with 2 when the profiles cannot serve it."""
    try:
        yield
    except ProfileError as error:
        raise fail(422, Problem(code=error.code, message=error.message, hint=error.hint)) from error
