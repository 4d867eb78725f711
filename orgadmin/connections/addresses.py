"""Which base URLs the dashboard may send a management key to."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from django.conf import settings

from orgadmin.connections.refusals import URL, Refused

# Prefixes in which an IPv6 address carries an IPv4 one that a translator would deliver to.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def check_reachable(base_url: str) -> None:
    """Refuse an address inside the server's own network, whatever name leads there.

    Every address of the name must be public: a name with one public and one private address would let the
    resolver choose. ``ALLOW_PRIVATE_BASE_URL`` lifts this, for the sandbox and private gateways. Raises
    Refused; looks the name up, so it belongs outside transactions.
    """
    if settings.ALLOW_PRIVATE_BASE_URL:
        return
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        raise Refused(f"The name {host} leads to no address. Check its spelling.", field=URL) from None
    if not found or not all(_is_public(str(entry[4][0])) for entry in found):
        raise Refused(
            f"{host} is an address inside a private network. If that is meant, the operator of this "
            "dashboard can allow it with ALLOW_PRIVATE_BASE_URL=1.",
            field=URL,
        )


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return _is_public(str(inner))
    return address.is_global and not address.is_multicast
