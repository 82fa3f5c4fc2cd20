"""Opaque pagination cursors: a JSON payload with its expiry and an HMAC-SHA256 over both.

A cursor says where the next page starts. It is no secret (the client can decode it) and no permission: whoever
turns it back into a query applies the caller's rights again. The scope binds it to one list of one caller.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time

# 128 bits: a cursor travels through the model's context, where every character costs.
MAC_BYTES = 16
DEFAULT_LIFE = 3600
MAX_LENGTH = 2048


def sign(payload: object, *, key: bytes, scope: str, life: int = DEFAULT_LIFE, now: float | None = None) -> str:
    """Return a cursor for `payload` (plain JSON) that `verify` accepts for `life` seconds.

    :param scope: what the cursor is for, for instance `tools/list:<token id>`
    """
    expires_at = int(time.time() if now is None else now) + life
    body = json.dumps([expires_at, payload], separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_mac(body, key, scope) + body).decode().rstrip("=")


def verify(cursor: str, *, key: bytes, scope: str, now: float | None = None) -> object:
    """Return the payload of a cursor made by `sign` with the same key and scope.

    :raises ValueError: altered, expired, of another scope, or no cursor at all; the message is fit for the client
    """
    if not isinstance(cursor, str) or len(cursor) > MAX_LENGTH:
        raise ValueError("The cursor is not one of ours.")
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("The cursor is not one of ours.") from None
    mac, body = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(body, key, scope)):
        raise ValueError("The cursor does not belong to this list.")
    expires_at, payload = json.loads(body)
    if expires_at <= (time.time() if now is None else now):
        raise ValueError("The cursor has expired.")
    return payload


def _mac(body: bytes, key: bytes, scope: str) -> bytes:
    return hmac.digest(key, scope.encode() + b"\0" + body, hashlib.sha256)[:MAC_BYTES]
