"""The flat filter grammar and the dates that may be written in words.

It turns one `{field, op, value, values}` into Odoo domain terms and one date text into a period or a moment. It knows
no model: whether the field exists, may be read and takes the value is decided in `models.domain_guard`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from .times import from_wire, zone

TEMPORAL = frozenset({"date", "datetime"})
TEXTUAL = frozenset({"char", "text", "html", "selection", "reference"})

_COMPARISONS = {"eq": "=", "ne": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "child_of": "child_of"}
_LISTS = {"in": "in", "not_in": "not in"}
_PATTERNS = {"contains": "ilike", "not_contains": "not ilike"}
OPERATORS = (*_COMPARISONS, *_LISTS, *_PATTERNS, "starts_with", "is_set", "is_not_set", "between", "within")

# Dates outside overflow when they move between time zones.
MIN_YEAR, MAX_YEAR = 1000, 9000
_NAMED = re.compile(r"(this|last|next)_(week|month|quarter|year)")
_COUNTED = re.compile(r"(last|next)_(\d{1,4})_(day|week|month|year)s?")
_CALENDAR = re.compile(r"(\d{4})(?:-(?:Q([1-4])|W(\d{2})|(\d{2})))?", re.IGNORECASE)
PERIOD_EXAMPLES = "today, this_month, last_year, last_30_days, 2026, 2026-01, 2026-Q1"


@dataclass(frozen=True)
class Clock:
    """What time it is for the caller.

    :param now: naive UTC
    :param tz: name of the caller's time zone
    :param week_start: 1 for Monday to 7 for Sunday
    """

    now: datetime
    tz: str | None = None
    week_start: int = 1

    @property
    def today(self) -> date:
        return self.day_of(self.now)

    def day_of(self, moment: datetime) -> date:
        """Return the caller's date at a moment in naive UTC."""
        return moment.replace(tzinfo=UTC).astimezone(zone(self.tz)).date()

    def start_of(self, day: date) -> datetime:
        """Return the moment, in naive UTC, at which a day of the caller begins."""
        midnight = datetime.combine(day, time.min, zone(self.tz))
        return midnight.astimezone(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Period:
    """Whole days of the caller, `end` not included."""

    start: date
    end: date


def domain_terms(item: Mapping[str, object], kind: str) -> list[object]:
    """Return the Odoo domain terms of one flat filter, in prefix notation, values as they came.

    :param kind: type of the field that `item["field"]` leads to
    :raises ValueError: saying what is wrong with the filter
    """
    unknown = sorted(set(item) - {"field", "op", "value", "values"})
    if unknown:
        raise ValueError(f"has no key {unknown[0]!r}; a filter is {{field, op, value, values}}")
    field, operator = item["field"], item.get("op") or "eq"
    if operator not in OPERATORS:
        raise ValueError(f"op {operator!r} is not one of {', '.join(OPERATORS)}")
    if operator == "is_set":
        return [[field, "!=", False]]
    if operator == "is_not_set":
        return [[field, "=", False]]
    if operator in _LISTS:
        return [[field, _LISTS[operator], _values(item, kind)]]
    if operator == "between":
        return _between(field, _values(item, kind))
    value = _value(item, operator)
    if operator == "within":
        if kind not in TEMPORAL:
            raise ValueError("op within is for date fields; use between for numbers")
        return [[field, "=", value]]
    if operator in _PATTERNS:
        return [[field, _PATTERNS[operator], value if kind == "selection" else literal_pattern(value)]]
    if operator == "starts_with":
        return [[field, "=ilike", literal_pattern(value) + "%"]]
    return [[field, _COMPARISONS[operator], value]]


def literal_pattern(text: object) -> str:
    """Return text for a `like` operator in which `%`, `_` and the backslash stand for themselves."""
    return re.sub(r"([\\%_])", r"\\\1", str(text))


def moment_or_period(text: str, clock: Clock) -> datetime | Period:
    """Return what a date text means: a moment in naive UTC, or a period of whole days of the caller.

    Takes ISO dates and times (without offset: the caller's zone), calendar periods (`2026`, `2026-01`, `2026-Q1`,
    `2026-W05`) and relative ones (`today`, `last_month`, `last_30_days`).

    :raises ValueError: when it is none of these
    """
    plain = text.strip()
    period = _relative_period(plain.lower(), clock) or _calendar_period(plain)
    if period is None and re.fullmatch(r"\d{4}-\d{2}-\d{2}", plain):
        day = date.fromisoformat(plain)
        _check_year(day)
        period = Period(day, day + timedelta(days=1))
    if period is not None:
        _check_year(period.start)
        _check_year(period.end)
        return period
    if plain.lower() == "now":
        return clock.now.replace(microsecond=0)
    moment = from_wire(plain, clock.tz)
    _check_year(moment)
    return moment


def shift_months(day: date, months: int) -> date:
    """Return the same day `months` later (or earlier), or the last day of that month when it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return first.replace(day=min(day.day, (following - first).days))


def _value(item: Mapping[str, object], operator: str) -> object:
    value = item.get("value")
    values = item.get("values")
    if value is None and isinstance(values, Sequence) and not isinstance(values, str) and len(values) == 1:
        value = values[0]
    if value is None or value == "":
        raise ValueError(f"op {operator} needs a value; use is_set or is_not_set to ask whether there is one")
    return value


def _values(item: Mapping[str, object], kind: str) -> list[object]:
    values = item.get("values")
    if values is None and item.get("value") not in (None, ""):
        value = item["value"]
        # A text may hold commas of its own; an id, a number or a date cannot.
        splits = isinstance(value, str) and kind not in TEXTUAL
        values = [part.strip() for part in value.split(",")] if splits else [value]
    if not isinstance(values, list) or not values:
        raise ValueError(f"op {item.get('op')} needs values, a list")
    return values


def _between(field: object, values: list[object]) -> list[object]:
    if len(values) != 2:
        raise ValueError("op between needs exactly two values, both included")
    return ["&", [field, ">=", values[0]], [field, "<=", values[1]]]


def _check_year(day: date) -> None:
    if not MIN_YEAR <= day.year <= MAX_YEAR:
        raise ValueError(f"year {day.year} is out of range")


def _relative_period(text: str, clock: Clock) -> Period | None:
    today = clock.today
    days = {"today": 0, "yesterday": -1, "tomorrow": 1}
    if text in days:
        start = today + timedelta(days=days[text])
        return Period(start, start + timedelta(days=1))
    if match := _NAMED.fullmatch(text):
        return _named_period(match[2], {"this": 0, "last": -1, "next": 1}[match[1]], clock)
    if match := _COUNTED.fullmatch(text):
        return _counted_period(match[1], int(match[2]), match[3], today)
    return None


def _named_period(unit: str, step: int, clock: Clock) -> Period:
    today = clock.today
    if unit == "week":
        start = today - timedelta(days=(today.isoweekday() - clock.week_start) % 7) + timedelta(weeks=step)
        return Period(start, start + timedelta(weeks=1))
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    start = shift_months(first, step * months)
    return Period(start, shift_months(start, months))


def _counted_period(direction: str, count: int, unit: str, today: date) -> Period:
    """`last_30_days` are the thirty days that end today; `next_30_days` those that begin tomorrow."""
    tomorrow = today + timedelta(days=1)
    edge = -count if direction == "last" else count
    if unit in ("month", "year"):
        other = shift_months(tomorrow, edge * (12 if unit == "year" else 1))
    else:
        other = tomorrow + timedelta(days=edge * (7 if unit == "week" else 1))
    return Period(other, tomorrow) if direction == "last" else Period(tomorrow, other)


def _calendar_period(text: str) -> Period | None:
    match = _CALENDAR.fullmatch(text)
    if match is None:
        return None
    year = int(match[1])
    if match[3]:
        start = date.fromisocalendar(year, int(match[3]), 1)
        return Period(start, start + timedelta(weeks=1))
    if match[2] or match[4]:
        months = 3 if match[2] else 1
        start = date(year, (int(match[2]) - 1) * 3 + 1 if match[2] else int(match[4]), 1)
        return Period(start, shift_months(start, months))
    return Period(date(year, 1, 1), date(year + 1, 1, 1))
