"""One spelling for equal arguments, so that a repeated call is recognised whatever its key order or number form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

# They say how to make a call, not what it does.
TRANSPORT_ARGUMENTS = frozenset({"answers", "confirm_token", "dry_run", "idempotency_key"})


def digest(tool: str, arguments: Mapping[str, object]) -> str:
    """Return the hex SHA-256 of a call: equal for equal JSON values (`1` and `1.0` are equal)."""
    essence = {key: value for key, value in arguments.items() if key not in TRANSPORT_ARGUMENTS}
    text = json.dumps([tool, _canonical(essence)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return value
