"""A tool made of a server action: the action runs as the user, as from the Action menu, with the arguments at hand.

The action's code finds them in `env.context["mcp_arguments"]`, a dictionary of plain values by name.
"""

from odoo.models import BaseModel

from ...services.custom_tools import CustomTool
from ...services.errors import KeepsNothing, ToolError
from ...services.tool import ToolResult
from ..action_result import run_choice
from ..form_actions import Choice
from .given import Given

CONTEXT_KEY = "mcp_arguments"


def run_action(call, tool: CustomTool, given: Given) -> ToolResult:
    """Run the action on the given records, or on none.

    :raises ToolError: it is for other groups, its model is closed to the caller, or it opens a wizard
    """
    choice = Choice("action", str(tool.source_id), tool.title)
    try:
        return run_choice(call, _records(call, tool, given), choice, context={CONTEXT_KEY: dict(given.values)})
    except KeepsNothing as stopped:
        raise ToolError(
            "not_possible",
            f"{tool.title} opens a form that has to be filled in. Nothing was changed.",
            fix="Use odoo_run_action on the record, which can answer such forms, or ask the user to do it in Odoo.",
        ) from stopped


def _records(call, tool: CustomTool, given: Given) -> BaseModel:
    if given.records:
        return call.records(tool.model, "call", given.records.ids)
    call.check_model(tool.model, "call")
    return call.env[tool.model]
