from odoo.tests import tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestResConfigOauth(McpCase):
    def test_what_is_chosen_is_what_counts(self):
        fresh = self.env["res.config.settings"].create({})
        fresh.execute()
        refresh, access, grants = (self.env[name] for name in ("mcp.oauth.refresh", "mcp.oauth.access", "mcp.token"))
        for name, choice, seen in (
            ("mcp_refresh_grace_seconds", "0", refresh._grace_seconds),
            ("mcp_refresh_grace_seconds", "3600", refresh._grace_seconds),
            ("mcp_refresh_idle_days", "7", refresh._idle_days),
            ("mcp_access_token_seconds", "600", access._life_seconds),
            ("mcp_grant_days", "365", grants._grant_days),
        ):
            self.assertNotEqual(seen(), int(choice))
            self.env["res.config.settings"].create({name: choice}).execute()
            self.assertEqual(seen(), int(choice), name)

    def test_defaults_of_settings_and_code_agree(self):
        settings = self.env["res.config.settings"].create({})
        for name, seen in (
            ("mcp_refresh_grace_seconds", self.env["mcp.oauth.refresh"]._grace_seconds()),
            ("mcp_refresh_idle_days", self.env["mcp.oauth.refresh"]._idle_days()),
            ("mcp_access_token_seconds", self.env["mcp.oauth.access"]._life_seconds()),
            ("mcp_grant_days", self.env["mcp.token"]._grant_days()),
        ):
            self.assertEqual(settings[name], str(seen))
