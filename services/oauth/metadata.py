"""The two discovery documents, as dicts in a fixed order, so that their bytes do not change from day to day.

Absent facts are left out: clients refuse a document that holds `null`. Admin scopes are never listed, because some
clients ask for the whole list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .pkce import METHOD
from .scopes import DEFAULT_SCOPES, OFFLINE

PATHS = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "register": "registration_endpoint",
    "revoke": "revocation_endpoint",
}


def of_resource(resource: str, issuers: Sequence[str], name: str) -> dict[str, object]:
    """Return protected resource metadata (RFC 9728 §2).

    :param resource: the URL exactly as the user typed it into the client
    """
    return {
        "resource": resource,
        "authorization_servers": list(issuers),
        "scopes_supported": list(DEFAULT_SCOPES),
        "bearer_methods_supported": ["header"],
        "resource_name": name,
    }


def of_server(
    issuer: str,
    urls: Mapping[str, str],
    auth_methods: Sequence[str],
    grant_types: Sequence[str],
    extra: Mapping[str, object],
) -> dict[str, object]:
    """Return authorization server metadata (RFC 8414 §2, RFC 9207 §3).

    :param urls: the endpoints there are, by the names of `PATHS`
    :param extra: further members
    """
    return {
        "issuer": issuer,
        **{member: urls[endpoint] for endpoint, member in PATHS.items() if endpoint in urls},
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(grant_types),
        "code_challenge_methods_supported": [METHOD],
        "token_endpoint_auth_methods_supported": list(auth_methods),
        "revocation_endpoint_auth_methods_supported": list(auth_methods),
        "scopes_supported": [*DEFAULT_SCOPES, OFFLINE],
        "authorization_response_iss_parameter_supported": True,
        **extra,
    }
