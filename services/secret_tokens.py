"""The form of a secret token: how one is made, recognised and digested. Storage is `mcp.token`'s.

A token is a prefix that says its kind, 43 characters of randomness and a 6-character checksum, so that a mistyped
or foreign string is refused without a query and secret scanners have one pattern to look for.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import string
import zlib

OWN_PREFIX = "omcp_"
PERSONAL_PREFIX = "omcp_pat_"
ACCESS_PREFIX = "omcp_at_"
REFRESH_PREFIX = "omcp_rt_"
CLIENT_SECRET_PREFIX = "omcp_cs_"
PATTERN = re.compile(r"omcp_(?:at|rt|pat|cs)_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}")

_BASE62 = string.digits + string.ascii_letters
_CHECKSUM_LENGTH = 6


def new_token(prefix: str) -> str:
    """Return a new token with 256 bits of randomness."""
    return token_of(prefix, secrets.token_bytes(32))


def token_of(prefix: str, entropy: bytes) -> str:
    """Return the token that has these 32 bytes."""
    body = prefix + base64.urlsafe_b64encode(entropy).decode().rstrip("=")
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
    prefix = token[: token.index("_", len(OWN_PREFIX)) + 1]
    return f"{prefix}…{token[-4:]}"


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _position in range(_CHECKSUM_LENGTH):
        number, remainder = divmod(number, 62)
        digits.append(_BASE62[remainder])
    return "".join(digits)
