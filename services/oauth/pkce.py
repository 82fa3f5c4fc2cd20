"""Proof key for code exchange (RFC 7636), method S256 only: `plain` and no challenge are refused by the caller."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

METHOD = "S256"
# A SHA-256 digest in base64url without padding.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def is_challenge(text: str | None) -> bool:
    """Say whether `text` has the form of an S256 challenge."""
    return bool(text) and _CHALLENGE.fullmatch(text) is not None


def is_verifier(text: str | None) -> bool:
    """Say whether `text` has the form of a verifier (RFC 7636 §4.1)."""
    return bool(text) and _VERIFIER.fullmatch(text) is not None


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def verify(verifier: str | None, expected: str) -> bool:
    """Say whether `verifier` is the one behind a challenge, in constant time."""
    return is_verifier(verifier) and hmac.compare_digest(challenge(verifier), expected)
