from odoo import api, models

from ...services.tool import ToolResult
from ...services.uri import Template
from ..resource_record import record_document

_JSON = "Add ?format=json for JSON."
MESSAGES_SHOWN = 50
_OWN = (
    Template(
        "record",
        ("model", "id"),
        "Record",
        f"A record in full, lines included. {_JSON}",
        priority=0.9,
        tool="odoo_search_records",
    ),
    Template(
        "chatter",
        ("model", "id"),
        "Chatter",
        f"A record's messages, notes and activities. {_JSON}",
        "chatter",
        tool="odoo_read_thread",
    ),
)


class McpResource(models.Model):
    _inherit = "mcp.resource"

    @api.model
    def _templates(self) -> dict[str, Template]:
        return super()._templates() | {template.kind: template for template in _OWN}

    def _resource_record(self, call, model: str, id: int) -> ToolResult:
        return record_document(call, model, id)

    def _resource_chatter(self, call, model: str, id: int) -> ToolResult:
        registry = self.env["mcp.tool.registry"]
        result = registry._tool_read_thread(call, model=model, id=id, limit=MESSAGES_SHOWN)
        title = f"Chatter of {result.structured['name']}"
        return ToolResult({"title": title, **result.structured}, text=f"# {title}\n\n{result.text}")
