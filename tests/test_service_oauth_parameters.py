from odoo.tests import BaseCase, tagged

from ..services.oauth import parameters
from ..services.oauth.errors import OAuthError


@tagged("post_install", "-at_install")
class TestOAuthParameters(BaseCase):
    def test_one_value_each_and_empty_ones_left_out(self):
        self.assertEqual(parameters.single([("a", ["1"]), ("b", [""]), ("c", [])]), {"a": "1"})

    def test_a_parameter_given_twice_is_refused(self):
        """Threat T37."""
        for name in ("client_id", "redirect_uri", "code_challenge", "state", "grant_type"):
            for values in (["1", "2"], ["1", "1"], ["", "1"]):
                with self.subTest(name, values=values), self.assertRaises(OAuthError) as caught:
                    parameters.single([(name, values)])
                self.assertEqual(caught.exception.code, "invalid_request")

    def test_resource_may_be_repeated_while_it_means_the_same(self):
        same = ["https://erp.example.com/mcp", "https://ERP.example.com/mcp/"]
        self.assertEqual(parameters.single([("resource", same)]), {"resource": same[0]})
        with self.assertRaises(OAuthError):
            parameters.single([("resource", [same[0], "https://other.example.com/mcp"])])

    def test_what_cannot_be_stored_is_refused(self):
        for value in ("a\x00b", "\ud800"):
            with self.assertRaises(OAuthError):
                parameters.single([("state", [value])])
