from odoo.tests import tagged

from .test_mcp_confirmation import ConfirmationCase
from .test_oauth_browser import OAuthBrowserCase


@tagged("post_install", "-at_install")
class TestConfirmationBrowser(ConfirmationCase, OAuthBrowserCase):
    """The page in a real Chromium, with the security policy that it really has."""

    def setUp(self):
        super().setUp()
        _state, self.address = self.ask()

    def heading(self):
        return self.evaluate("document.querySelector('h1')?.textContent")

    def state(self):
        row = self.env["mcp.confirmation"].search([], limit=1)
        row.invalidate_recordset()
        return row.state

    def test_agreeing_needs_no_script_and_loads_nothing(self):
        self.without_scripts()
        with self.visit(self.address):
            self.assertEqual(self.heading(), "Your assistant wants to do this")
            self.click("button[value=agree]")
            self.wait_for(lambda: self.heading() == "You have agreed", "answer")
        self.assertEqual((self.state(), self.fetched), ("accepted", []))
        self.assertEqual(self.delete()["structuredContent"]["count"], 1)

    def test_enter_refuses(self):
        with self.visit(self.address):
            self.press("Tab", "Enter")
            self.wait_for(lambda: self.heading() == "You have refused", "answer")
        self.assertEqual(self.state(), "declined")
        self.assertTrue(self.partner.exists())

    def test_fits_a_phone_and_both_themes(self):
        self.env["mcp.confirmation"].search([]).preview = {
            "changes": [
                {"model": "res.partner", "id": 7, "name": "A" * 90, "operation": "write", "field": "comment",
                 "before": "old", "after": "x" * 300},
            ],
            "side_effects": {"emails": [{"to": ["somebody.with.a.long.address@example.com"], "subject": "S" * 120}]},
        }  # fmt: skip
        for theme in ("light", "dark"):
            for width in (375, 1200):
                with self.subTest(theme=theme, width=width):
                    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
                    self.browser._websocket_request("Emulation.setDeviceMetricsOverride", params=size)
                    media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
                    self.browser._websocket_request("Emulation.setEmulatedMedia", params=media)
                    with self.visit(self.address):
                        self.assertLessEqual(self.evaluate("document.documentElement.scrollWidth"), width)
                        colour = self.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
                        self.assertEqual(colour, "rgb(31, 29, 37)" if theme == "dark" else "rgb(255, 255, 255)")
