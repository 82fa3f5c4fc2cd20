import json

from odoo.tests import tagged

from .common import McpHttpCase

ISSUER = "https://erp.example.com"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"


class OAuthHttpCase(McpHttpCase):
    """OAuth endpoints of a database whose issuer is not the address that the tests use."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.parameters = cls.env["ir.config_parameter"]
        cls.parameters.search([("key", "=like", r"mcp\_endpoint.%")]).unlink()
        cls.parameters.set_param("mcp_endpoint.issuer", ISSUER)

    def switch(self, name, value):
        self.parameters.set_param(f"mcp_endpoint.{name}", value)
        self.env.registry.clear_cache("routing")

    def send(self, method, path, data=None, **headers):
        return self.opener.request(
            method, self.base_url() + path, data=data, headers=headers, allow_redirects=False, timeout=30
        )

    def assertPlain(self, response, status):
        """JSON that any page may read, without cookie, redirect or null."""
        self.assertEqual(response.status_code, status, response.text)
        self.assertEqual(response.headers["Content-Type"].split(";")[0], "application/json")
        self.assertEqual(response.headers["Access-Control-Allow-Origin"], "*")
        self.assertIn("WWW-Authenticate", response.headers["Access-Control-Expose-Headers"])
        for name in ("Set-Cookie", "Location"):
            self.assertNotIn(name, response.headers)
        body = response.json()
        self.assertNotIn(": null", json.dumps(body))
        self.assertNotIn("Traceback", response.text)
        return body

    def assertRefused(self, response, status, code):
        """The one assertion for everything an OAuth endpoint refuses."""
        body = self.assertPlain(response, status)
        self.assertEqual(body["error"], code, body)
        self.assertTrue(body["error_description"])
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        return body["error_description"]


@tagged("post_install", "-at_install")
class TestOAuthDiscovery(OAuthHttpCase):
    def document(self, path, **headers):
        response = self.send("GET", path, **headers)
        self.assertEqual(response.headers["Cache-Control"], "public, max-age=300")
        return self.assertPlain(response, 200)

    def test_each_form_of_the_resource_has_its_own_document(self):
        for suffix, resource in (
            ("", "/mcp"),
            ("/", "/mcp"),
            ("/mcp", "/mcp"),
            ("/mcp/", "/mcp/"),
            ("/mcp/sse", "/mcp/sse"),
        ):
            with self.subTest(suffix):
                document = self.document(RESOURCE + suffix)
                self.assertEqual(document["resource"], ISSUER + resource)
                self.assertEqual(document["authorization_servers"], [ISSUER])
                self.assertEqual(document["scopes_supported"], ["mcp:read", "mcp:write"])
                self.assertEqual(document["bearer_methods_supported"], ["header"])

    def test_the_challenge_leads_to_the_document_of_what_was_asked_for(self):
        for path in ("/mcp", "/mcp/"):
            challenge = self.send("POST", path, b"{}").headers["WWW-Authenticate"]
            self.assertIn(f'resource_metadata="{ISSUER}{RESOURCE}{path}"', challenge)

    def test_server_metadata_is_the_same_at_the_root_and_below(self):
        found = {json.dumps(self.document(SERVER + suffix)) for suffix in ("", "/mcp", "/mcp/")}
        self.assertEqual(len(found), 1)
        document = json.loads(found.pop())
        self.assertEqual(document["issuer"], ISSUER)
        for name in ("authorization", "token", "registration", "revocation"):
            self.assertTrue(document[f"{name}_endpoint"].startswith(f"{ISSUER}/oauth/"), name)
        self.assertEqual(document["code_challenge_methods_supported"], ["S256"])
        self.assertEqual(document["response_types_supported"], ["code"])
        self.assertIn("none", document["token_endpoint_auth_methods_supported"])
        self.assertTrue(document["authorization_response_iss_parameter_supported"])
        self.assertNotIn("jwks_uri", document)

    def test_admin_scopes_are_never_advertised(self):
        for path in (RESOURCE, SERVER):
            self.assertNotIn("mcp:admin", json.dumps(self.document(path)))

    def test_bytes_are_stable(self):
        for path in (RESOURCE, SERVER):
            self.assertEqual(len({self.send("GET", path).content for _time in range(3)}), 1)

    def test_the_host_of_a_request_changes_nothing(self):
        """Threat T26."""
        for path in (RESOURCE, SERVER, RESOURCE + "/mcp"):
            plain = self.send("GET", path).content
            for name in ("Host", "X-Forwarded-Host"):
                self.assertEqual(self.send("GET", path, **{name: "evil.example"}).content, plain)
        challenge = self.send("POST", "/mcp", b"{}", **{"X-Forwarded-Host": "evil.example"})
        self.assertNotIn("evil", challenge.headers["WWW-Authenticate"])

    def test_what_does_not_exist_is_404_in_json(self):
        for path in (
            RESOURCE + "/foo",
            RESOURCE + "/mcp/foo",
            RESOURCE + "/MCP",
            SERVER + "/foo",
            "/.well-known/openid-configuration",
            "/.well-known/openid-configuration/mcp",
            "/mcp/.well-known/openid-configuration",
            "/mcp/.well-known/oauth-authorization-server",
        ):
            with self.subTest(path):
                self.assertRefused(self.send("GET", path), 404, "not_found")

    def test_other_methods(self):
        for path in (RESOURCE, SERVER, "/.well-known/openid-configuration"):
            for method in ("POST", "PUT", "DELETE"):
                response = self.send(method, path, b"{}")
                self.assertRefused(response, 405, "invalid_request")
                self.assertIn("GET", response.headers["Allow"])
        head = self.send("HEAD", SERVER)
        self.assertEqual((head.status_code, head.content), (200, b""))

    def test_preflight(self):
        for path, method in ((SERVER, "GET"), ("/oauth/register", "POST")):
            response = self.send("OPTIONS", path, **{"Access-Control-Request-Headers": "content-type"})
            self.assertEqual((response.status_code, response.content), (204, b""))
            self.assertEqual(response.headers["Access-Control-Allow-Origin"], "*")
            self.assertIn(method, response.headers["Access-Control-Allow-Methods"])
            for name in ("Authorization", "Content-Type", "MCP-Protocol-Version"):
                self.assertIn(name, response.headers["Access-Control-Allow-Headers"])
            self.assertNotIn("Set-Cookie", response.headers)

    def test_only_what_is_usable_is_advertised(self):
        document = self.document(SERVER)
        self.assertNotIn("client_id_metadata_document_supported", document)
        self.assertNotIn("client_credentials", document["grant_types_supported"])
        self.switch("cimd_check", "ok")
        self.assertIs(self.document(SERVER)["client_id_metadata_document_supported"], True)
        self.switch("cimd", "off")
        self.assertNotIn("client_id_metadata_document_supported", self.document(SERVER))
        self.switch("cimd", "on")
        self.switch("registration_mode", "closed")
        document = self.document(SERVER)
        self.assertNotIn("registration_endpoint", document)
        self.assertNotIn("client_id_metadata_document_supported", document)
        self.env["mcp.oauth.client"].create(
            {
                "name": "Machine",
                "kind": "machine",
                "auth_method": "client_secret_basic",
                "user_id": self.user.id,
                "profile_id": self.profiles["read"].id,
            }
        )
        self.assertIn("client_credentials", self.document(SERVER)["grant_types_supported"])

    def test_switched_off_there_is_nothing(self):
        self.switch("oauth", "off")
        for method, path in (("GET", RESOURCE), ("GET", SERVER), ("POST", "/oauth/register")):
            self.assertRefused(self.send(method, path, b"{}" if method == "POST" else None), 404, "not_found")

    def test_aliases_exist_while_they_are_on(self):
        registration = json.dumps({"redirect_uris": ["http://localhost/cb"], "token_endpoint_auth_method": "none"})
        self.assertEqual(self.send("POST", "/register", registration).status_code, 201)
        self.assertRefused(self.send("POST", "/token", **FORM), 400, "invalid_request")
        self.assertEqual(self.send("GET", "/authorize", Accept="application/json").status_code, 400)
        self.switch("oauth_aliases", "off")
        self.addCleanup(self.env.registry.clear_cache, "routing")
        for method, path in (("POST", "/register"), ("POST", "/token"), ("GET", "/authorize")):
            response = self.send(method, path, registration if method == "POST" else None)
            self.assertEqual(response.status_code, 404, path)
            self.assertIn("html", response.headers["Content-Type"])
        self.assertEqual(self.send("POST", "/oauth/register", registration).status_code, 201)
        self.assertRefused(self.send("POST", "/oauth/token", **FORM), 400, "invalid_request")
        self.assertEqual(self.send("GET", "/oauth/authorize", Accept="application/json").status_code, 400)
