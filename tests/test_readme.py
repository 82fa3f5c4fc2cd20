"""What the README says of tools, settings, profiles and the example is what the code has."""

import json
import re
from pathlib import Path

from odoo.tests import TransactionCase, tagged

from ..services.connect import BY_KEY, GUIDES
from ..services.connect.guide import text_of

ROOT = Path(__file__).parent.parent


@tagged("post_install", "-at_install")
class TestReadme(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.text = (ROOT / "README.md").read_text()

    def section(self, title):
        return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", self.text, re.MULTILINE | re.DOTALL)[1]

    def test_tools_table_is_complete(self):
        written = {}
        rows = re.findall(r"^\| (\w+) \| (`.*?`) \| (\w*) ?\|$", self.section("Tools"), re.MULTILINE)
        for toolset, names, changes in rows:
            written.update(dict.fromkeys(re.findall(r"`(\w+)`", names), (toolset, changes == "yes")))
        specs = self.env["mcp.tool.registry"]._specs().values()
        own = {
            spec.name: (spec.toolset, spec.access != "read")
            for spec in specs
            if spec.handler and "addons.mcp_endpoint." in self._module_of(spec.handler)
        }
        self.assertEqual(written, own)

    def _module_of(self, handler):
        classes = type(self.env["mcp.tool.registry"]).__mro__
        return next(cls.__module__ for cls in reversed(classes) if handler in cls.__dict__)

    def test_settings_table_is_complete(self):
        section = self.section("Operate")
        settings = self.env["res.config.settings"]
        for name, field in settings._fields.items():
            if field._module != "mcp_endpoint" or field.compute:
                continue
            with self.subTest(setting=name):
                self.assertIn(f"| {field.string}", section)
                if parameter := getattr(field, "config_parameter", None):
                    self.assertIn(f"`{parameter}` | {settings.default_get([name])[name] or 'none'} |", section)

    def test_profiles_are_those_shipped(self):
        section = self.section("Govern")
        profiles = self.env["mcp.profile"].search([("is_baseline", "=", False)])
        shipped = profiles.filtered(lambda profile: profile.get_external_id()[profile.id].startswith("mcp_endpoint."))
        self.assertEqual(set(re.findall(r"^\| ([A-Z][\w ]+?) \|", section, re.MULTILINE)), set(shipped.mapped("name")))

    def test_example_is_the_tested_addon(self):
        # tests/e2e/test_example.py installs it and uses what it adds.
        folder = ROOT / "tests/addons/mcp_endpoint_example"
        blocks = re.findall(r"^`(\S+)`\n```\w+\n(.*?)```$", self.section("Extend from another addon"), re.M | re.S)
        files = {path.name: path.read_text() for path in folder.iterdir() if path.suffix in (".py", ".xml")}
        self.assertEqual(dict(blocks), files)

    def test_clients_are_connected_as_the_page_says(self):
        section = self.section("Connect a client")
        self.assertIn(f"steps for {len(GUIDES)} clients", section)
        entries = dict(re.findall(r"^- \*\*(.+?)\*\*(.*?)(?=^- |^\S)", section, re.M | re.S))
        self.assertEqual(
            list(entries), [BY_KEY[key].name for key in ("claude", "chatgpt", "claude-code", "cursor", "vscode")]
        )
        for key in ("claude", "chatgpt"):
            words = " ".join(entries[BY_KEY[key].name].split())
            self.assertEqual(words, f"(by login): {' '.join(BY_KEY[key].login.steps)}")
        blocks = re.findall(r"^  ```(\w*)\n(.*?)^  ```$", section, re.M | re.S)
        written = [
            json.loads(text) if language else re.sub("^  ", "", text, flags=re.M).strip() for language, text in blocks
        ]
        told = [
            BY_KEY["claude-code"].login.snippets[0],
            *(BY_KEY[key].token.snippets[0] for key in ("claude-code", "cursor", "vscode")),
        ]
        texts = [text_of(snippet, "https://YOUR-ODOO/mcp") for snippet in told]
        self.assertEqual(written, [*texts[:2], *map(json.loads, texts[2:])])

    def test_commands_exist(self):
        for name in set(re.findall(r"\./dev (\w+)", self.text)):
            with self.subTest(command=name):
                self.assertTrue((ROOT / "devtools" / f"{name}.py").is_file())
