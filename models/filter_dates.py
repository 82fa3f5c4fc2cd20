"""Conditions on dates: what a date text of the caller means for a date or datetime column.

A date is a period of whole days of the caller, so that `=` on a datetime finds that day and not its first second, and
`<=` includes it.
"""

from collections.abc import Callable
from datetime import datetime

from odoo.fields import Datetime, Domain

from ..services import filters
from .field_paths import FieldPath


def clock(call) -> filters.Clock:
    """Return what time it is for the caller."""
    env = call.env
    week_start = env["res.lang"]._get_data(code=env.lang or "en_US").week_start
    return filters.Clock(Datetime.now(), env.context.get("tz") or env.user.tz, int(week_start or 1))


def reader(now: filters.Clock) -> Callable[[object], datetime | filters.Period]:
    """Return the function that reads one value, or raises ValueError in words that follow the field's name."""

    def read(value: object) -> datetime | filters.Period:
        expected = f"needs an ISO date, a date and time, or a period such as {filters.PERIOD_EXAMPLES}"
        if not isinstance(value, str):
            raise ValueError(f"{expected}; not {value!r}")
        try:
            return filters.moment_or_period(value, now)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{expected}; not {value[:100]!r}") from error

    return read


def compared(path: FieldPath, operator: str, value: object, now: filters.Clock) -> Domain:
    """Return the condition.

    :param value: one value as `reader` gives it, False for "not set", or a list of these for `in` and `not in`
    """
    name = path.field.name
    if operator in ("=", "!=", "in", "not in"):
        matches = Domain.OR(_on(path, item, now) for item in (value if isinstance(value, list) else [value]))
        return ~matches if operator in ("!=", "not in") else matches
    moment = _as_column(path, value, now)
    if not isinstance(moment, filters.Period):
        return Domain(name, operator, moment)
    # After a period is from its end on; up to a period is until its end.
    day = moment.end if operator in (">", "<=") else moment.start
    return Domain(name, {">": ">=", "<=": "<"}.get(operator, operator), _bound(path, day, now))


def _as_column(path: FieldPath, value: datetime | filters.Period, now: filters.Clock) -> datetime | filters.Period:
    """Return the value as it stands for a column of this type: for dates, a moment is the day it lies in."""
    if path.field.type == "date" and not isinstance(value, filters.Period):
        return filters.moment_or_period(now.day_of(value).isoformat(), now)
    return value


def _on(path: FieldPath, value: object, now: filters.Clock) -> Domain:
    name = path.field.name
    if value is False:
        return Domain(name, "=", False)
    moment = _as_column(path, value, now)
    if not isinstance(moment, filters.Period):
        return Domain(name, "=", moment)
    return Domain(name, ">=", _bound(path, moment.start, now)) & Domain(name, "<", _bound(path, moment.end, now))


def _bound(path: FieldPath, day, now: filters.Clock):
    return day if path.field.type == "date" else now.start_of(day)
