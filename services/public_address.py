"""Whether an IP address belongs to the public internet. Names are not resolved here.

`ipaddress.is_global` is the base. It calls multicast global and does not look into addresses that carry an IPv4
address, through which a translator or tunnel would reach the private network behind this server.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

Address = IPv4Address | IPv6Address

# 6to4 (with its relays 192.88.99.0/24) and Teredo reach any IPv4 address, and nobody serves metadata there. The rest
# is reserved for special use (RFC 6890, RFC 9637); which of it `ipaddress` knows depends on Python's version.
_NEVER = tuple(
    ip_network(net) for net in ("192.88.99.0/24", "192.0.0.0/24", "2002::/16", "2001::/23", "3fff::/20", "5f00::/16")
)
_NAT64 = ip_network("64:ff9b::/96")
_UNICAST_V6 = ip_network("2000::/3")
_INTERNAL = tuple(ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))


def is_public(address: Address) -> bool:
    """Say whether the address, and what it wraps, is globally routable unicast."""
    address = _unwrapped(address)
    if any(address in net for net in _NEVER if net.version == address.version):
        return False
    if address.version == 6 and address not in _UNICAST_V6:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_public_or_internal(address: Address) -> bool:
    """Say whether the address is public or of an organisation's own network (RFC 1918, ULA).

    Never loopback, link-local (cloud metadata) or shared: those are no servers that an administrator would name.
    """
    inner = _unwrapped(address)
    return is_public(address) or any(inner in net for net in _INTERNAL if net.version == inner.version)


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address in a mapped or NAT64 address: with DNS64, public IPv4 hosts have such addresses."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
