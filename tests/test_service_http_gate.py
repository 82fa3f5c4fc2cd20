from odoo.tests import BaseCase, tagged

from ..services.http_gate import DEFAULT_MAX_BODY, http_policy, is_plain_from_elsewhere, preflight_headers

PUBLIC = http_policy("https://erp.example.com/", "https://chat.example.org, https://tool.example:8443\nnonsense", "")
LOCAL = http_policy("http://localhost:8069", "", "1000")


@tagged("post_install", "-at_install")
class TestServiceHttpGate(BaseCase):
    def test_plain_requests_are_this_machines_own_or_from_elsewhere(self):
        for host in ("localhost:8069", "127.0.0.1", "127.3.2.1:80", "[::1]:8069", "odoo.localhost"):
            self.assertFalse(is_plain_from_elsewhere("http", host), host)
        for host in ("erp.example.com", "192.0.2.7:8069", "localhost.example.com", "[2001:db8::1]", ""):
            self.assertTrue(is_plain_from_elsewhere("http", host), host)
            self.assertFalse(is_plain_from_elsewhere("https", host), host)

    def test_origins_come_from_the_settings_alone(self):
        for origin in (
            "https://erp.example.com",
            "https://ERP.example.com:443",
            "https://chat.example.org",
            "https://tool.example:8443",
        ):
            self.assertTrue(PUBLIC.allows_origin(origin), origin)
        for origin in (
            "null",
            "",
            "*",
            "nonsense",
            "http://erp.example.com",
            "https://erp.example.com:8443",
            "https://erp.example.com.evil.example",
            "https://evil.example/https://erp.example.com",
            "https://tool.example",
            "http://localhost:6274",
            "http://[::1",
            "https://erp.example.com:99999",
        ):
            self.assertFalse(PUBLIC.allows_origin(origin), origin)

    def test_loopback_deployment_takes_loopback_only(self):
        for host in ("localhost", "localhost:8069", "127.0.0.1", "127.0.0.1:8069", "[::1]:8069", "a.localhost:80"):
            self.assertTrue(LOCAL.allows_host(host), host)
            self.assertTrue(LOCAL.allows_origin(f"http://{host}"), host)
        for host in (
            "",
            "evil.example.com",
            "127.0.0.1.evil.example",
            "localhost.evil.example:8069",
            "notlocalhost",
            "192.168.1.5",
            "[::1",
            "1127.0.0.1",
            "evil@x",
        ):
            self.assertFalse(LOCAL.allows_host(host), host)
            self.assertFalse(LOCAL.allows_origin(f"http://{host}"), host)

    def test_public_deployment_takes_any_host(self):
        self.assertTrue(PUBLIC.allows_host("anything.example"))

    def test_body_limit_falls_back_to_the_default(self):
        self.assertEqual(LOCAL.max_body, 1000)
        for value in ("", "0", "-5", "many", "1.5"):
            self.assertEqual(http_policy("https://a.example", "", value).max_body, DEFAULT_MAX_BODY)

    def test_cors_headers_name_the_origin_only_when_allowed(self):
        allowed = dict(PUBLIC.cors_headers("https://chat.example.org"))
        self.assertEqual(allowed["Access-Control-Allow-Origin"], "https://chat.example.org")
        for name in ("WWW-Authenticate", "Mcp-Session-Id"):
            self.assertIn(name, allowed["Access-Control-Expose-Headers"])
        self.assertNotIn("Access-Control-Allow-Credentials", allowed)
        for origin in (None, "https://evil.example"):
            self.assertEqual(PUBLIC.cors_headers(origin), [("Vary", "Origin")])

    def test_preflight_names_the_parameter_headers_asked_for(self):
        headers = dict(preflight_headers("authorization, mcp-param-region, x-evil, mcp-param-a b"))
        names = headers["Access-Control-Allow-Headers"].lower().split(", ")
        for name in ("authorization", "content-type", "mcp-protocol-version", "mcp-session-id", "mcp-method"):
            self.assertIn(name, names)
        self.assertIn("mcp-param-region", names)
        self.assertNotIn("x-evil", names)
        self.assertNotIn("mcp-param-a b", names)
        self.assertIn("DELETE", headers["Access-Control-Allow-Methods"])
