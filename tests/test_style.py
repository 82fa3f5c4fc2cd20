"""The layout's rules, checked: who imports whom, sizes, and the two places that may catch everything."""

import ast
from pathlib import Path

from odoo.tests import BaseCase, tagged

ROOT = Path(__file__).parent.parent
LONGEST_FILE = 300
LONGEST_FUNCTION = 60


def sources(*folders):
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, []
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), [alias.name for alias in node.names]


@tagged("post_install", "-at_install")
class TestStyle(BaseCase):
    def test_services_import_no_odoo(self):
        for path in sources("services"):
            for module, _names in imports_of(path):
                self.assertFalse(module.split(".")[0] == "odoo", f"{path.name} imports {module}")
                depth = len(path.relative_to(ROOT / "services").parts)
                self.assertFalse(module.startswith("." * (depth + 1)), f"{path.name} imports upwards: {module}")

    def test_models_import_no_controller_and_no_request(self):
        for path in sources("models"):
            for module, names in imports_of(path):
                self.assertNotIn("controllers", module, path.name)
                if path.name != "ir_http.py":
                    self.assertNotIn("request", names, f"{path.name} imports request from {module}")

    def test_tool_files_do_not_import_each_other(self):
        for path in sources("models/tools"):
            if path.name == "__init__.py":
                continue
            for module, _names in imports_of(path):
                self.assertFalse(
                    module.startswith(".") and not module.startswith(".."), f"{path.name} imports {module}"
                )

    def test_tools_reach_models_through_the_call_only(self):
        for path in sources("models/tools"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Subscript) and getattr(node.value, "attr", None) == "env":
                    self.assertIsInstance(node.slice, ast.Constant, f"{path.name}:{node.lineno} env[variable]")

    def test_everything_is_caught_in_one_place(self):
        found = []
        for path in sources("models", "services", "controllers"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ExceptHandler):
                    caught = ast.walk(node.type) if node.type else ()
                    names = {item.id for item in caught if isinstance(item, ast.Name)} or {""}
                    passes_on = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
                    if names & {"", "Exception", "BaseException"} and not passes_on:
                        found.append(path.name)
        self.assertEqual(found, ["job_run.py", "mcp_tool_registry.py"])

    def test_files_and_functions_are_small(self):
        for path in sources("models", "services", "controllers"):
            text = path.read_text()
            self.assertLessEqual(len(text.splitlines()), LONGEST_FILE, path.name)
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    length = node.end_lineno - node.lineno + 1
                    self.assertLessEqual(length, LONGEST_FUNCTION, f"{path.name}: {node.name}")

    def test_services_say_what_they_decide(self):
        for path in sources("services"):
            if path.name != "__init__.py":
                self.assertTrue(ast.get_docstring(ast.parse(path.read_text())), path.name)

    def test_sudo_is_explained(self):
        for path in sources("models", "controllers"):
            lines = path.read_text().splitlines()
            for number, line in enumerate(lines):
                if ".sudo()" in line or "su=True" in line:
                    near = " ".join(lines[max(0, number - 4) : number + 1])
                    self.assertIn("sudo:", near, f"{path.name}:{number + 1} needs a comment that says why it is safe")
