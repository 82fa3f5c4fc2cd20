from odoo.tests import tagged

from ..services.oauth.errors import OAuthError
from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpOauthServer(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.parameters = cls.env["ir.config_parameter"]
        cls.parameters.search([("key", "=like", r"mcp\_endpoint.%")]).unlink()
        cls.server = cls.env["mcp.oauth.server"]

    def test_the_issuer_is_an_origin_and_is_kept_once_a_client_knows_it(self):
        self.parameters.set_param("web.base.url", "https://erp.example.com/some/path/")
        self.assertEqual(self.server._issuer(), "https://erp.example.com")
        self.server._keep_issuer()
        self.parameters.set_param("web.base.url", "https://moved.example.com")
        self.assertEqual(self.server._issuer(), "https://erp.example.com")
        self.server._keep_issuer()
        self.assertEqual(self.server._issuer(), "https://erp.example.com")
        self.assertEqual(self.server._resource(), "https://erp.example.com/mcp")

    def test_an_address_of_this_machine_is_not_kept(self):
        for url in ("http://localhost:8069", "http://127.0.0.1:8069", "http://[::1]:8069"):
            self.parameters.set_param("web.base.url", url)
            self.server._keep_issuer()
            self.assertFalse(self.parameters.get_param("mcp_endpoint.issuer"), url)
            self.assertEqual(self.server._issuer(), url)

    def test_what_means_our_resource(self):
        self.parameters.set_param("mcp_endpoint.issuer", "https://erp.example.com")
        for url in (
            "https://erp.example.com/mcp",
            "https://erp.example.com/mcp/",
            "HTTPS://ERP.example.com:443/mcp?toolsets=core",
            "https://erp.example.com/mcp/sse",
            "https://erp.example.com",
            "https://erp.example.com/",
        ):
            self.assertEqual(self.server._canonical_resource(url), "https://erp.example.com/mcp", url)
        for url in (
            None,
            "",
            "/mcp",
            "https://erp.example.com/other",
            "https://erp.example.com/mcp/x",
            "https://erp.example.com:8443/mcp",
            "http://erp.example.com/mcp",
            "https://erp.example.com.evil.example/mcp",
            "https://erp.example.com@evil.example/mcp",
        ):
            self.assertIsNone(self.server._canonical_resource(url), url)
        self.parameters.set_param("mcp_endpoint.oauth_bare_origin", "off")
        self.assertIsNone(self.server._canonical_resource("https://erp.example.com"))

    def test_a_foreign_path_gets_the_metadata_of_the_resource(self):
        for path in ("/mcp", "/x", '/mcp"'):
            found = self.server._resource_metadata_url(path)
            self.assertEqual(found, "http://127.0.0.1:8069/.well-known/oauth-protected-resource/mcp")

    def test_a_database_chosen_by_name_has_addresses_of_its_own(self):
        self.parameters.set_param("mcp_endpoint.issuer", "https://erp.example.com")
        name = self.env.cr.dbname
        server = self.server.with_context(mcp_named_database=True)
        issuer = f"https://erp.example.com/oauth/db/{name}"
        self.assertEqual(server._issuer(), issuer)
        self.assertEqual(server._resource_metadata("/mcp")["resource"], f"https://erp.example.com/mcp?db={name}")
        self.assertEqual(server._resource_metadata("/mcp")["authorization_servers"], [issuer])
        self.assertEqual(server._server_metadata(f"/oauth/db/{name}")["token_endpoint"], f"{issuer}/token")
        self.assertTrue(server._resource_metadata_url("/mcp").endswith(f"/mcp?db={name}"))
        # What is stored does not depend on how the database was chosen.
        self.assertEqual(server._resource(), self.server._resource())
        with self.assertRaises(OAuthError):
            server._server_metadata("/oauth/db/another")
        with self.assertRaises(OAuthError):
            self.server._server_metadata(f"/oauth/db/{name}")

    def test_the_resource_of_another_database_is_foreign(self):
        self.parameters.set_param("mcp_endpoint.issuer", "https://erp.example.com")
        own = f"https://erp.example.com/mcp?db={self.env.cr.dbname}"
        self.assertEqual(self.server._canonical_resource(own), "https://erp.example.com/mcp")
        for query in ("?db=another", f"?db={self.env.cr.dbname}&db=another", "?a=b&db=another"):
            self.assertIsNone(self.server._canonical_resource(f"https://erp.example.com/mcp{query}"))
        self.assertEqual(self.server.with_context(mcp_named_database=True)._audience(), own)
