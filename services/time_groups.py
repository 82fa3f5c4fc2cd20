"""Periods that rows are grouped by: their ISO names, and the rows of those in which nothing happened.

A name (`2026-01`, `2026-Q1`, `2026-W05`) is also what `services.filters` takes as a period, so that a group can be
looked into with a filter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from .filters import shift_months

# Months or days from one period to the next.
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}
STEPS = (*_DAYS, *_MONTHS)


def label(start: date, granularity: str) -> str:
    """Return the name of the period that begins on `start`.

    A week is named by its ISO number where it begins on Monday, otherwise by its first day.
    """
    if granularity == "year":
        return f"{start.year:04}"
    if granularity == "quarter":
        return f"{start.year:04}-Q{(start.month + 2) // 3}"
    if granularity == "month":
        return f"{start.year:04}-{start.month:02}"
    if granularity == "week" and start.isoweekday() == 1:
        year, week, _day = start.isocalendar()
        return f"{year:04}-W{week:02}"
    return start.isoformat()


def start_of(name: str, granularity: str) -> date:
    """Return the first day of a period from its name; the inverse of `label`."""
    if granularity == "year":
        return date(int(name), 1, 1)
    if granularity == "quarter":
        year, _q, quarter = name.partition("-Q")
        return date(int(year), int(quarter) * 3 - 2, 1)
    if granularity == "month":
        return date.fromisoformat(f"{name}-01")
    # Also `2026-W05`, which stands for its Monday.
    return date.fromisoformat(name)


def following(start: date, granularity: str) -> date:
    """Return the first day of the next period."""
    if granularity in _MONTHS:
        return shift_months(start, _MONTHS[granularity])
    return start + timedelta(days=_DAYS[granularity])


def filled(
    rows: Sequence[Mapping[str, object]], key: str, granularity: str, empty: Mapping[str, object], *, limit: int
) -> list[dict[str, object]] | None:
    """Return the rows, sorted by time, with one for each period missing between the first and the last.

    :param rows: each with a period's name, or None for no date, under `key`; at most one per period
    :param empty: the measures of a period without records
    :param limit: most rows to return; None is returned where there would be more
    """
    by_start = {start_of(str(row[key]), granularity): row for row in rows if row[key] is not None}
    undated = [dict(row) for row in rows if row[key] is None]
    if not by_start:
        return undated
    result: list[dict[str, object]] = []
    start, last = min(by_start), max(by_start)
    while start <= last:
        if len(result) + len(undated) >= limit:
            return None
        row = by_start.get(start)
        result.append(dict(row) if row is not None else {key: label(start, granularity), **empty})
        start = following(start, granularity)
    return result + undated
