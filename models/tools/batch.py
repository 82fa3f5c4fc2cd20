import json

from odoo import models

from ...services.schema import array, free_form, params, record, text
from ...services.tool import ToolResult, tool
from ..batch_steps import BatchRun, audit_step

MAX_STEPS = 50
# What the results of all steps may take together before long ones are shortened to their ids.
BUDGET = 16_000
_KEPT = ("model", "id", "ids", "count", "mode", "change_ids")


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_batch",
        access="write",
        toolset="write",
        on_request=True,
        heavy=True,
        destructive=True,
        scoped=False,
        task="optional",
        schema=params(
            steps=array(
                "1 to 50 calls, run in order.",
                record(
                    "",
                    required=["tool"],
                    tool=text("Tool name.", example="odoo_create_records"),
                    arguments=free_form("Its arguments.", {"model": "res.partner", "records": [{"name": "Acme"}]}),
                ),
                MAX_STEPS,
            )
        ),
    )
    def _tool_batch(self, call, *, steps) -> ToolResult:
        """Run several calls on any models in one transaction, all or nothing. Use earlier results as whole values:
        "$1.id", "$1.ids", "$2.records.0.id". Every step is checked as if called alone; one question covers all.
        No batch, job or import inside.
        """
        if not steps:
            return ToolResult({"steps": [], "count": 0}, text="There are no steps; nothing was done.")
        done = BatchRun(self, call).run(steps)
        rows = [
            {"step": step.number, "tool": step.call.spec.name, "result": dict(step.result.structured)} for step in done
        ]
        lines = [f"{'Tried' if call.rehearsing else 'Done'}: {len(rows)} steps."]
        for step in done:
            first = (step.result.text or "").strip().partition("\n")[0]
            lines.append(f"{step.number}. {step.call.spec.name}: {first[:300]}")
        _fit(call, rows)
        return ToolResult({"steps": rows, "count": len(rows)}, text="\n".join(lines))

    def _audit(self, exchange, spec, call, outcome, reason, result, started) -> None:
        # The steps of a batch have their rows before its own.
        for step in getattr(call, "steps", ()):
            audit_step(step, call, outcome)
        return super()._audit(exchange, spec, call, outcome, reason, result, started)


def _fit(call, rows: list[dict]) -> None:
    """Shorten the longest results until all fit the budget."""
    sizes = {index: len(json.dumps(row, default=str)) for index, row in enumerate(rows)}
    for index in sorted(sizes, key=sizes.get, reverse=True):
        if sum(sizes.values()) <= BUDGET:
            return
        result = rows[index]["result"]
        rows[index]["result"] = {**{name: result[name] for name in _KEPT if name in result}, "shortened": True}
        sizes[index] = len(json.dumps(rows[index], default=str))
        call.note(f"Step {rows[index]['step']}: the result was shortened; read the records for more.")
