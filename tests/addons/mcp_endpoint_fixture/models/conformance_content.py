"""Test tools of the conformance suite that answer with each kind of content, and definitions of unusual shape."""

from odoo.addons.mcp_endpoint.services.errors import ToolError
from odoo.addons.mcp_endpoint.services.tool import ToolResult

from .conformance_definition import TestTool

# One pixel, and 8 samples of silence.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
WAV = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA=="
IMAGE = {"type": "image", "data": PNG, "mimeType": "image/png"}
AUDIO = {"type": "audio", "data": WAV, "mimeType": "audio/wav"}
RESOURCE = {
    "type": "resource",
    "resource": {"uri": "test://embedded-resource", "mimeType": "text/plain", "text": "This is an embedded resource."},
}
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


def _content(call):
    text, blocks = CONTENT[call.spec.name]
    return ToolResult({"text": text}, text=text, content=blocks)


def _error(call):
    raise ToolError("intended", "This tool intentionally returns an error for testing.")


def _echo(call):
    return {"arguments": dict(call.arguments)}


TOOLS = {
    **dict.fromkeys(CONTENT, TestTool(_content)),
    "test_error_handling": TestTool(_error),
    "json_schema_2020_12_tool": TestTool(_echo, JSON_SCHEMA_2020_12),
    "test_mirrored_header": TestTool(_echo, MIRRORED),
}
