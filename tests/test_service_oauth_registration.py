from odoo.tests import BaseCase, tagged

from ..services.oauth import registration
from ..services.oauth.errors import OAuthError

METHODS = ("none", "client_secret_basic", "client_secret_post")
# What the clients of the field send.
CURSOR = {
    "client_name": "Cursor",
    "redirect_uris": [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
    ],
    "application_type": "web",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}
GEMINI = {
    "client_name": "Gemini CLI",
    "redirect_uris": ["http://localhost:7777/oauth/callback"],
    "token_endpoint_auth_method": "none",
    "scope": "",
}


@tagged("post_install", "-at_install")
class TestOAuthRegistration(BaseCase):
    def refused(self, code, methods=METHODS, **data):
        with self.assertRaises(OAuthError) as caught:
            registration.parse({**GEMINI, **data}, methods)
        self.assertEqual(caught.exception.code, code)

    def test_registrations_of_real_clients(self):
        told = registration.parse(CURSOR, METHODS)
        self.assertEqual(told.redirect_uris, tuple(CURSOR["redirect_uris"]))
        self.assertEqual(told.as_dict()["application_type"], "web")
        self.assertEqual(told.as_dict()["grant_types"], ["authorization_code", "refresh_token"])
        told = registration.parse(GEMINI, METHODS)
        self.assertNotIn("scope", told.as_dict())
        self.assertNotIn(None, told.as_dict().values())

    def test_without_a_method_a_secret_is_meant(self):
        data = {"redirect_uris": ["https://claude.ai/api/mcp/auth_callback"]}
        self.assertEqual(registration.parse(data, METHODS).auth_methods, ("client_secret_basic",))

    def test_what_is_refused(self):
        for uris in (
            None,
            [],
            "http://localhost/cb",
            ["http://localhost/cb"] * 11,
            ["https://x/cb", "javascript:x"],
            [7],
        ):
            self.refused("invalid_redirect_uri", redirect_uris=uris)
        self.refused("invalid_client_metadata", token_endpoint_auth_method="private_key_jwt")
        self.refused("invalid_client_metadata", token_endpoint_auth_method=["none"])
        self.refused("invalid_client_metadata", grant_types=["client_credentials"])
        self.refused("invalid_client_metadata", grant_types="authorization_code")

    def test_machine_grants_cannot_be_had(self):
        grants = ["authorization_code", "client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"]
        told = registration.parse({**GEMINI, "grant_types": grants}, METHODS)
        self.assertEqual(told.as_dict()["grant_types"], ["authorization_code", "refresh_token"])

    def test_names_are_made_safe_to_show(self):
        """Threat T18: control and bidirectional characters go, length is cut; markup is left to be escaped."""
        for name, expected in (
            (None, registration.UNNAMED),
            (7, registration.UNNAMED),
            ("", registration.UNNAMED),
            ("\u202e\u200b\x00", registration.UNNAMED),
            ("  Claude \n Code ", "Claude Code"),
            ("Cla\u202eude\x07", "Claude"),
            ("<img onerror=x>", "<img onerror=x>"),
            ("a" * 10_000, "a" * 100),
            ("Café 東京", "Café 東京"),
        ):
            self.assertEqual(registration.clean_name(name), expected, name)

    def test_links_are_https_or_dropped(self):
        for uri, expected in (
            ("https://claude.ai/about", "https://claude.ai/about"),
            ("javascript:alert(1)", None),
            ("http://claude.ai", None),
            ("http://localhost/about", None),
            ("claude://about", None),
            ("https://claude.ai@evil.example", None),
            ("https://x/\u202e", None),
            ({}, None),
        ):
            self.assertEqual(registration.parse({**GEMINI, "client_uri": uri}, METHODS).client_uri, expected, uri)

    def test_keys_are_public(self):
        methods = (*METHODS, "private_key_jwt")
        data = {"token_endpoint_auth_method": "private_key_jwt"}
        public = {"kty": "EC", "crv": "P-256", "x": "a", "y": "b"}
        told = registration.parse({**GEMINI, **data, "jwks": {"keys": [public]}}, methods)
        self.assertEqual(told.jwks, {"keys": [public]})
        # Of a metadata document, which a user has asked for; strangers send this server nowhere.
        told = registration.read({**GEMINI, **data, "jwks_uri": "https://x.example/jwks"}, methods)
        self.assertEqual(told.jwks_uri, "https://x.example/jwks")
        self.refused("invalid_client_metadata", methods, **data, jwks_uri="https://x.example/jwks")
        for keys in (
            None,
            {},
            {"keys": []},
            {"keys": ["x"]},
            {"keys": [{**public, "d": "secret"}]},
            {"keys": [{"k": "x"}]},
            {"keys": [{**public, "kid": "\0"}]},
            {"keys": [{**public, "\ud800": [{"deep": "\udfff"}]}]},
        ):
            self.refused("invalid_client_metadata", methods, **data, jwks=keys)
        self.refused("invalid_client_metadata", methods, **data, jwks_uri="http://169.254.169.254/")

    def test_the_digest_follows_what_a_consent_depends_on(self):
        first = registration.parse(GEMINI, METHODS).digest
        for same in (
            {"redirect_uris": ["http://localhost:51234/oauth/callback"]},
            {"application_type": "native"},
            {"logo_uri": "https://x.example/logo.svg"},
        ):
            self.assertEqual(registration.parse({**GEMINI, **same}, METHODS).digest, first, same)
        for other in (
            {"client_name": "Gemini"},
            {"redirect_uris": ["http://127.0.0.1:7777/oauth/callback"]},
            {"redirect_uris": ["http://localhost:7777/oauth/callback", "https://x.example/cb"]},
            {"token_endpoint_auth_method": "client_secret_post"},
        ):
            self.assertNotEqual(registration.parse({**GEMINI, **other}, METHODS).digest, first, other)
