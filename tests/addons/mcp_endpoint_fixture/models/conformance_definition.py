"""How the test tools of the conformance suite are written down: a function and what its definition says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from odoo.addons.mcp_endpoint.services.tool import ToolResult

NOTHING = {"type": "object", "properties": {}}


def schema(**properties):
    """Return the schema of arguments that are all needed, each given as its JSON type."""
    return {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in properties.items()},
        "required": list(properties),
    }


def told(text: str) -> ToolResult:
    """Return a result that says only this."""
    return ToolResult({"text": text}, text=text)


@dataclass(frozen=True)
class TestTool:
    """One test tool.

    :param run: takes the `ToolCall`, returns the result
    """

    run: Callable
    schema: Mapping = field(default_factory=lambda: NOTHING)
    writes: bool = False
    task: str = "never"

    def definition(self, name: str) -> dict:
        """Return the MCP `Tool` object."""
        return {
            "name": name,
            "description": "A test tool of the conformance suite.",
            "inputSchema": self.schema,
            "annotations": {"readOnlyHint": not self.writes, "destructiveHint": False},
            "toolset": "conformance",
            "task": self.task,
        }
