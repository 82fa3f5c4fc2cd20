"""Redirect URIs: which may be registered, and which of a client's own it may come back with.

Nothing is normalised: a URI is compared as written, so that no two parsers can read it differently. The one
exception is the port of a loopback address, which a program chooses when it starts (RFC 8252 §7.3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import OAuthError

MAX_LENGTH = 2048
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
# Printable ASCII; without blanks, quotes, <>, backslash, braces, #, * and the like.
_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_AUTHORITY = re.compile(
    r"(?P<host>[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?"
)
_URI = re.compile(r"(?P<scheme>[^:/?]+):(?://(?P<authority>[^/?]*))?(?P<rest>.*)")
# Schemes that a browser, or the system behind it, acts on itself.
_DENIED = frozenset(
    "javascript data vbscript file blob about filesystem view-source ws wss ftp ftps sftp mailto tel sms intent "  # noqa: SIM905
    "resource jar content cid mid ssh telnet ldap ldaps smb nfs gopher search-ms http https".split()
)
_DENIED_PREFIXES = ("chrome", "ms-", "moz-", "edge", "opera", "safari-")


@dataclass(frozen=True)
class _Parts:
    scheme: str
    host: str
    port: str | None
    rest: str

    @property
    def is_loopback(self) -> bool:
        return self.scheme == "http" and self.host.lower() in LOOPBACK_HOSTS


def check(uri: object) -> None:
    """Check a URI that a client wants to register.

    :raises OAuthError: `invalid_redirect_uri`, with what is wrong with it
    """
    try:
        parts = _parse(uri)
    except ValueError as error:
        raise OAuthError("invalid_redirect_uri", f"{str(uri)[:200]}: {error}") from None
    if parts.scheme == "http" and not parts.is_loopback:
        hosts = ", ".join(LOOPBACK_HOSTS)
        raise OAuthError("invalid_redirect_uri", f"{uri[:200]}: http is for {hosts} only; use https.")


def matches(registered: str, presented: str) -> bool:
    """Say whether a client that registered one URI may be answered at the other."""
    try:
        ours, theirs = _parse(registered), _parse(presented)
    except ValueError:
        return False
    if registered == presented:
        return True
    if not (ours.is_loopback and theirs.is_loopback):
        return False
    return (ours.host, ours.rest) == (theirs.host, theirs.rest)


def kind(uri: str) -> str:
    """Return `https`, `loopback` (a program on the user's own computer) or `private` (an app's own scheme)."""
    parts = _parse(uri)
    if parts.is_loopback:
        return "loopback"
    return "https" if parts.scheme == "https" else "private"


def host(uri: str) -> str:
    """Return the host that an answer goes to, with its port; of a private scheme without a host the scheme."""
    parts = _parse(uri)
    return f"{parts.host}:{parts.port}" if parts.port else parts.host or parts.scheme


def _parse(uri: object) -> _Parts:
    """:raises ValueError: what no client may register; the message is fit for it"""
    if not isinstance(uri, str) or not 0 < len(uri) <= MAX_LENGTH:
        raise ValueError(f"a text of 1 to {MAX_LENGTH} characters is needed.")
    if not _CHARACTERS.fullmatch(uri):
        raise ValueError("it has a fragment, a wildcard or a character that does not belong there.")
    match = _URI.fullmatch(uri)
    if not match or not _SCHEME.fullmatch(match["scheme"]):
        raise ValueError("it does not begin with a scheme in lower case.")
    scheme, authority = match["scheme"], match["authority"]
    if scheme in ("http", "https"):
        place = _AUTHORITY.fullmatch(authority or "")
        if not place or int(place["port"] or 0) > 65535:
            raise ValueError("the host is missing or malformed (no user, no wildcard, ASCII only).")
        return _Parts(scheme, place["host"], place["port"], match["rest"])
    if scheme in _DENIED or scheme.startswith(_DENIED_PREFIXES):
        raise ValueError("this scheme cannot be used.")
    if "@" in (authority or ""):
        raise ValueError("it names a user.")
    if not authority and not match["rest"]:
        raise ValueError("there is nothing after the scheme.")
    return _Parts(scheme, authority or "", None, match["rest"])
