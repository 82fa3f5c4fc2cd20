from odoo.tests import BaseCase, tagged

from ..services.oauth import redirect_uri
from ..services.oauth.errors import OAuthError

GOOD = {
    "https://claude.ai/api/mcp/auth_callback": ("https", "claude.ai"),
    "https://grok.com/connectors-oauth-exchange-code/": ("https", "grok.com"),
    "https://oauth-redirect.googleusercontent.com/r/abc-123": ("https", "oauth-redirect.googleusercontent.com"),
    "https://n8n.example.com:5678/rest/oauth2-credential/callback": ("https", "n8n.example.com:5678"),
    "https://app.example.com/cb?tenant=1&x=%2F": ("https", "app.example.com"),
    "http://localhost:8787/callback": ("loopback", "localhost:8787"),
    "http://localhost/callback": ("loopback", "localhost"),
    "http://127.0.0.1/": ("loopback", "127.0.0.1"),
    "http://127.0.0.1:33418": ("loopback", "127.0.0.1:33418"),
    "http://[::1]:3118/callback": ("loopback", "[::1]:3118"),
    "cursor://anysphere.cursor-mcp/oauth/callback": ("private", "anysphere.cursor-mcp"),
    "vscode://ms.mcp/cb": ("private", "ms.mcp"),
    "com.example.app:/oauth": ("private", "com.example.app"),
}
BAD = (
    None,
    7,
    "",
    "/callback",
    "//evil.example/cb",
    "claude.ai/callback",
    "http://example.com/cb",
    "http://127.0.0.2/cb",
    "http://localhost.evil.example/cb",
    "http://0.0.0.0/cb",
    "http://2130706433/cb",
    "HTTPS://claude.ai/cb",
    "https:///cb",
    "https:claude.ai/cb",
    "https://",
    "https://claude.ai@evil.example/cb",
    "https://user:pw@claude.ai/cb",
    "https://claude.ai\\@evil.example/cb",
    "https://claude.ai/cb#part",
    "https://*.example.com/cb",
    "https://example.com/*",
    "https://example.com/c b",
    "https://example.com/c\tb",
    "https://example.com/cb\r\nSet-Cookie: x=1",
    "https://exämple.com/cb",
    "https://example.com:99999/cb",
    "https://example.com:/cb",
    "https://example.com:80:80/cb",
    "https://-example.com/cb",
    "https://example.com/" + "a" * 2048,
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://x",
    "about:blank",
    "view-source:https://x",
    "ms-msdt:/id",
    "search-ms:query=x",
    "chrome-extension://x/cb",
    "intent://x",
    "wss://example.com/cb",
    "ftp://example.com/cb",
    "mailto:x@example.com",
    "cursor://user@host/cb",
    "cursor:",
    "1app://cb",
)


@tagged("post_install", "-at_install")
class TestOAuthRedirectUri(BaseCase):
    def test_uris_of_real_clients_may_be_registered(self):
        for uri, (kind, host) in GOOD.items():
            with self.subTest(uri):
                redirect_uri.check(uri)
                self.assertEqual((redirect_uri.kind(uri), redirect_uri.host(uri)), (kind, host))
                self.assertTrue(redirect_uri.matches(uri, uri))

    def test_what_may_not_be_registered(self):
        for uri in BAD:
            with self.subTest(uri), self.assertRaises(OAuthError) as caught:
                redirect_uri.check(uri)
            self.assertEqual(caught.exception.code, "invalid_redirect_uri", uri)

    def test_what_may_not_be_registered_never_matches_even_itself(self):
        for uri in BAD:
            if isinstance(uri, str) and not uri.startswith("http://"):
                self.assertFalse(redirect_uri.matches(uri, uri), uri)

    def test_no_open_redirect(self):
        """Threat T1: an answer goes to what is registered, character for character."""
        registered = "https://app.example.com/cb"
        for presented in (
            "//evil.example",
            "https://evil.example/cb",
            "https://app.example.com.evil.example/cb",
            "https://evil.app.example.com/cb",
            "https://app.example.com@evil.example/cb",
            "https://evil.example\\app.example.com/cb",
            "https://app.example.com:444/cb",
            "https://app.example.com:443/cb",
            "https://app.example.com/CB",
            "https://APP.example.com/cb",
            "https://app.example.com/cb/",
            "https://app.example.com/cb/more",
            "https://app.example.com/cb/../cb",
            "https://app.example.com/%63b",
            "https://app.example.com/cb?x=1",
            "https://app.example.com/cb?",
            "https://app.example.com/cb#x",
            "http://app.example.com/cb",
            " https://app.example.com/cb",
            "https://app.example.com/cb\n",
            "",
        ):
            with self.subTest(presented):
                self.assertFalse(redirect_uri.matches(registered, presented))

    def test_the_port_of_a_loopback_address_is_free_and_nothing_else(self):
        for registered, presented, expected in (
            ("http://localhost/callback", "http://localhost:51234/callback", True),
            ("http://127.0.0.1:33418/", "http://127.0.0.1:50000/", True),
            ("http://[::1]/cb", "http://[::1]:8000/cb", True),
            ("http://localhost:3118/callback", "http://localhost/callback", True),
            ("http://localhost/callback", "http://127.0.0.1:51234/callback", False),
            ("http://127.0.0.1/cb", "http://[::1]/cb", False),
            ("http://localhost/callback", "https://localhost/callback", False),
            ("http://localhost/callback", "http://localhost:1/callback/x", False),
            ("http://localhost/callback", "http://localhost:1/callback?x=1", False),
            ("http://localhost/callback", "http://localhost:1/Callback", False),
            ("http://localhost/callback", "http://localhost:1@evil.example/callback", False),
            ("http://localhost/callback", "http://localhost.evil.example/callback", False),
            ("https://localhost/callback", "https://localhost:444/callback", False),
        ):
            with self.subTest(presented):
                self.assertEqual(redirect_uri.matches(registered, presented), expected)
