"""The form in which resource URLs are compared (RFC 8707; MCP authorization, canonical server URI).

It says when two URLs mean the same server, not which server is ours.
"""

from __future__ import annotations

import re

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#@\\\s]+)(?P<path>/[^?#\s\\]*)?(?:\?[^#\s]*)?(?:#\S*)?", re.IGNORECASE
)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
MAX_LENGTH = 2048


def canonical(url: str | None) -> str | None:
    """Return the URL without what does not tell servers apart, None where it is no absolute http(s) URL.

    Scheme and host become lower case; default port, query, fragment and one trailing slash go. Percent-encoding and
    the path's case stay.
    """
    match = _URL.fullmatch(url) if url and len(url) <= MAX_LENGTH else None
    if match is None:
        return None
    scheme, authority = match["scheme"].lower(), match["authority"].lower()
    return f"{scheme}://{authority.removesuffix(_DEFAULT_PORTS[scheme])}{(match['path'] or '').removesuffix('/')}"


def origin(url: str | None) -> str | None:
    """Return the canonical URL's scheme, host and port alone."""
    found = canonical(url)
    return "/".join(found.split("/")[:3]) if found else None
