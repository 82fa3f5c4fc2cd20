"""Rows of `ToolCall.group` to wire values: group labels, measures, and the currency of amounts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from odoo.fields import Field

from ..services import time_groups
from ..services.errors import ToolError
from ..services.shaping import wire_value
from .domain_guard import CheckedDomain
from .field_paths import FieldPath, check_groupby
from .filter_dates import clock
from .filter_values import selection

COUNT = "__count"
_ZERO_WHEN_EMPTY = ("sum", "sum_currency", "count", "count_distinct")
_OF_AMOUNTS = ("sum", "avg", "min", "max", "sum_currency")
MAX_CURRENCIES = 5


def group_rows(
    call, groups: Sequence[Mapping], paths: Mapping[str, FieldPath], measures: Sequence[str]
) -> list[dict[str, object]]:
    """Return one wire row per group: values by group term, then numbers by measure."""
    return [
        {
            **{term: _group_value(call, term, path, group[term]) for term, path in paths.items()},
            **{term: measure(call, term, group[term]) for term in measures},
        }
        for group in groups
    ]


def measure(call, term: str, value: object) -> object:
    """Return a measure; over no records a sum or count is 0 and everything else null."""
    if value is None or value is False:
        return 0 if term == COUNT or term.partition(":")[2] in _ZERO_WHEN_EMPTY else None
    if isinstance(value, float):
        return wire_value(value, {"type": "float"})
    if isinstance(value, date):
        return wire_value(value, {}, tz=call.env.context.get("tz"))
    return value


def group_labels(call, paths: Mapping[str, FieldPath]) -> dict[str, dict[str, str]]:
    """Return the labels of the selection fields among the group terms."""
    return {term: selection(call, path.field) for term, path in paths.items() if path.field.type == "selection"}


def currencies(
    call, checked: CheckedDomain, measures: Sequence[str], groups: Mapping[str, FieldPath]
) -> dict[str, str]:
    """Return the currency of each measure of an amount; note where amounts of several currencies are added up."""
    found: dict[str, str] = {}
    used: dict[str, list[str]] = {}
    for term in measures:
        name, _colon, function = term.partition(":")
        if function not in _OF_AMOUNTS or (field := call.field(checked.model, name)).type != "monetary":
            continue
        own = call.env.company.currency_id.name
        if function == "sum_currency":
            found[term] = own
            continue
        currency = field.get_currency_field(call.env[checked.model])
        if currency not in used:
            used[currency] = _currencies_used(call, checked, currency)
        if len(used[currency]) == 1:
            found[term] = used[currency][0]
        elif used[currency] and currency not in groups:
            call.note(
                f"{term} mixes amounts in {', '.join(used[currency])} as they are. "
                f"Use {name}:sum_currency (in {own}), or group by {currency}."
            )
    return found


def _group_value(call, term: str, path: FieldPath, value: object) -> object:
    """Return a group's value: `2026-01` for a month, id and name for a record, null for none."""
    field = path.field
    if field.type == "boolean":
        return bool(value)
    if value is None or value is False:
        return None
    granularity = term.partition(":")[2]
    if granularity and isinstance(value, tuple | list):
        return _period(call, field, granularity, str(value[0]))
    if field.type in ("many2one", "many2many") or field.name == "id":
        if field.name != "id" and not call.policy.allows_model(field.comodel_name):
            return {"id": value[0]}
        return {"id": value[0], "name": value[1]}
    if isinstance(value, tuple | list):
        # A property that links to a record, or one of its tags: the value and its name.
        return value[1] if len(value) > 1 else value[0]
    return wire_value(value, {"type": field.type})


def _period(call, field: Field, granularity: str, start: str) -> str:
    moment = datetime.fromisoformat(start)
    if granularity == "hour":
        return wire_value(moment, {}, tz=call.env.context.get("tz"))
    # Odoo cuts a datetime in the caller's zone and tells the cut in UTC.
    day = clock(call).day_of(moment) if field.type == "datetime" else moment.date()
    return time_groups.label(day, granularity) if granularity in time_groups.STEPS else start


def _currencies_used(call, checked: CheckedDomain, currency: str | None) -> list[str]:
    try:
        check_groupby(call, checked.model, currency)
    except ToolError:
        # Computed, or not open to this user: then nothing can be said of currencies.
        return []
    groups = call.group(checked, [currency], [COUNT], limit=MAX_CURRENCIES)
    return [group[currency][1] for group in groups if group[currency]]
