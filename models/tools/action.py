from odoo import models

from ...services.errors import ToolError
from ...services.schema import IDS, MODEL, free_form, params, text
from ...services.tool import ToolResult, tool
from ..action_result import run_choice
from ..form_actions import find_choice

MAX_RECORDS = 100


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_run_action",
        access="write",
        toolset="action",
        destructive=True,
        scoped=False,
        schema=params(
            model=MODEL,
            ids=IDS,
            action=text("Button label or method, or a bound action.", example="Confirm"),
            answers=free_form(
                "Wizard fields; {} for defaults.", {"button": "process"}, button=text("Default: the main one.")
            ),
        ),
    )
    def _tool_run_action(self, call, *, model, ids, action, answers=None) -> ToolResult:
        """Press a button of a record's form (confirm, validate, cancel, pay, mark won) or run a bound action. If it
        opens a wizard, that comes back and nothing is done: call again with answers.
        """
        if not 1 <= len(set(ids)) <= MAX_RECORDS:
            raise ToolError("invalid_arguments", f"Give 1 to {MAX_RECORDS} different ids.")
        records = call.records(model, "call", ids)
        choice = find_choice(call, records, action)
        return run_choice(call, records, choice, answers)
