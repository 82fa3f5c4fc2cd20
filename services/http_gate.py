"""Who may talk to the endpoint over HTTP: browser origins, the Host of a loopback deployment, CORS headers.

The allow-list comes from configuration, never from the request: a page that rebinds its DNS name to this machine
sends a Host and an Origin that agree with each other (specification, basic/transports, security warning).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

DEFAULT_MAX_BODY = 8 * 1024 * 1024
ALLOWED_METHODS = "POST, DELETE, OPTIONS"
# GET opens a stream where a process can hold one.
_PAGE_METHODS = "POST, GET, DELETE, OPTIONS"
_ALLOWED_HEADERS = (
    "Content-Type, Accept, Authorization, Mcp-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, Last-Event-ID"
)
_EXPOSED_HEADERS = "Mcp-Session-Id, WWW-Authenticate, Retry-After"
_PARAM_HEADER = re.compile(r"mcp-param-[a-z0-9-]+", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class HttpPolicy:
    """The configured limits of the endpoint.

    :param origins: allowed browser origins, normalised
    :param is_loopback: whether the configured base URL is this machine itself
    :param max_body: longest request body, in bytes
    """

    origins: frozenset[str]
    is_loopback: bool
    max_body: int

    def allows_origin(self, origin: str) -> bool:
        """Say whether a page of this origin may call us."""
        normal = _normal_origin(origin)
        if normal is None:
            return False
        return normal in self.origins or (self.is_loopback and is_loopback_host(_hostname(normal)))

    def allows_host(self, host: str) -> bool:
        """Say whether a `Host` header may reach us; only a loopback deployment knows what to expect."""
        return not self.is_loopback or is_loopback_host(_hostname("//" + host))

    def cors_headers(self, origin: str | None) -> list[tuple[str, str]]:
        """Return the headers that let a page of `origin` read the answer, none where it may not."""
        if origin is None or not self.allows_origin(origin):
            return [("Vary", "Origin")]
        return [
            ("Vary", "Origin"),
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Expose-Headers", _EXPOSED_HEADERS),
        ]


@lru_cache(maxsize=32)
def http_policy(base_url: str, allowed_origins: str, max_body: str) -> HttpPolicy:
    """Compile the settings, as their parameters hold them.

    :param allowed_origins: origins separated by commas, blanks or newlines; what is no origin is ignored
    :param max_body: bytes; the default where it is no positive number
    """
    candidates = [base_url, *re.split(r"[\s,]+", allowed_origins)]
    origins = frozenset(origin for origin in map(_normal_origin, candidates) if origin)
    return HttpPolicy(
        origins=origins,
        is_loopback=is_loopback_host(_hostname(base_url)),
        max_body=int(max_body) if max_body.isdecimal() and int(max_body) > 0 else DEFAULT_MAX_BODY,
    )


def preflight_headers(requested_headers: str) -> list[tuple[str, str]]:
    """Return what an OPTIONS answer says besides the origin; `Mcp-Param-*` headers asked for are allowed by name."""
    asked = [name.strip() for name in requested_headers.split(",")]
    params = [name for name in asked if _PARAM_HEADER.fullmatch(name)]
    return [
        ("Allow", ALLOWED_METHODS),
        ("Access-Control-Allow-Methods", _PAGE_METHODS),
        ("Access-Control-Allow-Headers", ", ".join([_ALLOWED_HEADERS, *params])),
        ("Access-Control-Max-Age", "86400"),
    ]


def is_loopback_host(host: str) -> bool:
    """Say whether a host name, without port, is this machine itself."""
    return host in ("localhost", "::1") or host.endswith(".localhost") or bool(re.fullmatch(r"127(\.\d{1,3}){3}", host))


def is_plain_from_elsewhere(scheme: str, host: str) -> bool:
    """Say whether a request came unencrypted, and not to this machine from itself. :param host: the `Host` header"""
    return scheme != "https" and not is_loopback_host(_hostname("//" + host))


@lru_cache(maxsize=64)
def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _normal_origin(url: str) -> str | None:
    """Return `scheme://host[:port]` in lower case without the default port, None for anything else."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return None
    if not parts.scheme or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = "" if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"
