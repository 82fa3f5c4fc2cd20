from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from ..models import call_time
from ..services.exchange import Narrowing
from ..services.input_requests import YES
from ..services.policy import CompiledPolicy
from ..services.questions import Question
from .approvals import ApprovalMixin
from .common import McpCase
from .jobs import JobMixin

CREATE = {"model": "res.partner", "records": [{"name": "By a job"}]}


def _asking(_registry, call):
    return call.need("confirm", Question("Really?"))


@tagged("post_install", "-at_install")
class TestJobSubmission(JobMixin, ApprovalMixin, McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.profiles["full"].approval = "never"

    def ask(self, **arguments):
        exchange = self.exchange(params={"name": "odoo_run_job", "arguments": arguments})
        return self.registry_as()._call_tool(exchange)

    def submit_unasked(self):
        """Queue a deletion as if the trial before had seen no question."""
        with patch.object(type(self.jobs), "_ask_first", lambda *_args, **_options: None):
            return self.submit("odoo_delete_records", self.arguments)

    def refused(self, code, **arguments):
        result = self.ask(**arguments)
        self.assertTrue(result["isError"], result["content"][0]["text"])
        error = result["structuredContent"]["error"]
        self.assertEqual(error["code"], code, error)
        self.assertFalse(self.jobs.search([]))
        return error

    def test_what_would_fail_is_refused_at_once(self):
        for code, arguments in (
            ("unknown_tool", {"tool": "no_such_tool"}),
            ("invalid_arguments", {}),
            ("invalid_arguments", {"tool": "odoo_create_records", "arguments": {"model": "res.partner"}}),
            ("not_possible", {"tool": "odoo_run_job", "arguments": {"tool": "odoo_get_context"}}),
            ("not_possible", {"tool": "odoo_list_jobs"}),
            ("invalid_arguments", {"tool": "odoo_create_records", "arguments": {**CREATE, "idempotency_key": "k"}}),
            ("invalid_arguments", {"tool": "odoo_create_records", "arguments": CREATE, "not_before": "soon"}),
            ("invalid_arguments", {"tool": "odoo_create_records", "arguments": CREATE, "not_before": "9999-12-31"}),
            ("not_possible", {"tool": "odoo_get_context", "in_parts": True}),
            ("not_possible", {"tool": "odoo_create_records", "arguments": {"model": "res.partner"}, "in_parts": True}),
            ("policy_denied", {"tool": "odoo_create_records", "arguments": {"model": "ir.rule", "records": [{}]}}),
            ("not_found", {"op": "cancel", "job_id": 2**31 - 1}),
            ("not_found", {"op": "retry"}),
        ):
            with self.subTest(**arguments):
                self.refused(code, **arguments)

    def test_huge_arguments_are_refused(self):
        rows = [{"id": str(number)} for number in range(10_001)]
        call = {"tool": "odoo_import_records", "arguments": {"model": "x", "rows": rows}}
        self.refused("invalid_arguments", **call, in_parts=True)
        rows = rows[:2_001]
        error = self.refused("invalid_arguments", tool="odoo_import_records", arguments={"model": "x", "rows": rows})
        self.assertIn("2000", error["message"].replace(",", ""))

    def test_every_part_is_validated_before(self):
        rows = [{"id": f"v{number}", "name": "Row"} for number in range(700)]
        rows[650] = "no row at all"
        call = {"tool": "odoo_import_records", "arguments": {"model": "res.partner", "rows": rows}}
        self.refused("invalid_arguments", **call, in_parts=True)

    def test_url_and_profile_hold_for_the_inner_tool(self):
        call = {"tool": "odoo_create_records", "arguments": CREATE}
        for narrowing in (Narrowing(readonly=True), Narrowing(exclude=frozenset({"odoo_create_records"}))):
            params = {"name": "odoo_run_job", "arguments": call}
            result = self.registry_as()._call_tool(self.exchange(params=params, narrowing=narrowing))
            self.assertEqual(result["structuredContent"]["error"]["code"], "policy_denied")
        self.assertFalse(self.jobs.search([]))

    def test_url_holds_when_it_runs(self):
        job = self.submit()
        self.env.cr.execute("UPDATE mcp_job SET narrowing = jsonb_set(narrowing, '{readonly}', 'true')")
        self.env.invalidate_all()
        self.run_lane()
        self.assertEqual(job.state, "failed")

    def test_dry_run_queues_nothing(self):
        result = self.ask(tool="odoo_create_records", arguments=CREATE, dry_run=True)
        self.assertEqual(result["structuredContent"]["status"], "dry_run")
        self.assertFalse(self.jobs.search([]))

    def test_dry_run_as_a_job(self):
        job = self.submit("odoo_create_records", {**CREATE, "dry_run": True})
        self.run_lane()
        self.assertEqual(self.ok("odoo_list_jobs", id=job.id)["jobs"][0]["result"]["status"], "dry_run")
        self.assertFalse(self.partners.search([("name", "=", "By a job")]))

    def test_repeated_key_queues_once(self):
        jobs = {self.submit(idempotency_key="once").id for _time in range(2)}
        self.assertEqual(len(jobs), 1)
        self.run_lane()
        self.assertEqual(self.submit(idempotency_key="once").id, jobs.pop())

    def test_destructive_call_is_confirmed_before_it_is_queued(self):
        call = {"tool": "odoo_delete_records", "arguments": self.arguments}
        asked = self.ask(**call)["structuredContent"]
        self.assertEqual(asked["status"], "confirmation_required")
        self.assertIn("Doomed", asked["question"])
        self.assertFalse(self.jobs.search([]))
        told = self.ask(**call, confirm_token=asked["confirm_token"])["structuredContent"]
        self.env.flush_all()
        self.run_lane()
        self.assertEqual(self.jobs.browse(told["id"]).state, "done")
        self.assertFalse(self.partner.exists())

    def test_question_that_only_the_run_shows(self):
        job = self.submit_unasked()
        self.run_lane()
        self.assertEqual(job.state, "needs_input")
        self.assertIn("Doomed", job.question)
        self.assertEqual(job.activity_ids.user_id, self.user)
        self.assertTrue(self.partner.exists())
        self.assertEqual(self.run_lane(), 0)
        job.with_user(self.user).action_agree()
        self.assertFalse(job.activity_ids)
        self.run_lane()
        self.assertEqual(job.state, "done")
        self.assertFalse(self.partner.exists())

    def test_question_is_answered_by_the_assistants_user(self):
        job = self.submit_unasked()
        self.run_lane()
        asked = self.ask(op="retry", job_id=job.id)["structuredContent"]
        self.assertEqual((asked["status"], job.state), ("confirmation_required", "needs_input"))
        self.ask(op="retry", job_id=job.id, confirm_token=asked["confirm_token"])
        self.env.flush_all()
        self.run_lane()
        self.assertEqual(job.state, "done")
        self.assertFalse(self.partner.exists())

    def test_declined(self):
        job = self.submit_unasked()
        self.run_lane()
        job.with_user(self.user).action_decline()
        self.run_lane()
        self.assertIn("declined", job.outcome)
        self.assertTrue(self.partner.exists())

    def test_where_every_change_is_confirmed_the_job_is(self):
        self.profiles["full"].confirmation = "always"
        call = {"tool": "odoo_create_records", "arguments": CREATE}
        asked = self.ask(**call)["structuredContent"]
        self.assertEqual(asked["status"], "confirmation_required")
        job = self.jobs.browse(self.ask(**call, confirm_token=asked["confirm_token"])["structuredContent"]["id"])
        self.env.flush_all()
        self.run_lane()
        self.assertEqual(job.state, "done", job.outcome)

    def test_confirmed_on_a_page_or_in_odoo_only(self):
        self.profiles["full"].confirmation_page = True
        job = self.submit_unasked()
        # Neither what a client says to a task's question nor an old answer counts.
        self.env.flush_all()
        job.answers = {"confirm": YES}
        self.run_lane()
        self.assertEqual(job.state, "needs_input", job.outcome)
        self.assertTrue(self.partner.exists())
        job.with_user(self.user).action_agree()
        self.run_lane()
        self.assertEqual(job.state, "done", job.outcome)
        self.assertFalse(self.partner.exists())

    def test_yes_to_the_job_is_no_yes_on_the_page_to_what_its_trial_has_not_shown(self):
        self.profiles["full"].write({"confirmation": "always", "confirmation_page": True})
        call = {"tool": "odoo_delete_records", "arguments": self.arguments}
        with patch.object(type(self.jobs), "_tried", lambda *_args, **_options: []):
            asked = self.ask(**call)["structuredContent"]
            told = self.ask(**call, confirm_token=asked["confirm_token"])["structuredContent"]
        self.env.flush_all()
        self.run_lane()
        job = self.jobs.browse(told["id"])
        self.assertEqual(job.state, "needs_input", job.outcome)
        self.assertTrue(self.partner.exists())

    def test_clients_yes_is_not_proven_by_another_answer(self):
        job = self.submit_unasked()
        question = {"key": "name", "name": "name", "message": "Name?", "request": None, "roots": True}
        job.write({"state": "needs_input", "answers": {"confirm": YES}, "questions": [question]})
        job._answer({"name": {"action": "accept", "content": {"name": "x"}}}, proven=True)
        self.assertEqual(set(job.answers), {"name"})
        job._answer({"confirm": YES}, proven=True)
        self.assertEqual(set(job.answers), {"name", "confirm"})

    def test_administrator_who_runs_it_again_says_no_yes_for_its_user(self):
        admin = new_test_user(self.env, "mcp_boss", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        job = self.submit_unasked()
        for user, kept in ((self.user, True), (admin, False)):
            job.write({"state": "cancelled", "answers": {"confirm": YES}, "proven": True})
            job.with_user(user).action_retry()
            self.assertEqual((bool(job.answers), job.proven), (kept, kept))
        self.env.flush_all()
        self.run_lane()
        self.assertEqual(job.state, "needs_input", job.outcome)
        self.assertTrue(self.partner.exists())

    def test_question_about_parts_tells_of_all(self):
        partners = self.partners.create([{"name": f"Row {number}"} for number in range(60)])
        updates = [{"id": partner.id, "values": {"ref": "x"}} for partner in partners]
        call = {"tool": "odoo_update_records", "arguments": {"model": "res.partner", "updates": updates}}
        with patch.object(type(self.jobs), "_tried", lambda *_args, **_options: [Question("Really?")]):
            asked = self.ask(**call, in_parts=True)["structuredContent"]
        self.assertIn("the first 50 of 60 items", asked["question"])
        job = self.submit("odoo_update_records", call["arguments"], in_parts=True)
        with patch.object(type(self.env["mcp.tool.registry"]), "execute_tool", _asking):
            self.run_lane()
        self.assertIn("the first 50 of 60 items", job.question)

    def test_parts_stop_at_the_first_that_waits_for_an_approval(self):
        self.profiles["full"].write({"approval": "destructive", "approver_ids": self.approver.ids})
        partners = self.partners.create([{"name": f"Row {number}"} for number in range(60)])
        arguments = {"model": "res.partner", "ids": partners.ids, "values": {"ref": "x"}}
        with patch.object(type(self.jobs), "_ask_first", lambda *_args, **_options: False):
            job = self.submit("odoo_update_records", arguments, in_parts=True)
        with patch.object(type(self.env["mcp.tool.registry"]), "execute_tool", _asking):
            self.run_lane()
        self.assertEqual((job.state, job.checkpoint), ("failed", 0))
        self.assertIn("waits for approval", job.outcome)
        self.assertEqual(len(self.env["mcp.approval"].search([("state", "=", "waiting")])), 1)

    def test_result_of_what_was_closed_since_is_hidden(self):
        job = self.submit("odoo_search_records", {"model": "res.partner"})
        self.run_lane()
        self.assertIn("result", self.ok("odoo_list_jobs", id=job.id)["jobs"][0])
        with patch.object(CompiledPolicy, "allows_model", lambda _policy, model, _operation="read": False):
            self.fails("hidden", "odoo_list_jobs", id=job.id)
            self.fails("hidden", "odoo_list_jobs", id=job.id, as_file=True)

    def test_approved_job_runs_and_only_once(self):
        self.profiles["full"].approval = "always"
        approval = self.park("odoo_run_job", tool="odoo_create_records", arguments=CREATE)
        self.assertFalse(self.jobs.search([]))
        self.assertEqual(self.press(approval), "success")
        job = self.jobs.search([])
        self.assertEqual(job.approval_id, approval)
        self.run_lane()
        self.assertEqual(job.state, "done", job.outcome)
        job.state = "failed"
        self.env.flush_all()
        error = self.ask(op="retry", job_id=job.id)["structuredContent"]["error"]
        self.assertIn("approved once", error["message"])
        with self.assertRaisesRegex(UserError, "approved once"):
            job.with_user(self.user).action_retry()

    def test_timeout_offers_a_job(self):
        call = self.make_call("odoo_search_records", model="res.partner")
        with patch.object(call_time, "limited", side_effect=call_time._timeout("Too long.")):
            result = self.call("odoo_search_records", model="res.partner")
        self.assertIn("odoo_run_job", result["structuredContent"]["error"]["fix"])
        self.assertTrue(self.jobs.with_env(call.env)._may_run(call))
        for narrowing in (Narrowing(toolsets=frozenset({"core"})), Narrowing(exclude=frozenset({"jobs"}))):
            with patch.object(call_time, "limited", side_effect=call_time._timeout("Too long.")):
                result = self.call("odoo_search_records", narrowing=narrowing, model="res.partner")
            self.assertNotIn("odoo_run_job", result["structuredContent"]["error"]["fix"])

    def test_parts_of_updates_and_ids(self):
        partners = self.partners.create([{"name": f"Row {number}"} for number in range(60)])
        updates = [{"id": partner.id, "values": {"ref": f"u{partner.id}"}} for partner in partners]
        job = self.submit("odoo_update_records", {"model": "res.partner", "updates": updates}, in_parts=True)
        self.run_lane()
        self.assertEqual((job.state, job.checkpoint), ("done", 60), job.outcome)
        self.assertEqual(partners[-1].ref, f"u{partners[-1].id}")
        arguments = {"model": "res.partner", "ids": partners.ids, "values": {"ref": "same"}}
        job = self.submit("odoo_update_records", arguments, in_parts=True)
        self.run_lane()
        self.assertEqual(set(partners.mapped("ref")), {"same"})
        result = self.ok("odoo_list_jobs", id=job.id)["jobs"][0]["result"]
        self.assertEqual(result["count"], 60)
