from dataclasses import dataclass

from odoo import models

from ...services.budget import DEFAULT_BUDGET, fit
from ...services.errors import ToolError
from ...services.schema import (
    ARCHIVED,
    CURSOR,
    DOMAIN,
    FIELDS,
    FILTERS,
    FORMAT,
    IDS,
    LIMIT,
    MODEL,
    ORDER,
    QUERY,
    boolean,
    choice,
    params,
)
from ...services.tool import ToolResult, tool
from ..default_fields import default_fields
from ..paging import next_cursor, page_start
from ..record_shape import MAX_ALL_FIELDS, all_fields, columns, shaped

DEFAULT_LIMIT = 25
MAX_LIMIT = 200


@dataclass(frozen=True)
class Page:
    """Where a page lies in the result.

    `total` is None where there are more: counting them costs as much as finding them, and `count_only` does it.
    """

    offset: int
    limit: int
    total: int | None
    more: bool


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_search_records",
        access="read",
        toolset="core",
        schema=params(
            model=MODEL,
            ids=IDS,
            query=QUERY,
            filters=FILTERS,
            match=choice("all (default) or any filters.", "all", "any"),
            domain=DOMAIN,
            fields=FIELDS,
            order=ORDER,
            limit=LIMIT(DEFAULT_LIMIT, MAX_LIMIT),
            cursor=CURSOR,
            count_only=boolean("Only count."),
            archived=ARCHIVED,
            format=FORMAT,
            resolve=boolean("Name x2many."),
        ),
    )
    def _tool_search_records(
        self,
        call,
        *,
        model,
        ids=None,
        query=None,
        filters=None,
        match="all",
        domain=None,
        fields=None,
        order=None,
        limit=DEFAULT_LIMIT,
        cursor=None,
        count_only=False,
        archived="exclude",
        format="table",
        resolve=False,
    ):
        """Find, read and count records of one model. ids, query (words), filters and domain must all hold. Next page:
        same arguments plus cursor.
        """
        criteria = {
            "model": model, "ids": ids, "query": query, "filters": filters, "match": match, "domain": domain,
            "fields": fields, "order": order, "limit": limit, "archived": archived,
        }  # fmt: skip
        checked = call.domain(model, domain, filters=filters, match=match, query=query, archived=archived, ids=ids)
        if count_only:
            count = call.count(checked)
            return ToolResult({"model": model, "count": count}, text=f"{model}: {count:,} records match.")
        limit = min(limit, MAX_LIMIT)
        only_ids = bool(ids) and query is None and not filters and domain is None and archived != "only"
        names, meta = _field_names(call, model, fields, only_ids and len(ids) or limit)
        paths = columns(call, model, names)
        start = page_start(call, criteria, cursor)
        if only_ids and not order:
            records, page = _by_ids(call, checked, ids, start, limit)
        else:
            fetch = [path.field.name for path in paths if not path.steps]
            records, page = _search(call, checked, order, start, limit, fetch)
        result = shaped(call, records, paths, resolve_names=resolve)
        return _answer(call, model, result, page, criteria, meta, is_json=format == "json", asked=bool(fields))


def _field_names(call, model: str, fields: list[str] | None, expected: int) -> tuple[list[str], dict]:
    """Return the names to read, and what `_meta` says about the choice."""
    if not fields:
        names, others = default_fields(call, model)
        return names, {"default_fields": names, "other_fields": others}
    if not {"*", "__all__"} & set(fields):
        return fields, {}
    if expected > MAX_ALL_FIELDS:
        raise ToolError(
            "too_many_fields",
            f"All fields of {expected} records do not fit an answer.",
            fix=f"Name the fields, or ask for at most {MAX_ALL_FIELDS} records: ids, or limit {MAX_ALL_FIELDS}.",
            model=model,
        )
    call.note("Computed fields that are not stored are left out of *; name those you need.")
    return all_fields(call, model), {}


def _search(call, checked, order: str | None, start: dict, limit: int, fetch: list[str]):
    """Return one page of a search. One record more than asked tells whether there are more, without counting."""
    offset = start["offset"]
    records = call.search(checked, order=order, limit=limit + 1, offset=offset, fetch=fetch)
    if len(records) <= limit:
        return records, Page(offset, limit, offset + len(records), more=False)
    return records[:limit], Page(offset, limit, None, more=True)


def _by_ids(call, checked, ids: list[int], start: dict, limit: int):
    """Return the records that were asked for by id, in the order of the ids.

    :raises ToolError: `not_found`, naming the ids that do not exist or are hidden from this user
    """
    ids = list(dict.fromkeys(ids))
    wanted = ids[start["offset"] : start["offset"] + limit]
    found = call.search(checked, order="id", limit=len(ids))
    if missing := sorted(set(ids) - set(found.ids)):
        listed = ", ".join(map(str, missing[:20])) + (f" and {len(missing) - 20} more" if len(missing) > 20 else "")
        raise ToolError(
            "not_found",
            f"{checked.model} has no record with id {listed} that this user can see.",
            fix="Leave these ids out, or search by query or filters.",
            model=checked.model,
            record=missing[0],
            details={"missing": missing[:100]},
        )
    more = start["offset"] + limit < len(ids)
    return found.browse(wanted), Page(start["offset"], limit, len(ids), more)


def _answer(call, model: str, result, page: Page, criteria: dict, meta: dict, *, is_json: bool, asked: bool):
    shown = ["id", *(name for name in (result.rows[0] if result.rows else ()) if name != "id")]
    # What the caller named stays; of our own choice the last columns may give way.
    room = min(DEFAULT_BUDGET, call.policy.max_result or DEFAULT_BUDGET)
    keep = shown if asked else shown[:3]
    fitted = fit(result.rows, shown, budget=room, keep=keep, style="json" if is_json else "table")
    for text in fitted.notes:
        call.note(text)
    facts: dict[str, object] = {"model": model, "rows": fitted.rows}
    if page.total is None:
        facts["more"] = True
    else:
        facts["count"] = page.total
    meta = {
        **meta,
        **({"labels": result.labels} if result.labels else {}),
        **({"truncated": True} if fitted.truncated else {}),
    }
    end = page.offset + len(fitted.rows)
    lines = [_summary(model, page, end), fitted.text if fitted.rows else ""]
    if page.more or fitted.rows_dropped:
        meta["limit_applied"] = page.limit
        cursor = next_cursor(call, criteria, {"offset": end})
        facts["next_cursor"] = meta["next_cursor"] = cursor
        lines.append(f"next_cursor: {cursor}")
    if result.labels:
        lines.insert(2, _legend(result.labels))
    if "other_fields" in meta and fitted.rows:
        lines.append(f"({meta['other_fields']} more fields; name them in fields, see odoo_describe_model.)")
    return ToolResult(facts, text="\n".join(line for line in lines if line), meta=meta)


def _summary(model: str, page: Page, end: int) -> str:
    if end <= page.offset:
        return f"{model}: no records." if not page.offset else f"{model}: no further records."
    if page.total is None:
        return f"{model}: {page.offset + 1:,} to {end:,}, and there are more."
    return f"{model}: {page.offset + 1:,} to {end:,} of {page.total:,}."


def _legend(labels: dict[str, dict[str, str]]) -> str:
    return "\n".join(
        f"{name}: " + ", ".join(f"{value} = {label}" for value, label in values.items())
        for name, values in labels.items()
    )
