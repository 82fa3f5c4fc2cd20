"""Reading request parameters: none may come twice (RFC 6749 §3.1, §3.2), or two parsers could see two requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .errors import OAuthError
from .resource import canonical

# PostgreSQL cannot store these.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def single(pairs: Iterable[tuple[str, Sequence[str]]]) -> dict[str, str]:
    """Return each parameter's one value; empty ones are left out, as if they had not been sent (RFC 6749 §3.1).

    :param pairs: each name with all its values
    :raises OAuthError: `invalid_request` for a parameter that came twice or cannot be stored. `resource` alone may be
        repeated (some clients do) as long as it means the same.
    """
    values = {}
    for name, found in pairs:
        same = {canonical(value) or value for value in found} if name == "resource" else found
        if len(same) > 1:
            raise OAuthError("invalid_request", f"The parameter {name[:50]} is given more than once.")
        if any(map(_UNSTORABLE.search, found)):
            raise OAuthError("invalid_request", f"The parameter {name[:50]} holds a character that cannot be kept.")
        if found and found[0]:
            values[name] = found[0]
    return values
