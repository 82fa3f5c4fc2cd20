from odoo.tests import BaseCase, tagged

from ..services.oauth import client_document
from ..services.oauth.errors import OAuthError
from ..services.oauth.known_clients import SNAPSHOTS

URL = "https://app.example.com/oauth/client.json"
DOCUMENT = {"client_id": URL, "client_name": "App", "redirect_uris": ["https://app.example.com/cb"]}
WITHOUT_JWT = ("none", "client_secret_basic", "client_secret_post")
WITH_JWT = (*WITHOUT_JWT, "private_key_jwt")


@tagged("post_install", "-at_install")
class TestOAuthClientDocument(BaseCase):
    def methods(self, supported=WITHOUT_JWT, **members):
        return client_document.parse(URL, {**DOCUMENT, **members}, supported).auth_methods

    def refused(self, code="invalid_client", supported=WITHOUT_JWT, **members):
        with self.assertRaises(OAuthError) as caught:
            client_document.parse(URL, {**DOCUMENT, **members}, supported)
        self.assertEqual(caught.exception.code, code)
        return caught.exception.description

    def test_addresses_that_can_be_ids(self):
        for url, host in (
            (URL, "app.example.com"),
            ("https://APP.example.com:8443/x?y=1", "app.example.com:8443"),
            ("https://claude.ai/oauth/mcp-oauth-client-metadata", "claude.ai"),
        ):
            self.assertEqual(client_document.host(url), host)

    def test_addresses_that_cannot(self):
        for url in (
            "http://app.example.com/x",
            "https://app.example.com",
            "https://app.example.com/",
            "https://app.example.com/a/../b",
            "https://app.example.com/./b",
            "https://app.example.com/%2e%2E/b",
            "https://user@app.example.com/x",
            "https://app.example.com/x#y",
            "https://app.example.com\\@evil.example/x",
            "https://[::1]/x",
            "https://app.example.com/x\n",
            "https://app.example.com/é",
            "https://app.example.com/" + "a" * 2048,
        ):
            with self.subTest(url), self.assertRaises(OAuthError):
                client_document.host(url)

    def test_a_document_speaks_for_its_own_address_only(self):
        self.refused(client_id="https://app.example.com/oauth/other.json")
        self.refused(client_id=None)

    def test_methods(self):
        self.assertEqual(self.methods(), ("none",))
        self.assertEqual(self.methods(token_endpoint_auth_method="none"), ("none",))
        self.assertEqual(self.methods(token_endpoint_auth_methods_supported=["client_secret_post", "none"]), ("none",))
        # ChatGPT: the singular member says one thing, the plural one another.
        chatgpt = {
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
            "jwks_uri": "https://app.example.com/jwks.json",
        }
        self.assertEqual(self.methods(**chatgpt), ("none",))
        self.assertEqual(self.methods(WITH_JWT, **chatgpt), ("private_key_jwt", "none"))

    def test_a_method_that_cannot_be_checked_is_not_downgraded(self):
        members = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example.com/jwks.json"}
        self.assertIn("private_key_jwt", self.refused(**members))
        self.assertEqual(self.methods(WITH_JWT, **members), ("private_key_jwt",))

    def test_a_public_document_holds_no_secret(self):
        self.refused(client_secret="x")
        self.refused(client_secret_expires_at=0)
        self.refused(token_endpoint_auth_method="client_secret_basic")
        self.refused(token_endpoint_auth_methods_supported=["client_secret_post"])

    def test_redirect_uris_are_checked_as_everywhere(self):
        self.refused("invalid_redirect_uri", redirect_uris=[])
        self.refused("invalid_redirect_uri", redirect_uris=["javascript:x"])

    def test_shipped_snapshots_are_valid_documents(self):
        for url, document in SNAPSHOTS.items():
            told = client_document.parse(url, document, WITHOUT_JWT)
            self.assertEqual(told.auth_methods, ("none",), url)
