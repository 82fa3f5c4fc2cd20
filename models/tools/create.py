from odoo import models

from ...services.errors import ToolError
from ...services.schema import MODEL, RECORDS, params
from ...services.tool import ToolResult, tool
from ..company_choice import choose_company
from ..missing_values import created_or_asked
from ..write_results import created


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_create_records",
        access="write",
        toolset="write",
        parts="records",
        schema=params(model=MODEL, records=RECORDS),
    )
    def _tool_create_records(self, call, *, model, records) -> ToolResult:
        """Create 1 to 500 records of one model, all or none. Odoo fills in defaults and computed fields. Links take an
        id or an exact name, one2many a list of objects. Returns ids, links and what was set.
        """
        if not records:
            raise ToolError("invalid_arguments", "records is empty.", fix='Give at least one: [{"name": "Acme"}].')
        choose_company(call, model, records)
        if len(records) == 1:
            return created(call, created_or_asked(call, model, records[0]))
        made = [call.create(model, portion) for portion in call.portions(records, f"Creating {model}")]
        return created(call, made[0].concat(*made[1:]))
