"""The test tools that the official conformance suite asks of every server, added as plain definitions."""

from odoo import api, models

from odoo.addons.mcp_endpoint.services.errors import ToolError
from odoo.addons.mcp_endpoint.services.tool import ToolResult

# One pixel, and 8 samples of silence.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
WAV = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA=="
IMAGE = {"type": "image", "data": PNG, "mimeType": "image/png"}
AUDIO = {"type": "audio", "data": WAV, "mimeType": "audio/wav"}
RESOURCE = {
    "type": "resource",
    "resource": {"uri": "test://embedded-resource", "mimeType": "text/plain", "text": "This is an embedded resource."},
}
NOTHING = {"type": "object", "properties": {}}
# A document that uses what our own schemas avoid, to show that it reaches the client as it was written.
JSON_SCHEMA_2020_12 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
MIRRORED = {
    "type": "object",
    "properties": {"region": {"type": "string", "description": "Any text.", "x-mcp-header": "Region"}},
    "required": ["region"],
}
CONTENT = {
    "test_simple_text": ("This is a simple text response for testing.", ()),
    "test_image_content": ("An image.", (IMAGE,)),
    "test_audio_content": ("A sound.", (AUDIO,)),
    "test_embedded_resource": ("A resource.", (RESOURCE,)),
    "test_multiple_content_types": ("Several kinds of content.", (IMAGE, RESOURCE)),
}
SCHEMAS = {
    **dict.fromkeys(CONTENT, NOTHING),
    "test_error_handling": NOTHING,
    "json_schema_2020_12_tool": JSON_SCHEMA_2020_12,
    "test_mirrored_header": MIRRORED,
}


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @api.private
    def get_tools(self):
        return [
            *super().get_tools(),
            *(
                {
                    "name": name,
                    "description": "A test tool of the conformance suite.",
                    "inputSchema": schema,
                    "annotations": {"readOnlyHint": True},
                    "toolset": "conformance",
                }
                for name, schema in SCHEMAS.items()
            ),
        ]

    @api.private
    def execute_tool(self, call):
        name = call.spec.name
        if name == "test_error_handling":
            raise ToolError("intended", "This tool intentionally returns an error for testing.")
        if name in CONTENT:
            text, blocks = CONTENT[name]
            return ToolResult({"text": text}, text=text, content=blocks)
        if name in SCHEMAS:
            return {"arguments": dict(call.arguments)}
        return super().execute_tool(call)
