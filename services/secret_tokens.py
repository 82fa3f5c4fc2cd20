"""The form of a secret token: how one is made, recognised and digested. Storage is `mcp.token`'s.

A token is a prefix that says its kind, 43 characters of randomness and a 6-character checksum, so that a mistyped
or foreign string is refused without a query and secret scanners have one pattern to look for.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib

PERSONAL_PREFIX = "omcp_pat_"
PATTERN = re.compile(r"omcp_(?:at|rt|pat|cs)_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}")

_BASE62 = string.digits + string.ascii_letters
_CHECKSUM_LENGTH = 6


def new_token(prefix: str) -> str:
    """Return a new token with 256 bits of randomness."""
    body = prefix + secrets.token_urlsafe(32)
    return body + _checksum(body)


def is_well_formed(token: str, prefix: str) -> bool:
    """Say whether `token` has the form and checksum of one of ours with this prefix."""
    if not token.startswith(prefix) or not PATTERN.fullmatch(token):
        return False
    return _checksum(token[:-_CHECKSUM_LENGTH]) == token[-_CHECKSUM_LENGTH:]


def digest(token: str, database_id: str) -> str:
    """Return the hex SHA-256 that is stored. It binds the token to one database.

    No key stretching: it protects guessable passwords and adds nothing to 256 random bits.
    """
    return hashlib.sha256(f"{database_id}\0{token}".encode()).hexdigest()


def hint(token: str) -> str:
    """Return what may be shown of a token later: its prefix and last four characters."""
    prefix = token[: token.index("_", len("omcp_")) + 1]
    return f"{prefix}…{token[-4:]}"


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _position in range(_CHECKSUM_LENGTH):
        number, remainder = divmod(number, 62)
        digits.append(_BASE62[remainder])
    return "".join(digits)
