import json

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..models import mcp_audit_payload
from .common import McpCase

CORPUS = {
    "card": "pay with 4111 1111 1111 1111 please",
    "iban": "to DE89370400440532013000",
    "ssn": "SSN 536-90-4399",
    "token": "Bearer AbCdEf012345678",
    "ours": "omcp_pat_AbCdEf012345678",
    "url": "https://joe:hunter22@example.com/",
}
SECRETS = ("4111 1111 1111 1111", "DE89370400440532013000", "536-90-4399", "AbCdEf012345678", "hunter22")


@tagged("post_install", "-at_install")
class TestMcpAuditPayload(McpCase):
    def setUp(self):
        super().setUp()
        self.patch(mcp_audit_payload, "SECONDS", 60)

    def capture(self, profile="full", on=True):
        self.profiles[profile].payload_capture = on

    def log(self):
        self.env.invalidate_all()
        return self.env["mcp.audit.log"].search([], limit=1)

    def parameter(self, name, value):
        self.env["ir.config_parameter"].set_param(f"mcp_endpoint.{name}", value)

    def test_nothing_is_kept_by_default(self):
        self.ok("odoo_get_context")
        self.assertFalse(self.log().payload_ids)
        self.assertFalse(self.log().payload_digest)

    def test_arguments_and_result_are_kept_where_the_profile_says_so(self):
        self.capture()
        partner = self.user.partner_id
        self.ok("odoo_search_records", model="res.partner", ids=[partner.id], fields=["name"])
        row = self.log()
        self.assertEqual(json.loads(row.payload_request)["arguments"]["ids"], [partner.id])
        self.assertIn("Eve Employee", row.payload_response)
        self.assertTrue(row.payload_digest)
        self.ok("odoo_get_context", profile="read")
        self.assertFalse(self.log().payload_ids, "another profile keeps nothing")

    def test_baseline_has_it_kept_for_all(self):
        self.env.ref("mcp_endpoint.profile_baseline").payload_capture = True
        self.ok("odoo_get_context", profile="read")
        self.assertTrue(self.log().payload_ids)

    def test_errors_and_refusals_are_kept_too(self):
        self.capture("read")
        self.call("odoo_search_records", profile="read", model="no.such")
        self.assertIn("unknown_model", self.log().payload_response)
        self.assertIn("no.such", self.log().payload_request)

    def test_secrets_of_the_corpus_are_masked_and_the_answer_is_not_touched(self):
        self.capture()
        comment = "\n".join(CORPUS.values())
        partner = self.env["res.partner"].create({"name": "Corpus", "comment": comment})
        result = self.ok("odoo_search_records", model="res.partner", ids=[partner.id], fields=["name", "comment"])
        live = json.dumps(result, ensure_ascii=False)
        row = self.log()
        for secret in SECRETS:
            with self.subTest(secret=secret):
                self.assertNotIn(secret, row.payload_response)
                self.assertIn(secret, live)
        self.assertIn("[redacted", row.payload_response)

    def test_secret_fields_and_passwords_are_masked_in_arguments(self):
        self.capture()
        values = {"login": "x", "password": "hunter22", "totp_secret": "JBSWY3DP", "totp_last_counter": 77123}
        self.call("odoo_update_records", model="res.users", ids=[self.user.id], values=values)
        for secret in ("hunter22", "JBSWY3DP", "77123"):
            self.assertNotIn(secret, self.log().payload_request)

    def test_patterns_of_the_administrator_and_emails(self):
        self.capture()
        call = {"model": "res.partner", "domain": [["name", "ilike", "EMP-004711 joe.doe@example.com"]]}
        self.ok("odoo_search_records", **call)
        self.assertIn("EMP-004711 joe.doe@example.com", self.log().payload_request)
        self.parameter("redact_patterns", r"EMP-\d{6}")
        self.parameter("redact_emails", "True")
        self.ok("odoo_search_records", **call)
        for secret in ("EMP-004711", "joe.doe", "example.com"):
            self.assertNotIn(secret, self.log().payload_request)

    def test_payloads_are_bounded(self):
        self.capture()
        for number in range(60):
            self.env["res.partner"].create({"name": f"Large {number}", "comment": "words and more " * 300})
        self.ok("odoo_search_records", model="res.partner", domain=[["name", "ilike", "Large"]], fields=["comment"])
        huge = {"model": "res.partner", "domain": [["name", "in", ["y" * 1900] * 90]]}
        self.call("odoo_search_records", **huge)
        row = self.log()
        self.assertLess(len(row.payload_request), 50_000)
        self.assertIn("[left out]", row.payload_request)

    def test_users_see_their_own_payloads_and_admins_all(self):
        self.capture()
        self.ok("odoo_get_context")
        payload = self.log().payload_ids
        other = new_test_user(self.env, "mcp_other2", groups="base.group_user")
        self.assertTrue(payload.with_user(self.user).has_access("read"))
        self.assertTrue(payload.with_user(self.env.ref("base.user_admin")).has_access("read"))
        self.assertFalse(payload.with_user(other).search([]))
        with self.assertRaises(AccessError):
            payload.with_user(other).read(["request"])

    def test_governing_opens_no_payload_about_closed_records(self):
        governor = new_test_user(self.env, "mcp_gov", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        self.capture()
        partner = self.env["res.partner"].create({"name": "Somebody", "function": "Spy"})
        found = {"model": "res.partner", "ids": partner.ids, "fields": ["name", "function"]}
        self.ok("odoo_search_records", **found)
        row = self.log().with_user(governor)
        self.assertIn("Spy", row.payload_response)
        field = self.env["res.partner"]._fields["function"]
        self.patch(field, "groups", "base.group_system")
        row.invalidate_recordset()
        self.assertTrue(row.payload_hidden)
        self.assertNotIn("Spy", str(row.web_read({"payload_request": {}, "payload_response": {}})))
        self.patch(field, "groups", None)
        self.env["ir.rule"].create(
            {
                "name": "hidden",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": [("id", "!=", partner.id)],
            }
        )
        self.env.invalidate_all()
        self.assertTrue(row.payload_hidden)
        self.assertFalse(row.payload_response)
        for reader in (self.user, self.env.ref("base.user_admin")):
            self.assertIn("Spy", row.with_user(reader).payload_response)
        for reader in (governor, self.user):
            with self.assertRaises(AccessError):
                row.payload_ids.with_user(reader).read(["response"])
            with self.assertRaises(AccessError):
                self.env["mcp.audit.log"].with_user(reader).search([("payload_ids.response", "ilike", "Spy")])

    def test_governing_opens_no_payload_about_records_behind_links(self):
        governor = new_test_user(self.env, "mcp_gov", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        self.capture()
        country = self.env["res.country"].search([], limit=1)
        partner = self.env["res.partner"].create({"name": "Somebody", "country_id": country.id})
        for path, is_hidden in (("name", False), ("country_id", False), ("country_id.code", True)):
            with self.subTest(path=path):
                self.ok("odoo_search_records", model="res.partner", ids=partner.ids, fields=["name", path])
                self.assertEqual(self.log().with_user(governor).payload_hidden, is_hidden)
        self.ok("odoo_search_records", model="res.partner", ids=partner.ids, fields=["country_id"])
        self.env["ir.model.access"].search([("model_id.model", "=", "res.country")]).active = False
        self.assertTrue(self.log().with_user(governor).payload_hidden)

    def test_payload_of_a_call_about_anything_is_its_users(self):
        governor = new_test_user(self.env, "mcp_gov", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        self.capture()
        self.ok("search", query="Eve")
        self.assertTrue(self.log().with_user(governor).payload_hidden)
        self.assertFalse(self.log().with_user(self.user).payload_hidden)

    def test_nobody_changes_or_deletes_payloads(self):
        self.capture()
        self.ok("odoo_get_context")
        payload = self.log().payload_ids
        for change in (
            lambda: payload.write({"request": "x"}),
            lambda: payload.unlink(),
            lambda: payload.create({"log_id": self.log().id, "date": "2026-01-01"}),
        ):
            with self.assertRaises(UserError):
                change()

    def test_payloads_go_after_their_own_time_and_rows_stay(self):
        self.capture()
        self.ok("odoo_get_context")
        row = self.log()
        payload = row.payload_ids
        self.env.cr.execute("UPDATE mcp_audit_payload SET date = date - interval '15 days'")
        self.env["mcp.audit.payload"]._gc_old_payloads()
        self.env.invalidate_all()
        self.assertFalse(payload.exists())
        self.assertTrue(row.exists())
        self.assertTrue(row.payload_digest)

    def test_steps_of_a_batch_keep_their_own(self):
        self.capture()
        steps = [
            {"tool": "odoo_create_records", "arguments": {"model": "res.partner", "records": [{"name": "Step one"}]}},
            {
                "tool": "odoo_search_records",
                "arguments": {"model": "res.partner", "ids": ["$1.id"], "fields": ["name"]},
            },
        ]
        self.call("odoo_batch", steps=steps)
        self.env.invalidate_all()
        rows = self.env["mcp.audit.log"].search([], limit=3)
        self.assertEqual(rows.mapped("tool"), ["odoo_batch", "odoo_search_records", "odoo_create_records"])
        self.assertIn("Step one", rows[2].payload_request)
        self.assertNotIn("steps", rows[2].payload_request)
