from odoo.tests import BaseCase, tagged

from ..services.oauth import client_document, known_clients, redirect_uri


@tagged("post_install", "-at_install")
class TestOAuthKnownClients(BaseCase):
    def test_data_is_well_formed(self):
        for pattern in known_clients.REDIRECT_URIS:
            redirect_uri.check(pattern.removesuffix("*"))
        for url in (*known_clients.SNAPSHOTS, *known_clients.SELF_TEST):
            client_document.host(url)

    def test_known(self):
        for uri in (
            "https://claude.ai/api/mcp/auth_callback",
            "http://127.0.0.1:9/any",
            "https://chatgpt.com/connector/oauth/AbC_12",
            "https://n8n.example.com/cb",
            "https://own.example.com/x/y",
        ):
            more = ("https://n8n.example.com/cb", "https://own.example.com/*")
            self.assertTrue(known_clients.is_known(uri, more), uri)

    def test_unknown(self):
        for uri in (
            "https://evil.example/api/mcp/auth_callback",
            "https://claude.ai/api/mcp/auth_callback/x",
            "https://claude.ai/other",
            "https://chatgpt.com/connector/oauth/",
            "https://chatgpt.com/connector/oauth/../../x",
            "https://chatgpt.com/connector/oauth/%2e%2e",
            "https://chatgpt.com/connector/oauth/a?next=x",
            "https://oauth-redirect.googleusercontent.com/other",
            "myapp://cb",
        ):
            self.assertFalse(known_clients.is_known(uri), uri)
