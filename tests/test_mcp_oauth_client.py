from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged

from ..services.oauth.errors import OAuthError
from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpOauthClient(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.governor = new_test_user(cls.env, "mcp_governor", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        cls.clients = cls.env["mcp.oauth.client"]

    def make(self, **values):
        return self.clients.create({"name": "App", "redirect_uris": "https://app.example.com/cb", **values})

    def machine(self, **values):
        return self.clients.create(
            {
                "name": "Nightly",
                "kind": "machine",
                "auth_method": "client_secret_post",
                "user_id": self.user.id,
                "profile_id": self.profiles["read"].id,
                **values,
            }
        )

    def test_get(self):
        client = self.make()
        self.assertEqual(self.clients.with_user(self.user)._get(client.client_id), client)
        client.blocked = True
        for client_id in (client.client_id, "unknown", "", None, "https://app.example.com/x"):
            with self.assertRaises(OAuthError) as caught:
                self.clients._get(client_id)
            self.assertEqual((caught.exception.code, caught.exception.status), ("invalid_client", 401))
        client.blocked = False
        self.assertEqual(self.clients._get(client.client_id), client)

    def test_an_archived_client_is_unknown(self):
        client = self.make(active=False)
        with self.assertRaises(OAuthError):
            self.clients._get(client.client_id)

    def test_ids_cannot_be_taken_for_addresses(self):
        self.assertRegex(self.make().client_id, r"^[A-Za-z0-9_-]{20,}$")

    def test_redirects_are_those_registered(self):
        client = self.make(redirect_uris="https://app.example.com/cb\n  http://localhost/cb \n")
        self.assertEqual(client._redirect_uris(), ["https://app.example.com/cb", "http://localhost/cb"])
        for uri, expected in (
            ("https://app.example.com/cb", True),
            ("http://localhost:1234/cb", True),
            ("https://app.example.com/cb/", False),
            ("", False),
            (None, False),
        ):
            self.assertEqual(client._accepts_redirect(uri), expected, uri)

    def test_redirects_of_an_administrator_are_checked(self):
        for uris in (False, "", "javascript:alert(1)", "https://app.example.com/cb\nhttp://evil.example/cb"):
            with self.subTest(uris), self.assertRaises(ValidationError):
                self.make(redirect_uris=uris)

    def test_both_ways_to_send_a_secret_are_one(self):
        self.assertEqual(
            self.make(auth_method="client_secret_post")._auth_methods(), ("client_secret_basic", "client_secret_post")
        )
        self.assertEqual(self.make()._auth_methods(), ("none",))

    def test_scope_ceiling(self):
        self.assertEqual(self.make()._scope_ceiling(), ("mcp:read", "mcp:write", "mcp:admin"))
        self.assertEqual(self.make(scope="mcp:read")._scope_ceiling(), ("mcp:read",))
        self.assertEqual(self.make(scope="mcp:write")._scope_ceiling(), ("mcp:read", "mcp:write"))
        self.assertEqual(self.machine()._scope_ceiling(), ("mcp:read", "mcp:write"))
        with self.assertRaises(ValidationError):
            self.make(scope="mcp:everything")

    def test_a_machine_works_as_one_ordinary_user(self):
        machine = self.machine()
        self.assertIn("client_credentials", machine._grant_types())
        self.assertNotIn("authorization_code", machine._grant_types())
        portal = new_test_user(self.env, "mcp_portal_machine", groups="base.group_portal")
        for wrong in (
            {"user_id": self.env.ref("base.user_root").id},
            {"user_id": portal.id},
            {"user_id": False},
            {"profile_id": False},
            {"auth_method": "none"},
        ):
            with self.subTest(wrong), self.assertRaises(ValidationError):
                self.machine(**wrong)
        with self.assertRaises(ValidationError):
            self.make(user_id=self.user.id)

    def test_signatures_need_keys_and_what_checks_them(self):
        methods = patch.object(type(self.env["mcp.oauth.server"]), "_auth_methods", lambda server: ["private_key_jwt"])
        with methods:
            self.make(auth_method="private_key_jwt", jwks_uri="https://app.example.com/jwks")
            for uri in (False, "http://app.example.com/jwks"):
                with self.assertRaises(ValidationError):
                    self.make(auth_method="private_key_jwt", jwks_uri=uri)
        methods = patch.object(type(self.env["mcp.oauth.server"]), "_auth_methods", lambda server: ["none"])
        with methods, self.assertRaises(ValidationError):
            self.make(auth_method="private_key_jwt", jwks_uri="https://app.example.com/jwks")

    def test_a_new_secret_is_shown_once_and_replaces_the_old_one(self):
        client = self.make(auth_method="client_secret_basic").with_user(self.governor)
        self.assertTrue(client.warning)
        method = type(client).action_new_secret.__wrapped__
        secrets = [method(client)["context"]["default_secret"] for _time in range(2)]
        self.assertFalse(client.warning)
        self.assertFalse(client.sudo()._accepts_secret(secrets[0]))
        self.assertTrue(client.sudo()._accepts_secret(secrets[1]))
        self.assertEqual(client.secret_hint[-4:], secrets[1][-4:])
        self.assertNotIn(secrets[1], " ".join(client.message_ids.mapped("body")))
        with self.assertRaises(ValidationError):
            method(self.make())

    def test_blocking_is_told_in_the_chatter(self):
        client = self.make().with_user(self.governor)
        # What is created is not tracked as changed, until it is committed.
        self.env.cr.flush()
        client.action_block()
        self.env.cr.flush()
        self.env.invalidate_all()
        self.assertIn("blocked", client.message_ids.sudo().tracking_value_ids.field_id.mapped("name"))

    def test_only_administrators_have_access(self):
        client = self.make(auth_method="client_secret_basic")
        for operation in ("read", "write", "create", "unlink"):
            self.assertFalse(client.with_user(self.user).has_access(operation), operation)
            self.assertTrue(client.with_user(self.governor).has_access(operation), operation)
        for method in ("action_block", "action_unblock"):
            with self.assertRaises(AccessError):
                getattr(client.with_user(self.user), method)()
        with self.assertRaises(AccessError):
            client.with_user(self.governor).read(["secret_digest"])
        with self.assertRaises(AccessError):
            client.with_user(self.governor).write({"secret_digest": "x"})

    def test_blocking_kills_its_tokens_at_the_next_request(self):
        client = self.make()
        grant = self.env["mcp.token"]._open_grant(
            self.user, client, self.profiles["read"], ("mcp:read",), self.env["mcp.oauth.server"]._resource()
        )
        self.assertEqual(client.connection_count, 1)
        secret, _life = self.env["mcp.oauth.access"]._issue(grant, ("mcp:read",))
        self.assertIsNone(self.env["mcp.token"]._find(secret).refusal)
        client.action_block()
        self.env.flush_all()
        self.assertTrue(self.env["mcp.token"]._find(secret).refusal)
        client.action_unblock()
        self.env.flush_all()
        self.assertIsNone(self.env["mcp.token"]._find(secret).refusal)
