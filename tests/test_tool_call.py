from odoo.tests import new_test_user, tagged

from ..services.errors import NeedsInput, PolicyDenied, ToolError
from ..services.questions import Question
from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolCall(McpCase):
    def assertFails(self, code, function, *arguments):
        with self.assertRaises(ToolError) as caught:
            function(*arguments)
        self.assertEqual(caught.exception.code, code)
        return caught.exception

    def test_environment_is_the_users_and_its_own_default(self):
        call = self.make_call()
        self.assertEqual((call.env.uid, call.env.su), (self.user.id, False))
        self.assertEqual(call.env.transaction.default_env.uid, self.user.id)
        self.assertEqual(set(call.env.context), {"lang", "tz", "uid", "allowed_company_ids", "mcp_policy"})

    def test_x2many_commands_give_no_rights(self):
        """Commands on users run as the transaction's default user: with any other environment first on the cursor,
        an employee could make himself an administrator through his contact."""
        call = self.make_call()
        partner = call.records("res.partner", "write", [self.user.partner_id.id])
        system = self.env.ref("base.group_system")
        for values in (
            {"user_ids": [[1, self.user.id, {"group_ids": [[4, system.id]]}]]},
            {"user_ids": {"update": [{"id": self.user.id, "group_ids": [system.id]}]}},
        ):
            with self.assertRaises(ToolError):
                call.write(partner, values)
        self.assertFalse(self.user.has_group("base.group_system"))

    def test_unknown_model_names_the_nearest(self):
        error = self.assertFails("unknown_model", self.make_call().check_model, "res.partners")
        self.assertIn("res.partner", error.details["nearest"])

    def test_unknown_field_names_the_nearest(self):
        error = self.assertFails("unknown_field", self.make_call().field, "res.partner", "emial")
        self.assertIn("email", error.details["nearest"])

    def test_guarded_models_are_refused_before_access_rights(self):
        admin = self.env.ref("base.user_admin")
        call = self.make_call(user=admin)
        for model in ("mcp.token", "ir.config_parameter", "ir.rule", "res.users.apikeys"):
            with self.assertRaises(PolicyDenied):
                call.check_model(model)

    def test_nearest_names_do_not_reveal_guarded_fields(self):
        error = self.assertFails("unknown_field", self.make_call().field, "res.partner", "signup_tokn")
        self.assertNotIn("signup_token", error.details["nearest"])

    def test_field_of_a_group_is_refused(self):
        field = self.env["res.partner"]._fields["comment"]
        self.patch(field, "groups", "base.group_system")
        call = self.make_call()
        self.assertFails("access_denied", call.field, "res.partner", "comment")
        self.assertNotIn("comment", call.fields("res.partner"))

    def test_missing_right_says_so(self):
        error = self.assertFails("access_denied", self.make_call().check_model, "report.paperformat", "create")
        self.assertTrue(error.message)

    def test_missing_and_hidden_records_look_alike(self):
        private = self.env["mail.message"].create({"body": "x", "model": False, "message_type": "comment"})
        stranger = new_test_user(self.env, "mcp_stranger", groups="base.group_user")
        call = self.make_call(user=stranger)
        hidden = self.assertFails("not_found", call.records, "mail.message", "read", [private.id])
        missing = self.assertFails("not_found", call.records, "mail.message", "read", [2**30])
        self.assertEqual(hidden.message.replace(str(private.id), "N"), missing.message.replace(str(2**30), "N"))

    def test_read_checks_each_field(self):
        call = self.make_call()
        partner = call.records("res.partner", "read", [self.user.partner_id.id])
        self.assertFails("policy_denied", call.read, partner, ["name", "signup_type"])

    def test_values_that_a_superuser_left_in_the_cache_are_not_shown(self):
        call = self.make_call()
        partner = call.env["res.partner"].browse(self.user.partner_id.id)
        for find in (
            lambda: partner,
            lambda: call.search(call.domain("res.partner", ids=partner.ids), limit=1),
        ):
            # What a model masks for this user in `fetch`, a name computed as superuser has put into the cache.
            partner._fields["ref"]._update_cache(partner, "unmasked")
            self.assertEqual(call.read(find(), ["ref"]), [{"id": partner.id, "ref": False}])

    def test_audited_ids_are_of_the_first_model(self):
        call = self.make_call()
        call.touch("res.partner", [3, 4])
        call.touch("res.users", [9])
        call.touch("res.partner", [4, 5])
        self.assertEqual((call.model, call.record_ids), ("res.partner", [3, 4, 5]))

    def test_need_asks_once_and_knows_a_refusal(self):
        call = self.make_call("odoo_delete_records")
        with self.assertRaises(NeedsInput):
            call.need("sure", Question("Sure?"))
        call.answers["sure"] = {"action": "accept", "content": {"confirm": True}}
        self.assertEqual(call.need("sure", Question("Sure?")), {"confirm": True})
        call.answers["sure"] = {"action": "accept", "content": {"confirm": False}}
        self.assertFails("declined", call.need, "sure", Question("Sure?"))
