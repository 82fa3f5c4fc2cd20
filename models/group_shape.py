"""Rows of `ToolCall.group` to wire values: group labels, measures, and the currency of amounts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from odoo.fields import Field

from ..services import time_groups
from ..services.errors import ToolError
from ..services.shaping import wire_value
from .field_paths import FieldPath, check_aggregate
from .filter_dates import clock
from .filter_values import selection
from .provenance import mark_groups

COUNT = "__count"
_ZERO_WHEN_EMPTY = ("sum", "sum_currency", "count", "count_distinct")
_OF_AMOUNTS = ("sum", "avg", "min", "max")


def group_rows(
    call, groups: Sequence[Mapping], paths: Mapping[str, FieldPath], measures: Sequence[str]
) -> list[dict[str, object]]:
    """Return one wire row per group: values by group term, then numbers by measure."""
    rows = [
        {
            **{term: _group_value(call, term, path, group[term]) for term, path in paths.items()},
            **{term: measure(call, term, group[term]) for term in measures},
        }
        for group in groups
    ]
    mark_groups(call, rows, {term: path.field for term, path in paths.items()})
    return rows


def measure(call, term: str, value: object) -> object:
    """Return a measure; over no records a sum or count is 0 and everything else null."""
    if value is None or value is False:
        return 0 if term == COUNT or term.partition(":")[2] in _ZERO_WHEN_EMPTY else None
    if isinstance(value, float):
        return wire_value(value, {"type": "float"})
    if isinstance(value, date):
        return wire_value(value, {}, tz=call.env.context.get("tz"))
    return call.boundary.cell(value) if isinstance(value, str) else value


def group_labels(call, paths: Mapping[str, FieldPath]) -> dict[str, dict[str, str]]:
    """Return the labels of the selection fields among the group terms."""
    return {term: selection(call, path.field) for term, path in paths.items() if path.field.type == "selection"}


def currency_probes(call, model: str, measures: Sequence[str], groups: Mapping[str, FieldPath]) -> dict[str, list[str]]:
    """Return, by measure of amounts, the aggregates that tell whether these are in one currency.

    Asked in the same query as the measures: a query of its own would read all the records once more.
    """
    probes = {}
    for term in measures:
        name, _colon, function = term.partition(":")
        if function not in _OF_AMOUNTS or (field := call.field(model, name)).type != "monetary":
            continue
        currency = field.get_currency_field(call.env[model])
        terms = [f"{currency}:min", f"{currency}:max"]
        if currency not in groups and call.allows_model("res.currency") and _are_open(call, model, terms):
            probes[term] = terms
    return probes


def currencies(
    call, model: str, measures: Sequence[str], probes: Mapping[str, Sequence[str]], groups: Sequence[Mapping]
) -> dict[str, str]:
    """Return the currency of each measure of amounts; note where amounts of several currencies are added up."""
    own = call.env.company.currency_id.name
    found = {term: own for term in measures if term.endswith(":sum_currency")}
    for term, terms in probes.items():
        used = sorted({group[probe] for group in groups for probe in terms if group[probe]})
        names = [row["name"] for row in call.read(call.env["res.currency"].browse(used), ["name"])]
        if len(names) == 1:
            found[term] = names[0]
        elif names:
            name, currency = term.partition(":")[0], terms[0].partition(":")[0]
            call.note(
                f"{term} takes amounts in {', '.join(names)} as they are. "
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
        if field.name != "id" and not call.policy.allows_name(field.comodel_name):
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


def _are_open(call, model: str, terms: Sequence[str]) -> bool:
    try:
        for term in terms:
            check_aggregate(call, model, term)
    except ToolError:
        # Computed, or not open to this user: then nothing can be said of currencies.
        return False
    return True
