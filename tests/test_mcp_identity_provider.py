import json
from unittest import skipUnless
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger
from psycopg2 import IntegrityError

from .common import McpHttpCase
from .identity import ISSUER, IdentityMixin, jwt, signing_key

DISCOVERY = "/realm/.well-known/openid-configuration"
RFC_8414 = "/.well-known/oauth-authorization-server/realm"


@tagged("post_install", "-at_install")
@skipUnless(jwt, "needs PyJWT")
class TestMcpIdentityProvider(IdentityMixin, McpHttpCase):
    def setUp(self):
        super().setUp()
        self.keys_at = self.server.url(self.server.path)
        # The issuer is the test server's own address, port included, so that discovery finds it.
        self.issuer = self.server.url("/realm")
        self.provider.write({"issuer": self.issuer, "jwks_uri": False})
        for path in (DISCOVERY, RFC_8414):
            self.server.documents.pop(path, None)

    def test_discovery_fills_in_where_the_keys_are(self):
        for path in (DISCOVERY, RFC_8414):
            self.provider.jwks_uri = False
            self.server.documents[path] = {"issuer": self.issuer, "jwks_uri": self.keys_at}
            action = self.provider.action_discover()
            self.assertIn("1", action["params"]["message"])
            self.assertEqual(self.provider.jwks_uri, self.keys_at)
            self.provider.invalidate_recordset()
            self.assertTrue(self.provider.keys_fetched_at)
            self.assertFalse(self.provider.keys_failure)
            del self.server.documents[path]

    def test_who_may_only_look_sends_this_server_nowhere(self):
        governor = new_test_user(self.env, "mcp_governor", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        with patch.object(type(self.env["mcp.egress"]), "_fetch_json") as fetch, self.assertRaises(AccessError):
            self.provider.with_user(governor).action_discover()
        fetch.assert_not_called()

    def test_discovery_of_another_issuer_is_refused(self):
        for document in (
            {"issuer": self.issuer + "/", "jwks_uri": self.keys_at},
            {"issuer": "https://evil.example.com", "jwks_uri": self.keys_at},
            {"jwks_uri": self.keys_at},
            {"issuer": self.issuer},
            {"issuer": self.issuer, "jwks_uri": [self.keys_at]},
        ):
            self.server.documents[DISCOVERY] = document
            with self.assertRaises(UserError, msg=document):
                self.provider.action_discover()
            self.assertFalse(self.provider.jwks_uri)

    def test_discovery_says_what_went_wrong(self):
        with self.assertRaisesRegex(UserError, "HTTP status 404"):
            self.provider.action_discover()
        for keys_at, reason in (
            (self.server.url("/nothing"), "404"),
            (self.server.url(DISCOVERY), "key set"),
            ("http://plain.example.com/keys", "https"),
        ):
            self.server.documents[DISCOVERY] = {"issuer": self.issuer, "jwks_uri": keys_at}
            with self.assertRaisesRegex((UserError, ValidationError), reason):
                self.provider.action_discover()

    def test_values_that_cannot_work_are_refused(self):
        for values in (
            {"issuer": "http://idp.example.com"},
            {"issuer": "idp.example.com"},
            {"issuer": "https://idp.example.com/#x"},
            {"jwks_uri": "file:///etc/passwd"},
            {"algorithms": "HS256"},
            {"algorithms": "RS256 none"},
            {"algorithms": " "},
            {"jwks": "x"},
            {"jwks": "[]"},
            {"jwks": json.dumps({"keys": [{**self.key.jwk(), "d": "private"}]})},
            {"scope_mapping": "Mcp.Read"},
            {"scope_mapping": "Mcp.Read = mcp:everything"},
            {"email_linking": "verified"},
            {"email_linking": "trusted", "email_domains": " , "},
        ):
            with self.assertRaises(ValidationError, msg=values), self.cr.savepoint():
                self.provider.write(values)
        self.provider.write(
            {
                "algorithms": "RS256 ES256",
                "jwks": json.dumps({"keys": [self.key.jwk()]}),
                "scope_mapping": "Mcp.Read = mcp:read",
                "email_linking": "verified",
                "email_domains": "@Example.com, example.org",
            }
        )
        self.assertEqual(self.provider._email_domains(), {"example.com", "example.org"})

    def test_issuer_stays_while_people_are_linked_to_it(self):
        self.link()
        with self.assertRaisesRegex(UserError, "another provider"):
            self.provider.issuer = ISSUER
        self.provider.issuer = self.issuer
        self.provider.link_ids.unlink()
        self.provider.issuer = ISSUER

    def test_one_provider_for_an_issuer_and_one_user_for_a_subject(self):
        self.link()
        with mute_logger("odoo.sql_db"):
            with self.assertRaises(IntegrityError), self.cr.savepoint():
                self.link(self.env.ref("base.user_admin"))
            with self.assertRaises(IntegrityError), self.cr.savepoint():
                self.provider.create({"name": "Twin", "issuer": self.issuer})

    def test_only_who_may_become_anybody_says_who_people_are(self):
        """A link makes a provider's word good for a user, an administrator of Odoo included."""
        governor = new_test_user(self.env, "mcp_governor", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        system = new_test_user(self.env, "mcp_system", groups="base.group_user,base.group_system")
        link = self.link()
        self.assertEqual(self.provider.with_user(governor).name, "Company login")
        for user in (governor, self.user):
            for change in (
                lambda user: self.provider.with_user(user).write({"accepts_bearer": True}),
                lambda user: link.with_user(user).write({"user_id": user.id}),
                lambda user: link.with_user(user).unlink(),
            ):
                with self.assertRaises(AccessError):
                    change(user)
        with self.assertRaises(AccessError):
            self.provider.with_user(self.user).read(["name"])
        self.provider.with_user(system).accepts_bearer = True
        self.assertEqual(self.provider.with_user(system).link_ids.subject, "user-1")

    def test_issuer_of_a_link_is_the_providers_own(self):
        values = {"provider_id": self.provider.id, "subject": "x", "user_id": self.user.id, "issuer": "https://evil"}
        self.assertEqual(self.env["mcp.identity.link"].create(values).issuer, self.issuer)

    def test_new_provider_is_used_for_nothing(self):
        provider = self.provider.create({"name": "New", "issuer": "https://new.example.com"})
        self.assertFalse(provider.accepts_bearer or provider.accepts_id_jag)
        self.assertEqual((provider.email_linking, provider.profile_id), ("no", self.profiles["read"]))

    def test_changes_are_kept_in_the_chatter(self):
        self.flush_tracking()
        self.provider.write({"accepts_bearer": True, "jwks": json.dumps({"keys": [signing_key().jwk()]})})
        self.flush_tracking()
        self.assertIn("accepts_bearer", self.provider.message_ids.tracking_value_ids.mapped("field_id.name"))

    def flush_tracking(self):
        self.env.flush_all()
        self.cr.precommit.run()

    def test_proxy_is_checked_when_saved(self):
        settings = self.env["res.config.settings"]
        for proxy in ("proxy.example.com", "socks5://proxy.example.com:1080", "http://proxy:99999999", "http://a b"):
            with self.assertRaises(ValidationError, msg=proxy):
                settings.create({"mcp_egress_proxy": proxy})
        for proxy in ("http://proxy.example.com:3128", "http://user:secret@10.0.0.1:3128/"):
            settings.create({"mcp_egress_proxy": proxy}).set_values()
            self.assertEqual(self.env["ir.config_parameter"].get_param("mcp_endpoint.egress_proxy"), proxy)
