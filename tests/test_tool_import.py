import time

from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolImport(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("mcp_endpoint.profile_full").confirmation = "never"
        cls.tag = cls.env["res.partner.category"].create({"name": "Imported"})

    def found(self, name):
        return self.env["res.partner"].with_context(active_test=False).search([("name", "=", name)])

    def run_import(self, rows, **options):
        return self.ok("odoo_import_records", model="res.partner", rows=rows, **options)

    def counts(self, result):
        return {key: result[key] for key in ("created", "updated", "unchanged", "error") if result[key]}

    def test_definition_is_idempotent(self):
        definition = self.registry_as()._specs()["odoo_import_records"].definition
        self.assertTrue(definition["annotations"]["idempotentHint"])
        self.assertFalse(definition["annotations"]["destructiveHint"])
        self.assertEqual(definition["inputSchema"]["required"], ["model", "rows"])

    def test_external_ids_make_the_second_run_find_its_records(self):
        rows = [
            {"id": "imp_1", "name": "Imp One", "email": "one@example.com", "category_id": ["Imported"]},
            {"id": "__import__.imp_2", "name": "Imp Two", "country_id": "Belgium", "color": 3},
        ]
        self.assertEqual(self.counts(self.run_import(rows)), {"created": 2})
        one, two = self.found("Imp One"), self.found("Imp Two")
        self.assertEqual(one.category_id, self.tag)
        self.assertEqual(one.get_external_id()[one.id], "__import__.imp_1")
        self.assertEqual(two.country_id.code, "BE")
        self.assertEqual(self.counts(self.run_import(rows)), {"unchanged": 2})
        rows[0]["email"] = "new@example.com"
        result = self.run_import(rows)
        self.assertEqual(self.counts(result), {"updated": 1, "unchanged": 1})
        self.assertEqual([row["id"] for row in result["rows"]], [one.id, two.id])
        self.assertEqual((one.email, len(self.found("Imp One"))), ("new@example.com", 1))
        changes = self.env["mcp.change"].search([], order="id")
        self.assertEqual(changes.mapped("operation"), ["create", "create", "write"])

    def test_key_fields_find_existing_records_archived_ones_too(self):
        known = self.env["res.partner"].create({"name": "Known", "email": "k@example.com", "active": False})
        rows = [{"email": "k@example.com", "name": "Known Now"}, {"email": "fresh@example.com", "name": "Fresh"}]
        result = self.run_import(rows, key_fields=["email"])
        self.assertEqual(self.counts(result), {"created": 1, "updated": 1})
        self.assertEqual(known.name, "Known Now")
        self.assertEqual(self.counts(self.run_import(rows, key_fields=["email"])), {"unchanged": 2})
        self.assertEqual(len(self.found("Fresh")), 1)

    def test_several_key_fields_and_links_make_one_key(self):
        parent = self.env["res.partner"].create({"name": "Key Parent"})
        rows = [
            {"name": "Kid", "parent_id": parent.id, "ref": "1"},
            {"name": "Kid", "parent_id": self.user.partner_id.id},
        ]
        self.assertEqual(self.counts(self.run_import(rows, key_fields=["name", "parent_id"])), {"created": 2})
        self.assertEqual(self.counts(self.run_import(rows, key_fields=["name", "parent_id"])), {"unchanged": 2})

    def test_bad_rows_are_told_each_and_nothing_is_kept(self):
        twins = self.env["res.partner"].create([{"name": "Twin", "email": "t@example.com"}] * 2)
        rows = [
            {"email": "good@example.com", "name": "Good"},
            {"email": "t@example.com", "name": "Which"},
            {"email": "", "name": "Keyless"},
            {"email": "good@example.com", "name": "Again"},
            {"email": "c@example.com", "name": "Colour", "color": "many"},
            {"email": "l@example.com", "name": "Lines", "child_ids": [{"name": "x"}]},
            {"email": "u@example.com", "nmae": "Misspelt"},
        ]
        error = self.fails("import_failed", "odoo_import_records", model="res.partner", rows=rows, key_fields=["email"])
        codes = {item["row"]: item["code"] for item in error["errors"]}
        self.assertEqual(
            codes,
            {
                2: "ambiguous_key",
                3: "invalid_row",
                4: "invalid_row",
                5: "invalid_value",
                6: "invalid_value",
                7: "unknown_field",
            },
        )
        self.assertFalse(self.found("Good") or self.found("Colour"))
        self.assertFalse(self.env["mcp.change"].search([]))
        result = self.run_import(rows, key_fields=["email"], atomic=False)
        self.assertEqual(self.counts(result), {"created": 1, "error": 6})
        self.assertEqual(self.env["mcp.change"].search([]).res_id, self.found("Good").id)
        self.assertEqual(set(twins.mapped("name")), {"Twin"})

    @mute_logger("odoo.sql_db")
    def test_row_that_the_database_refuses_does_not_take_others_along(self):
        company = self.env["res.partner"].create({"name": "Loop"})
        rows = [
            {"id": "db_1", "name": "Db One"},
            {"id": "db_2", "name": False, "type": "contact"},
            {"id": "db_3", "name": "Db Three", "parent_id": company.id},
        ]
        result = self.run_import(rows, atomic=False)
        self.assertEqual([row["status"] for row in result["rows"]], ["created", "error", "created"])
        self.assertNotIn("id", result["rows"][1])
        data = self.env["ir.model.data"].search([("module", "=", "__import__"), ("name", "=like", "db\\__")])
        self.assertEqual(sorted(data.mapped("name")), ["db_1", "db_3"])

    def test_dry_run_keeps_nothing(self):
        result = self.run_import([{"id": "dry_1", "name": "Dry"}], dry_run=True)
        self.assertEqual(result["result"]["created"], 1)
        self.assertFalse(self.found("Dry"))
        self.assertFalse(self.env["ir.model.data"].search([("name", "=", "dry_1")]))

    def test_external_ids_of_modules_are_closed(self):
        main = self.env.ref("base.main_partner")
        for xmlid in ("base.main_partner", "mcp_endpoint.profile_full", 7, "7", "a b", "x" * 200, "__import__.", ["a"]):
            with self.subTest(xmlid=xmlid):
                rows = [{"id": xmlid, "name": "Taken over"}]
                self.fails("import_failed", "odoo_import_records", model="res.partner", rows=rows)
        self.assertNotEqual(main.name, "Taken over")

    def test_external_id_of_a_hidden_record_tells_nothing_of_it(self):
        self.run_import([{"id": "hid_1", "name": "Hidden Import"}])
        rule = {
            "name": "hide",
            "model_id": self.env["ir.model"]._get_id("res.partner"),
            "domain_force": "[('name', '!=', 'Hidden Import')]",
        }
        self.env["ir.rule"].create(rule)
        error = self.fails(
            "import_failed", "odoo_import_records", model="res.partner", rows=[{"id": "hid_1", "name": "Mine"}]
        )
        self.assertEqual(error["errors"][0]["code"], "not_found")
        self.assertNotIn("Hidden Import", str(error))
        self.assertTrue(self.found("Hidden Import"))

    def test_deleted_record_is_created_again(self):
        self.run_import([{"id": "gone_1", "name": "Gone Import"}])
        self.found("Gone Import").unlink()
        self.assertEqual(self.counts(self.run_import([{"id": "gone_1", "name": "Gone Import"}])), {"created": 1})

    def test_rights_and_policy_hold(self):
        rows = [{"id": "r_1", "name": "R"}]
        weak = new_test_user(self.env, "mcp_import_weak", groups="base.group_user")
        for code, model, options in (
            ("access_denied", "res.partner", {"user": weak}),
            ("policy_denied", "res.users", {}),
            ("policy_denied", "res.partner", {"profile": "read"}),
            ("unknown_model", "res.nothing", {}),
        ):
            with self.subTest(code=code, model=model):
                self.fails(code, "odoo_import_records", model=model, rows=rows, **options)
        self.fails(
            "import_failed",
            "odoo_import_records",
            model="res.partner",
            rows=[{"id": "r_2", "name": "R", "user_ids": [1]}],
        )
        self.assertFalse(self.found("R"))

    def test_key_fields_must_be_able_to_identify(self):
        for name, code in (
            ("comment", "invalid_arguments"),
            ("nope", "unknown_field"),
            ("signup_token", "unknown_field"),
            ("contact_address", "invalid_arguments"),
            ("category_id", "invalid_arguments"),
        ):
            with self.subTest(name=name):
                self.fails(code, "odoo_import_records", model="res.partner", rows=[{"name": "x"}], key_fields=[name])

    def test_500_partners_take_less_than_5_seconds_of_work(self):
        rows = [
            {
                "id": f"many_{number}",
                "name": f"Many {number}",
                "email": f"m{number}@example.com",
                "country_id": "Belgium",
            }
            for number in range(500)
        ]
        started = time.thread_time()
        self.assertEqual(self.counts(self.run_import(rows)), {"created": 500})
        first = time.thread_time() - started
        self.assertEqual(self.counts(self.run_import(rows)), {"unchanged": 500})
        second = time.thread_time() - started - first
        self.assertLess(first, 5)
        self.assertLess(second, 5)
