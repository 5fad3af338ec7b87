"""Requests that come through proxies: who sent them, and how, as far as the proxies that say so are trusted.

Anybody can send these headers. They are believed only from the addresses in the settings, hop by hop from the
nearest one backwards, and the first address that is not trusted is the client's.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from chatwright.kernel.errors import Misconfigured

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NAMES: Final = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"})
_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
_PAIR: Final = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\";,]*))\s*")


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks (`10.0.0.0/8`, `::1`) as they stand in the settings; raises Misconfigured."""
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        message = f"CHATWRIGHT_TRUSTED_PROXIES: {error}."
        raise Misconfigured(
            message, hint="Name addresses or networks by commas: 127.0.0.1,10.0.0.0/8,::1"
        ) from error


@dataclass(frozen=True)
class _Hop:
    """What one proxy says of the request that it got."""

    sender: str | None
    scheme: str | None = None
    host: str | None = None


class Forwarding:
    """ASGI middleware around everything else: puts the real client, scheme and host where everybody looks."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._trusted and scope["type"] in {"http", "websocket"} and self._trusts_peer(scope):
            self._believe(scope)
        await self._app(scope, receive, send)

    def _trusts_peer(self, scope: Scope) -> bool:
        peer = _address(scope["client"][0]) if scope.get("client") else None
        return peer is not None and self._trusts(peer)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)

    def _believe(self, scope: Scope) -> None:
        said: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            if name in NAMES:
                said.setdefault(name, []).append(value.decode("latin-1"))
        if not said:
            return
        hops = _hops(said)
        client = self._client(hops)
        if client is not None:
            scope["client"] = (str(client), 0)
        nearest = hops[-1] if hops else _Hop(None)
        if nearest.scheme in {"http", "https"}:
            web = scope["type"] == "websocket"
            scope["scheme"] = nearest.scheme.replace("http", "ws") if web else nearest.scheme
        if nearest.host is not None and _HOST.fullmatch(nearest.host):
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope["headers"] = [(b"host", nearest.host.encode()), *others]

    def _client(self, hops: Sequence[_Hop]) -> Address | None:
        """The first one who is no proxy of ours, from the nearest backwards; None where nobody is named."""
        client = None
        for hop in reversed(hops):
            sender = _address(hop.sender or "")
            if sender is None:
                # What lies behind a hop that hides its sender is anybody's word.
                return client
            client = sender
            if not self._trusts(sender):
                return client
        return client


def _hops(said: dict[bytes, list[str]]) -> list[_Hop]:
    """The hops by the one header or the other; none where both name senders and do not agree.

    A proxy passes on the header that it does not know, whoever wrote it.
    """
    old = _old_hops(said)
    if b"forwarded" not in said:
        return old
    standard = _standard_hops(",".join(said[b"forwarded"]))
    if b"x-forwarded-for" not in said:
        return standard
    agree = [_address(hop.sender or "") for hop in standard] == [_address(hop.sender or "") for hop in old]
    return old if agree else []


def _old_hops(said: dict[bytes, list[str]]) -> list[_Hop]:
    senders = _list(said.get(b"x-forwarded-for", [])) or [None]
    scheme, host = (_last(said.get(name, [])) for name in (b"x-forwarded-proto", b"x-forwarded-host"))
    nearest = _Hop(senders[-1], None if scheme is None else scheme.lower(), host)
    return [*(_Hop(sender) for sender in senders[:-1]), nearest]


def _standard_hops(text: str) -> list[_Hop]:
    """The elements of RFC 7239's header; none when it is not well formed."""
    hops: list[_Hop] = []
    fields: dict[str, str] = {}
    position = 0
    while position <= len(text):
        found = _PAIR.match(text, position)
        if found is None:
            return []
        fields[found[1].lower()] = found[3] if found[2] is None else re.sub(r"\\(.)", r"\1", found[2])
        position = found.end()
        mark = text[position : position + 1]
        if mark not in {"", ",", ";"}:
            return []
        if mark != ";":
            hops.append(_Hop(fields.get("for"), fields.get("proto", "").lower() or None, fields.get("host")))
            fields = {}
        position += 1
    return hops


def _list(values: Iterable[str]) -> list[str | None]:
    return [part.strip() for value in values for part in value.split(",")]


def _last(values: Iterable[str]) -> str | None:
    parts = _list(values)
    return parts[-1] if parts else None


def _address(text: str) -> Address | None:
    """An address as proxies write it, with or without a port; None for a name or anything else."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address
