import json

from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import McpCase

CLOSED = "ir.config_parameter"
# A value of each wrong kind where an id is wanted; "42" and 1.0 are taken for the numbers they are.
BAD_IDS = (True, False, 0, -1, 1.5, "x", "", "1 OR 1=1", 2**31, 2**63, 10**30, None, [], {}, "²")
TRACES = ("Traceback", "psycopg2", "SELECT ", "/odoo/", ".py\"")


@tagged("post_install", "-at_install")
class TestBadInput(McpCase):
    """The same wrong arguments for every tool of the registry, each in every place that takes such a thing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("mcp_endpoint.profile_full").confirmation = "never"
        cls.partner = cls.env["res.partner"].create({"name": "Bad input", "email": "b@example.com"})
        cls.parameter = cls.env["ir.config_parameter"].search([], limit=1)

    def setUp(self):
        super().setUp()
        # The first call of a user makes the token, and a message that says so.
        self.ok("odoo_get_context")
        self.valid = {
            "model": "res.partner", "id": self.partner.id, "ids": self.partner.ids, "query": "bad", "body": "x",
            "records": [{"name": "Never"}], "values": {"name": "Never"}, "action": "x",
            "rows": [{"id": "never", "name": "Never"}],
            "name": "n.txt", "text": "x", "steps": [{"tool": "odoo_get_context", "arguments": {}}],
        }  # fmt: skip
        self.specs = {name: spec for name, spec in self.registry_as()._specs().items() if spec.toolset != "fixture"}

    def arguments(self, spec, **changed):
        """Return arguments that would do but for `changed`; only what is required, and one way to say which records."""
        properties, required = spec.schema["properties"], spec.schema.get("required", ())
        given = {name: self.valid[name] for name in required if name in self.valid}
        if spec.name in ("odoo_update_records", "odoo_render_report") and "ids" in properties:
            given.setdefault("ids", self.valid["ids"])
        if spec.name == "odoo_render_report":
            given["report"] = "x"
        if spec.name == "odoo_describe_model" and "ids" in changed:
            given["purpose"] = "actions"
        return {**given, **changed}

    def world(self):
        self.env.flush_all()
        tables = ("res_partner", "mail_message", "mail_activity", "ir_attachment", "ir_config_parameter", "mcp_change")
        return [
            self.env.execute_query(SQL("SELECT count(*), sum(hashtext(t::text)) FROM %s t", SQL.identifier(table)))
            for table in tables
        ]

    def check_refused(self, spec, arguments):
        """Assert that a call fails helpfully and writes nothing."""
        before = self.world()
        with mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model"):
            result = self.call(spec.name, **arguments)
        text = json.dumps(result)
        self.assertTrue(result["isError"], text[:600])
        error = result["structuredContent"]["error"]
        self.assertNotEqual(error["code"], "internal_error", error)
        self.assertTrue(error["message"] and (error.get("fix") or "." in error["message"]), error)
        for trace in TRACES:
            self.assertNotIn(trace, text)
        self.assertLess(len(text), 8_000)
        self.assertEqual(self.world(), before)
        return error

    def each(self, *names):
        """Yield the tools that take an argument of one of these names, with that name."""
        for spec in self.specs.values():
            for name in names:
                if name in spec.schema["properties"]:
                    yield spec, name

    def test_models_that_are_closed_unknown_or_none(self):
        for spec, name in self.each("model"):
            for model in (CLOSED, "res.partnr", "", "x" * 500, "res.partner; --", "mail.thread", 7, None, ["a"]):
                # Its answer to a closed model is what closes it.
                if spec.name == "odoo_explain_access" and model == CLOSED:
                    continue
                with self.subTest(tool=spec.name, model=str(model)[:30]):
                    self.check_refused(spec, self.arguments(spec, **{name: model}))

    def test_ids_of_every_wrong_kind(self):
        for spec, name in self.each("id", "ids", "attachment_id", "change_id", "activity_id", "user_id"):
            if spec.name == "odoo_explain_access":
                # Which records cannot be seen is what it answers.
                continue
            for value in BAD_IDS:
                is_empty = value is not True and not value
                if is_empty and name not in spec.schema.get("required", ()):
                    # As good as not given.
                    continue
                wrong = [value] if name == "ids" and value not in ([], None) else value
                extra = {"kind": "done"} if name == "activity_id" else {"kind": "activity"} if name == "user_id" else {}
                with self.subTest(tool=spec.name, argument=name, value=value):
                    self.check_refused(spec, self.arguments(spec, **{name: wrong}, **extra))

    def test_numbers_in_other_clothes_are_taken(self):
        for value in (str(self.partner.id), float(self.partner.id)):
            self.assertEqual(self.ok("odoo_read_thread", model="res.partner", id=value)["id"], self.partner.id)
            rows = self.ok("odoo_search_records", model="res.partner", ids=[value])["rows"]
            self.assertEqual([row["id"] for row in rows], self.partner.ids)

    def test_closed_and_unknown_fields_in_every_place(self):
        for field in ("signup_token_x", "user_ids.password", "user_ids.totp_secret", "nope", "name.x", "__class__", ""):
            places = {
                "odoo_search_records": [
                    {"fields": [field]}, {"order": field or "x"}, {"domain": [[field, "=", "x"]]},
                    {"filters": [{"field": field, "op": "=", "value": "x"}]},
                    {"domain": [["parent_id", "any", [[field, "=", "x"]]]]},
                ],
                "odoo_aggregate_records": [
                    {"group_by": [field]}, {"measures": [f"{field}:max"]}, {"domain": [[field, "=", "x"]]},
                ],
                "odoo_create_records": [
                    {"records": [{"name": "n", field: "x"}]},
                    {"records": [{"name": "n", "child_ids": [{"name": "c", field: "x"}]}]},
                ],
                "odoo_update_records": [{"values": {field: "x"}}],
                "odoo_import_records": [{"rows": [{"id": "never", "name": "n", field: "x"}]}],
                "odoo_preview_record": [{"values": {field: "x"}}],
                "odoo_describe_model": [{"fields": [field]}],
                "odoo_read_files": [{"id": self.partner.id, "model": "res.partner", "field": field or "x"}],
                "odoo_upload_file": [{"field": field or "x"}],
            }  # fmt: skip
            for tool, cases in places.items():
                for changed in cases:
                    with self.subTest(tool=tool, field=field, changed=str(changed)[:80]):
                        self.check_refused(self.specs[tool], self.arguments(self.specs[tool], **changed))

    def test_what_belongs_to_closed_records_is_closed(self):
        attachment = self.env["ir.attachment"].create(
            {"name": "a", "raw": b"x", "res_model": CLOSED, "res_id": self.parameter.id}
        )
        self.check_refused(self.specs["odoo_read_files"], {"attachment_id": attachment.id})
        self.check_refused(self.specs["fetch"], {"id": f"odoo://attachment/{attachment.id}"})
        self.check_refused(self.specs["fetch"], {"id": f"odoo://record/{CLOSED}/{self.parameter.id}"})
        self.env["ir.rule"].create({
            "name": "hide", "model_id": self.env["ir.model"]._get_id("res.partner"),
            "domain_force": f"[('id', '!=', {self.partner.id})]",
        })  # fmt: skip
        for spec, name in self.each("id", "ids"):
            if "model" in spec.schema["properties"] and spec.name != "odoo_explain_access":
                value = self.partner.id if name == "id" else self.partner.ids
                with self.subTest(tool=spec.name):
                    self.check_refused(spec, self.arguments(spec, **{name: value}))

    def test_texts_that_are_too_long_or_of_another_kind(self):
        for spec in self.specs.values():
            for name, part in spec.schema["properties"].items():
                if part["type"] == "string" and part.get("maxLength"):
                    with self.subTest(tool=spec.name, argument=name):
                        too_long = "x" * (part["maxLength"] + 1)
                        self.check_refused(spec, self.arguments(spec, **{name: too_long}))
                if part["type"] in ("integer", "boolean"):
                    with self.subTest(tool=spec.name, argument=name, value="object"):
                        self.check_refused(spec, self.arguments(spec, **{name: {"a": 1}}))

    def test_references_of_a_batch_point_back_only(self):
        batch = self.specs["odoo_batch"]
        make = {"model": "res.partner", "records": [{"name": "n"}]}
        for steps in (
            [{"tool": "odoo_update_records", "arguments": {"model": "res.partner", "ids": "$1.ids", "values": {}}}],
            [
                {"tool": "odoo_update_records", "arguments": {"model": "res.partner", "ids": "$2.ids", "values": {}}},
                {"tool": "odoo_create_records", "arguments": make},
            ],
            [{"tool": "odoo_create_records", "arguments": make}, {"tool": "odoo_batch", "arguments": {"steps": []}}],
            [{"tool": "odoo_create_records", "arguments": make}, {"tool": "nope", "arguments": {}}],
            [{"tool": "odoo_create_records", "arguments": make}, {"arguments": {}}],
            [{"tool": "odoo_create_records", "arguments": {**make, "records": [{"nope": 1}]}}],
            ["x"], "x", {"a": 1},
        ):  # fmt: skip
            with self.subTest(steps=str(steps)[:100]):
                self.check_refused(batch, {"steps": steps})

    def test_a_half_valid_import_is_all_or_nothing_or_by_row(self):
        spec = self.specs["odoo_import_records"]
        rows = [{"id": f"half_{number}", "name": f"Half {number}"} for number in (1, 2, 3)]
        rows[1]["color"] = "no number"
        self.check_refused(spec, {"model": "res.partner", "rows": rows})
        result = self.ok(spec.name, model="res.partner", rows=rows, atomic=False)
        self.assertIn("color", json.dumps(result))
        found = self.env["res.partner"].search([("name", "like", "Half %")], order="id")
        self.assertEqual(found.mapped("name"), ["Half 1", "Half 3"])
