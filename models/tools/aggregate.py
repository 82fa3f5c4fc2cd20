from dataclasses import dataclass

from odoo import models

from ...services import time_groups
from ...services.budget import fit
from ...services.errors import ToolError
from ...services.schema import CURSOR, DOMAIN, LIMIT, MODEL, SAME_FILTERS, boolean, names, params, text
from ...services.tool import ToolResult, tool
from ..field_paths import TEMPORAL, FieldPath, check_groupby, resolve
from ..group_shape import COUNT, currencies, currency_probes, group_labels, group_rows, measure
from ..paging import next_cursor, page_start

DEFAULT_LIMIT = 80
MAX_LIMIT = 500
MAX_GROUPS = 4
MAX_MEASURES = 10


@dataclass(frozen=True)
class Plan:
    """What is asked of the database: group terms with their paths, measures, order."""

    model: str
    groups: dict[str, FieldPath]
    measures: list[str]
    order: str | None


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_aggregate_records",
        access="read",
        scoped=False,
        toolset="core",
        schema=params(
            model=MODEL,
            group_by=names(
                "Fields, paths, or dates as date_order:month (day, week, month, quarter, year).",
                max_items=MAX_GROUPS,
                example=["partner_id", "date_order:month"],
            ),
            measures=names(
                "field:sum, avg, min, max or count_distinct; count (default).",
                max_items=MAX_MEASURES,
                example=["amount_total:sum"],
            ),
            filters=SAME_FILTERS,
            domain=DOMAIN,
            order=text('Sort by groups or measures, e.g. "amount_total:sum desc".', example="amount_total:sum desc"),
            limit=LIMIT(DEFAULT_LIMIT, MAX_LIMIT),
            cursor=CURSOR,
            fill_gaps=boolean("Empty periods as 0."),
            totals=boolean("Also grand totals."),
        ),
    )
    def _tool_aggregate_records(
        self,
        call,
        *,
        model,
        group_by=(),
        measures=(),
        filters=None,
        domain=None,
        order=None,
        limit=DEFAULT_LIMIT,
        cursor=None,
        fill_gaps=False,
        totals=False,
    ):
        """Count, sum, average records per group, over all that match. Use it for every "how much" or "how many per"."""
        checked = call.domain(model, domain, filters=filters)
        plan = _planned(call, model, list(group_by or ()), list(measures or ()), order)
        criteria = {
            "model": model, "group_by": list(plan.groups), "measures": plan.measures, "filters": filters,
            "domain": domain, "order": order, "limit": limit,
        }  # fmt: skip
        limit = min(limit, MAX_LIMIT)
        offset = page_start(call, criteria, cursor)["offset"]
        probes = currency_probes(call, model, plan.measures, plan.groups)
        aggregates = list(dict.fromkeys([*plan.measures, *(term for terms in probes.values() for term in terms)]))
        found = call.group(checked, list(plan.groups), aggregates, order=plan.order, limit=limit + 1, offset=offset)
        more = len(found) > limit
        rows = group_rows(call, found[:limit], plan.groups, plan.measures)
        if fill_gaps:
            rows = _filled(call, plan, rows, whole=not more and not offset)
        facts: dict[str, object] = {"model": model, "rows": rows}
        if totals:
            facts["totals"] = _totals(call, checked, plan, found)
        if units := currencies(call, model, plan.measures, probes, found[:limit]):
            facts["currencies"] = units
        return _answer(call, plan, facts, criteria, offset, more)


def _planned(call, model: str, group_by: list[str], measures: list[str], order: str | None) -> Plan:
    """Return the checked plan; a date without granularity is cut by month, a measure without function is summed.

    :raises ToolError: naming the term that is wrong
    """
    if len(group_by) > MAX_GROUPS or len(measures) > MAX_MEASURES:
        raise ToolError("invalid_arguments", f"At most {MAX_GROUPS} group_by and {MAX_MEASURES} measures.")
    groups = {}
    for term in group_by:
        if ":" not in term and resolve(call, model, term).field.type in TEMPORAL:
            term = f"{term}:month"
            call.note(f"{term}: cut by month, as no granularity was given.")
        groups[term] = check_groupby(call, model, term)
    terms = list(dict.fromkeys(_measure_term(call, model, term) for term in measures)) or [COUNT]
    return Plan(model, groups, terms, order and _order(order, [*groups, *terms]))


