"""What models see of our tools, kept as files so that a change of it is read before it is made.

`MCP_UPDATE_SNAPSHOTS=1 ./dev test --tags TestToolSnapshots` writes them anew.
"""

import json
import os
from pathlib import Path

from odoo.tests import tagged

from ..models.mcp_policy import ALL_TOOLSETS
from ..services.exchange import Narrowing
from ..services.schema import portable
from .common import McpCase

SNAPSHOTS = Path(__file__).parent / "snapshots"
PROFILES = SNAPSHOTS / "profiles"
# In characters of compact JSON: of the whole default list, and of everything (`?toolsets=all`).
LONGEST_LISTING = 18_000
LONGEST_OF_ALL = 32_000
MOST_TOOLS = 20
LONGEST_DESCRIPTION = 300


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@tagged("post_install", "-at_install")
class TestToolSnapshots(McpCase):
    def definitions(self, profile="full", **narrowing):
        """Return our own tools as an administrator gets them with this profile."""
        own = {spec.name for spec in self.env["mcp.tool.registry"]._declared().values() if spec.toolset != "fixture"}
        administrator = self.env.ref("base.user_admin")
        exchange = self.exchange(administrator, profile=profile, method="tools/list", narrowing=Narrowing(**narrowing))
        listing = self.registry_as(administrator)._listing(exchange)
        return [definition for definition in listing if definition["name"] in own]

    def everything(self, profile="full"):
        return self.definitions(profile, toolsets=frozenset({ALL_TOOLSETS}))

    def test_definitions_equal_their_snapshots(self):
        definitions = {definition["name"]: definition for definition in self.everything()}
        if os.environ.get("MCP_UPDATE_SNAPSHOTS"):
            SNAPSHOTS.mkdir(exist_ok=True)
            for name, definition in definitions.items():
                (SNAPSHOTS / f"{name}.json").write_text(json.dumps(definition, ensure_ascii=False, indent=1) + "\n")
        kept = {path.stem: json.loads(path.read_text()) for path in SNAPSHOTS.glob("*.json")}
        self.assertEqual(set(definitions), set(kept), "a tool without a snapshot, or a snapshot without its tool")
        for name, definition in definitions.items():
            self.assertEqual(json.loads(compact(definition)), kept[name], name)

    def test_each_profile_lists_what_its_snapshot_says(self):
        shipped = self.env["mcp.profile"].search([("is_baseline", "=", False)])
        names = {
            xmlid.partition(".profile_")[2]: shipped.browse(key) for key, xmlid in shipped.get_external_id().items()
        }
        for name, profile in names.items():
            with self.subTest(name):
                self.profiles[name] = profile
                found = {
                    form: {
                        "tools": [definition["name"] for definition in listing],
                        "count": len(listing),
                        "characters": len(compact(listing)),
                    }
                    for form, listing in (("default", self.definitions(name)), ("all", self.everything(name)))
                }
                path = PROFILES / f"{name}.json"
                if os.environ.get("MCP_UPDATE_SNAPSHOTS"):
                    PROFILES.mkdir(parents=True, exist_ok=True)
                    path.write_text(json.dumps(found, indent=1) + "\n")
                self.assertEqual(found, json.loads(path.read_text()))
        self.assertEqual(set(names), {path.stem for path in PROFILES.glob("*.json")})

    def test_no_profile_lists_more_than_models_read_well(self):
        for name in ("read", "write", "full", "analyst"):
            with self.subTest(name):
                self.assertLessEqual(len(compact(self.definitions(name))), LONGEST_LISTING)
                self.assertLessEqual(len(self.definitions(name)), MOST_TOOLS)
                self.assertLessEqual(len(compact(self.everything(name))), LONGEST_OF_ALL)

    def test_descriptions_are_short(self):
        for definition in self.everything():
            self.assertLessEqual(len(definition["description"]), LONGEST_DESCRIPTION, definition["name"])

    def test_portable_form_has_no_free_form_objects(self):
        for definition in self.everything():
            for name, schema in portable(definition["inputSchema"])["properties"].items():
                self.assertNotIn("Example key", compact(schema), f"{definition['name']}.{name}")

    def test_every_parameter_is_described(self):
        def walk(path, schema):
            for name, inner in schema.get("properties", {}).items():
                self.assertTrue(inner.get("description"), f"{path}.{name}")
                walk(f"{path}.{name}", inner)
            if "items" in schema:
                walk(f"{path}[]", schema["items"])

        for definition in self.everything():
            walk(definition["name"], definition["inputSchema"])

    def test_hints_are_explicit_and_true_to_the_access(self):
        specs = self.env["mcp.tool.registry"]._specs()
        for definition in self.everything():
            hints = definition["annotations"]
            meaningful = {"readOnlyHint", "destructiveHint", "openWorldHint"}
            meaningful |= set() if hints["readOnlyHint"] else {"idempotentHint"}
            self.assertEqual(set(hints), meaningful, definition["name"])
            self.assertEqual(hints["readOnlyHint"], specs[definition["name"]].access == "read")
            self.assertFalse(hints["readOnlyHint"] and hints["destructiveHint"])
