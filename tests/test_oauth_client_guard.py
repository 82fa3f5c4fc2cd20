from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import McpCase


@tagged("post_install", "-at_install")
class TestOAuthClientGuard(McpCase):
    """An MCP Administrator governs clients, and becomes nobody else by it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.governor = new_test_user(cls.env, "mcp_governor", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        cls.system = new_test_user(cls.env, "mcp_system", groups="base.group_user,base.group_system")
        cls.clients = cls.env["mcp.oauth.client"]

    def machine(self, user, by=None, **values):
        facts = {"name": "Nightly", "kind": "machine", "auth_method": "client_secret_post", "user_id": user.id}
        clients = self.clients.with_user(by) if by else self.clients
        return clients.create({**facts, "profile_id": self.profiles["read"].id, **values})

    def application(self, kind="dcr", **values):
        return self.clients.create({"name": "App", "kind": kind, "redirect_uris": "https://app.example/cb", **values})

    def test_governor_makes_machines_for_nobody_else(self):
        for user in (self.system, self.user, self.env.ref("base.user_admin")):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.machine(user, by=self.governor)
        self.assertFalse(self.clients.search([("kind", "=", "machine")]))
        self.assertEqual(self.machine(self.governor, by=self.governor).user_id, self.governor)
        self.assertEqual(self.machine(self.user, by=self.system).user_id, self.user)

    def test_governor_gets_no_credentials_of_somebody_elses_machine(self):
        machine = self.machine(self.system)
        mine = machine.with_user(self.governor)
        for values in (
            {"user_id": self.governor.id},
            {"auth_method": "private_key_jwt", "jwks_uri": "https://evil.example/jwks"},
            {"jwks": {"keys": []}},
            {"public_key": "x"},
            {"profile_id": self.profiles["full"].id},
            {"scope": "mcp:admin"},
        ):
            with self.subTest(values), self.assertRaises(AccessError), self.env.cr.savepoint():
                mine.write(values)
        # Past the question for the password, which comes before.
        with self.assertRaises(AccessError):
            type(mine).action_new_secret.__wrapped__(mine)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            mine.copy()
        self.assertFalse(machine.secret_hint)
        self.assertEqual(machine.user_id, self.system)

    def test_governor_blocks_and_archives_any_machine(self):
        mine = self.machine(self.system).with_user(self.governor)
        mine.action_block()
        mine.active = False
        self.assertTrue(mine.blocked)
        mine.action_unblock()
        self.assertFalse(mine.blocked)

    def test_a_machine_stays_with_its_user(self):
        machine = self.machine(self.governor, by=self.governor)
        for other in (self.governor, self.system):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                machine.with_user(other).user_id = self.system
        self.assertEqual(machine.user_id, self.governor)

    def test_what_the_consent_page_shows_as_fact_is_not_written_by_hand(self):
        document = self.application(kind="cimd", client_id="https://app.example/client.json")
        manual = self.application(kind="manual")
        for client, values in (
            (manual, {"kind": "cimd"}),
            (manual, {"kind": "machine"}),
            (manual, {"client_id": "https://claude.ai/oauth/mcp-oauth-client-metadata"}),
            (manual, {"grant_types": "authorization_code client_credentials"}),
            (manual, {"is_snapshot": True}),
            (manual, {"client_uri": "https://claude.ai"}),
            (document, {"redirect_uris": "https://evil.example/cb"}),
            (document, {"name": "Other"}),
            (document, {"document_expires_at": "2999-01-01 00:00:00"}),
            (self.application(), {"redirect_uris": "https://evil.example/cb"}),
        ):
            for user in (self.governor, self.system):
                with self.subTest(values, kind=client.kind), self.assertRaises(AccessError), self.env.cr.savepoint():
                    client.with_user(user).write(values)
        for kind in ("dcr", "cimd"):
            facts = {"name": "App", "kind": kind, "redirect_uris": "https://app.example/cb"}
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.clients.with_user(self.system).create(facts)

    def test_what_the_form_offers_can_be_done(self):
        with Form(self.clients.with_user(self.governor), view="mcp_endpoint.view_mcp_oauth_client_form") as form:
            form.name = "Gemini"
            form.redirect_uris = "https://gemini.example/cb"
        client = form.save()
        client.write({"name": "Gemini Enterprise", "scope": "mcp:read", "auth_method": "client_secret_post"})
        copy = client.copy()
        self.assertNotEqual(copy.client_id, client.client_id)
        with mute_logger("odoo.tests.form.onchange"):
            form = Form(self.clients.with_user(self.governor), view="mcp_endpoint.view_mcp_oauth_client_form")
            form.kind = "machine"
            self.assertEqual(form.user_id, self.governor)
            form.name = "Nightly"
            form.profile_id = self.profiles["read"]
            machine = form.save()
        self.assertEqual(machine.grant_types, "client_credentials")
        client.unlink()
