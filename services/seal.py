"""Hashes that make it visible when rows of the audit log were changed behind Odoo's back.

What is hashed is JSON text made here, not what PostgreSQL prints, so that it is the same on every server. Each day's
seal covers the seal of the day before. Whoever can change the database could compute all seals anew: the latest one
has to be known from elsewhere, which is why each goes to the server's log too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime

VERSION = 2
# The seal before the first one.
GENESIS = "0" * 64


class DayHash:
    """The hash of the rows of one day, fed in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.rows = 0

    def add(self, rows: Iterable[Sequence[object]]) -> None:
        for row in rows:
            self._hash.update(_line(row))
            self.rows += 1

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def chained(previous: str, day: date, rows: int, digest: str, version: int = VERSION) -> str:
    """Return the seal of a day: the hash of its rows, bound to the day and to the seal before."""
    return hashlib.sha256(_line([version, previous, day.isoformat(), rows, digest])).hexdigest()


def payload_digest(request: str, response: str | None) -> str:
    """Return the hash of what was kept of a call's arguments and result."""
    return hashlib.sha256(_line([request, response])).hexdigest()


def _line(values: Sequence[object]) -> bytes:
    text = json.dumps(list(values), ensure_ascii=True, separators=(",", ":"), default=_text)
    return text.encode() + b"\n"


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
