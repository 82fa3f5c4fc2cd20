import re

from odoo.tests import BaseCase, tagged

from ..services.oauth import challenge

URL = "https://erp.example.com/.well-known/oauth-protected-resource/mcp"


@tagged("post_install", "-at_install")
class TestServiceOauthChallenge(BaseCase):
    def test_without_credentials_no_error_is_named(self):
        self.assertEqual(
            challenge.bearer(URL, ("mcp:read", "mcp:write")),
            f'Bearer realm="mcp", resource_metadata="{URL}", scope="mcp:read mcp:write"',
        )

    def test_error_and_description(self):
        header = challenge.bearer(URL, ("mcp:write",), "insufficient_scope", "odoo_x needs more")
        self.assertIn('error="insufficient_scope", error_description="odoo_x needs more"', header)

    def test_no_text_can_add_a_parameter_or_a_header(self):
        evil = 'x", scope="mcp:admin\r\nSet-Cookie: a=b, error=é\\'
        header = challenge.bearer(URL + '"\r\n', ("mcp:read",), "invalid_token", evil)
        self.assertEqual(re.findall(r'(\w+)="([^"]*)"', header)[-1], ("scope", "mcp:read"))
        self.assertEqual(len(re.findall(r"(?<![A-Za-z_])(?:scope|error)=", header)), 2)
        self.assertTrue(header.isascii() and header.isprintable())
