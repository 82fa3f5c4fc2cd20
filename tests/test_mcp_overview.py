from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpOverview(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute("DELETE FROM mcp_audit_log")
        cls.admin = cls.env.ref("base.user_admin")

    def insert(self, count=1, *, user=None, hours=1, **values):
        for _number in range(count):
            row = {
                "date": fields.Datetime.now() - timedelta(hours=hours), "user_id": (user or self.user).id,
                "method": "tools/call", "tool": "odoo_search_records", "outcome": "ok", "duration_ms": 10,
                "client": "Claude",
                **values,
            }  # fmt: skip
            self.env["mcp.audit.log"]._insert(row, durable=True)

    def overview(self, period="week", user=None):
        return self.env["mcp.overview"].with_user(user or self.admin).read_overview(period)

    def test_totals_and_top_lists(self):
        self.insert(6)
        self.insert(2, outcome="error", tool="odoo_update_records")
        self.insert(1, outcome="refused", reason="profile:tool: no", user=self.admin, client=None, repeats=0)
        self.insert(1, tool=None, method="tools/list")
        data = self.overview()
        outcomes = {"ok": 7, "error": 2, "refused": 1, "asked": 0, "cancelled": 0}
        self.assertEqual(data["totals"], {**outcomes, "all": 10, "users": 2})
        self.assertEqual(
            [(row["label"], row["requests"], row["failed"]) for row in data["tools"]],
            [("odoo_search_records", 7, 1), ("odoo_update_records", 2, 2), ("tools/list", 1, 0)],
        )
        self.assertEqual([row["label"] for row in data["users"]], ["Eve Employee", self.admin.name])
        self.assertEqual([(row["value"], row["requests"]) for row in data["reasons"]], [("profile:tool: no", 1)])
        self.assertEqual(data["client_count"], 1)
        self.assertTrue(data["is_admin"])

    def test_refusals_that_were_not_listed_count(self):
        self.insert()
        self.env.cr.execute("UPDATE mcp_audit_log SET outcome = 'refused', repeats = 41")
        self.assertEqual(self.overview()["totals"]["refused"], 42)

    def test_percentiles_are_those_of_postgres(self):
        for duration in (1, 2, 2, 3, 5, 8, 13, 21.5, 34, 1000):
            self.insert(duration_ms=duration)
        self.insert(50, method="ping", tool=None, duration_ms=0.1)
        self.env.cr.execute(
            "SELECT percentile_disc(ARRAY[.5, .95]) WITHIN GROUP (ORDER BY duration_ms) FROM mcp_audit_log"
            " WHERE method = 'tools/call'"
        )
        p50, p95 = map(float, self.env.cr.fetchone()[0])
        self.assertEqual(self.overview()["latency"], {"p50": p50, "p95": p95})

    def test_periods_begin_where_they_should_and_have_a_point_for_every_step(self):
        self.insert(1, hours=2)
        self.insert(1, hours=48)
        self.insert(1, hours=24 * 20)
        self.insert(1, hours=24 * 40)
        for period, requests, points in (("day", 1, (25,)), ("week", 2, (8,)), ("month", 3, (31,))):
            data = self.overview(period)
            self.assertEqual(data["totals"]["all"], requests)
            self.assertIn(len(data["series"]), points)
            self.assertEqual(sum(point["ok"] for point in data["series"]), requests)

    def test_users_see_their_own_alone(self):
        other = new_test_user(self.env, "mcp_overview_other", groups="base.group_user", name="Oscar Other")
        self.insert(3)
        self.insert(5, user=other)
        mine = self.overview(user=self.user)
        self.assertEqual((mine["totals"]["all"], mine["is_admin"]), (3, False))
        self.assertNotIn("Oscar", str(mine))
        self.assertEqual(self.overview(user=other)["totals"]["all"], 5)
        self.assertEqual(self.overview()["totals"]["all"], 8)

    def test_expiring_tokens(self):
        self.issue(days=3)
        self.issue(days=30)
        token = self.overview()["expiring"]
        self.assertEqual([(row["name"], row["user"]) for row in token], [("test", "Eve Employee")])
        stranger = new_test_user(self.env, "mcp_overview_third", groups="base.group_user")
        self.assertEqual(self.overview(user=stranger)["expiring"], [])

    def test_empty_state_knows_which_steps_are_done(self):
        user = new_test_user(self.env, "mcp_overview_new", groups="base.group_user")
        self.assertEqual(self.overview(user=user)["steps"], {"group": True, "token": False, "call": False})
        self.issue(user)
        self.insert(user=user)
        self.assertEqual(self.overview(user=user)["steps"], {"group": True, "token": True, "call": True})
        self.assertEqual(self.overview(user=user)["latency"], {"p50": 10, "p95": 10})

    def test_nobody_else_and_nothing_else(self):
        portal = new_test_user(self.env, "mcp_overview_portal", groups="base.group_portal")
        with self.assertRaises(AccessError):
            self.overview(user=portal)
        for period in ("", "year", None, "day'; DROP TABLE mcp_audit_log; --"):
            with self.assertRaises(UserError):
                self.overview(period)
