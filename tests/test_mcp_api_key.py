from datetime import timedelta
from unittest.mock import patch
from xmlrpc.client import Fault

import psycopg2
from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models import mcp_api_key
from .common import McpCase, McpHttpCase


class ApiKeyMixin:
    def setUp(self):
        super().setUp()
        self.accept()
        self.tokens = self.env["mcp.token"]

    def accept(self, accepted=True):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.api_keys", accepted)

    def key(self, user=None, scope="rpc", **life):
        """Return a new API key of Odoo's and its row."""
        expires = fields.Datetime.now() + timedelta(**life or {"days": 1})
        keys = self.env["res.users.apikeys"].with_user(user or self.user).sudo()
        secret = keys._generate(scope, "Robot", expires)
        return secret, keys.search([("user_id", "=", (user or self.user).id)], order="id desc", limit=1)

    def row(self):
        self.env.invalidate_all()
        return self.tokens.search([("kind", "=", "api_key"), ("user_id", "=", self.user.id)])


@tagged("post_install", "-at_install")
class TestMcpApiKey(ApiKeyMixin, McpCase):
    def find(self, secret):
        self.env.flush_all()
        return self.tokens._find(secret)

    def test_key_of_the_scope_rpc_is_a_token_with_the_baseline_profile(self):
        secret, key = self.key()
        state = self.find(secret)
        self.assertEqual((state.user_id, state.refusal, state.kind), (self.user.id, None, "api_key"))
        row = self.row()
        self.assertTrue(row.profile_id.is_baseline)
        self.assertEqual((row.id, row.name, row.api_key_id, row.state), (state.id, "Robot", key, "active"))
        self.assertEqual(row.expires_at, key.expiration_date)
        self.assertEqual(row.hint, "…" + secret[-4:])

    def test_key_is_adopted_once_and_its_slow_hash_verified_once(self):
        secret, _key = self.key()
        first = self.find(secret)
        with patch.object(mcp_api_key, "KEY_CRYPT_CONTEXT") as slow:
            self.assertEqual(self.find(secret).id, first.id)
        slow.verify.assert_not_called()
        self.assertEqual(len(self.row()), 1)

    def test_living_key_costs_one_query(self):
        secret, _key = self.key()
        self.find(secret)
        with self.assertQueryCount(1):
            self.tokens._find(secret)

    def test_keys_without_a_scope_or_with_another_are_refused(self):
        for scope in (None, "2fa", "odoo.plugin.outlook"):
            secret, _key = self.key(scope=scope)
            self.assertIsNone(self.find(secret), scope)
        self.assertFalse(self.row())

    def test_nothing_is_accepted_while_the_setting_is_off(self):
        secret, _key = self.key()
        self.accept(False)
        self.assertIsNone(self.find(secret))
        self.accept()
        self.assertIsNone(self.find(secret).refusal)
        self.accept(False)
        self.assertIsNone(self.find(secret))

    def test_deleting_the_key_ends_it_at_once(self):
        secret, key = self.key()
        self.find(secret)
        key.with_user(self.user)._remove()
        self.assertEqual(self.find(secret).refusal, "token_revoked")
        self.assertEqual(self.row().state, "revoked")

    def test_key_deleted_behind_the_orm_is_refused(self):
        secret, key = self.key()
        self.find(secret)
        self.env.cr.execute("DELETE FROM res_users_apikeys WHERE id = %s", [key.id])
        self.assertEqual(self.find(secret).refusal, "token_revoked")

    def test_key_that_lost_its_scope_or_owner_is_refused(self):
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        for column, value in (("scope", None), ("user_id", other.id)):
            secret, key = self.key()
            self.find(secret)
            self.env.cr.execute(f"UPDATE res_users_apikeys SET {column} = %s WHERE id = %s", [value, key.id])
            self.assertEqual(self.find(secret).refusal, "token_revoked", column)

    def test_expiry_of_the_key_counts(self):
        secret, key = self.key()
        self.find(secret)
        self.env.cr.execute(
            "UPDATE res_users_apikeys SET expiration_date = now() AT TIME ZONE 'UTC' WHERE id = %s", [key.id]
        )
        self.assertEqual(self.find(secret).refusal, "token_expired")
        secret, _key = self.key(minutes=-5)
        self.assertIsNone(self.find(secret))

    def test_key_without_an_end_lives_on(self):
        secret = self.env["res.users.apikeys"].with_user(self.user).sudo()._generate("rpc", "For ever", None)
        self.assertIsNone(self.find(secret).refusal)
        self.assertEqual((self.row().state, self.row().expires_at), ("active", False))
        self.assertIn(self.row(), self.tokens.search([("state", "=", "active")]))

    def test_revoking_the_row_closes_the_endpoint_to_the_key(self):
        secret, _key = self.key()
        self.find(secret)
        self.row().with_user(self.user).action_revoke()
        self.assertEqual(self.find(secret).refusal, "token_revoked")

    def test_what_is_no_key_costs_no_query(self):
        for wrong in ("", "x" * 40, "a" * 39, "A" * 40, "a" * 41, "é" * 40):
            with self.assertQueryCount(0):
                self.assertIsNone(self.tokens._find(wrong))

    def test_wrong_key_with_a_known_beginning_is_refused(self):
        secret, _key = self.key()
        self.assertIsNone(self.find(secret[:8] + "0" * 32))
        self.assertFalse(self.row())

    def test_archived_owner_is_refused(self):
        secret, _key = self.key()
        self.find(secret)
        self.env.cr.execute("UPDATE res_users SET active = FALSE WHERE id = %s", [self.user.id])
        self.assertEqual(self.find(secret).refusal, "user_archived")

    def test_api_key_is_not_rotated(self):
        secret, _key = self.key()
        self.find(secret)
        with self.assertRaises(UserError) as raised:
            self.row().with_user(self.user)._rotate(days=1)
        self.assertIn("personal token", str(raised.exception))


