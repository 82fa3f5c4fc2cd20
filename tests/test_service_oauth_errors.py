from odoo.tests import BaseCase, tagged

from ..services.oauth.errors import OAuthError


@tagged("post_install", "-at_install")
class TestOAuthErrors(BaseCase):
    def test_a_description_cannot_alter_a_header(self):
        error = OAuthError("invalid_scope", 'a"b\r\nSet-Cookie: x=1\\é\x00\u202e')
        self.assertEqual(error.as_dict()["error_description"], "a?b??Set-Cookie: x=1????")

    def test_it_says_what_an_answer_needs(self):
        error = OAuthError("invalid_client", "Unknown client.", 401, [("WWW-Authenticate", "Basic")])
        self.assertEqual(error.as_dict(), {"error": "invalid_client", "error_description": "Unknown client."})
        self.assertEqual((error.status, error.headers), (401, (("WWW-Authenticate", "Basic"),)))
        self.assertEqual(OAuthError("x", "y").status, 400)
