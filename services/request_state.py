"""The `requestState` of MRTR: what the server must know of its own question when the client comes back with an answer.

It is carried by the client, so it is signed, and bound to the call by what the signature covers beside it. It is not
secret: it holds nothing but answers that the client has given itself. It says what was asked, not that a human saw it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .errors import InvalidParams, ToolError

PREFIX = "v1."
LIFE = 900
MAC_BYTES = 32
# The specification wants it below some 4 KB; answers of several rounds of forms may take more.
MAX_LENGTH = 16_384


@dataclass(frozen=True)
class RequestState:
    """One round of questions.

    :param keys: of the questions that were asked
    :param answers: what was answered in earlier rounds, as the client's result objects by key
    :param chain: the same through all rounds of a call, and used up by its effect
    :param expires_at: Unix time
    """

    keys: tuple[str, ...]
    answers: Mapping[str, object] = field(default_factory=dict)
    chain: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    expires_at: int = 0


def sign(state: RequestState, *, key: bytes, binding: Sequence[object], now: float | None = None) -> str:
    """Return the text of a state that `verify` accepts for this call only.

    :param binding: user, token, method, digest of name and arguments: plain JSON, must be the same again
    :raises ToolError: the answers given so far are too long
    """
    expires_at = int(time.time() if now is None else now) + LIFE
    payload = [expires_at, state.chain, list(state.keys), dict(state.answers), secrets.token_urlsafe(6)]
    body = json.dumps(payload, separators=(",", ":")).encode()
    text = PREFIX + base64.urlsafe_b64encode(_mac(body, key, binding) + body).decode().rstrip("=")
    if len(text) > MAX_LENGTH:
        raise ToolError("answers_too_long", "The answers are too long to be kept until all questions are answered.")
    return text


def verify(text: object, *, key: bytes, binding: Sequence[object], now: float | None = None) -> RequestState:
    """Return the state in a text made by `sign`.

    :raises InvalidParams: altered, expired, or of another call, user or connection; always in the same words but for
        the time, as the difference helps only those who try
    """
    raw = _decoded(text)
    mac, body = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(body, key, binding)):
        raise _not_ours()
    expires_at, chain, keys, answers, _salt = json.loads(body)
    if expires_at <= (time.time() if now is None else now):
        raise InvalidParams('The "requestState" has expired. Send the request without it to be asked again.')
    return RequestState(tuple(keys), answers, chain, expires_at)


def _decoded(text: object) -> bytes:
    if not isinstance(text, str) or not text.startswith(PREFIX) or len(text) > MAX_LENGTH:
        raise _not_ours()
    encoded = text.removeprefix(PREFIX)
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _not_ours() from None
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != encoded:
        # Another spelling of the same bytes is not what we have sent.
        raise _not_ours()
    return raw


def _mac(body: bytes, key: bytes, binding: Sequence[object]) -> bytes:
    bound = json.dumps(list(binding), separators=(",", ":")).encode()
    return hmac.digest(key, hashlib.sha256(bound).digest() + body, hashlib.sha256)


def _not_ours() -> InvalidParams:
    return InvalidParams(
        'The "requestState" is not valid for this request: it was changed, or belongs to other arguments or to '
        "another connection. Send the request without it to be asked again."
    )
