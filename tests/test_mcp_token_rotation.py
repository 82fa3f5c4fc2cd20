import json
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models import token_lookup
from .common import McpCase, McpHttpCase

REFUSALS = ("odoo.exceptions.AccessError", "builtins.AttributeError", "odoo.exceptions.UserError")


@tagged("post_install", "-at_install")
class TestMcpTokenRotation(McpCase):
    def setUp(self):
        super().setUp()
        self.old = self.issue(days=30)
        self.token = self.env["mcp.token"].browse(self.find(self.old).id)

    def find(self, secret):
        self.env.flush_all()
        return self.env["mcp.token"]._find(secret)

    def rotate(self, user=None, **options):
        return self.token.with_user(user or self.user)._rotate(**{"days": 10, **options})

    def move(self, **values):
        self.token.write(values)
        self.env.flush_all()

    def test_both_secrets_work_during_the_overlap(self):
        new = self.rotate()
        self.assertNotEqual(new, self.old)
        for secret, is_previous in ((new, False), (self.old, True)):
            state = self.find(secret)
            self.assertEqual((state.id, state.refusal, state.is_previous), (self.token.id, None, is_previous))
        self.assertTrue(self.token.in_overlap)
        ends_in = self.token.previous_valid_until - fields.Datetime.now()
        self.assertAlmostEqual(ends_in.total_seconds(), 24 * 3600, delta=60)
        self.assertAlmostEqual((self.token.expires_at - fields.Datetime.now()).days, 10, delta=1)

    def test_old_secret_ends_with_the_overlap_to_the_second(self):
        new = self.rotate()
        for seconds, refusal in ((3600, None), (0, "token_rotated"), (-1, "token_rotated")):
            self.move(previous_valid_until=self.env.cr.now().replace(microsecond=0) + timedelta(seconds=seconds))
            self.assertEqual(self.find(self.old).refusal, refusal, seconds)
            self.assertEqual(self.token.in_overlap, refusal is None)
        self.assertIsNone(self.find(new).refusal)

    def test_old_secret_never_outlives_its_own_end(self):
        self.move(expires_at=fields.Datetime.now() + timedelta(hours=2))
        end = self.token.expires_at
        self.rotate()
        self.assertEqual(self.token.previous_valid_until, end)
        self.assertGreater(self.token.expires_at, end)

    def test_overlap_follows_the_setting(self):
        for hours, expected in (("0", 0), ("48", 48), ("100000", 168), ("", 24), ("no", 24), ("-5", 24)):
            self.env["ir.config_parameter"].set_param("mcp_endpoint.token_overlap_hours", hours)
            self.assertEqual(self.env["mcp.token"]._overlap_hours(), expected, hours)
        self.env["ir.config_parameter"].set_param("mcp_endpoint.token_overlap_hours", "0")
        self.rotate()
        self.assertIsNone(self.find(self.old))

    def test_leaked_secret_ends_at_once(self):
        self.rotate(keep_old=False)
        self.assertIsNone(self.find(self.old))
        self.assertFalse(self.token.in_overlap)

    def test_second_rotation_ends_the_oldest(self):
        second = self.rotate()
        third = self.rotate()
        self.assertIsNone(self.find(self.old))
        self.assertTrue(self.find(second).is_previous)
        self.assertFalse(self.find(third).is_previous)

    def test_the_secret_costs_one_query_and_the_one_before_two(self):
        new = self.rotate()
        for secret, queries in ((new, 1), (self.old, 2)):
            self.find(secret)
            with self.assertQueryCount(queries):
                self.env["mcp.token"]._find(secret)

    def test_end_overlap_now(self):
        new = self.rotate()
        self.token.with_user(self.user).action_end_overlap()
        self.assertIsNone(self.find(self.old))
        self.assertIsNone(self.find(new).refusal)

    def test_revoking_and_expiry_end_both_secrets(self):
        new = self.rotate()
        self.move(expires_at=fields.Datetime.now() - timedelta(minutes=5))
        self.assertEqual({self.find(secret).refusal for secret in (new, self.old)}, {"token_expired"})
        self.token.with_user(self.user)._revoke()
        self.assertEqual({self.find(secret).refusal for secret in (new, self.old)}, {"token_revoked"})

    def test_profile_that_was_taken_from_the_owner_is_not_prolonged(self):
        self.token.profile_id.group_ids = self.env.ref("base.group_system")
        with self.assertRaises(UserError):
            self.rotate()
        self.token.profile_id.group_ids = self.env.ref("mcp_endpoint.group_mcp_user")
        self.assertTrue(self.rotate())

    def test_nobody_rotates_the_token_of_another(self):
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        for user in (other, self.env.ref("base.user_admin")):
            with self.assertRaises(AccessError):
                self.rotate(user)
            with self.assertRaises(AccessError):
                self.env["mcp.token.rotate"].with_user(user).create({"token_id": self.token.id})
            with self.assertRaises(AccessError):
                self.token.with_user(user).action_rotate.__wrapped__(self.token.with_user(user))
        with self.assertRaises(AccessError):
            self.token.with_user(other).action_end_overlap()
        self.assertIsNone(self.find(self.old).refusal)

    def test_dialog_shows_what_it_will_do(self):
        self.rotate()
        dialog = self.env["mcp.token.rotate"].with_user(self.user).create({"token_id": self.token.id})
        self.assertTrue(dialog.in_overlap)
        self.assertIn("The old secret works until", dialog.overlap_note)
        self.assertEqual((dialog.days, dialog.overlap_hours, dialog.longest_days), (30, 24, 365))

    def test_password_is_asked_for(self):
        dialog = self.env["mcp.token.rotate"].with_user(self.user).create({"token_id": self.token.id})
        for action in (dialog.action_rotate, self.token.with_user(self.user).action_rotate):
            with self.assertRaisesRegex(UserError, "over HTTP"):
                action()

    def test_dead_tokens_are_not_brought_back(self):
        self.token._revoke()
        with self.assertRaises(UserError):
            self.rotate()
        self.move(revoked_at=False, expires_at=fields.Datetime.now() - timedelta(minutes=5))
        with self.assertRaises(UserError):
            self.rotate()

    def test_life_has_limits(self):
        for days in (0, -1, 366):
            with self.assertRaises(ValidationError):
                self.rotate(days=days)

    def test_who_may_not_mint_may_not_rotate(self):
        group = self.env["res.groups"].create({"name": "Minters"})
        self.env["ir.config_parameter"].set_param("mcp_endpoint.minting_group_id", str(group.id))
        with self.assertRaises(AccessError):
            self.rotate()
        self.user.group_ids += group
        self.assertTrue(self.rotate())

    def test_note_says_whether_the_old_secret_is_still_used(self):
        self.rotate()
        self.assertIn("Nobody has used it", self.token.overlap_note)
        now = fields.Datetime.now()
        self.move(
            rotated_at=now - timedelta(hours=1), previous_used_at=now - timedelta(minutes=5), previous_ip="192.0.2.7"
        )
        self.token.invalidate_recordset()
        self.assertIn("last used 5 minutes ago from 192.0.2.7", self.token.overlap_note)

    def test_previous_digest_is_nobodys(self):
        self.rotate()
        for user in (self.user, self.env.ref("base.user_admin")):
            token = self.token.with_user(user)
            for attempt in (
                lambda token=token: token.read(["previous_digest"]),
                lambda token=token: token.export_data(["previous_digest"]),
                lambda token=token: token.search([("previous_digest", "=like", "a%")]),
                lambda token=token: token.search([("digest", "=like", "a%")]),
                lambda token=token: token.search([], order="digest"),
                lambda token=token: token.formatted_read_group([], ["previous_digest"]),
            ):
                with self.assertRaises(UserError):
                    attempt()

    def test_password_reset_by_nobody_in_particular_revokes(self):
        """A reset link is followed by the public user, as superuser."""
        self.user.with_user(self.env.ref("base.public_user")).sudo().password = "an0ther-Secret"
        self.assertEqual(self.find(self.old).refusal, "token_revoked")

    def test_each_secret_has_a_last_use_of_its_own(self):
        new = self.rotate()
        with patch.object(token_lookup, "after_commit", lambda env, query: env.cr.execute(query)):
            for secret, ip, client in ((self.old, "192.0.2.1", "Old Client"), (new, "192.0.2.2", "New Client")):
                self.env["mcp.token"]._note_use(self.find(secret), ip, client)
        self.token.invalidate_recordset()
        self.assertEqual((self.token.previous_ip, self.token.previous_client), ("192.0.2.1", "Old Client"))
        self.assertEqual((self.token.last_ip, self.token.last_client), ("192.0.2.2", "New Client"))
        self.assertTrue(self.token.previous_used_at and self.token.last_used_at)


