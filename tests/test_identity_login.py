import json
import time
from unittest import skipUnless
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from .common import McpHttpCase
from .identity import ISSUER, IdentityMixin, b64, hmac_signed, jwt, key_server, signing_key

LOGGER = "odoo.addons.mcp_endpoint.models.identity_login"


@tagged("post_install", "-at_install")
@skipUnless(jwt, "needs PyJWT")
class TestIdentityLogin(IdentityMixin, McpHttpCase):
    """Access tokens of an identity provider at `/mcp`, over HTTP."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider.accepts_bearer = True
        cls.link()

    def whoami(self, token):
        """Return the login that a call with the token works as."""
        response = self.rpc("tools/call", {"name": "odoo_get_context", "arguments": {}}, token=token)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()["result"]["structuredContent"]["user"]["login"]

    def check_refused(self, token, status=401):
        response = self.rpc("tools/list", token=token)
        self.assertEqual(response.status_code, status, f"{token[:120]} {response.text}")
        self.assertIn("error=", response.headers["WWW-Authenticate"])
        return response

    def row(self):
        return self.env["mcp.token"].search([("kind", "=", "external"), ("user_id", "=", self.user.id)])

    def test_token_works_as_the_linked_user_and_is_accounted_to_one_row(self):
        for _number in range(2):
            response = self.rpc("tools/list", token=self.access_token())
            self.assertEqual(response.status_code, 200, response.text)
        self.rpc("tools/call", {"name": "odoo_get_context", "arguments": {}}, token=self.access_token())
        row = self.row()
        self.assertEqual(len(row), 1)
        self.assertEqual((row.identity_provider_id, row.profile_id), (self.provider, self.profiles["full"]))
        logged = self.env["mcp.audit.log"].search([("token_id", "=", row.id), ("tool", "=", "odoo_get_context")])
        self.assertEqual(logged.user_id, self.user)

    def test_off_by_default_and_for_other_purposes(self):
        for values in ({"accepts_bearer": False, "accepts_id_jag": True}, {"active": False}):
            self.provider.write({"accepts_bearer": True, "active": True, **values})
            self.check_refused(self.access_token())
        self.provider.write({"accepts_bearer": True, "active": True})
        self.assertEqual(self.rpc("tools/list", token=self.access_token()).status_code, 200)

    def test_tokens_for_somebody_else_are_refused(self):
        """T10, T11: audiences, kinds of tokens, ID tokens."""
        for changes in (
            {"aud": "https://other.example.com/mcp"},
            {"aud": self.oauth._issuer()},
            {"aud": [self.oauth._resource() + "/x"]},
            {"aud": None},
            {"iss": ISSUER + "/"},
            {"nonce": "n"},
            {"at_hash": "h"},
            {"sub": "somebody"},
            {"sub": None},
        ):
            self.check_refused(self.access_token(**changes))
        for kind in ("JWT", "oauth-id-jag+jwt", "id_token+jwt", None):
            self.check_refused(self.access_token({"typ": kind}))
        self.provider.accepts_plain_type = True
        self.assertEqual(self.rpc("tools/list", token=self.access_token({"typ": "JWT"})).status_code, 200)
        self.check_refused(self.access_token({"typ": "JWT"}, nonce="n"))

    def test_forged_tokens_are_refused_without_asking_anybody(self):
        """T32, end to end; `TestServiceJwtCheck` has the rest of the table."""
        self.rpc("tools/list", token=self.access_token())
        stranger = signing_key(kid="stranger")
        now = int(time.time())
        with key_server(stranger) as evil:
            asked = len(self.server.requests)
            url = evil.url(evil.path)
            for token in (
                self.access_token({"kid": self.key.kid}, key=stranger),
                self.access_token({"kid": self.key.kid, "jku": url, "x5u": url, "jwk": stranger.jwk()}, key=stranger),
                hmac_signed({"iss": ISSUER, "sub": "user-1", "aud": self.oauth._resource()}, b"key"),
                f"{b64({'alg': 'none', 'typ': 'at+jwt'})}.{b64({'iss': ISSUER, 'sub': 'user-1'})}.AA",
                self.access_token(exp=now - 60),
                self.access_token(exp=None),
                self.access_token(iat=now + 3 * 86_400),
                self.access_token({"typ": "x" * 200}),
            ):
                self.check_refused(token)
            self.assertEqual(evil.connections, 0)
            self.assertEqual(len(self.server.requests), asked)

    def test_oversized_token_is_refused(self):
        self.assertIn(self.rpc("tools/list", token=self.access_token(junk="x" * 20_000)).status_code, (400, 401, 431))

    def test_random_key_ids_do_not_hold_up_valid_tokens(self):
        """T33, end to end: the flood costs one request to the provider."""
        self.rpc("tools/list", token=self.access_token())
        before = len(self.server.requests)
        stranger = signing_key(kid="stranger")
        identify = self.env["mcp.identity.provider"]._identify_bearer
        for number in range(200):
            self.assertIsNone(identify(self.access_token({"kid": f"random-{number}"}, key=stranger)))
            self.assertEqual(identify(self.access_token()).user, self.user)
        self.assertLessEqual(len(self.server.requests) - before, 1)

    def test_revoked_row_shuts_out_every_token_of_the_provider(self):
        self.rpc("tools/list", token=self.access_token())
        self.row()._revoke()
        self.env.flush_all()
        for _number in range(2):
            self.check_refused(self.access_token())
        with self.assertRaisesRegex(UserError, "keeps an identity provider"):
            self.row().with_user(self.user).unlink()
        self.row().unlink()
        self.assertEqual(self.rpc("tools/list", token=self.access_token()).status_code, 200)

    def test_archived_user_and_lost_group_are_refused(self):
        self.rpc("tools/list", token=self.access_token())
        self.user.active = False
        self.check_refused(self.access_token())
        self.user.active = True
        portal = new_test_user(self.env, "mcp_portal_sso", groups="base.group_portal")
        self.link(portal, "user-portal")
        self.check_refused(self.access_token(sub="user-portal"))
        self.link(self.env.ref("base.user_root"), "user-root")
        self.check_refused(self.access_token(sub="user-root"))

    def test_scopes_narrow_the_profile(self):
        create = {"name": "odoo_create_records", "arguments": {"model": "res.partner", "records": [{"name": "x"}]}}
        self.assertEqual(self.rpc("tools/call", create, token=self.access_token(scope="mcp:read")).status_code, 403)
        self.assertEqual(self.rpc("tools/call", create, token=self.access_token()).status_code, 200)
        for scope in ("", "openid profile", None):
            self.check_refused(self.access_token(scope=scope))
        self.provider.write({"scope_claim": "roles", "scope_mapping": "Mcp.Write = mcp:write\nMcp.Admin=mcp:admin"})
        for roles, expected in (
            (["Mcp.Write"], ("mcp:write",)),
            (["Mcp.Write", "Mcp.Admin"], ("mcp:write", "mcp:admin")),
            (["mcp:write"], ()),
        ):
            found = self.env["mcp.token"]._find_external(self.access_token(roles=roles))
            self.assertEqual(found.scopes, expected)
        self.provider.scope_claim = "none"
        found = self.env["mcp.token"]._find_external(self.access_token(scope=None))
        self.assertEqual(found.scopes, ("mcp:read", "mcp:write"))

    def test_profile_of_the_provider_applies_at_once(self):
        self.rpc("tools/list", token=self.access_token())
        self.provider.profile_id = self.profiles["read"]
        found = self.env["mcp.token"]._find_external(self.access_token())
        self.assertEqual(found.profile_id, self.profiles["read"].id)
        self.assertEqual(self.row().profile_id, self.profiles["read"])

    def test_subject_can_be_another_claim(self):
        self.provider.subject_claim = "oid"
        self.check_refused(self.access_token())
        self.check_refused(self.access_token(oid=5))
        self.assertEqual(self.rpc("tools/list", token=self.access_token(oid="user-1", sub="x")).status_code, 200)

    def test_email_links_only_when_an_administrator_says_so(self):
        """T35: never by e-mail without opt-in, verification and domain; once, and not into what is powerful."""
        user = new_test_user(self.env, "ada@example.com", groups="base.group_user")
        new_test_user(self.env, "boss@example.com", groups="base.group_system")
        new_test_user(self.env, "gone@example.com", groups="base.group_user").active = False
        new_test_user(self.env, "a_a@example.com", groups="base.group_user")
        new_test_user(self.env, "guest@example.com", groups="base.group_portal")
        self.user.email = "eve@example.com"
        ada = {"sub": "ada", "email": "Ada@example.com", "email_verified": True}
        self.check_refused(self.access_token(**ada))
        self.provider.write({"email_linking": "verified", "email_domains": "example.com"})
        for changes in (
            {"email_verified": False},
            {"email_verified": None},
            {"email_verified": "true"},
            {"email": "ada@evil.com"},
            {"email": "boss@example.com"},
            {"email": "gone@example.com"},
            {"email": "guest@example.com"},
            {"email": "eve@example.com"},
            {"email": "axa@example.com"},
            {"email": "%@example.com"},
            {"email": None},
        ):
            self.check_refused(self.access_token(**{**ada, "sub": "stranger", **changes}))
        found = self.env["mcp.token"]._find_external(self.access_token(**ada))
        self.assertEqual(found.user_id, user.id)
        link = self.env["mcp.identity.link"].search([("subject", "=", "ada")])
        self.assertEqual((link.user_id, link.by_email, link.issuer), (user, True, ISSUER))
        # The address now belongs to somebody else at the provider: the user does not.
        self.check_refused(self.access_token(**{**ada, "sub": "ada-2"}))
        # And the link holds without the address.
        self.assertEqual(self.rpc("tools/list", token=self.access_token(sub="ada")).status_code, 200)

    def test_trusted_provider_needs_no_verification_claim(self):
        user = new_test_user(self.env, "ada@example.com", groups="base.group_user")
        self.provider.write({"email_linking": "trusted", "email_domains": "example.org, @example.com"})
        found = self.env["mcp.token"]._find_external(self.access_token(sub="ada", email="ada@example.com"))
        self.assertEqual(found.user_id, user.id)

    def test_pasted_keys_need_no_provider_on_the_net(self):
        other = signing_key("RS256", "pasted")
        self.provider.jwks = json.dumps({"keys": [other.jwk()]})
        before = self.server.connections
        self.assertIsNotNone(self.env["mcp.token"]._find_external(self.access_token(key=other)))
        self.check_refused(self.access_token())
        self.assertEqual(self.server.connections, before)

    def test_without_the_package_other_tokens_work(self):
        token = self.access_token()
        with patch.dict("sys.modules", {"jwt": None}):
            self.check_refused(token)
            self.assertEqual(self.rpc("tools/list").status_code, 200)
            self.assertTrue(self.provider.lacks_package)
            self.assertTrue(self.env["res.config.settings"].new({}).mcp_lacks_jwt_package)
