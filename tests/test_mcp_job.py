from datetime import timedelta
from unittest.mock import patch

import psycopg2
from odoo import fields
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tests import new_test_user, tagged

from ..models import job_queue, mcp_job_pulse
from ..services import call_limits
from ..services.errors import RateLimited
from .common import McpCase
from .jobs import JobMixin

# Text, as an assistant gives it, and no later than it may be.
LATER = (fields.Datetime.now() + timedelta(days=30)).isoformat() + "Z"


@tagged("post_install", "-at_install")
class TestMcpJob(JobMixin, McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = new_test_user(cls.env, "mcp_other", groups="base.group_user,base.group_partner_manager")

    def made(self):
        return self.partners.search([("name", "=", "By a job")])

    def test_runs_as_its_user(self):
        job = self.submit()
        self.assertEqual(job.state, "queued")
        self.assertFalse(self.made())
        self.assertEqual(self.run_lane(), 1)
        self.assertEqual((job.state, job.outcome[:7], job.progress), ("done", "Created", 100))
        self.assertEqual(self.made().create_uid, self.user)
        row = self.env["mcp.audit.log"].search([("request_id", "=", job.request_id)])
        self.assertEqual((row.user_id, row.outcome, row.transport), (self.user, "ok", "job"))
        self.assertEqual(self.env["mcp.change"].search([("request_id", "=", job.request_id)]).user_id, self.user)
        self.assertEqual(self.run_lane(), 0)

    def test_submitting_wakes_every_lane(self):
        triggers = self.env["ir.cron.trigger"].search_count([])
        self.submit()
        self.assertEqual(self.env["ir.cron.trigger"].search_count([]), triggers + 2)

    def test_in_parts(self):
        job = self.submit_rows(120)
        self.run_lane()
        self.assertEqual((job.state, job.checkpoint), ("done", 120), job.outcome)
        self.assertEqual(self.imported(), 120)
        self.assertGreater(len(job.part_ids), 1)
        self.assertEqual(sum(job.part_ids.mapped("items")), 120)
        result = self.ok("odoo_list_jobs", id=job.id)["jobs"][0]["result"]
        self.assertEqual((result["created"], len(result["rows"])), (120, 120))
        self.assertEqual([row["row"] for row in result["rows"]], list(range(1, 121)))

    def test_part_that_fails_keeps_those_before_and_goes_on_there(self):
        rows = [{"id": f"bad_{number}", "name": f"Row {number}"} for number in range(60)]
        rows[55]["parent_id"] = "Nobody of this name"
        job = self.submit("odoo_import_records", {"model": "res.partner", "rows": rows}, in_parts=True)
        self.run_lane()
        self.assertEqual((job.state, job.checkpoint, self.imported()), ("failed", 50, 50), job.outcome)
        self.assertIn("Row 56", job.outcome)
        self.partners.create({"name": "Nobody of this name"})
        self.ok("odoo_run_job", op="retry", job_id=job.id)
        self.run_lane()
        self.assertEqual((job.state, job.checkpoint, self.imported()), ("done", 60, 60), job.outcome)

    def test_worker_lost_between_parts(self):
        job = self.submit_rows(120)
        self.run_lane(most=1, seconds=0)
        self.assertEqual((job.state, job.checkpoint, job.claim), ("running", 50, False))
        # One that was killed in the middle holds it until its lease ends.
        with self.enter_registry_test_mode():
            lost = job_queue.claim(self.registry, 1)
        self.assertEqual(lost.job_id, job.id)
        self.assertEqual(self.run_lane(), 0)
        job.lease_until = fields.Datetime.now() - timedelta(seconds=1)
        self.run_lane()
        self.assertEqual((job.state, self.imported()), ("done", 120))

    def test_job_that_takes_its_worker_along_is_given_up(self):
        job = self.submit()
        for _attempt in range(3):
            with self.enter_registry_test_mode():
                self.assertTrue(job_queue.claim(self.registry, 1))
            self.env.invalidate_all()
            job.lease_until = fields.Datetime.now() - timedelta(seconds=1)
            self.env.flush_all()
        self.run_lane()
        self.assertEqual(job.state, "failed")
        self.assertFalse(self.made())
        self.assertIn("ended 3 times", self.ok("odoo_list_jobs", id=job.id)["jobs"][0]["error"])

    def test_worker_that_was_overtaken_does_nothing(self):
        job = self.submit()
        with self.enter_registry_test_mode():
            slow = job_queue.claim(self.registry, 1)
        job.lease_until = fields.Datetime.now() - timedelta(seconds=1)
        self.run_lane()
        self.run_claim(slow)
        self.assertEqual(len(self.made()), 1)
        self.assertEqual(len(job.part_ids), 1)

    def test_concurrency_is_tried_again_later(self):
        self.check_tried_again(ConcurrencyError("others"))

    def test_so_is_what_has_lost_its_connection(self):
        self.check_tried_again(psycopg2.InterfaceError("cursor already closed"))

    def check_tried_again(self, error):
        job = self.submit()
        registry = type(self.env["mcp.tool.registry"])
        # The first pause may be of one second, which a busy machine takes for the next line.
        with (
            patch.object(registry, "_call_tool", side_effect=error),
            patch.object(job_queue, "pause_after", return_value=60),
            patch("time.sleep"),
            self.assertLogs("odoo"),
        ):
            self.run_lane()
        self.assertEqual((job.state, job.conflicts), ("queued", 1))
        self.assertGreater(job.not_before, fields.Datetime.now())
        self.assertEqual(self.run_lane(), 0)
        job.not_before = False
        self.run_lane()
        self.assertEqual(job.state, "done")

    def test_concurrency_ends_some_time(self):
        job = self.submit()
        job.conflicts = 8
        error = ConcurrencyError("others")
        registry = type(self.env["mcp.tool.registry"])
        with patch.object(registry, "_call_tool", side_effect=error), patch("time.sleep"), self.assertLogs("odoo"):
            self.run_lane()
        self.assertEqual(job.state, "failed")

    def test_pauses_grow(self):
        pauses = [job_queue.pause_after(conflicts) for conflicts in range(1, 12)]
        self.assertLess(pauses[0], 4)
        self.assertTrue(100 < pauses[-1] < 500)

    def test_crash_ends_the_job_and_not_the_lane(self):
        first, second = self.submit(), self.submit()
        job = type(self.jobs)
        plain = job._keep

        def keep(self, *arguments):
            if self.id == first.id:
                raise RuntimeError("secret detail")
            return plain(self, *arguments)

        with patch.object(job, "_keep", keep), self.assertLogs("odoo.addons.mcp_endpoint", "ERROR"):
            self.run_lane()
        self.assertEqual((first.state, second.state), ("failed", "done"))
        self.assertNotIn("secret", first.outcome)
        self.assertEqual(len(self.made()), 1)

    def test_busy_user_waits(self):
        job = self.submit()
        refusal = call_limits.busy("assistants")
        self.assertIsInstance(refusal, RateLimited)
        with patch.object(type(self.env["mcp.limits"]), "_count", side_effect=refusal):
            self.run_lane()
        self.assertEqual((job.state, bool(job.not_before)), ("queued", True))

    def test_what_no_longer_counts_is_not_run(self):
        groups = self.env.ref("base.group_user").ids
        changes = {
            "token revoked": lambda job: job.token_id.write({"revoked_at": fields.Datetime.now()}),
            "token deleted": lambda job: self.env.cr.execute("UPDATE mcp_job SET token_id = NULL"),
            "user archived": lambda job: self.user.write({"active": False}),
            "profile read only": lambda job: self.profiles["full"].write({"access_level": "read"}),
            "profile without the tool": lambda job: self.profiles["full"].write({"toolsets": "core"}),
            "no rights in Odoo": lambda job: self.user.write({"group_ids": [(6, 0, groups)]}),
            "endpoint off": lambda job: self.env["ir.config_parameter"].set_param("mcp_endpoint.paused", "True"),
        }
        job = self.submit()
        for what, change in changes.items():
            with self.subTest(what), self.env.cr.savepoint() as savepoint:
                change(job)
                self.env.flush_all()
                self.env.invalidate_all()
                self.run_lane()
                self.assertEqual(job.state, "failed")
                self.assertFalse(self.made())
                savepoint.rollback()
                self.env.invalidate_all()
                self.registry.clear_all_caches()

    def test_cancelled_while_it_waits(self):
        job = self.submit()
        self.ok("odoo_run_job", op="cancel", job_id=job.id)
        self.assertEqual((job.state, self.run_lane()), ("cancelled", 0))
        self.ok("odoo_run_job", op="retry", job_id=job.id)
        self.run_lane()
        self.assertEqual(job.state, "done")

    def test_cancelled_between_parts_keeps_them(self):
        job = self.submit_rows(120)
        self.run_lane(most=1, seconds=0)
        self.ok("odoo_run_job", op="cancel", job_id=job.id)
        self.assertEqual(self.ok("odoo_list_jobs", id=job.id)["jobs"][0]["status"], "cancelling")
        self.run_lane()
        self.assertEqual((job.state, job.checkpoint, self.imported()), ("cancelled", 50, 50))

    def test_cancelled_call_leaves_nothing(self):
        job = self.submit()
        plain = type(self.partners).create

        def create(records, vals_list):
            made = plain(records, vals_list)
            self.env["mcp.job.pulse"]._cancel(job.ids)
            return made

        with patch.object(type(self.partners), "create", create):
            self.run_lane()
        self.assertEqual(job.state, "cancelled")
        self.assertFalse(self.made())
        row = self.env["mcp.audit.log"].search([("request_id", "=", job.request_id)])
        self.assertEqual(row.outcome, "cancelled")

    def test_one_job_of_a_user_runs_at_a_time(self):
        first = self.submit_rows(120)
        second = self.submit()
        foreign = self.submit(user=self.other)
        self.run_lane(most=1, seconds=0)
        self.assertEqual(first.state, "running")
        order = []
        with self.enter_registry_test_mode():
            while taken := job_queue.claim(self.registry, 1):
                order.append(taken.job_id)
        self.assertEqual(order, [foreign.id, first.id])
        self.env.invalidate_all()
        self.assertEqual(second.state, "queued")

    def test_priority_and_time(self):
        low, normal, high = (self.submit(priority=priority) for priority in ("low", "normal", "high"))
        later = self.submit(priority="high", not_before=LATER)
        order = []
        with self.enter_registry_test_mode():
            while taken := job_queue.claim(self.registry, 0):
                order.append(taken.job_id)
            due = job_queue.next_due(self.registry)
        self.assertEqual(order, [high.id, normal.id, low.id])
        self.assertEqual(later.state, "queued")
        self.assertLess(due, fields.Datetime.now() + timedelta(minutes=1), "the leases of the three end sooner")

    def test_open_jobs_are_limited(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.jobs_open", "2")
        jobs = [self.submit(), self.submit()]
        error = self.refused(tool="odoo_create_records", arguments={"model": "res.partner", "records": [{"name": "x"}]})
        self.assertEqual((error["code"], error["retryable"]), ("too_many_jobs", True))
        self.run_lane(most=1)
        self.assertEqual(jobs[0].state, "done")
        self.submit()

    def test_only_the_owner_and_administrators_see_and_change_jobs(self):
        job = self.submit()
        admin = self.env.ref("base.user_admin")
        for user, sees in ((self.user, 1), (admin, 1), (self.other, 0)):
            self.assertEqual(len(self.jobs.with_user(user).search([("id", "=", job.id)])), sees, user.login)
        for action in ("action_cancel", "action_retry", "action_agree", "action_decline"):
            with self.subTest(action), self.assertRaises(AccessError):
                getattr(job.with_user(self.other), action)()
        for user in (self.user, admin, self.other):
            mine = job.with_user(user)
            for values in ({"arguments": {}}, {"state": "done"}, {"user_id": user.id}):
                with self.subTest(user.login, **values), self.assertRaises(UserError):
                    mine.write(values)
            with self.assertRaises(AccessError):
                mine.unlink()
            with self.assertRaises(AccessError):
                self.env["mcp.job.pulse"].with_user(user).search([])
        job.with_user(self.user).action_cancel()
        self.assertEqual(job.state, "cancelled")
        job.with_user(admin).action_retry()
        self.assertEqual(job.state, "queued")
        with self.assertRaises(UserError):
            job.with_user(admin).action_retry()

    def test_other_connections_of_the_same_user_see_nothing(self):
        job = self.submit(profile="full")
        result = self.call("odoo_list_jobs", profile="write", id=job.id, kind="job")
        self.assertTrue(result["isError"])
        self.assertEqual(self.call("odoo_list_jobs", profile="write")["structuredContent"]["jobs"], [])
        result = self.call("odoo_run_job", profile="write", op="cancel", job_id=job.id)
        self.assertEqual(result["structuredContent"]["error"]["code"], "not_found")
        self.assertEqual(job.state, "queued")

    def test_progress_of_the_running_part_is_seen(self):
        job = self.submit_rows(120)
        self.run_lane(most=1, seconds=0)
        with self.enter_registry_test_mode():
            self.assertFalse(mcp_job_pulse.tell(self.registry, job.id, 70, 120, "row 70"))
        self.env.invalidate_all()
        self.assertEqual((job.progress, job.progress_text), (58, "70 of 120 · row 70"))
        facts = self.ok("odoo_list_jobs", id=job.id)["jobs"][0]
        self.assertEqual((facts["done"], facts["total"], facts["progress"]), (70, 120, "row 70"))

    def test_its_user_is_told(self):
        job = self.submit()
        self.env.cr.execute("UPDATE mcp_job SET create_date = create_date - interval '5 minutes'")
        self.run_lane()
        told = self.env["mail.message"].search([("model", "=", "mcp.job"), ("res_id", "=", job.id)])
        self.assertEqual(told.filtered("notification_ids").notified_partner_ids, self.user.partner_id)

    def test_expired_jobs_are_deleted(self):
        done, waiting = self.submit(), self.submit(not_before=LATER)
        self.run_lane()
        self.jobs._gc_expired()
        self.assertTrue(done.exists())
        done.expires_at = fields.Datetime.now() - timedelta(seconds=1)
        parts = done.part_ids
        self.jobs._gc_expired()
        self.assertEqual((bool(done.exists()), bool(parts.exists()), bool(waiting.exists())), (False, False, True))

    def test_the_form_can_be_read(self):
        job = self.submit_rows(3)
        self.run_lane()
        names = ("progress", "progress_text", "arguments_html", "result_html", "question", "is_mine")
        shown = {name: {} for name in names}
        shown |= {"outcome_text": {}, "part_ids": {"fields": {"text": {}, "outcome": {}}}}
        read = job.with_user(self.user).web_read(shown)[0]
        self.assertIn("Row 2", read["arguments_html"])
        self.assertIn("created", read["result_html"])
        # Who governs assistants, and nothing else, sees that it ran.
        governor = new_test_user(self.env, "mcp_governor", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        read = job.with_user(governor).web_read(shown)[0]
        private = ("arguments_html", "result_html", "question", "outcome_text")
        self.assertFalse(any(read[name] for name in private), read)
        self.assertFalse(any(part["text"] for part in read["part_ids"]))
        self.assertEqual(read["progress"], 100)

    def refused(self, **arguments):
        result = self.call_job(arguments)
        self.assertTrue(result["isError"], result)
        return result["structuredContent"]["error"]

    def call_job(self, arguments):
        exchange = self.exchange(params={"name": "odoo_run_job", "arguments": arguments})
        return self.registry_as()._call_tool(exchange)

    def test_reading_connection_runs_what_it_may_read(self):
        listed = {"tool": "odoo_search_records", "arguments": {"model": "res.partner", "limit": 1}}
        result = self.registry_as()._call_tool(
            self.exchange(profile="read", params={"name": "odoo_run_job", "arguments": listed})
        )
        self.assertFalse(result["isError"], result)
        self.env.flush_all()
        self.run_lane()
        self.assertEqual(self.jobs.browse(result["structuredContent"]["id"]).state, "done")
        written = {"tool": "odoo_create_records", "arguments": {"model": "res.partner", "records": [{"name": "x"}]}}
        result = self.registry_as()._call_tool(
            self.exchange(profile="read", params={"name": "odoo_run_job", "arguments": written})
        )
        self.assertEqual(result["structuredContent"]["error"]["code"], "policy_denied")