def _measure_term(call, model: str, term: str) -> str:
    if term in ("count", COUNT, "id:count", "count:id"):
        return COUNT
    name, colon, _function = term.partition(":")
    if colon:
        return term
    return f"{name}:{call.field(model, name).aggregator or 'sum'}"


def _order(order: str, terms: list[str]) -> str:
    """Complete names in the order: `amount_total desc` means the measure of that field, `count` the count."""
    parts = []
    for part in order.split(","):
        name, _space, direction = part.strip().partition(" ")
        if name not in terms:
            short = COUNT if name in ("count", "id:count") else name
            name = next((term for term in terms if short in (term, term.partition(":")[0])), short)
        parts.append(f"{name} {direction}".strip())
    return ", ".join(parts)


def _filled(call, plan: Plan, rows: list[dict], *, whole: bool) -> list[dict]:
    """Return the rows with one for each period between the first and the last."""
    terms = list(plan.groups)
    granularity = terms[0].partition(":")[2] if len(terms) == 1 else ""
    if granularity not in time_groups.STEPS or plan.order or not whole:
        call.note("fill_gaps was left out: it needs one date group (day to year), no order, and all rows on one page.")
        return rows
    empty = {term: measure(call, term, None) for term in plan.measures}
    filled = time_groups.filled(rows, terms[0], granularity, empty, limit=MAX_LIMIT)
    if filled is None:
        call.note(f"fill_gaps was left out: it would give more than {MAX_LIMIT} rows. Use a coarser period.")
        return rows
    return filled


def _totals(call, checked, plan: Plan, found: list[dict]) -> dict[str, object]:
    """Return the measures over all records: not over the groups, as an average of averages would be wrong."""
    grand = call.group(checked, [], plan.measures)[0] if plan.groups else found[0]
    return {term: measure(call, term, grand[term]) for term in plan.measures}


def _answer(call, plan: Plan, facts: dict, criteria: dict, start: int, more: bool) -> ToolResult:
    shown = [*plan.groups, *plan.measures]
    fitted = fit(facts["rows"], shown, keep=shown)
    for note in fitted.notes:
        call.note(note)
    facts["rows"] = fitted.rows
    meta: dict[str, object] = {"truncated": True} if fitted.truncated else {}
    if labels := group_labels(call, plan.groups):
        meta["labels"] = labels
    lines = [_summary(plan, facts, more or bool(fitted.rows_dropped)), fitted.text if fitted.rows else ""]
    for term, values in labels.items():
        used = {row[term] for row in fitted.rows}
        lines.append(f"{term}: " + ", ".join(f"{key} = {label}" for key, label in values.items() if key in used))
    if "totals" in facts:
        lines.append("Total: " + ", ".join(f"{term} {value}" for term, value in facts["totals"].items()))
    if facts.get("currencies"):
        lines.append("Currency: " + ", ".join(f"{term} in {code}" for term, code in facts["currencies"].items()))
    if more or fitted.rows_dropped:
        cursor = next_cursor(call, criteria, {"offset": start + len(fitted.rows)})
        facts["next_cursor"] = meta["next_cursor"] = cursor
        meta["limit_applied"] = criteria["limit"]
        lines.append(f"next_cursor: {cursor}")
    return ToolResult(facts, text="\n".join(line for line in lines if line), meta=meta)


def _summary(plan: Plan, facts: dict, more: bool) -> str:
    if not plan.groups:
        return f"{plan.model}: over all matching records."
    count = len(facts["rows"])
    return f"{plan.model}: {count:,} group{'s' * (count != 1)} by {', '.join(plan.groups)}{', more follow' * more}."
