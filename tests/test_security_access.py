from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import McpCase

OWNED = ("mcp.token", "mcp.session", "mcp.audit.log", "mcp.change")


@tagged("post_install", "-at_install")
class TestSecurityAccess(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = new_test_user(cls.env, "mcp_other", groups="base.group_user")
        cls.governor = new_test_user(cls.env, "mcp_governor", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        cls.portal = new_test_user(cls.env, "mcp_portal", groups="base.group_portal")
        cls.rows = {user: cls.rows_of(user) for user in (cls.user, cls.other)}

    @classmethod
    def rows_of(cls, user):
        """Make one row of each owned model for a user; the rows by model."""
        cls.issue(user)
        token = cls.env["mcp.token"].search([("user_id", "=", user.id)])
        now = fields.Datetime.now()
        common = {"user_id": user.id, "token_id": token.id}
        values = {
            "mcp.session": {
                "digest": f"digest of {user.login}",
                "protocol_version": "2025-11-25",
                "transport": "http",
                "last_seen": now,
                "expires_at": now,
            },
            "mcp.change": {"date": now, "model": "res.partner", "res_id": 1, "operation": "write"},
        }
        rows = {model: cls.env[model].create({**common, **vals}) for model, vals in values.items()}
        log = cls.env["mcp.audit.log"]
        log._insert({**common, "date": now, "tool": "odoo_search_records", "outcome": "ok"}, durable=True)
        return {"mcp.token": token, "mcp.audit.log": log.search([("user_id", "=", user.id)]), **rows}

    def test_employee_sees_only_own_rows(self):
        for model in OWNED:
            with self.subTest(model):
                self.assertEqual(self.env[model].with_user(self.user).search([]), self.rows[self.user][model])
                with self.assertRaises(AccessError):
                    self.rows[self.other][model].with_user(self.user).read(["user_id"])

    def test_administrator_sees_all_rows(self):
        for model in OWNED:
            with self.subTest(model):
                found = self.env[model].with_user(self.governor).search([])
                self.assertLessEqual(self.rows[self.user][model] | self.rows[self.other][model], found)

    def test_portal_user_sees_nothing(self):
        self.assertFalse(self.env["mcp.token"].with_user(self.portal).search([]))
        for model in (*OWNED[1:], "mcp.profile"):
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(self.portal).search([])

    def test_nobody_creates_or_writes_rows(self):
        for model in OWNED:
            row = self.rows[self.user][model]
            for user in (self.user, self.governor):
                with self.subTest(model, user=user.login):
                    with self.assertRaises(AccessError):
                        self.env[model].with_user(user).create({"user_id": user.id})
                    with self.assertRaises(UserError):
                        row.with_user(user).write({"user_id": self.governor.id})
            self.assertEqual(row.user_id, self.user)

    def test_nobody_deletes_the_trail(self):
        for model in OWNED[1:]:
            for user in (self.user, self.governor):
                with self.subTest(model, user=user.login), self.assertRaises(UserError):
                    self.rows[self.user][model].with_user(user).unlink()
            self.assertTrue(self.rows[self.user][model].exists())

    def test_results_kept_for_repeated_calls_are_nobodys(self):
        for user in (self.user, self.governor, self.env.ref("base.user_admin")):
            for operation in ("read", "write", "create", "unlink"):
                self.assertFalse(self.env["mcp.idempotency"].with_user(user).has_access(operation), operation)

    def test_secrets_are_hidden_from_administrators_too(self):
        for model, field in (("mcp.token", "digest"), ("mcp.session", "digest")):
            with self.subTest(model), self.assertRaises(AccessError):
                self.rows[self.user][model].with_user(self.governor).read([field])

    def test_tokens_are_revoked_by_their_owner_or_an_administrator(self):
        token = self.rows[self.user]["mcp.token"]
        with self.assertRaises(AccessError):
            token.with_user(self.other).action_revoke()
        self.assertEqual(token.state, "active")
        token.with_user(self.user).action_revoke()
        self.assertEqual(token.state, "revoked")
        theirs = self.rows[self.other]["mcp.token"]
        theirs.with_user(self.governor).action_revoke()
        self.assertEqual(theirs.state, "revoked")

    def test_own_revoked_token_can_be_deleted(self):
        token = self.rows[self.user]["mcp.token"].with_user(self.user)
        token.action_revoke()
        token.unlink()
        self.assertFalse(token.exists())

    def test_another_users_tokens_do_not_show_on_their_user(self):
        self.assertFalse(self.other.with_user(self.user).mcp_token_ids)

    def test_profiles_are_read_by_users_and_kept_by_administrators(self):
        profile = self.profiles["read"]
        self.assertTrue(profile.with_user(self.user).read(["name"]))
        for operation in ("write", "create", "unlink"):
            self.assertFalse(profile.with_user(self.user).has_access(operation), operation)
            self.assertTrue(profile.with_user(self.governor).has_access(operation), operation)

    def test_menus_that_govern_are_for_administrators(self):
        # Users have those of their own assistants, where record rules leave them their own rows.
        admin = self.env.ref("base.user_admin")
        for name, governs in (("profile", True), ("oauth_client", True), ("doctor", True), ("audit_log", False)):
            menu = self.env.ref(f"mcp_endpoint.menu_mcp_{name}").id
            for user, is_shown in ((self.user, not governs), (self.governor, True), (admin, True)):
                visible = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
                self.assertEqual(menu in visible, is_shown, f"{name}, {user.login}")

    def test_settings_administrators_administrate(self):
        system = new_test_user(self.env, "mcp_system", groups="base.group_system")
        self.assertTrue(system.has_group("mcp_endpoint.group_mcp_admin"))

    def test_employees_lose_access_with_the_default_but_chosen_users_keep_it(self):
        user_group = self.env.ref("mcp_endpoint.group_mcp_user")
        self.assertTrue(self.user._may_use_mcp())
        self.other.group_ids = [Command.link(user_group.id)]
        self.env.ref("base.group_user")._remove_group(user_group)
        self.assertFalse(self.user._may_use_mcp())
        self.assertTrue(self.other._may_use_mcp())
        self.assertTrue(self.governor._may_use_mcp())
        # The preferences read this field, and a dead token may still be cleared away.
        self.assertEqual(self.user.with_user(self.user).mcp_token_ids, self.rows[self.user]["mcp.token"])

    def test_portal_user_never_connects_even_with_the_group(self):
        self.portal.group_ids = [Command.link(self.env.ref("mcp_endpoint.group_mcp_user").id)]
        self.assertFalse(self.portal._may_use_mcp())
