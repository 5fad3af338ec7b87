"""Which network addresses the product may be sent to by somebody else's word."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: the last four bytes are an IPv4 address."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet, also when an IPv4 one is wrapped into IPv6.

    Loopback, private, link-local (cloud metadata), shared, reserved and multicast ranges are not public.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(one.is_global and not one.is_multicast for one in (parsed, *_wrapped(parsed)))


def _wrapped(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in inner if one is not None]
