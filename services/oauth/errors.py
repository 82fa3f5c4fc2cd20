"""The one error of OAuth: a code that clients act on, and a sentence for the person who reads their log.

Which code fits which fault is decided where it is raised; RFC 6749 §5.2, RFC 7591 §3.2.2 and RFC 8707 §2 list them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# RFC 6749 §5.2 allows these characters in an error_description: printable ASCII without quote and backslash.
_NOT_ALLOWED = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class OAuthError(Exception):
    """A refusal of an OAuth endpoint, sent as JSON or, once the client is known, to its redirect URI.

    :param code: the `error` member, e.g. `invalid_grant`
    :param description: the `error_description`; characters that could alter a header become `?`
    :param status: HTTP status of a JSON answer
    :param headers: further headers of that answer, as pairs
    """

    def __init__(self, code: str, description: str, status: int = 400, headers: Iterable[tuple[str, str]] = ()) -> None:
        self.code = code
        self.description = _NOT_ALLOWED.sub("?", description)
        self.status = status
        self.headers = tuple(headers)
        super().__init__(f"{code}: {self.description}")

    def as_dict(self) -> dict[str, str]:
        """Return the body of the JSON answer."""
        return {"error": self.code, "error_description": self.description}
