import time
from unittest import skipUnless
from unittest.mock import patch

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ..models.oauth_client_auth import ASSERTION_TYPE
from .common import McpHttpCase
from .identity import IdentityMixin, b64, hmac_signed, jwt, signing_key


@tagged("post_install", "-at_install")
@skipUnless(jwt, "needs PyJWT")
class TestOauthClientAssertion(IdentityMixin, McpHttpCase):
    def token(self, assertion, path="/oauth/token", **form):
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
            **form,
        }
        return self.url_open(path, data=form)

    def check_refused(self, assertion, error="invalid_client", status=401, **form):
        response = self.token(assertion, **form)
        self.assertEqual((response.status_code, response.json()["error"]), (status, error), assertion[:150])
        return response.json()["error_description"]

    def test_signed_client_gets_a_token_that_works_as_its_user(self):
        client = self.machine()
        for audience in (
            self.oauth._issuer(),
            self.oauth._issuer() + "/",
            self.oauth._url("token"),
            [self.oauth._issuer()],
        ):
            response = self.token(self.assertion(client, aud=audience))
            self.assertEqual(response.status_code, 200, response.text)
        answer = response.json()
        self.assertNotIn("refresh_token", answer)
        self.assertEqual(self.rpc("tools/list", token=answer["access_token"]).status_code, 200)
        with_id = self.token(self.assertion(client, headers={"typ": None}), client_id=client.client_id)
        self.assertEqual(with_id.status_code, 200, with_id.text)

    def test_token_endpoint_works_on_a_cold_registry(self):
        client = self.machine()
        self.env.registry.clear_cache()
        self.assertEqual(self.token(self.assertion(client)).status_code, 200)

    def test_keys_may_be_published_by_the_client(self):
        client = self.machine(jwks=False, jwks_uri=self.server.url(self.server.path))
        self.assertEqual(self.token(self.assertion(client)).status_code, 200)
        self.assertIn("not known", self.check_refused(self.assertion(client, headers={"kid": "x"})))
        client.write({"jwks_uri": False, "jwks": {"keys": [signing_key(kid="other").jwk()]}})
        self.check_refused(self.assertion(client))

    def test_strangers_make_this_server_ask_nobody(self):
        """Whoever registers by themselves could otherwise hold up workers with a slow server of theirs."""
        address = self.server.url(self.server.path)
        asked = {
            "client_name": "Slow", "redirect_uris": ["https://x.example/cb"], "jwks_uri": address,
            "token_endpoint_auth_method": "private_key_jwt",
        }  # fmt: skip
        response = self.url_open("/oauth/register", json=asked)
        self.assertEqual((response.status_code, response.json()["error"]), (400, "invalid_client_metadata"))
        client = self.env["mcp.oauth.client"].create(
            {"name": "Old", "kind": "dcr", "redirect_uris": "https://x.example/cb", "jwks_uri": address,
             "auth_method": "private_key_jwt"}
        )  # fmt: skip
        with patch.object(type(self.env["mcp.egress"]), "_fetch_json") as fetch:
            self.check_refused(self.assertion(client))
        fetch.assert_not_called()

    def test_public_key_can_be_pasted(self):
        key = signing_key("RS256", "pasted")
        pem = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        client = self.machine(jwks=False, public_key=pem)
        self.assertEqual(self.token(self.assertion(client, key=key, headers={"kid": None})).status_code, 200)
        self.assertNotIn('"d"', client.public_key)
        for text in ("x", pem.replace("PUBLIC", "PRIVATE"), False):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                client.public_key = text
                client.flush_recordset()

    def test_assertion_counts_once(self):
        """T34."""
        client, other = self.machine(), self.machine()
        assertion = self.assertion(client, jti="same")
        self.assertEqual(self.token(assertion).status_code, 200)
        for _number in range(2):
            self.assertIn("used before", self.check_refused(assertion))
        self.assertIn("used before", self.check_refused(self.assertion(client, jti="same")))
        self.assertEqual(self.token(self.assertion(other, jti="same")).status_code, 200)

    def test_bad_assertions_are_refused(self):
        client, other = self.machine(), self.machine(jwks={"keys": [signing_key(kid="other").jwk()]})
        now = int(time.time())
        for changes in (
            {"aud": "https://evil.example.com"},
            {"aud": [self.oauth._issuer(), "https://evil.example.com"]},
            {"aud": self.oauth._resource()},
            {"aud": None},
            {"exp": None},
            {"exp": now - 120},
            {"exp": now + 3600},
            {"iat": now + 3600},
            {"jti": None},
            {"jti": ""},
            {"sub": other.client_id},
            {"iss": other.client_id},
            {"iss": other.client_id, "sub": other.client_id},
            {"sub": "unknown", "iss": "unknown"},
            {"sub": "nul\0byte", "iss": "nul\0byte"},
            {"headers": {"typ": "oauth-id-jag+jwt"}},
            {"headers": {"typ": "at+jwt"}},
            {"key": signing_key(kid="key-1", algorithm="ES384")},
            {"key": signing_key(kid="stranger"), "headers": {"kid": "key-1"}},
        ):
            self.check_refused(self.assertion(client, **changes))
        claims = {"iss": client.client_id, "sub": client.client_id, "aud": self.oauth._issuer(), "exp": now + 60}
        self.check_refused(hmac_signed(claims, b"secret"))
        self.check_refused(f"{b64({'alg': 'none'})}.{b64(claims)}.AA")
        self.check_refused("x")
        self.check_refused(self.assertion(client), client_id=other.client_id)

    def test_client_registered_otherwise_may_not_sign(self):
        client = self.machine(auth_method="client_secret_basic")
        self.check_refused(self.assertion(client))
        client.write({"auth_method": "private_key_jwt", "blocked": True})
        self.check_refused(self.assertion(client))

    def test_client_that_must_sign_cannot_come_without(self):
        client = self.machine()
        response = self.url_open(
            "/oauth/token", data={"grant_type": "client_credentials", "client_id": client.client_id}
        )
        self.assertEqual(response.json()["error"], "invalid_client")

    def test_client_that_may_do_both_is_known_by_its_signature(self):
        """ChatGPT publishes `private_key_jwt` and, in the plural, `none`."""
        client = self.machine(
            kind="cimd", user_id=False, other_auth_methods="none", client_id="https://chat.example.com/client.json"
        )
        form = {"client_assertion": self.assertion(client)}
        self.assertEqual(self.env["mcp.oauth.client"]._verify_assertion(form), client)

    def test_it_signs_revocations_as_well(self):
        client = self.machine()
        secret = self.token(self.assertion(client)).json()["access_token"]
        response = self.token(self.assertion(client), "/oauth/revoke", token=secret)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertEqual(self.rpc("tools/list", token=secret).status_code, 401)

    def test_it_is_advertised_only_with_the_package(self):
        found = self.oauth._server_metadata()
        for endpoint in ("token", "revocation"):
            self.assertIn("private_key_jwt", found[f"{endpoint}_endpoint_auth_methods_supported"])
            self.assertIn("ES256", found[f"{endpoint}_endpoint_auth_signing_alg_values_supported"])
        client = self.machine()
        assertion = self.assertion(client)
        with patch.dict("sys.modules", {"jwt": None}):
            found = self.oauth._server_metadata()
            self.assertNotIn("private_key_jwt", found["token_endpoint_auth_methods_supported"])
            self.assertNotIn("token_endpoint_auth_signing_alg_values_supported", found)
            self.assertIn("PyJWT", self.check_refused(assertion))
