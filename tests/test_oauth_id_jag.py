import time
from unittest import skipUnless
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.oauth_id_jag import GRANT_TYPE, PROFILE
from ..services import secret_tokens
from .common import McpHttpCase
from .identity import ISSUER, IdentityMixin, jwt, signing_key


@tagged("post_install", "-at_install")
@skipUnless(jwt, "needs PyJWT")
class TestOauthIdJag(IdentityMixin, McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider.accepts_id_jag = True
        cls.link()
        cls.secret = "omcp_cs_" + "x" * 43
        cls.client = cls.add_client()

    @classmethod
    def add_client(cls, **values):
        values = {
            "name": "Assistant of the company",
            "client_id": f"omcp_ci_company{len(cls.env['mcp.oauth.client'].search([]))}",
            "kind": "manual",
            "redirect_uris": "https://assistant.example.com/callback",
            "auth_method": "client_secret_post",
            "secret_digest": cls.env["mcp.token"]._digest(cls.secret),
            **values,
        }
        return cls.env["mcp.oauth.client"].create(values)

    def exchange_grant(self, assertion, client=None, **form):
        form = {
            "grant_type": GRANT_TYPE,
            "assertion": assertion,
            "client_id": (client or self.client).client_id,
            "client_secret": self.secret,
            **form,
        }
        return self.url_open("/oauth/token", data={name: value for name, value in form.items() if value is not None})

    def check_refused(self, assertion, error="invalid_grant", client=None, status=400, **form):
        with mute_logger("odoo.addons.mcp_endpoint.models.mcp_key_set"):
            response = self.exchange_grant(assertion, client, **form)
        self.assertEqual((response.status_code, response.json()["error"]), (status, error), response.text)

    def test_grant_is_exchanged_for_a_token_of_the_linked_user(self):
        response = self.exchange_grant(self.id_jag(self.client), resource=self.oauth._resource())
        self.assertEqual(response.status_code, 200, response.text)
        answer = response.json()
        self.assertNotIn("refresh_token", answer)
        self.assertEqual((answer["token_type"], answer["scope"]), ("Bearer", "mcp:read mcp:write"))
        self.assertLessEqual(answer["expires_in"], 3600)
        self.assertTrue(answer["access_token"].startswith(secret_tokens.ACCESS_PREFIX))
        called = self.rpc("tools/call", {"name": "odoo_get_context", "arguments": {}}, token=answer["access_token"])
        self.assertEqual(called.json()["result"]["structuredContent"]["user"]["login"], self.user.login)

    def test_exchanges_share_one_grant_that_can_be_revoked(self):
        first = self.exchange_grant(self.id_jag(self.client)).json()["access_token"]
        second = self.exchange_grant(self.id_jag(self.client)).json()["access_token"]
        grant = self.env["mcp.token"].search([("oauth_client_id", "=", self.client.id)])
        self.assertEqual((len(grant), grant.user_id, grant.profile_id), (1, self.user, self.profiles["full"]))
        grant._revoke()
        self.env.flush_all()
        for secret in (first, second):
            self.assertEqual(self.rpc("tools/list", token=secret).status_code, 401)

    def test_grant_counts_once(self):
        """T34."""
        assertion = self.id_jag(self.client)
        self.assertEqual(self.exchange_grant(assertion).status_code, 200)
        self.check_refused(assertion)
        for _number in range(2):
            answer = self.exchange_grant(self.id_jag(self.client, jti="same"))
        self.assertEqual((answer.status_code, answer.json()["error"]), (400, "invalid_grant"))

    def test_bad_grants_are_refused(self):
        now = int(time.time())
        stranger = signing_key(kid="stranger")
        other = self.add_client()
        for changes in (
            {"aud": self.oauth._resource()},
            {"aud": "https://evil.example.com"},
            {"aud": [self.oauth._issuer(), "https://evil.example.com"]},
            {"iss": "https://evil.example.com"},
            {"client_id": other.client_id},
            {"client_id": None},
            {"client_id": [self.client.client_id]},
            {"jti": None},
            {"exp": now - 60},
            {"exp": now + 7200},
            {"iat": now + 3600},
            {"sub": "somebody"},
            {"resource": "https://evil.example.com/mcp"},
            {"resource": [self.oauth._resource(), "https://evil.example.com/mcp"]},
            {"resource": 5},
            {"headers": {"typ": "at+jwt"}},
            {"headers": {"typ": "JWT"}},
            {"headers": {"typ": None}},
            {"key": stranger},
            {"key": stranger, "headers": {"kid": "key-1"}},
        ):
            self.check_refused(self.id_jag(self.client, **changes))
        for assertion in ("x", "a.b.c", "A" * 20_000):
            self.check_refused(assertion)
        self.check_refused(None, "invalid_request")
        self.check_refused(self.id_jag(self.client), "invalid_target", resource="https://evil.example.com/mcp")
        self.assertEqual(self.exchange_grant(self.id_jag(self.client, aud=self.oauth._issuer() + "/")).status_code, 200)
        self.assertEqual(self.exchange_grant(self.id_jag(self.client, resource=None)).status_code, 200)

    def test_scope_is_what_request_provider_and_client_all_allow(self):
        for claimed, asked, expected in (
            ("mcp:read", None, "mcp:read"),
            ("mcp:write", "mcp:read", "mcp:read"),
            ("mcp:read mcp:write", "mcp:write", "mcp:write"),
            (None, None, "mcp:read mcp:write"),
            ("mcp:read mcp:write mcp:admin", "mcp:read mcp:write mcp:admin", "mcp:read mcp:write"),
        ):
            response = self.exchange_grant(self.id_jag(self.client, scope=claimed), scope=asked)
            self.assertEqual(response.json().get("scope"), expected, response.text)
        self.check_refused(self.id_jag(self.client, scope="mcp:read"), "invalid_scope", scope="mcp:write")
        self.check_refused(self.id_jag(self.client, scope="crm"), "invalid_scope")
        self.client.scope = "mcp:read"
        self.assertEqual(self.exchange_grant(self.id_jag(self.client)).json()["scope"], "mcp:read")

    def test_only_clients_that_an_administrator_added_and_that_prove_who_they_are(self):
        public = self.add_client(auth_method="none", secret_digest=False)
        self.check_refused(self.id_jag(public), "unauthorized_client", public, client_secret=None)
        for kind in ("dcr", "cimd"):
            registered = self.add_client(kind=kind, grant_types=f"authorization_code {GRANT_TYPE}")
            self.check_refused(self.id_jag(registered), "unauthorized_client", registered)
        self.check_refused(self.id_jag(self.client), "invalid_client", client_secret="wrong", status=401)

    def test_signed_client_may_exchange_as_well(self):
        client = self.machine()
        form = {
            "client_secret": None,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion(client),
        }
        response = self.exchange_grant(self.id_jag(client), client, **form)
        self.assertEqual(response.status_code, 200, response.text)

    def test_archived_user_gets_nothing(self):
        self.user.active = False
        self.check_refused(self.id_jag(self.client))

    def test_provider_that_is_not_for_it_vouches_for_nobody(self):
        self.provider.write({"accepts_id_jag": False, "accepts_bearer": True})
        self.check_refused(self.id_jag(self.client), "unsupported_grant_type")
        other = {"name": "Other", "issuer": ISSUER + "/other", "accepts_id_jag": True}
        self.env["mcp.identity.provider"].create(other)
        self.check_refused(self.id_jag(self.client))

    def test_it_is_advertised_only_when_it_works(self):
        found = self.oauth._server_metadata()
        self.assertIn(GRANT_TYPE, found["grant_types_supported"])
        self.assertEqual(found["authorization_grant_profiles_supported"], [PROFILE])
        assertion = self.id_jag(self.client)
        with patch.dict("sys.modules", {"jwt": None}):
            self.assertNotIn(GRANT_TYPE, self.oauth._server_metadata()["grant_types_supported"])
            self.check_refused(assertion, "unsupported_grant_type")
        self.provider.accepts_id_jag = False
        found = self.oauth._server_metadata()
        self.assertNotIn(GRANT_TYPE, found["grant_types_supported"])
        self.assertNotIn("authorization_grant_profiles_supported", found)
