from odoo.tests import BaseCase, tagged

from ..services.schema import MODEL, params, text
from ..services.tool import declared, spec_from_definition, tool


@tagged("post_install", "-at_install")
class TestServiceTool(BaseCase):
    def declare(self, method, name="odoo_do_thing", access="read", schema=None):
        return tool(name, access=access, toolset="core", schema=schema or params(model=MODEL))(method)

    def test_required_follows_the_signature(self):
        def _tool_do_thing(self, call, *, model, size="small"):
            """Do a thing."""

        self.declare(_tool_do_thing, schema=params(model=MODEL, size=text("Size.")))
        spec = _tool_do_thing._mcp_tool
        self.assertEqual(spec.schema["required"], ["model"])
        self.assertEqual(spec.description, "Do a thing.")
        self.assertEqual(spec.definition["annotations"]["readOnlyHint"], True)

    def test_writes_take_the_common_arguments(self):
        def _tool_do_thing(self, call, *, model):
            """Do a thing."""

        self.declare(_tool_do_thing, access="write")
        properties = _tool_do_thing._mcp_tool.schema["properties"]
        self.assertLessEqual({"dry_run", "idempotency_key", "confirm_token", "company_id"}, set(properties))

    def test_inconsistent_declarations_are_refused_at_import(self):
        def _tool_do_thing(self, call, *, model):
            """Do a thing."""

        def _tool_mute(self, call, *, model):
            pass

        def do_thing(self, call, *, model):
            """Do a thing."""

        for wrong in (
            lambda: self.declare(_tool_do_thing, name="Odoo.Thing"),
            lambda: self.declare(_tool_do_thing, access="root"),
            lambda: self.declare(_tool_do_thing, schema=params(other=MODEL)),
            lambda: self.declare(_tool_do_thing, schema=params(model={"anyOf": []})),
            lambda: self.declare(_tool_mute),
            lambda: self.declare(do_thing),
        ):
            with self.assertRaises(ValueError):
                wrong()

    def test_override_keeps_the_declaration_and_redecorating_replaces_it(self):
        def _tool_do_thing(self, call, *, model):
            """Do a thing."""

        self.declare(_tool_do_thing)

        class Base:
            pass

        Base._tool_do_thing = _tool_do_thing

        class Override(Base):
            def _tool_do_thing(self, call, *, model):
                return super()._tool_do_thing(call, model=model)

        self.assertEqual(list(declared(Override)), ["odoo_do_thing"])

        def _tool_do_thing(self, call, *, model):
            """Do it better."""

        Override._tool_do_thing = self.declare(_tool_do_thing)
        self.assertEqual(declared(Override)["odoo_do_thing"].description, "Do it better.")

    def test_one_name_twice_is_refused(self):
        def _tool_one(self, call, *, model):
            """One."""

        def _tool_two(self, call, *, model):
            """Two."""

        class Both:
            pass

        Both._tool_one = self.declare(_tool_one)
        Both._tool_two = self.declare(_tool_two)
        with self.assertRaisesRegex(ValueError, "odoo_do_thing"):
            declared(Both)

    def test_undeclared_tool_counts_as_a_destructive_write(self):
        spec = spec_from_definition({"name": "my_tool", "inputSchema": {"type": "object"}})
        self.assertEqual((spec.access, spec.destructive), ("write", True))
        read = spec_from_definition(
            {"name": "my_tool", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}
        )
        self.assertEqual((read.access, read.destructive), ("read", False))

    def test_plain_definition_may_have_a_name_that_is_given_to_it(self):
        name = "test_input_required_result_multiple_inputs"
        self.assertEqual(spec_from_definition({"name": name, "inputSchema": {"type": "object"}}).name, name)
        with self.assertRaises(ValueError):
            spec_from_definition({"name": "a" * 65, "inputSchema": {"type": "object"}})

    def test_definition_without_name_or_object_schema_is_refused(self):
        for wrong in ({}, {"name": "a.b", "inputSchema": {"type": "object"}}, {"name": "my_tool"}):
            with self.assertRaises(ValueError):
                spec_from_definition(wrong)
