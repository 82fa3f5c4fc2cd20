from odoo import models

from ...services.errors import ToolError
from ...services.schema import MODEL, RECORDS, params
from ...services.tool import ToolResult, tool
from ..write_results import created


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool("odoo_create_records", access="write", toolset="write", schema=params(model=MODEL, records=RECORDS))
    def _tool_create_records(self, call, *, model, records) -> ToolResult:
        """Create 1 to 500 records of one model, all or none. Defaults and computed fields are filled in; missing
        required fields are named all at once. Links take an id or an exact name; lines (one2many) a list of objects.
        To be sure of field names call odoo_describe_model first. Returns ids, links, and what was set. Changing
        records: odoo_update_records. Files: odoo_upload_file.
        """
        if not records:
            raise ToolError("invalid_arguments", "records is empty.", fix='Give at least one: [{"name": "Acme"}].')
        return created(call, call.create(model, records))
