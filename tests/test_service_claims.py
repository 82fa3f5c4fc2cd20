from odoo.tests import BaseCase, tagged

from ..services import claims

DOMAINS = frozenset({"example.com"})


@tagged("post_install", "-at_install")
class TestServiceClaims(BaseCase):
    def test_names_are_text_or_a_list(self):
        for value, expected in (
            ("mcp:read  mcp:write", ["mcp:read", "mcp:write"]),
            (["a", 5, None, "b"], ["a", "b"]),
            (None, []),
            (5, []),
            ({"a": 1}, []),
            (["x"] * 1000, ["x"] * claims.MAX_NAMES),
        ):
            self.assertEqual(claims.names({"scp": value}, "scp"), expected)
        self.assertEqual(claims.names({}, "scp"), [])

    def test_mapping_is_written_in_lines(self):
        text = "\n  Mcp.Read = mcp:read\nhttps://x/y=z=mcp:write\n\n"
        self.assertEqual(claims.parse_mapping(text), {"Mcp.Read": "mcp:read", "https://x/y=z": "mcp:write"})
        for line in ("a", "a =", "= b", "a b = c"):
            with self.assertRaisesRegex(ValueError, line):
                claims.parse_mapping(f"x = y\n{line}")

    def test_id_tokens_are_recognised(self):
        self.assertFalse(claims.is_id_token({"sub": "x", "aud": "y"}))
        for name in ("nonce", "at_hash", "c_hash"):
            self.assertTrue(claims.is_id_token({name: "x"}))

    def test_email_counts_when_verified_and_of_an_allowed_domain(self):
        self.assertEqual(
            claims.email_of({"email": "Eve@EXAMPLE.com", "email_verified": True}, DOMAINS, verified=True),
            "eve@example.com",
        )
        self.assertEqual(claims.email_of({"email": "eve@example.com"}, DOMAINS, verified=False), "eve@example.com")
        for email, is_verified in (
            ("eve@example.com", False),
            ("eve@example.com", None),
            ("eve@example.com", "true"),
            ("eve@example.com", 1),
            ("eve@evil.com", True),
            ("eve@example.com.evil.com", True),
            ("eve@sub.example.com", True),
            ("eve@evil.com@example.org", True),
            ("@example.com", True),
            ("example.com", True),
            ("ève@example.com", True),
            (["eve@example.com"], True),
            (None, True),
        ):
            found = claims.email_of({"email": email, "email_verified": is_verified}, DOMAINS, verified=True)
            self.assertIsNone(found, email)
