"""Dates and times on the wire: ISO 8601 with the user's UTC offset outside, naive UTC (as Odoo stores it) inside."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=64)
def zone(name: str | None) -> tzinfo:
    """Return the time zone of that name; UTC for none or an unknown one, as Odoo does."""
    try:
        return ZoneInfo(name) if name else UTC
    # ZoneInfoNotFoundError is a KeyError; a name like `../x` is a ValueError, one of a folder an OSError.
    except (KeyError, ValueError, OSError):
        return UTC


def to_wire(value: date | datetime, tz: str | None = None) -> str:
    """Return `2025-07-01T14:30:00+02:00` for a naive UTC datetime, `2025-07-01` for a date."""
    if not isinstance(value, datetime):
        return value.isoformat()
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    try:
        return aware.astimezone(zone(tz)).isoformat(timespec="seconds")
    except OverflowError:
        # The first and last hours of the calendar have no local time everywhere.
        return aware.isoformat(timespec="seconds")


def from_wire(text: str, tz: str | None = None) -> datetime:
    """Return the naive UTC datetime of an ISO 8601 text; without an offset it is in the zone `tz`.

    :raises ValueError: with what was expected
    """
    try:
        value = datetime.fromisoformat(text.strip())
        aware = value.replace(tzinfo=zone(tz)) if value.tzinfo is None else value
        return aware.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    except (ValueError, OverflowError) as error:
        raise ValueError("an ISO 8601 date and time, e.g. 2025-07-01T14:30:00+02:00") from error
