from datetime import timedelta

from freezegun import freeze_time
from odoo import fields
from odoo.tests import tagged

from ..services.exchange import Narrowing
from .approvals import ApprovalMixin
from .common import McpCase
from .custom_tools import CustomToolCase

CONTACT = ("contact", "record", {"model_name": "res.partner", "is_required": True})
RENAME = {"values": {"name": "Renamed"}}


@tagged("post_install", "-at_install")
class TestApprovalOfCustomTool(ApprovalMixin, CustomToolCase):
    def test_tool_without_code_runs_when_it_is_approved(self):
        self.profiles["full"].approval = "always"
        self.make("paint_it", "action", self.server_action("record.write({'color': 9})"), CONTACT)
        approval = self.park("paint_it", contact=str(self.partners[0].id))
        self.assertEqual(self.partners[0].color, 3)
        self.assertEqual(self.press(approval), "success", approval.result_text)
        self.assertEqual(self.partners[0].color, 9)
        self.assertEqual(self.press(approval), "warning")


@tagged("post_install", "-at_install")
class TestApprovalRequest(ApprovalMixin, McpCase):
    def test_call_is_parked_with_its_preview_and_nothing_is_done(self):
        result = self.call("odoo_delete_records", **self.arguments)
        facts = result["structuredContent"]
        self.assertFalse(result["isError"])
        self.assertEqual(facts["status"], "waiting_for_approval")
        self.assertIn("Ada Approver", result["content"][0]["text"])
        self.assertTrue(self.partner.exists())
        approval = self.env["mcp.approval"].browse(facts["id"])
        self.assertEqual(
            (approval.state, approval.user_id, approval.tool), ("waiting", self.user, "odoo_delete_records")
        )
        self.assertEqual(approval.arguments["ids"], self.partner.ids)
        self.assertIn("Doomed", approval.preview_html)
        self.assertIn("Doomed", approval.title)
        self.assertIn("Doomed", self.ok("odoo_list_jobs")["jobs"][0]["request"])
        self.assertIn("1 record", approval.impact)
        left = approval.expires_at - fields.Datetime.now()
        self.assertLess(abs(left - timedelta(hours=24)), timedelta(minutes=1))

    def test_parked_call_is_audited_as_asked(self):
        self.park()
        row = self.env["mcp.audit.log"].search([], limit=1)
        self.assertEqual((row.outcome, row.tool), ("asked", "odoo_delete_records"))

    def test_approvers_get_an_activity_and_a_notification(self):
        approval = self.park()
        self.assertEqual(approval.activity_ids.user_id, self.approver)
        about = [("model", "=", approval._name), ("res_id", "=", approval.id)]
        mail = self.env["mail.message"].search([*about, ("message_type", "=", "user_notification")])
        self.assertEqual(mail.notified_partner_ids, self.approver.partner_id)
        self.assertIn(f"/odoo/mcp-approvals/{approval.id}", mail.body)

    def test_waits_as_long_as_the_setting_says(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.approval_hours", "1")
        self.assertLessEqual(self.park().expires_at, fields.Datetime.now() + timedelta(hours=1))

    def test_same_call_again_is_the_same_request(self):
        approval = self.park()
        self.assertEqual(self.park(), approval)
        self.assertEqual(self.park(**{**self.arguments, "idempotency_key": "another"}).id, approval.id + 1)

    def test_same_call_of_another_token_is_another_request(self):
        approval = self.park()
        self.env["mcp.token"].search([("user_id", "=", self.user.id)]).revoked_at = fields.Datetime.now()
        self.assertNotEqual(self.park(), approval)

    def test_what_is_parked_follows_the_mode(self):
        rename = {"model": "res.partner", "ids": self.partner.ids, **RENAME}
        self.assertNotIn("status", self.ok("odoo_update_records", **rename))
        self.profiles["full"].approval = "always"
        parked = self.park("odoo_update_records", **{**rename, "values": {"name": "Again"}})
        self.assertEqual(parked.title, "Update records: Contact Again")
        self.assertEqual(self.partner.name, "Renamed")
        self.profiles["full"].approval = "never"
        self.assertEqual(self.ok("odoo_delete_records", **self.arguments)["status"], "confirmation_required")

    def test_assistants_own_user_cannot_confirm_instead(self):
        self.profiles["full"].approval = "never"
        token = self.ok("odoo_delete_records", **self.arguments)["confirm_token"]
        self.profiles["full"].approval = "destructive"
        self.park(**self.arguments, confirm_token=token)
        self.assertTrue(self.partner.exists())

    def test_user_confirms_lesser_changes_where_the_profile_asks_that_too(self):
        self.profiles["full"].confirmation = "always"
        rename = {"model": "res.partner", "ids": self.partner.ids, **RENAME}
        asked = self.ok("odoo_update_records", **rename)
        self.assertEqual(asked["status"], "confirmation_required")
        self.ok("odoo_update_records", **rename, confirm_token=asked["confirm_token"])
        self.assertEqual(self.partner.name, "Renamed")

    def test_baseline_that_wants_approval_holds_for_every_profile(self):
        self.profiles["full"].approval = "never"
        baseline = self.env.ref("mcp_endpoint.profile_baseline")
        baseline.write({"approval": "destructive", "approver_ids": self.other.ids})
        self.assertEqual(self.park().approver_ids, self.other)

    def test_two_profiles_that_want_approval_have_to_accept_the_approver_both(self):
        baseline = self.env.ref("mcp_endpoint.profile_baseline")
        baseline.write({"approval": "destructive", "approver_ids": (self.other | self.approver).ids})
        self.assertEqual(self.park().approver_ids, self.approver)
        baseline.approver_ids = self.other
        self.fails("no_approver", "odoo_delete_records", **{**self.arguments, "idempotency_key": "k"})

    def test_nobody_who_may_approve_is_said_so(self):
        group = self.env["res.groups"].create({"name": "Nobody"})
        self.profiles["full"].write({"approver_ids": False, "approver_group_id": group.id})
        self.fails("no_approver", "odoo_delete_records", **self.arguments)
        self.profiles["full"].write({"approver_ids": self.user.ids})
        self.fails("no_approver", "odoo_delete_records", **self.arguments)
        self.assertTrue(self.partner.exists())
        self.assertFalse(self.env["mcp.approval"].search([("user_id", "=", self.user.id)]))

    def test_own_request_goes_to_oneself_only_where_that_is_allowed(self):
        self.profiles["full"].write({"approver_ids": self.user.ids, "allow_self_approval": True})
        self.assertEqual(self.park().approver_ids, self.user)

    def test_members_of_the_group_are_approvers(self):
        group = self.env["res.groups"].create({"name": "Deciders", "user_ids": self.other.ids})
        self.profiles["full"].write({"approver_ids": False, "approver_group_id": group.id})
        self.assertEqual(self.park().approver_ids, self.other)

    def test_call_that_would_fail_is_not_parked(self):
        self.fails("not_found", "odoo_delete_records", **{**self.arguments, "ids": [99999999]})
        self.assertFalse(self.env["mcp.approval"].search([("user_id", "=", self.user.id)]))

    def test_dry_run_is_not_parked(self):
        self.assertEqual(self.ok("odoo_delete_records", **self.arguments, dry_run=True)["status"], "dry_run")

    def test_batch_is_parked_as_a_whole(self):
        steps = [
            {"tool": "odoo_update_records", "arguments": {"model": "res.partner", "ids": self.partner.ids, **RENAME}}
        ]
        steps.append({"tool": "odoo_delete_records", "arguments": self.arguments})
        self.park("odoo_batch", steps=steps)
        self.assertEqual(self.partner.name, "Doomed")

    def test_no_more_wait_than_people_can_decide_on(self):
        from ..models import approval_request

        self.patch(approval_request, "MOST_WAITING", 1)
        self.park()
        self.fails("too_many_waiting", "odoo_delete_records", **{**self.arguments, "idempotency_key": "k"})

    def test_expired_request_gives_way_to_a_new_one(self):
        self.issue(days=3)
        approval = self.park()
        with freeze_time(fields.Datetime.now() + timedelta(hours=25)):
            listed = self.ok("odoo_list_jobs", id=approval.id)["jobs"][0]
            self.assertEqual(listed["status"], "expired")
            self.assertNotEqual(self.park(), approval)
        self.assertEqual(approval.state, "expired")
        self.assertFalse(approval.activity_ids)

    def test_follow_up_tool_is_listed_where_calls_may_be_parked(self):
        names = lambda profile, **url: {  # noqa: E731
            each["name"]
            for each in self.registry_as()._listing(
                self.exchange(profile=profile, method="tools/list", narrowing=Narrowing(**url))
            )
        }
        self.assertIn("odoo_list_jobs", names("full"))
        self.assertIn("odoo_list_jobs", names("full", toolsets=frozenset({"core"})))
        self.assertNotIn("odoo_list_jobs", names("full", exclude=frozenset({"odoo_list_jobs"})))
        self.assertNotIn("odoo_list_jobs", names("write"))
        self.profiles["full"].toolsets = "core,write"
        self.assertIn("odoo_list_jobs", names("full"))
        self.park()
        self.assertEqual(self.ok("odoo_list_jobs")["count"], 1)

    def test_list_has_the_tokens_own_requests_only(self):
        approval = self.park()
        self.assertEqual([each["id"] for each in self.ok("odoo_list_jobs")["jobs"]], approval.ids)
        self.assertEqual(self.ok("odoo_list_jobs", status="done")["jobs"], [])
        self.assertEqual(self.ok("odoo_list_jobs", profile="write")["jobs"], [])
        self.fails("not_found", "odoo_list_jobs", profile="write", id=approval.id)
        self.fails("not_found", "odoo_list_jobs", self.env.ref("base.user_admin"), id=approval.id)
