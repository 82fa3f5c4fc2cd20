from odoo.tests import BaseCase, tagged

from ..services.oauth import vendors

ANTHROPIC = "Anthropic (Claude)"


@tagged("post_install", "-at_install")
class TestServiceOAuthVendors(BaseCase):
    def test_owner_is_told_from_the_address_alone(self):
        cases = (
            ("https://claude.ai/api/mcp/auth_callback", ANTHROPIC),
            ("https://CLAUDE.ai/api/mcp/auth_callback", ANTHROPIC),
            ("https://claude.ai.evil.example/", None),
            ("https://evil-claude.ai/", None),
            ("https://sub.claude.ai/", None),
            ("https://claude.ai:8443/", None),
            ("https://vertexaisearch.cloud.google.com/oauth-redirect", None),
            ("https://vscode.dev/redirect", None),
            ("cursor://anysphere.cursor-mcp/oauth/callback", None),
            ("http://localhost:1/claude.ai", None),
        )
        for uri, owner in cases:
            self.assertEqual(vendors.owner(uri), owner, uri)

    def test_a_name_at_a_foreign_address_is_noticed(self):
        names = (
            "Claude",
            "claude connector",
            "C1aude",
            "Cl\u200baude",
            "Сlаudе",
            "ＣＬＡＵＤＥ",
            "Cláude",
            "c-l-a-u-d-e",
            "𝓒𝓵𝓪𝓾𝓭𝓮",
            "CIaude by ANTHR0PIC",
        )
        for name in names:
            self.assertEqual(vendors.impersonated(name, "https://evil.example/cb"), ANTHROPIC, name)
            self.assertIsNone(vendors.impersonated(name, "https://claude.com/cb"), name)

    def test_names_that_fit_are_not_warned_of(self):
        cases = (
            ("Cursor", "cursor://anysphere.cursor-mcp/oauth/callback"),
            ("Cursor", "https://www.cursor.com/agents/mcp/oauth/callback"),
            ("Claude Code", "http://localhost:3118/callback"),
            ("GitHub Copilot", "https://vscode.dev/redirect"),
            ("Microsoft Copilot Studio", "https://global.consent.azure-apim.net/redirect/x"),
            ("Gemini Enterprise", "https://vertexaisearch.cloud.google.com/oauth-redirect"),
            ("Sales assistant", "https://app.example/cb"),
            ("", "https://app.example/cb"),
            ("助手", "https://app.example/cb"),
        )
        for name, uri in cases:
            self.assertIsNone(vendors.impersonated(name, uri), name)

    def test_a_foreign_scheme_is_no_address_of_a_vendor(self):
        self.assertEqual(vendors.impersonated("Cursor", "evil://cursor/callback"), "Cursor")
        self.assertEqual(vendors.impersonated("Claude", "cursor://claude"), ANTHROPIC)
