from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..services import seal
from .common import McpCase

PAST = datetime(2026, 3, 1, 10)


@tagged("post_install", "-at_install")
class TestMcpAuditSeal(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute("DELETE FROM mcp_audit_log; DELETE FROM mcp_audit_seal; DELETE FROM mcp_audit_tally")
        cls.seals = cls.env["mcp.audit.seal"]
        cls.issue()
        cls.token = cls.env["mcp.token"].search([("user_id", "=", cls.user.id)], limit=1)
        for day, rows in ((0, 3), (1, 2), (3, 4)):
            for number in range(rows):
                cls.insert(PAST + timedelta(days=day, minutes=number))

    @classmethod
    def insert(cls, date, **values):
        values = {
            "date": date, "user_id": cls.user.id, "token_id": cls.token.id, "token_number": cls.token.id,
            "method": "tools/call", "tool": "odoo_search_records", "outcome": "ok", "duration_ms": 12.5, **values,
        }  # fmt: skip
        cls.env["mcp.audit.log"]._insert(values, durable=True)

    def seal_days(self, days=5):
        for number in range(days):
            self.seals._seal_day((PAST + timedelta(days=number)).date())

    def broken(self):
        self.seals.action_verify()
        return {str(row.day)[-2:]: row.finding for row in self.seals.search([("state", "=", "broken")])}

    def sql(self, query, *values):
        self.env.cr.execute(query, values)
        self.env.invalidate_all()

    def row(self, day):
        start = PAST.replace(hour=0) + timedelta(days=day)
        domain = [("date", ">=", start), ("date", "<", start + timedelta(days=1))]
        return self.env["mcp.audit.log"].search(domain, order="id", limit=1).id

    def test_untouched_days_are_intact(self):
        self.seal_days()
        self.assertEqual(self.broken(), {})
        self.assertEqual(self.seals.search([], order="day").mapped("rows"), [3, 2, 0, 4, 0])
        self.assertEqual(set(self.seals.search([]).mapped("state")), {"intact"})

    def test_changed_value_is_found_in_every_column(self):
        self.seal_days()
        row = self.row(1)
        for column, value in (
            ("tool", "odoo_get_context"), ("outcome", "refused"), ("reason", "x"), ("record_ids", "1"), ("ip", "::1"),
            ("user_id", self.env.ref("base.user_admin").id), ("date", PAST + timedelta(days=1, hours=3)),
            ("repeats", 1),
            ("duration_ms", 12.6), ("token_number", self.token.id + 1), ("dry_run", True), ("client", "x"),
            ("request_id", "x"), ("model", "x"), ("record_count", 9), ("payload_digest", "x"), ("trace", "x"),
            ("message", "x"),
        ):  # fmt: skip
            with self.subTest(column=column):
                self.sql(f"SAVEPOINT tamper; UPDATE mcp_audit_log SET {column} = %s WHERE id = %s", value, row)
                self.assertEqual(self.broken(), {"02": "Rows were changed."})
                self.sql("ROLLBACK TO SAVEPOINT tamper")
        self.assertEqual(self.broken(), {})

    def test_row_of_another_token_is_found(self):
        self.issue(profile="read")
        other = self.env["mcp.token"].search([("user_id", "=", self.user.id), ("id", "!=", self.token.id)], limit=1)
        self.seal_days()
        self.sql("UPDATE mcp_audit_log SET token_id = %s WHERE id = %s", other.id, self.row(0))
        self.assertIn("01", self.broken())

    def test_deleted_and_inserted_rows_are_found(self):
        self.seal_days()
        self.sql("DELETE FROM mcp_audit_log WHERE id = %s", self.row(0))
        self.insert(PAST + timedelta(days=2))
        self.insert(PAST - timedelta(days=9))
        findings = self.broken()
        self.assertEqual(set(findings), {"01", "03"})
        self.assertEqual(findings["03"], "1 rows were added.")

    def test_row_before_the_first_seal_is_found(self):
        self.seal_days()
        self.insert(PAST - timedelta(days=9))
        self.assertEqual(self.broken(), {"01": "There are rows dated before the first sealed day."})

    def test_moved_row_is_found_on_both_days(self):
        self.seal_days()
        self.sql("UPDATE mcp_audit_log SET date = %s WHERE id = %s", PAST + timedelta(days=2), self.row(1))
        self.assertEqual(set(self.broken()), {"02", "03"})

    def test_tampered_and_sealed_anew_breaks_the_chain_after_it(self):
        self.seal_days()
        self.sql("UPDATE mcp_audit_log SET outcome = 'error' WHERE id = %s", self.row(1))
        day = (PAST + timedelta(days=1)).date()
        rows, rows_hash = self.seals._hashed(day, seal.VERSION)
        forged = seal.chained(self.seals._seal_before(day), day, rows, rows_hash)
        self.sql("UPDATE mcp_audit_seal SET rows_hash = %s, seal = %s WHERE day = %s", rows_hash, forged, day)
        self.assertEqual(self.broken(), {"03": "The seal does not follow from that of the day before."})

    def test_missing_seal_is_found(self):
        self.seal_days()
        self.sql("DELETE FROM mcp_audit_seal WHERE day = %s", (PAST + timedelta(days=1)).date())
        self.assertEqual(self.broken(), {"03": "The seal of the day before is missing."})

    def test_deleted_token_and_session_break_nothing(self):
        self.seal_days()
        self.sql("DELETE FROM mcp_token WHERE id = %s", self.token.id)
        self.assertEqual(self.broken(), {})

    def test_retention_breaks_nothing_and_purged_days_say_so(self):
        self.seal_days()
        self.seals._purge_sealed((PAST + timedelta(days=2)).date())
        self.env["mcp.audit.log"]._gc_old_rows()
        self.env.invalidate_all()
        self.assertEqual(self.broken(), {})
        states = self.seals.search([], order="day").mapped("state")
        # The retention time of the settings is long over for all of them.
        self.assertEqual(states, ["purged"] * 5)
        event = self.env["mcp.audit.log"].search([("method", "=", "retention/purge")], order="id", limit=1)
        self.assertIn("5 rows of 2026-03-01 to 2026-03-02", event.reason)
        self.assertEqual(event.user_id.id, 1)

    def test_rows_gone_in_the_middle_are_no_retention(self):
        self.seal_days()
        self.sql("UPDATE mcp_audit_seal SET state = 'purged' WHERE day = %s", (PAST + timedelta(days=3)).date())
        self.sql("DELETE FROM mcp_audit_log WHERE date::date = %s", (PAST + timedelta(days=3)).date())
        self.assertEqual(self.broken(), {"04": "Its rows are gone while older ones are kept."})

    def test_days_are_sealed_once_closed_in_order(self):
        now = PAST.replace(hour=0) + timedelta(days=4, minutes=30)
        with patch.object(fields.Datetime, "now", lambda: now):
            self.assertEqual(self.seals._next_day(), PAST.date())
            self.seal_days(3)
            self.assertIsNone(self.seals._next_day(), "within the grace")
        with patch.object(fields.Datetime, "now", lambda: now + timedelta(hours=1)):
            self.assertEqual(self.seals._next_day(), (PAST + timedelta(days=3)).date())

    def test_empty_log_has_nothing_to_seal(self):
        self.sql("DELETE FROM mcp_audit_log")
        self.assertIsNone(self.seals._next_day())

    def test_many_rows_are_hashed_in_portions(self):
        for _number in range(5):
            self.insert(PAST)
        whole = self.seals._hashed(PAST.date(), seal.VERSION)
        with patch("odoo.addons.mcp_endpoint.models.mcp_audit_seal.PURGE_BATCH", 3):
            self.assertEqual(self.seals._hashed(PAST.date(), seal.VERSION), whole)
        self.assertEqual(whole[0], 8)

    def test_nobody_changes_or_deletes_a_seal(self):
        self.seal_days()
        day = self.seals.search([], limit=1)
        for user in (self.env.ref("base.user_admin"), self.env.ref("base.user_root")):
            for change in (
                lambda mine: mine.write({"seal": "x"}),
                lambda mine: mine.sudo().write({"rows": 1}),
                lambda mine: mine.unlink(),
                lambda mine: mine.create({"day": "2026-01-01"}),
            ):
                with self.assertRaises(UserError):
                    change(day.with_user(user))
        with self.assertRaises(UserError):
            day.with_user(self.env.ref("base.user_admin")).write({"state": "intact"})

    def test_only_administrators_verify_and_see_seals(self):
        user = new_test_user(self.env, "mcp_plain", groups="base.group_user")
        with self.assertRaises(AccessError):
            self.seals.with_user(user).action_verify()
        with self.assertRaises(AccessError):
            self.seals.with_user(user).search([])
        answer = self.seals.with_user(self.env.ref("base.user_admin")).action_verify()
        self.assertEqual(answer["params"]["type"], "success")

    def test_button_leaves_the_rest_to_the_scheduled_action(self):
        self.seal_days()
        with patch("odoo.addons.mcp_endpoint.models.audit_verification.BUTTON_SECONDS", -1):
            answer = self.seals.action_verify()
        self.assertEqual(answer["params"]["type"], "info")
        self.assertEqual(self.seals.search_count([("to_verify", "=", True)]), 4)
        self.assertEqual(self.seals._verify_pending(60), 0)
        self.assertEqual(self.seals.search_count([("state", "=", "intact")]), 5)

    def test_tampered_payload_is_found_and_an_aged_one_is_not(self):
        values = {"date": PAST, "user_id": self.user.id, "outcome": "ok", "method": "tools/call"}
        self.env["mcp.audit.log"]._insert(values, durable=True, payload=("{}", "[]"))
        self.seal_days()
        self.assertEqual(self.broken(), {})
        self.sql("UPDATE mcp_audit_payload SET response = '[1]'")
        self.assertEqual(self.broken(), {"01": "1 kept arguments or results were changed."})
        self.sql("DELETE FROM mcp_audit_payload")
        self.assertEqual(self.broken(), {})
