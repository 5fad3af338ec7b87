"""What rooms may know of the server they run in: its address outside, and the key it seals and signs with."""

from dataclasses import dataclass

from chatwright.ports.cipher import Cipher


@dataclass(frozen=True, slots=True)
class Site:
    """What rooms need to know of the server they run in."""

    public_url: str
    """Where providers and browsers reach it, without a slash at the end."""
    cipher: Cipher


_registered: list[Site] = []


def register_site(site: Site) -> None:
    """Make the server known to itself, once per process, before anything is served."""
    _registered[:] = [site]


def this_site() -> Site:
    """The server of this process; LookupError when none was registered."""
    if not _registered:
        message = "No site is registered."
        raise LookupError(message)
    return _registered[0]
