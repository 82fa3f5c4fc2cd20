from datetime import datetime

from odoo import models
from odoo.models import BaseModel

from ...services.errors import ToolError
from ...services.schema import DOMAIN, IDS, MODEL, VALUES, array, free_form, integer, params, record, text
from ...services.times import from_wire, to_wire
from ...services.tool import ToolResult, tool
from ..write_results import written

MAX_RECORDS = 500


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_update_records",
        access="write",
        scoped=False,
        toolset="write",
        idempotent=True,
        parts=("updates", "ids"),
        schema=params(
            model=MODEL,
            ids=IDS,
            values=VALUES,
            updates=array(
                "Other values for each.",
                record(
                    "",
                    required=["id", "values"],
                    id=integer("Record id.", minimum=1),
                    values=free_form("Field values by name.", {"name": "Acme"}),
                ),
                MAX_RECORDS,
            ),
            domain=DOMAIN,
            expected_count=integer("Matches expected.", minimum=1),
            if_unmodified_since=text("write_date you last read."),
        ),
    )
    def _tool_update_records(
        self,
        call,
        *,
        model,
        ids=None,
        values=None,
        updates=None,
        domain=None,
        expected_count=None,
        if_unmodified_since=None,
    ) -> ToolResult:
        """Change up to 500 records, all or none: ids and values; or updates; or domain, values and expected_count.
        x2many: a list replaces, or {"add": [ids], "remove": [ids], "create": [{}], "update": [{"id": 1}],
        "delete": [ids]}. States are changed by odoo_run_action.
        """
        if (updates is not None) + (ids is not None) + (domain is not None) != 1:
            raise _invalid("Say which records in exactly one way: ids, updates, or domain.")
        if (updates is None) != bool(values):
            raise _invalid(
                "values is needed with ids or domain, and only there."
                if updates is None
                else "With updates, the values belong into each update."
            )
        if updates is not None:
            records = call.records(model, "write", _distinct([update["id"] for update in updates]))
        elif ids is not None:
            records = call.records(model, "write", ids)
        else:
            records = _matching(call, model, domain, expected_count)
        if not records or len(records) > MAX_RECORDS:
            raise _invalid(f"Update 1 to {MAX_RECORDS} records per call, not {len(records)}.")
        if if_unmodified_since:
            _check_unmodified(call, records, if_unmodified_since)
        if updates is None:
            for portion in call.portions(records, f"Updating {model}"):
                call.write(portion, values)
        else:
            for done, update in enumerate(updates, 1):
                call.write(records.browse(update["id"]), update["values"])
                call.progress(done, len(updates), f"Updating {model}")
        return written(call, records, "Updated")


def _matching(call, model: str, domain: object, expected_count: int | None) -> BaseModel:
    """Return the records that match, if there are as many as the caller expects."""
    checked = call.domain(model, domain)
    if expected_count is None:
        raise _invalid(f"domain needs expected_count; {call.count(checked, limit=MAX_RECORDS + 1)} records match now.")
    found = call.search(checked, limit=MAX_RECORDS + 1)
    if len(found) != expected_count:
        count = f"more than {MAX_RECORDS}" if len(found) > MAX_RECORDS else str(len(found))
        raise ToolError(
            "count_mismatch",
            f"{count} {model} records match, not {expected_count}. Nothing was changed.",
            fix="Look at them with odoo_search_records, then narrow the filter or correct expected_count.",
            model=model,
            details={"count": len(found)},
        )
    return call.records(model, "write", found.ids)


def _check_unmodified(call, records: BaseModel, since: str) -> None:
    """:raises ToolError: `conflict`, naming who changed which record and when"""
    if not records._log_access:
        raise _invalid(f"{records._name} does not keep when it was changed; leave out if_unmodified_since.")
    tz = call.env.context.get("tz")
    try:
        limit = from_wire(since, tz)
    except ValueError as error:
        raise _invalid(f"if_unmodified_since: expected {error}, got {since!r}.") from error
    for row in call.read(records, ["display_name", "write_date", "write_uid"]):
        if isinstance(row["write_date"], datetime) and row["write_date"].replace(microsecond=0) > limit:
            who = row["write_uid"][1] if row["write_uid"] else "somebody"
            when = to_wire(row["write_date"], tz)
            raise ToolError(
                "conflict",
                f"{row['display_name']} was changed by {who} at {when}, after {since}. Nothing was written.",
                fix="Read it again, decide whether your change still holds, then repeat with the new write_date.",
                model=records._name,
                record=row["id"],
                details={"changed_by": who, "changed_at": when},
            )


def _distinct(ids: list[int]) -> list[int]:
    if len(set(ids)) != len(ids):
        raise _invalid("updates names a record twice; put its values into one update.")
    return ids


def _invalid(message: str) -> ToolError:
    return ToolError("invalid_arguments", message, fix='E.g. {"ids": [7], "values": {"name": "Acme"}}.')
