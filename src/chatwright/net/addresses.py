"""Which network addresses the product may be sent to by somebody else's word."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address
from typing import Final

UNICAST6: Final = ipaddress.IPv6Network("2000::/3")
"""The only IPv6 addresses given out to the internet (IANA, Internet Protocol Version 6 Address Space)."""
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: the last four bytes are an IPv4 address, which may be one of the internet."""
SPECIAL: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # RFC 6890; 192.0.0.192 is the metadata service of one cloud.
            "192.88.99.0/24",  # RFC 7526, relays of 6to4.
            "168.63.129.16/32",  # A public number, but inside of one cloud its platform.
            "2001::/23",  # RFC 2928, protocols such as Teredo.
            "3fff::/20",  # RFC 9637, documentation.
        ),
    )
)
"""What Python's own tables call global, in this version or another, and what nobody outside should be led to."""
METADATA: Final = frozenset(
    map(
        ipaddress.ip_address,
        (
            "169.254.169.254",
            "169.254.170.2",
            "fd00:ec2::254",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
        ),
    )
)
"""Where clouds give a machine its own credentials."""
ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})
"""RFC 5214: an interface identifier that begins so ends in an IPv4 address."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet, also when an IPv4 one is wrapped into IPv6.

    Loopback, private, link-local (cloud metadata), shared, reserved and multicast ranges are not public.
    """
    parsed = _parsed(address)
    if parsed is None:
        return False
    if isinstance(parsed, IPv6Address) and parsed not in UNICAST6 and parsed not in NAT64:
        return parsed.ipv4_mapped is not None and _is_of_the_internet(parsed.ipv4_mapped)
    return all(map(_is_of_the_internet, (parsed, *_wrapped(parsed))))


def is_metadata(address: str) -> bool:
    """Whether a cloud answers there with a machine's own credentials: never called, whatever is allowed by name."""
    parsed = _parsed(address)
    return parsed is not None and not METADATA.isdisjoint((parsed, *_wrapped(parsed)))


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None


def _is_of_the_internet(address: IPv4Address | IPv6Address) -> bool:
    if address.is_multicast or any(address in network for network in SPECIAL):
        return False
    # Python's tables do not count the NAT64 prefix among the global ones in every version.
    return address.is_global or address in NAT64


def _wrapped(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 address carries inside."""
    if isinstance(address, IPv4Address):
        return []
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64 or (int(address) >> 32) & 0xFFFFFFFF in ISATAP:
        inner.append(last)
    return [one for one in inner if one is not None]