@tagged("post_install", "-at_install")
class TestMcpTokenRotationHttp(McpHttpCase):
    def test_old_secret_is_refused_from_the_next_request_on(self):
        old = self.issue()
        token = self.env["mcp.token"].browse(self.env["mcp.token"]._find(old).id)
        new = token.with_user(self.user)._rotate(days=5)
        self.env.flush_all()
        for secret in (old, new):
            self.assertEqual(self.rpc("tools/list", token=secret).status_code, 200)
        token.with_user(self.user).action_end_overlap()
        self.env.flush_all()
        self.assertEqual(self.rpc("tools/list", token=old).status_code, 401)
        self.assertEqual(self.rpc("tools/list", token=new).status_code, 200)

    def rpc_as(self, model, method, *args, **kwargs):
        """Call a method as the web client does; return the error's name, None when it went through."""
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        body = {"jsonrpc": "2.0", "id": 1, "method": "call", "params": params}
        headers = {"Content-Type": "application/json"}
        answer = self.url_open("/web/dataset/call_kw", data=json.dumps(body), headers=headers).json()
        return answer.get("error", {}).get("data", {}).get("name")

    @mute_logger("odoo.http")
    def test_nothing_is_done_to_the_token_of_another_over_rpc(self):
        secret = self.issue()
        token = self.env["mcp.token"].browse(self.env["mcp.token"]._find(secret).id)
        new_test_user(self.env, "mcp_other", groups="base.group_user", password="mcp_other")
        self.authenticate("mcp_other", "mcp_other")
        for model, method, *args in (
            ("mcp.token", "_rotate", [token.id]),
            ("mcp.token", "_issue", [self.user.id]),
            ("mcp.token", "_find", secret),
            ("mcp.token", "_digest", secret),
            ("mcp.token", "action_revoke", [token.id]),
            ("mcp.token", "action_withdraw", [token.id]),
            ("mcp.token", "action_end_overlap", [token.id]),
            ("mcp.token", "read", [token.id], ["name"]),
            ("mcp.token", "write", [token.id], {"user_id": self.env.ref("base.user_admin").id}),
            ("mcp.token", "create", {"name": "x", "user_id": self.user.id}),
            ("mcp.token", "copy", [token.id]),
            ("mcp.token.rotate", "create", {"token_id": token.id}),
            ("mcp.token", "search", [["digest", "=like", "%"]]),
            ("mcp.token", "search", [["user_id.mcp_token_ids.digest", "=like", "%"]]),
            ("res.users", "search", [["mcp_token_ids.previous_digest", "!=", False]]),
            ("mcp.auth.failure", "search", []),
        ):
            with self.subTest(model=model, method=method, args=args):
                self.assertIn(self.rpc_as(model, method, *args), REFUSALS)
        token.invalidate_recordset()
        self.assertEqual((token.state, token.user_id, token.rotated_at), ("active", self.user, False))
        self.assertEqual(len(self.env["mcp.token"].search([("user_id", "=", self.user.id)])), 1)
        self.assertEqual(self.rpc("tools/list", token=secret).status_code, 200)

    def test_assistants_reach_no_tokens(self):
        for model in ("mcp.token", "mcp.auth.failure", "res.users.apikeys"):
            arguments = {"model": model, "domain": [], "fields": ["name"]}
            result = self.rpc("tools/call", {"name": "odoo_search_records", "arguments": arguments}).json()["result"]
            self.assertTrue(result["isError"])
