from odoo.tests import BaseCase, tagged

from ..services.oauth import scopes
from ..services.oauth.errors import OAuthError
from ..services.tool import ACCESS_LEVELS

READ, WRITE, ADMIN = "mcp:read", "mcp:write", "mcp:admin"


@tagged("post_install", "-at_install")
class TestOAuthScopes(BaseCase):
    def test_parse_keeps_what_is_ours_in_order_and_once(self):
        for text, expected in (
            (None, ()),
            ("", ()),
            (" offline_access", ()),
            ("mcp:write  mcp:read\tmcp:write\n", (READ, WRITE)),
            ("openid mcp:admin MCP:READ mcp:*", (ADMIN,)),
        ):
            self.assertEqual(scopes.parse(text), expected, text)

    def test_requested(self):
        for text, expected in (
            (None, (READ, WRITE)),
            ("", (READ, WRITE)),
            ("openid email profile", (READ, WRITE)),
            (" offline_access", (READ, WRITE)),
            ("mcp:read something:else", (READ,)),
            ("mcp:admin", (ADMIN,)),
        ):
            self.assertEqual(scopes.requested(text), expected, text)
        for text in ("something:else", "openid tools"):
            with self.assertRaises(OAuthError) as caught:
                scopes.requested(text)
            self.assertEqual(caught.exception.code, "invalid_scope")

    def test_a_higher_scope_implies_the_lower_ones(self):
        self.assertEqual(scopes.implied((WRITE,)), (READ, WRITE))
        self.assertEqual(scopes.implied((ADMIN,)), (READ, WRITE, ADMIN))
        self.assertEqual(scopes.implied(("else",)), ())

    def test_level_is_an_access_level_of_tools(self):
        self.assertEqual([scopes.level((scope,)) for scope in scopes.LEVELS], list(ACCESS_LEVELS))
        self.assertEqual(scopes.level((READ, WRITE)), "write")
        self.assertIsNone(scopes.level(()))

    def test_narrow_never_widens(self):
        for asked, allowed, expected in (
            ((READ, WRITE), (READ,), (READ,)),
            ((READ,), (READ, WRITE), (READ,)),
            ((READ,), (WRITE,), (READ,)),
            ((ADMIN,), (READ, WRITE), ()),
            ((ADMIN, READ), (WRITE,), (READ,)),
            ((), (ADMIN,), ()),
        ):
            self.assertEqual(scopes.narrow(asked, allowed), expected, (asked, allowed))

    def test_admin_is_not_asked_for_by_default(self):
        self.assertNotIn(ADMIN, scopes.DEFAULT_SCOPES)
