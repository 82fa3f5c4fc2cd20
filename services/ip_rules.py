"""Which addresses a profile is open to: networks in CIDR notation, version 4 and 6, allowed and denied.

Parsing and comparing only. Which address a request comes from is Odoo's to say: behind a proxy the client's, where
`proxy_mode` trusts it.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MAX_NETWORKS = 200

_SEPARATOR = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class AddressRules:
    """An address passes when it is in none of `denied`, and in one of `allowed` where there are any."""

    allowed: tuple[Network, ...] = ()
    denied: tuple[Network, ...] = ()

    def admits(self, address: str) -> bool:
        """Say whether a request from this address passes; one without an address only where nothing is asked."""
        if not self.allowed and not self.denied:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        # The same host, as a socket of both versions reports it.
        found = getattr(found, "ipv4_mapped", None) or found
        if _within(found, self.denied):
            return False
        return not self.allowed or _within(found, self.allowed)


def networks(text: str) -> tuple[Network, ...]:
    """Return the networks in a text, separated by blanks, commas or lines; `#` starts a comment.

    :raises ValueError: naming the part that is no address and no network
    """
    parts = [part for line in text.splitlines() for part in _SEPARATOR.split(line.partition("#")[0]) if part]
    if len(parts) > MAX_NETWORKS:
        raise ValueError(f"more than {MAX_NETWORKS} networks")
    found = []
    for part in parts:
        try:
            found.append(_plain(ipaddress.ip_network(part)))
        except ValueError:
            raise ValueError(_hint(part)) from None
    return tuple(found)


def _plain(network: Network) -> Network:
    """Return a network of version 4 that is written in version 6 as what it is, as addresses are compared."""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < 96:
        return network
    return ipaddress.IPv4Network((mapped, network.prefixlen - 96))


def _hint(part: str) -> str:
    try:
        return f"{part} (did you mean {ipaddress.ip_network(part, strict=False)}?)"
    except ValueError:
        return part


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, blocks: tuple[Network, ...]) -> bool:
    return any(address.version == block.version and address in block for block in blocks)
