"""From where requests come, as limits count it."""

from ipaddress import ip_address, ip_network

from starlette.requests import HTTPConnection


def network_of(connection: HTTPConnection) -> str:
    """From where a request comes: an IPv4 address, or the first 64 bits of an IPv6 one.

    Whoever has one IPv6 address has all that begin so (RFC 6177), and could come from another one each time.
    """
    host = connection.client.host if connection.client else "unknown"
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 4 or address.ipv4_mapped is not None:
        return str(address)
    return str(ip_network((address, 64), strict=False))
