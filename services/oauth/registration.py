"""What an application says of itself: read from a registration (RFC 7591) or a metadata document, checked, cut.

All of it is a claim. It decides what is refused, what is dropped and what is kept; whether the application may
register at all, and how much of it a person is shown, is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..plain_json import is_storable
from . import redirect_uri, scopes
from .errors import OAuthError

MAX_NAME = 100
MAX_URIS = 10
UNNAMED = "Unnamed application"
SECRET_METHODS = ("client_secret_basic", "client_secret_post")
# Machine grants are given by administrators only.
GRANTS = ("authorization_code", "refresh_token")
_PORT = re.compile(r"^(http://(?:localhost|127\.0\.0\.1|\[::1\])):\d+", re.IGNORECASE)
_PRIVATE_KEY_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True)
class Registration:
    """An application's metadata as accepted. `auth_methods` begins with the one it prefers."""

    name: str
    redirect_uris: tuple[str, ...]
    auth_methods: tuple[str, ...]
    scope: str = ""
    client_uri: str | None = None
    application_type: str | None = None
    jwks: Mapping[str, object] | None = None
    jwks_uri: str | None = None

    @property
    def digest(self) -> str:
        """A fingerprint of all that a consent depends on. Ports of loopback addresses do not count: programs choose
        another one each time."""
        facts = [
            self.name,
            sorted(_PORT.sub(r"\1", uri) for uri in self.redirect_uris),
            sorted(self.auth_methods),
            self.jwks,
            self.jwks_uri,
        ]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def as_dict(self) -> dict[str, object]:
        """Return the accepted metadata as a registration answers it; no member is null."""
        facts = {
            "client_name": self.name,
            "redirect_uris": list(self.redirect_uris),
            "grant_types": list(GRANTS),
            "response_types": ["code"],
            "token_endpoint_auth_method": self.auth_methods[0],
            "scope": self.scope,
            "client_uri": self.client_uri,
            "application_type": self.application_type,
            "jwks": self.jwks,
        }
        return {name: value for name, value in facts.items() if value}


def parse(data: Mapping[str, object], supported: Collection[str]) -> Registration:
    """Read a registration request.

    :param supported: the authentication methods of the token endpoint
    :raises OAuthError: `invalid_redirect_uri` or `invalid_client_metadata`
    """
    method = data.get("token_endpoint_auth_method") or "client_secret_basic"
    if method not in supported:
        raise _invalid(f"token_endpoint_auth_method must be one of {', '.join(supported)}.")
    grants = data.get("grant_types") or ["authorization_code"]
    if not isinstance(grants, list) or "authorization_code" not in grants:
        raise _invalid("grant_types must contain authorization_code. Other clients are added by an administrator.")
    told = read(data, (method,))
    if told.jwks_uri:
        # Anybody registers; each such address would let them keep a worker waiting for a server of theirs.
        raise _invalid("Send your keys as jwks. Keys at an address are for applications an administrator adds.")
    return told


def read(data: Mapping[str, object], auth_methods: tuple[str, ...], most_uris: int = MAX_URIS) -> Registration:
    """Read the members that a registration and a metadata document share; `parse` says what it raises."""
    kind = data.get("application_type")
    scope = data.get("scope")
    return Registration(
        name=clean_name(data.get("client_name")),
        redirect_uris=_redirect_uris(data.get("redirect_uris"), most_uris),
        auth_methods=auth_methods,
        scope=" ".join(scopes.parse(scope)) if isinstance(scope, str) else "",
        client_uri=_web_address(data.get("client_uri")),
        application_type=kind if kind in ("web", "native") else None,
        **(_keys(data) if "private_key_jwt" in auth_methods else {}),
    )


def clean_name(name: object) -> str:
    """Return a name that can be shown: no control, formatting or bidirectional characters, at most 100 of them."""
    if not isinstance(name, str):
        return UNNAMED
    normal = unicodedata.normalize("NFC", name[: 4 * MAX_NAME])
    kept = "".join(char if unicodedata.category(char)[0] not in "CZ" else " " * char.isspace() for char in normal)
    return " ".join(kept.split())[:MAX_NAME].strip() or UNNAMED


def _redirect_uris(uris: object, most: int) -> tuple[str, ...]:
    if not isinstance(uris, list) or not 1 <= len(uris) <= most:
        raise OAuthError("invalid_redirect_uri", f"redirect_uris must be a list of 1 to {most}.")
    for uri in uris:
        redirect_uri.check(uri)
    return tuple(dict.fromkeys(uris))


def _keys(data: Mapping[str, object]) -> dict[str, object]:
    """Return `jwks` or `jwks_uri` for signed assertions."""
    keys = data.get("jwks")
    if keys is None:
        address = _web_address(data.get("jwks_uri"))
        if address is None:
            raise _invalid("private_key_jwt needs jwks, or jwks_uri as an https address.")
        return {"jwks_uri": address}
    found = keys.get("keys") if isinstance(keys, dict) else None
    if not isinstance(found, list) or not found or not all(isinstance(key, dict) for key in found):
        raise _invalid("jwks must be a JSON Web Key Set.")
    if any(_PRIVATE_KEY_MEMBERS & key.keys() for key in found):
        raise _invalid("jwks holds a private or symmetric key. Keep it to yourself; send public keys.")
    if not is_storable(found):
        raise _invalid("jwks holds a NUL character or half of a surrogate pair.")
    return {"jwks": {"keys": found}}


def _web_address(uri: object) -> str | None:
    """Return an https address, None for anything else: it may be shown as a link."""
    try:
        redirect_uri.check(uri)
    except OAuthError:
        return None
    return uri if redirect_uri.kind(uri) == "https" else None


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", description)
