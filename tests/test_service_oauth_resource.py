from odoo.tests import BaseCase, tagged

from ..services.oauth import resource


@tagged("post_install", "-at_install")
class TestOAuthResource(BaseCase):
    def test_spellings_of_one_server_are_one(self):
        for url in (
            "https://erp.example.com/mcp",
            "https://erp.example.com/mcp/",
            "HTTPS://ERP.Example.com:443/mcp",
            "https://erp.example.com/mcp?readonly=1",
            "https://erp.example.com/mcp/#x",
        ):
            self.assertEqual(resource.canonical(url), "https://erp.example.com/mcp", url)
        self.assertEqual(resource.canonical("http://[::1]:80/"), "http://[::1]")

    def test_other_servers_stay_others(self):
        for url in (
            "https://erp.example.com/MCP",
            "https://erp.example.com/mcp//",
            "https://erp.example.com/%6dcp",
            "https://erp.example.com:8443/mcp",
            "http://erp.example.com/mcp",
            "http://erp.example.com:443/mcp",
            "https://erp.example.com.evil.example/mcp",
        ):
            self.assertNotEqual(resource.canonical(url), "https://erp.example.com/mcp", url)

    def test_what_is_no_address_of_a_server(self):
        for url in (None, "", "/mcp", "mcp", "erp.example.com/mcp", "ftp://x/mcp", "https://", "https:///mcp",
                    "https://a b/mcp", "https://u@erp.example.com/mcp", "https://erp.example.com\\@x/mcp",
                    "https://erp.example.com/m\ncp", "https://erp.example.com/" + "a" * 2048):  # fmt: skip
            self.assertIsNone(resource.canonical(url), url)

    def test_origin(self):
        self.assertEqual(resource.origin("https://ERP.example.com/odoo/mcp/?x"), "https://erp.example.com")
        self.assertEqual(resource.origin("http://localhost:8069"), "http://localhost:8069")
        self.assertIsNone(resource.origin("erp.example.com"))
