from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .approvals import ApprovalMixin
from .common import McpCase


@tagged("post_install", "-at_install")
class TestApprovalDecision(ApprovalMixin, McpCase):
    def outcome(self, approval):
        return self.ok("odoo_list_jobs", id=approval.id)["jobs"][0]

    def test_approved_call_runs_as_its_user_with_journal_and_audit(self):
        approval = self.park()
        self.assertEqual(self.press(approval), "success")
        self.assertFalse(self.partner.exists())
        self.assertEqual((approval.state, approval.decided_by_id), ("done", self.approver))
        self.assertFalse(approval.activity_ids)
        run = self.env["mcp.audit.log"].search([("request_id", "=", approval.request_id)])
        self.assertEqual((run.user_id, run.outcome, run.transport), (self.user, "ok", "approval"))
        change = self.env["mcp.change"].search([("request_id", "=", approval.request_id)])
        self.assertEqual((change.user_id, change.operation), (self.user, "delete"))
        decision = self.env["mcp.audit.log"].search([("method", "=", "approval")])
        self.assertEqual((decision.user_id, decision.outcome), (self.approver, "ok"))
        self.assertEqual(approval.with_user(self.approver).action_open_changes()["domain"][0][2], approval.request_id)

    def test_assistant_learns_the_result_by_asking_or_by_calling_again(self):
        approval = self.park()
        self.assertEqual(self.outcome(approval)["status"], "waiting_for_approval")
        self.press(approval)
        self.assertIn("result", self.outcome(approval))
        self.assertEqual(self.outcome(approval)["status"], "done")
        again = self.call("odoo_delete_records", **self.arguments)
        # The record is gone by now: only the stored result can answer.
        self.assertFalse(again["isError"])
        self.assertIn(f"Request {approval.id} was approved", again["content"][0]["text"])

    def test_approves_once(self):
        create = {"model": "res.partner", "records": [{"name": "Only one"}]}
        self.profiles["full"].approval = "always"
        approval = self.park("odoo_create_records", **create)
        self.assertEqual(self.press(approval), "success")
        for action in ("action_approve", "action_refuse"):
            self.assertEqual(self.press(approval, action), "warning")
        self.ok("odoo_create_records", **create)
        self.assertEqual(self.env["res.partner"].search_count([("name", "=", "Only one")]), 1)
        self.assertEqual(approval.state, "done")

    def test_refused_call_is_not_run_and_not_asked_again(self):
        approval = self.park()
        self.assertEqual(self.press(approval, "action_refuse"), "success")
        self.assertTrue(self.partner.exists())
        self.assertEqual(approval.state, "refused")
        self.assertEqual(self.ok("odoo_delete_records", **self.arguments)["status"], "refused")
        self.assertEqual(self.press(approval), "warning")
        self.assertTrue(self.partner.exists())
        decision = self.env["mcp.audit.log"].search([("method", "=", "approval")])
        self.assertEqual((decision.user_id, decision.outcome), (self.approver, "refused"))

    def test_only_those_who_were_asked_decide(self):
        approval = self.park()
        admin = self.env.ref("base.user_admin")
        for user in (self.user, self.other, admin):
            for action in ("action_approve", "action_refuse"):
                with self.subTest(user=user.login, action=action), self.assertRaises(AccessError):
                    getattr(approval.with_user(user), action)()
        self.assertEqual(approval.state, "waiting")

    def test_approver_who_was_taken_out_meanwhile_cannot_decide(self):
        approval = self.park()
        self.profiles["full"].approver_ids = self.other
        with self.assertRaises(AccessError):
            approval.with_user(self.approver).action_approve()
        # Nor can one who was not asked: the request never came to them.
        with self.assertRaises(AccessError):
            approval.with_user(self.other).action_approve()

    def test_requester_withdraws(self):
        approval = self.park()
        with self.assertRaises(AccessError):
            approval.with_user(self.approver).action_withdraw()
        self.assertEqual(self.press(approval, "action_withdraw", self.user), "success")
        self.assertEqual(approval.state, "withdrawn")
        self.assertEqual(self.press(approval), "warning")
        self.assertTrue(self.partner.exists())
        self.assertNotEqual(self.park(), approval)

    def test_self_approval_where_allowed(self):
        self.profiles["full"].write({"approver_ids": self.user.ids, "allow_self_approval": True})
        self.assertEqual(self.press(self.park(), user=self.user), "success")
        self.assertFalse(self.partner.exists())

    def test_nobody_changes_what_was_asked_for(self):
        approval = self.park()
        innocent = self.env["res.partner"].create({"name": "Innocent"})
        for user in (self.user, self.approver, self.env.ref("base.user_admin")):
            mine = approval.with_user(user)
            with self.subTest(user.login):
                for values in ({"arguments": {"ids": innocent.ids}}, {"state": "done"}, {"approver_ids": user.ids}):
                    with self.assertRaises(UserError):
                        mine.write(values)
                with self.assertRaises(AccessError):
                    mine.unlink()
                with self.assertRaises(AccessError):
                    mine.create({"name": "x", "tool": "x", "user_id": user.id, "expires_at": fields.Datetime.now()})
        with self.assertRaisesRegex(Exception, "cannot be changed"):
            approval.arguments = {"ids": innocent.ids}

    def test_who_sees_a_request(self):
        approval = self.park()
        approvals = self.env["mcp.approval"]
        for user, sees in ((self.user, 1), (self.approver, 1), (self.env.ref("base.user_admin"), 1), (self.other, 0)):
            self.assertEqual(len(approvals.with_user(user).search([("id", "=", approval.id)])), sees, user.login)
        self.assertTrue(approval.with_user(self.approver).may_decide)
        self.assertFalse(approval.with_user(self.user).may_decide)
        # The form, as the web client reads it.
        shown = {"name": {}, "preview_html": {}, "arguments_html": {}, "approver_ids": {"fields": {"display_name": {}}}}
        approval.with_user(self.approver).web_read(shown)

    def test_what_it_is_about_is_for_those_whom_it_concerns(self):
        approval = self.park()
        groups = "base.group_user,mcp_endpoint.group_mcp_admin"
        governor = new_test_user(self.env, "mcp_governor", groups=groups)
        names = {"title": {}, "display_name": {}}
        shown = {"preview_html": {}, "arguments_html": {}, "outcome_text": {}, "is_shown": {}, **names}
        for user, sees in ((self.approver, True), (self.user, True), (governor, False)):
            row = approval.with_user(user).web_read(shown)[0]
            self.assertEqual((row["is_shown"], "Doomed" in row["preview_html"]), (sees, sees), user.login)
            self.assertEqual(bool(row["arguments_html"]), sees)
            self.assertEqual("Doomed" in row["title"], sees)
            self.assertIn("Contact", row["display_name"])
            for text, found in (("Doomed", sees), ("Contact", True)):
                self.assertEqual(bool(approval.with_user(user).search([("title", "ilike", text)])), found, text)
            for name in ("arguments", "preview", "question", "result_text"):
                with self.assertRaises(AccessError):
                    approval.with_user(user).read([name])
                with self.assertRaises(AccessError):
                    approval.with_user(user).search([(name, "like", "Doomed")])

    def test_chatter_and_activities_name_no_record(self):
        approval = self.park()
        governor = new_test_user(self.env, "mcp_governor", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        activities = approval.with_user(governor).activity_ids
        self.assertNotIn("Doomed", str(activities.read(["summary", "display_name", "res_name"])))
        # Odoo refuses in its own words then, with the name in them.
        self.env["res.users"].create({"login": "mcp_doomed", "partner_id": self.partner.id})
        self.press(approval)
        self.assertEqual(approval.state, "failed")
        self.assertIn("Doomed", approval.with_user(self.user).outcome_text)
        about = [("model", "=", approval._name), ("res_id", "=", approval.id)]
        messages = self.env["mail.message"].with_user(governor).search(about)
        self.assertTrue(messages)
        self.assertNotIn("Doomed", str(messages.read(["subject", "body", "record_name", "preview"])))

    def test_what_no_longer_counts_is_not_run(self):
        token = self.env["mcp.token"].search([("user_id", "=", self.user.id)])
        changes = {
            "token revoked": lambda: token.write({"revoked_at": fields.Datetime.now()}),
            "token expired": lambda: token.write({"expires_at": fields.Datetime.now() - timedelta(days=1)}),
            "user archived": lambda: self.user.write({"active": False}),
            "user shut out": lambda: self.env.ref("base.group_user")._remove_group(
                self.env.ref("mcp_endpoint.group_mcp_user")
            ),
            "profile without deleting": lambda: self.profiles["full"].write({"allow_delete": False}),
            "profile read only": lambda: self.profiles["full"].write({"access_level": "read"}),
            "profile archived": lambda: self.profiles["full"].write({"active": False}),
            "no rights in Odoo": lambda: self.user.write({"group_ids": [(6, 0, self.env.ref("base.group_user").ids)]}),
            "record gone": lambda: self.partner.unlink(),
            "profile without the toolset": lambda: self.profiles["full"].write({"toolsets": "core"}),
        }
        approval = self.park()
        token = approval.token_id
        for what, change in changes.items():
            with self.subTest(what), self.env.cr.savepoint() as savepoint:
                change()
                self.env.flush_all()
                kind = self.press(approval)
                self.assertEqual(kind, "danger")
                self.assertEqual(approval.state, "failed")
                self.assertTrue(approval.result_text)
                if what != "record gone":
                    self.assertTrue(self.partner.exists())
                savepoint.rollback()
                self.env.invalidate_all()
                self.registry.clear_all_caches()

    def test_failure_is_told_to_the_assistant(self):
        approval = self.park()
        self.partner.unlink()
        self.press(approval)
        self.assertIn(str(self.partner.id), self.outcome(approval)["error"])

    def test_expired_request_is_not_run(self):
        approval = self.park()
        approval.expires_at = fields.Datetime.now() - timedelta(seconds=1)
        self.assertEqual(self.press(approval), "warning")
        self.assertEqual(approval.state, "expired")
        self.assertTrue(self.partner.exists())

    def test_cron_closes_what_expired(self):
        waiting, expired = self.park(), self.park(**{**self.arguments, "idempotency_key": "k"})
        expired.expires_at = fields.Datetime.now() - timedelta(seconds=1)
        self.env["mcp.approval"]._cron_expire()
        self.assertEqual((waiting.state, expired.state), ("waiting", "expired"))
        self.assertEqual(self.env["mcp.audit.log"].search([("method", "=", "approval")]).outcome, "refused")

    def test_changed_records_are_shown_before_anything_runs(self):
        self.profiles["full"].approval = "always"
        rename = {"model": "res.partner", "ids": self.partner.ids, "values": {"name": "Renamed"}}
        approval = self.park("odoo_update_records", **rename)
        self.partner.name = "Doomed no more"
        self.env.flush_all()
        self.assertEqual(self.press(approval), "warning")
        self.assertEqual((approval.state, approval.preview_changed), ("waiting", True))
        self.assertEqual(self.partner.name, "Doomed no more")
        self.assertIn("Doomed no more", approval.preview_html)
        self.assertTrue(approval.activity_ids)
        self.assertEqual(self.press(approval), "success")
        self.assertEqual(self.partner.name, "Renamed")

    def test_batch_runs_whole(self):
        steps = [
            {"tool": "odoo_create_records", "arguments": {"model": "res.partner", "records": [{"name": "Step one"}]}},
            {"tool": "odoo_delete_records", "arguments": self.arguments},
        ]
        self.assertEqual(self.press(self.park("odoo_batch", steps=steps)), "success")
        self.assertFalse(self.partner.exists())
        self.assertTrue(self.env["res.partner"].search([("name", "=", "Step one")]))

    def test_idempotency_key_of_an_approved_call_returns_its_result(self):
        arguments = {**self.arguments, "idempotency_key": "once"}
        self.press(self.park(**arguments))
        self.assertNotIn("status", self.ok("odoo_delete_records", **arguments))

    def test_no_more_rights_than_the_requester(self):
        """What runs for somebody else finds no trace of the person who pressed the button."""
        self.approver.group_ids |= self.env.ref("base.group_system")
        steps = {
            "model": "res.partner",
            "ids": self.partner.ids,
            "values": {"user_ids": [[1, self.user.id, {"name": "X"}]]},
        }
        result = self.call("odoo_update_records", **steps)
        self.assertTrue(result["isError"], "refused when it is asked for, not only when it is run")
