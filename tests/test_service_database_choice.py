from odoo.tests import BaseCase, tagged

from ..services import database_choice
from ..services.database_choice import DatabaseRefused, Place


@tagged("post_install", "-at_install")
class TestServiceDatabaseChoice(BaseCase):
    def test_what_an_address_names(self):
        metadata = "/.well-known/oauth-authorization-server"
        for path, queried, header, expected in (
            ("/mcp", [], None, Place(None, "/mcp", True)),
            ("/mcp/", ["a"], None, Place("a", "/mcp/", True)),
            ("/mcp/sse", [], "a", Place("a", "/mcp/sse", True)),
            ("/mcp", ["a", "a"], "a", Place("a", "/mcp", True)),
            ("/mcp", [""], "", Place(None, "/mcp", True)),
            (f"{metadata}/oauth/db/a", [], None, Place("a", f"{metadata}/oauth/db/a", True)),
            (f"{metadata}/mcp", ["a"], None, Place("a", f"{metadata}/mcp", True)),
            ("/oauth/db/a/token", [], None, Place("a", "/oauth/token", True)),
            ("/oauth/db/a.b-c/authorize", [], None, Place("a.b-c", "/oauth/authorize", False)),
            ("/oauth/db/a/authorize/continue", [], None, Place("a", "/oauth/authorize/continue", False)),
            ("/oauth/db/a/.well-known/x", [], None, Place("a", "/mcp/.well-known/x", False)),
            # A person's browser sends no such header, and a page that a script opens has none either.
            ("/oauth/consent", [], "a", Place(None, "/oauth/consent", False)),
            ("/mcp/files/secret", ["a"], None, Place("a", "/mcp/files/secret", False)),
        ):
            with self.subTest(path=path, queried=queried, header=header):
                self.assertEqual(database_choice.read(path, queried, header), expected)

    def test_other_addresses_are_left_alone(self):
        for path in (
            "/",
            "/web",
            "/mcpx",
            "/mcp-page/x",
            "/oauth",
            "/oauth/other",
            "/oauth/db/a",
            "/oauth/db/a/../web",
            "/oauth/db/a/b/c",
            "/oauth/db//token",
            "/authorize",
            "/.well-known/acme-challenge/x",
            "/.well-known/oauth-authorization-serverx",
        ):
            self.assertIsNone(database_choice.read(path, ["a"], "a"), path)

    def test_two_names_are_refused(self):
        for path, queried, header in (
            ("/mcp", ["a", "b"], None),
            ("/mcp", ["a"], "b"),
            ("/oauth/db/a/token", ["b"], None),
            ("/.well-known/oauth-authorization-server/oauth/db/a", [], "b"),
        ):
            with self.assertRaises(DatabaseRefused) as caught:
                database_choice.read(path, queried, header)
            self.assertEqual(caught.exception.status, 400)

    def test_what_cannot_be_a_name_is_unknown(self):
        for name in ("x" * 64, "a\x00", "a\nb"):
            with self.assertRaises(DatabaseRefused) as caught:
                database_choice.read("/mcp", [name], None)
            self.assertEqual(caught.exception.status, 404)
            self.assertNotIn(name, caught.exception.body())

    def test_addresses_escape_the_name(self):
        self.assertEqual(database_choice.issuer_path("a b/c"), "/oauth/db/a%20b%2Fc")
        self.assertEqual(database_choice.query("a&b"), "?db=a%26b")
