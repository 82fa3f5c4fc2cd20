"""Client ID metadata documents: an https address as client id, whose document says what the application is.

It decides which addresses can be ids and which documents are accepted. Fetching, caching and blocking are
`mcp.oauth.client`'s.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from .errors import OAuthError
from .registration import SECRET_METHODS, Registration, read

MAX_LENGTH = 2048
MAX_URIS = 50
KEYLESS_METHODS = ("private_key_jwt", "none")
_URL = re.compile(r"https://(?P<authority>[A-Za-z0-9.-]+(?::\d{1,5})?)(?P<path>/[^?#\\\s]+)(?:\?[^#\\\s]*)?", re.ASCII)


def host(url: str) -> str:
    """Return the host that publishes the document, with its port.

    :raises OAuthError: `invalid_client`: the address cannot be a client id
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_LENGTH and url.isascii() and url.isprintable() else None
    segments = re.sub("%2e", ".", match["path"], flags=re.IGNORECASE).split("/") if match else ["."]
    if {".", ".."} & set(segments):
        raise _invalid("This address cannot be a client id: it must be https with a path, without dot segments.")
    return match["authority"].lower()


def parse(url: str, data: Mapping[str, object], supported: Collection[str]) -> Registration:
    """Read the document found at `url`.

    :param supported: the authentication methods of the token endpoint
    :raises OAuthError: `invalid_client`, `invalid_redirect_uri` or `invalid_client_metadata`
    """
    if data.get("client_id") != url:
        raise _invalid("The client_id in the document is not its address.")
    if "client_secret" in data or "client_secret_expires_at" in data:
        raise _invalid("The document holds a secret, which is none then.")
    methods = _methods(data)
    usable = tuple(method for method in methods if method in supported)
    if not usable:
        raise _invalid(f"The application authenticates by {', '.join(methods)}, which this server cannot check.")
    return read(data, usable, MAX_URIS)


def _methods(data: Mapping[str, object]) -> list[str]:
    """Return the methods offered, the preferred one first: one vendor says `private_key_jwt` in the singular member
    and offers `none` besides in the plural one."""
    single = data.get("token_endpoint_auth_method")
    several = data.get("token_endpoint_auth_methods_supported")
    offered = [single] if single else []
    offered += several if isinstance(several, list) else []
    if not offered:
        return ["none"]
    if single in SECRET_METHODS or not any(method in KEYLESS_METHODS for method in offered):
        raise _invalid("The document asks for a shared secret, which a public document cannot have.")
    return list(dict.fromkeys(method for method in offered if method in KEYLESS_METHODS))


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_client", description)
