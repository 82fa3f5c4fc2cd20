from unittest.mock import patch

from odoo.tests import tagged

from ..services.public_address import is_public, is_public_or_internal
from ..services.safe_fetch import FetchRefused
from .common import McpCase
from .loopback import json_server


@tagged("post_install", "-at_install")
class TestMcpEgress(McpCase):
    def test_own_names_are_never_fetched_from(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.issuer", "https://erp.example.com")
        self.env["ir.config_parameter"].set_param("web.base.url", "https://odoo.example.com:8069/")
        egress = self.env["mcp.egress"]
        for internal in (False, True):
            for url in ("https://erp.example.com/doc.json", "https://ODOO.example.com./doc.json"):
                with self.assertRaisesRegex(FetchRefused, "this server"):
                    egress._fetch_json(url, internal=internal)

    def test_only_what_an_administrator_calls_internal_may_be_internal(self):
        egress = self.env["mcp.egress"]
        self.assertEqual((egress._egress().guard, egress._egress().ports), (is_public, frozenset({443})))
        self.assertEqual((egress._egress(True).guard, egress._egress(True).ports), (is_public_or_internal, None))

    def test_proxy_is_a_setting(self):
        self.assertIsNone(self.env["mcp.egress"]._egress().proxy)
        self.env["ir.config_parameter"].set_param("mcp_endpoint.egress_proxy", "http://proxy.example.com:3128")
        self.assertEqual(self.env["mcp.egress"]._egress().proxy, "http://proxy.example.com:3128")

    def test_document_is_fetched_within_the_limit(self):
        with json_server({"/a": {"a": "x" * 100}}) as server:
            model = self.registry["mcp.egress"]
            with patch.object(model, "_egress", lambda self, internal=False: server.egress()):
                self.assertEqual(self.env["mcp.egress"]._fetch_json(server.url("/a")).data, {"a": "x" * 100})
                with self.assertRaisesRegex(FetchRefused, "larger than 50 bytes"):
                    self.env["mcp.egress"]._fetch_json(server.url("/a"), 50)
