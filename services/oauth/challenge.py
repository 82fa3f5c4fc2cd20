"""The `WWW-Authenticate` challenge of the resource server (RFC 6750 §3, RFC 9728 §5.1).

Clients read it with simple patterns: the scheme comes first, each parameter once, the values have no quotes or
backslashes, and a description has nothing in it that looks like a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_NOT_ALLOWED = re.compile(r'[^\x20-\x7e]|[",=\\]')


def bearer(resource_metadata: str, scopes: Iterable[str], error: str | None = None, description: str = "") -> str:
    """Return the value of the header.

    :param error: `invalid_token`, `insufficient_scope` or `invalid_request`; None when no credentials were sent
    """
    parts = {
        "realm": "mcp",
        "error": error,
        "error_description": _NOT_ALLOWED.sub(" ", description) if error else "",
        "resource_metadata": re.sub(r'[^\x21-\x7e]|["\\]', "", resource_metadata),
        "scope": " ".join(scopes),
    }
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items() if value)
