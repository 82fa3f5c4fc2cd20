from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..services.errors import InvalidParams
from .common import McpCase


@tagged("post_install", "-at_install")
class TestAuditMessage(McpCase):
    """An error's words are for those who may read what they name; its code is for everybody who reads the log."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "base.group_user,mcp_endpoint.group_mcp_admin"
        cls.governor = new_test_user(cls.env, "mcp_governor", groups=groups)
        cls.settings = new_test_user(cls.env, "mcp_settings", groups=f"{groups},base.group_system")
        cls.env["res.partner"].create([{"name": "Secret Twin", "ref": "1"}, {"name": "Secret Twin", "ref": "2"}])

    def newest(self, user=None):
        return self.env["mcp.audit.log"].search([("user_id", "=", self.user.id)], limit=1).with_user(user or self.user)

    def failed(self):
        values = {"name": "Child", "parent_id": "Secret Twin"}
        error = self.fails("ambiguous_name", "odoo_create_records", model="res.partner", records=[values])
        self.assertIn("Secret Twin", error["message"])
        return error

    def test_words_of_an_error_are_shown_to_its_user_and_to_administrators_of_the_settings(self):
        error = self.failed()
        for reader in (self.user, self.settings):
            row = self.newest(reader)
            self.assertEqual((row.reason, row.message_hidden), ("ambiguous_name", False))
            self.assertEqual(row.explanation, f"ambiguous_name: {error['message']}")
        row = self.newest(self.governor)
        self.assertEqual((row.reason, row.explanation, row.message_hidden), ("ambiguous_name",) * 2 + (True,))

    def test_there_is_no_other_way_to_them(self):
        self.failed()
        rows = self.env["mcp.audit.log"].with_user(self.governor)
        for attempt in (
            lambda: rows.search([("message", "ilike", "Twin")]),
            lambda: rows.search([], order="message"),
            lambda: rows._read_group([], ["message"]),
            lambda: self.newest(self.governor).read(["message"]),
        ):
            with self.assertRaises(AccessError):
                attempt()
        self.assertNotIn("Twin", str(self.newest(self.governor).read()))
        self.assertFalse(rows.search([("reason", "ilike", "Twin")]))

    def test_refusals_of_the_policy_are_for_who_governs_it(self):
        self.call("odoo_search_records", model="res.users.apikeys")
        row = self.newest(self.governor)
        self.assertEqual(row.outcome, "refused")
        self.assertIn("guardrail:", row.reason)
        self.assertIn("res.users.apikeys", row.reason)
        self.assertFalse(row.message_hidden)

    def test_prompt_that_fails(self):
        server = self.registry_as().env["mcp.server"]
        exchange = self.exchange(method="prompts/get", params={"name": "Secret Twin", "arguments": {}})
        try:
            # Not `assertRaises`, which takes back what was written.
            self.fail(str(server._handle(exchange)))
        except InvalidParams as error:
            self.assertIn("Secret Twin", error.message)
        row = self.newest(self.governor)
        self.assertEqual((row.outcome, row.reason, row.message_hidden), ("refused", "not_found", True))
