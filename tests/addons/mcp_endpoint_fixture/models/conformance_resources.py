"""The test resources and prompts that the official conformance suite asks of every server, through the public door."""

import re

from odoo import api, models

from odoo.addons.mcp_endpoint.services.errors import ToolError

from .conformance_content import IMAGE, PNG
from .conformance_questions import form

_TEMPLATE = re.compile(r"test://template/([\w-]+)/data")


class McpResource(models.Model):
    _inherit = "mcp.resource"

    @api.private
    def get_resources(self, call):
        return [
            *super().get_resources(call),
            _resource("test://static-text", "Static text", "text/plain"),
            _resource("test://static-binary", "Static binary", "image/png"),
            _resource("test://watched-resource", "Watched", "text/plain"),
        ]

    @api.private
    def get_resource_templates(self, call):
        template = {"uriTemplate": "test://template/{id}/data", "name": "template", "mimeType": "application/json"}
        return [*super().get_resource_templates(call), {**template, "title": "Template", "description": "By id."}]

    @api.private
    def read_resource(self, call, uri):
        match uri:
            case "test://static-text" | "test://watched-resource":
                return [{"uri": uri, "mimeType": "text/plain", "text": "This is the content of a static resource."}]
            case "test://static-binary":
                return [{"uri": uri, "mimeType": "image/png", "blob": PNG}]
        if found := _TEMPLATE.fullmatch(uri):
            text = f'{{"id": "{found[1]}", "data": "Data for {found[1]}"}}'
            return [{"uri": uri, "mimeType": "application/json", "text": text}]
        return super().read_resource(call, uri)


class McpPrompt(models.Model):
    _inherit = "mcp.prompt"

    @api.private
    def get_prompts(self, call):
        return [
            *super().get_prompts(call),
            _prompt("test_simple_prompt"),
            _prompt("test_prompt_with_arguments", "arg1", "arg2"),
            _prompt("test_prompt_with_embedded_resource", "resourceUri"),
            _prompt("test_prompt_with_image"),
            _prompt("test_input_required_result_prompt"),
        ]

    @api.private
    def get_prompt(self, call, name, arguments):
        match name:
            case "test_simple_prompt":
                return _messages(_text("This is a simple prompt."))
            case "test_prompt_with_arguments":
                if not {"arg1", "arg2"} <= set(arguments):
                    raise ToolError("invalid_arguments", "arg1 and arg2 are needed.")
                return _messages(_text(f"arg1={arguments['arg1']}, arg2={arguments['arg2']}"))
            case "test_prompt_with_embedded_resource":
                resource = {
                    "uri": arguments.get("resourceUri", "test://x"),
                    "mimeType": "text/plain",
                    "text": "Embedded.",
                }
                return _messages({"type": "resource", "resource": resource}, _text("Read it."))
            case "test_prompt_with_image":
                return _messages(IMAGE, _text("Look at it."))
            case "test_input_required_result_prompt":
                context = form("What context should the prompt use?", {"context": {"type": "string"}}, ["context"])
                return _messages(_text(f"Context: {call.need('user_context', context)['context']}"))
        return super().get_prompt(call, name, arguments)


def _resource(uri: str, title: str, mime_type: str) -> dict:
    return {"uri": uri, "name": uri.rpartition("/")[2], "title": title, "description": title, "mimeType": mime_type}


def _prompt(name: str, *arguments: str) -> dict:
    described = [{"name": each, "title": each, "description": each, "required": True} for each in arguments]
    return {"name": name, "title": name, "description": name, "arguments": described}


def _text(text: str) -> dict:
    return {"type": "text", "text": text}


def _messages(*contents: dict) -> dict:
    return {"description": "A test prompt.", "messages": [{"role": "user", "content": each} for each in contents]}