@tagged("post_install", "-at_install")
class TestMcpApiKeyHttp(ApiKeyMixin, McpHttpCase):
    def test_call_is_made_as_the_keys_user_and_audited(self):
        secret, key = self.key()
        answer = self.rpc("tools/call", {"name": "odoo_get_context", "arguments": {}}, token=secret)
        self.assertIn(self.user.name, answer.text)
        log = self.env["mcp.audit.log"].search([("token_id", "=", self.row().id)])
        self.assertEqual(log.mapped("tool"), ["odoo_get_context"])
        key.with_user(self.user)._remove()
        self.env.flush_all()
        self.assertEqual(self.rpc("tools/list", token=secret).status_code, 401)

    def test_two_first_calls_at_the_same_moment_both_work(self):
        """The later one meets the other's row, which its own transaction cannot see."""
        secret, _key = self.key()
        model = type(self.tokens)
        insert, others = model._insert_api_key, []

        def beaten(tokens, *facts):
            if not others:
                others.append(facts)
                raise psycopg2.errors.SerializationFailure
            insert(tokens, *facts)

        with patch.object(model, "_insert_api_key", beaten):
            self.assertEqual(self.rpc("tools/list", token=secret).status_code, 200)
        self.assertTrue(others)

    def test_key_of_a_user_who_may_not_connect_is_refused(self):
        secret, _key = self.key(self.env.ref("base.user_admin"))
        self.assertEqual(self.rpc("tools/list", token=secret).status_code, 200)
        self.env.ref("base.group_user")._remove_group(self.env.ref("mcp_endpoint.group_mcp_user"))
        secret, _key = self.key()
        self.assertEqual(self.rpc("tools/list", token=secret).status_code, 401)

    @mute_logger("odoo.http", "odoo.addons.base.models.res_users")
    def test_a_token_of_ours_opens_nothing_else_in_odoo(self):
        secret = self.issue()
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        answer = self.url_open("/json/2/res.partner/search_count", data='{"domain": []}', headers=headers)
        self.assertEqual(answer.status_code, 401)
        with self.assertRaises(Fault):
            self.xmlrpc_object.execute_kw(self.env.cr.dbname, self.user.id, secret, "res.partner", "search_count", [[]])

    def test_a_key_of_the_preferences_is_refused_here(self):
        secret, _key = self.key(scope=None)
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        answer = self.url_open("/json/2/res.partner/search_count", data='{"domain": []}', headers=headers)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(self.rpc("tools/list", token=secret).status_code, 401)
