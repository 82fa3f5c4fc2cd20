"""Whom to count together: the address block that one sender controls. It decides nothing else."""

from __future__ import annotations

import ipaddress

# What a single customer gets of IPv6. Counted by address, one machine would have 2^64 of them to try with.
IPV6_PREFIX = 64


def address_block(address: str) -> str:
    """Return the IPv4 address or the IPv6 /64 network that `address` is of, empty for what is no address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return str(ipaddress.ip_network((ip, IPV6_PREFIX), strict=False))
        ip = ip.ipv4_mapped
    return str(ip)
