"""Scopes: their names, which implies which, and what is left of a request for some.

A scope limits what a connection may do; it never grants what the profile or Odoo refuses. Who may have `mcp:admin`
is decided by the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .errors import OAuthError

READ, WRITE, ADMIN = "mcp:read", "mcp:write", "mcp:admin"
# In rising order: each implies those before it.
LEVELS = {READ: "read", WRITE: "write", ADMIN: "admin"}
# Asked for in challenges, advertised, and granted to a client that asks for none.
DEFAULT_SCOPES = (READ, WRITE)
OFFLINE = "offline_access"
# Clients add these by habit. They are understood and mean nothing here.
IGNORED = frozenset({"openid", "profile", "email", "address", "phone", OFFLINE})


def parse(text: str | None) -> tuple[str, ...]:
    """Return the scopes of ours that a `scope` parameter names, in rising order; anything else is dropped."""
    return _ordered((text or "").split())


def requested(text: str | None) -> tuple[str, ...]:
    """Return the scopes that a request asks for: the default set where it names none.

    :raises OAuthError: `invalid_scope`, only where something is asked for and nothing of it is known
    """
    words = (text or "").split()
    found = _ordered(words)
    if not found and any(word not in IGNORED for word in words):
        raise OAuthError("invalid_scope", f"None of the scopes is known. Known are: {' '.join(DEFAULT_SCOPES)}.")
    return found or DEFAULT_SCOPES


def implied(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes and all that they imply."""
    ranks = [tuple(LEVELS).index(scope) for scope in scopes if scope in LEVELS]
    return tuple(LEVELS)[: max(ranks) + 1] if ranks else ()


def level(scopes: Iterable[str]) -> str | None:
    """Return the access level (`services.tool.ACCESS_LEVELS`) of the highest scope, None where there is none."""
    held = implied(scopes)
    return LEVELS[held[-1]] if held else None


def narrow(asked: Collection[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """Return those of the scopes asked for that the allowed ones contain or imply."""
    held = implied(allowed)
    return _ordered(scope for scope in asked if scope in held)


def _ordered(words: Iterable[str]) -> tuple[str, ...]:
    found = set(words)
    return tuple(scope for scope in LEVELS if scope in found)
