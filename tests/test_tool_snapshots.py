"""What models see of our tools, kept as files so that a change of it is read before it is made.

`MCP_UPDATE_SNAPSHOTS=1 ./dev test --tags TestToolSnapshots` writes them anew.
"""

import json
import os
from pathlib import Path

from odoo.tests import tagged

from ..services.schema import portable
from .common import McpCase

SNAPSHOTS = Path(__file__).parent / "snapshots"
# Of the whole default list, in characters of compact JSON.
LONGEST_LISTING = 18_000
LONGEST_DESCRIPTION = 300


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@tagged("post_install", "-at_install")
class TestToolSnapshots(McpCase):
    def definitions(self):
        own = {spec.name for spec in self.env["mcp.tool.registry"]._declared().values() if spec.toolset != "fixture"}
        exchange = self.exchange(self.env.ref("base.user_admin"), method="tools/list")
        listing = self.registry_as(self.env.ref("base.user_admin"))._listing(exchange)
        return [definition for definition in listing if definition["name"] in own]

    def test_definitions_equal_their_snapshots(self):
        definitions = {definition["name"]: definition for definition in self.definitions()}
        if os.environ.get("MCP_UPDATE_SNAPSHOTS"):
            SNAPSHOTS.mkdir(exist_ok=True)
            for name, definition in definitions.items():
                (SNAPSHOTS / f"{name}.json").write_text(json.dumps(definition, ensure_ascii=False, indent=1) + "\n")
        kept = {path.stem: json.loads(path.read_text()) for path in SNAPSHOTS.glob("*.json")}
        self.assertEqual(set(definitions), set(kept), "a tool without a snapshot, or a snapshot without its tool")
        for name, definition in definitions.items():
            self.assertEqual(json.loads(compact(definition)), kept[name], name)

    def test_listing_is_short(self):
        self.assertLessEqual(len(compact(self.definitions())), LONGEST_LISTING)
        for definition in self.definitions():
            self.assertLessEqual(len(definition["description"]), LONGEST_DESCRIPTION, definition["name"])

    def test_portable_form_has_no_free_form_objects(self):
        for definition in self.definitions():
            for name, schema in portable(definition["inputSchema"])["properties"].items():
                self.assertNotIn("Example key", compact(schema), f"{definition['name']}.{name}")

    def test_every_parameter_is_described(self):
        def walk(path, schema):
            for name, inner in schema.get("properties", {}).items():
                self.assertTrue(inner.get("description"), f"{path}.{name}")
                walk(f"{path}.{name}", inner)
            if "items" in schema:
                walk(f"{path}[]", schema["items"])

        for definition in self.definitions():
            walk(definition["name"], definition["inputSchema"])

    def test_hints_are_explicit_and_true_to_the_access(self):
        specs = self.env["mcp.tool.registry"]._specs()
        for definition in self.definitions():
            hints = definition["annotations"]
            meaningful = {"readOnlyHint", "destructiveHint", "openWorldHint"}
            meaningful |= set() if hints["readOnlyHint"] else {"idempotentHint"}
            self.assertEqual(set(hints), meaningful, definition["name"])
            self.assertEqual(hints["readOnlyHint"], specs[definition["name"]].access == "read")
            self.assertFalse(hints["readOnlyHint"] and hints["destructiveHint"])
