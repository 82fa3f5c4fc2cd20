from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged

from ..models.res_config_applications import SWITCHES
from .settings import SettingsCase


@tagged("post_install", "-at_install")
class TestResConfigApplications(SettingsCase):
    def test_switches_are_on_until_switched_off(self):
        server = self.env["mcp.oauth.server"]
        for name, parameter in SWITCHES.items():
            with self.subTest(name):
                self.assertTrue(self.env["res.config.settings"].create({})[name])
                self.assertTrue(server._is_on(parameter))
                self.save(**{name: False})
                self.assertFalse(server._is_on(parameter))
                self.assertFalse(self.env["res.config.settings"].create({})[name])
                self.save(**{name: True})
                self.assertTrue(server._is_on(parameter))

    def test_addresses_are_checked(self):
        for name, good, bad in (
            ("mcp_known_redirects", "https://a.example/cb, https://b.example/*, myapp://cb", "https://a.example*"),
            ("mcp_known_redirects", "http://localhost/cb", "javascript:x"),
            ("mcp_known_redirects", "https://a.example/x/*", "https://*"),
            ("mcp_cimd_hosts", "claude.ai, vscode.dev", "https://claude.ai"),
        ):
            self.save(**{name: good})
            with self.subTest(bad), self.assertRaises(ValidationError):
                self.save(**{name: bad})

    def test_the_issuer_is_changed_by_its_own_dialog_only(self):
        self.parameters.set_param("mcp_endpoint.issuer", "https://old.example.com")
        self.parameters.set_param("web.base.url", "https://new.example.com/odoo")
        settings = self.save()
        self.assertEqual(settings.mcp_issuer, "https://old.example.com")
        self.assertTrue(settings.mcp_issuer_differs)
        wizard = self.env["mcp.oauth.issuer.wizard"].create({})
        self.assertEqual((wizard.issuer, wizard.new_issuer), ("https://old.example.com", "https://new.example.com"))
        wizard.action_change()
        self.assertEqual(self.env["mcp.oauth.server"]._issuer(), "https://new.example.com")
        for wrong in ("new.example.com", "https://new.example.com/odoo", "ftp://x", "https://"):
            with self.assertRaises(ValidationError):
                self.env["mcp.oauth.issuer.wizard"].create({"new_issuer": wrong})

    def test_the_issuer_is_for_settings_administrators(self):
        governor = new_test_user(self.env, "mcp_governor", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        with self.assertRaises(AccessError):
            self.env["mcp.oauth.issuer.wizard"].with_user(governor).create({})

    def test_only_settings_administrators_try_the_internet(self):
        governor = new_test_user(self.env, "mcp_tester", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        with self.assertRaises(AccessError):
            self.env["res.config.settings"].with_user(governor).action_mcp_check_egress()
