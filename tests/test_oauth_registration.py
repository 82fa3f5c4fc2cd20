import json
from datetime import timedelta
from unittest.mock import patch

import psycopg2
from odoo import fields
from odoo.tests import tagged

from ..models import oauth_registration
from ..services.oauth.errors import OAuthError
from .common import McpCase, altered
from .test_oauth_discovery import OAuthHttpCase

PUBLIC = {
    "client_name": "Test",
    "redirect_uris": ["http://localhost:7777/cb"],
    "token_endpoint_auth_method": "none",
}
SECRET = {"client_name": "Claude", "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"]}


@tagged("post_install", "-at_install")
class TestOAuthRegister(OAuthHttpCase):
    """`/oauth/register` over HTTP."""

    def register(self, body, **headers):
        data = body if isinstance(body, bytes) else json.dumps(body)
        return self.send("POST", "/oauth/register", data, **{"Content-Type": "application/json", **headers})

    def test_public_client(self):
        response = self.register(PUBLIC)
        body = self.assertPlain(response, 201)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertEqual(body["redirect_uris"], PUBLIC["redirect_uris"])
        self.assertEqual(body["token_endpoint_auth_method"], "none")
        self.assertIsInstance(body["client_id_issued_at"], int)
        self.assertRegex(body["client_id"], r"^[A-Za-z0-9_-]+$")
        self.assertNotIn("client_secret", body)
        self.assertEqual(self.env["mcp.oauth.client"]._get(body["client_id"]).kind, "dcr")

    def test_client_with_a_secret(self):
        body = self.assertPlain(self.register(SECRET), 201)
        self.assertEqual(body["token_endpoint_auth_method"], "client_secret_basic")
        self.assertEqual(body["client_secret_expires_at"], 0)
        self.assertRegex(body["client_secret"], r"^omcp_cs_[A-Za-z0-9_-]{49}$")
        client = self.env["mcp.oauth.client"]._get(body["client_id"])
        self.assertTrue(client._accepts_secret(body["client_secret"]))
        self.assertFalse(client._accepts_secret(altered(body["client_secret"])))
        self.assertNotIn(body["client_secret"], json.dumps(client.read(["secret_hint", "secret_digest"])))

    def test_the_media_type_does_not_matter(self):
        for content_type in ("application/json; charset=utf-16", "text/plain", "application/x-www-form-urlencoded"):
            self.assertPlain(self.register(PUBLIC, **{"Content-Type": content_type}), 201)

    def test_what_is_refused(self):
        for body, status, code in (
            (b"", 400, "invalid_request"),
            (b"{", 400, "invalid_request"),
            (b"[]", 400, "invalid_request"),
            (b'{"a": NaN}', 400, "invalid_request"),
            (b"\xff", 400, "invalid_request"),
            ({}, 400, "invalid_redirect_uri"),
            ({**PUBLIC, "redirect_uris": ["http://evil.example/cb"]}, 400, "invalid_redirect_uri"),
            ({**PUBLIC, "token_endpoint_auth_method": "tls_client_auth"}, 400, "invalid_client_metadata"),
            ({**PUBLIC, "client_name": "x" * 17_000}, 413, "invalid_request"),
        ):
            with self.subTest(str(body)[:60]):
                self.assertRefused(self.register(body), status, code)

    def test_other_methods(self):
        """Threat T39."""
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            response = self.send(method, "/oauth/register", json.dumps(PUBLIC))
            self.assertEqual((response.status_code, response.headers["Allow"]), (405, "POST, OPTIONS"), method)
        self.assertFalse(self.env["mcp.oauth.client"].search([("name", "=", PUBLIC["client_name"])]))

    def test_a_chunked_body_is_refused_before_it_is_read(self):
        response = self.opener.post(self.base_url() + "/oauth/register", data=iter([b"{}"]), timeout=30)
        self.assertRefused(response, 411, "invalid_request")

    def test_hostile_text_cannot_alter_headers(self):
        """Threat T38."""
        for uri in ("https://x.example/\r\nSet-Cookie: a=b", 'https://x.example/"é', "x\u2028:y"):
            response = self.register({**PUBLIC, "redirect_uris": [uri]})
            description = self.assertRefused(response, 400, "invalid_redirect_uri")
            self.assertTrue(description.isascii() and description.isprintable(), description)

    def test_closed(self):
        self.switch("registration_mode", "closed")
        self.assertRefused(self.register(PUBLIC), 403, "access_denied")

    def test_trouble_with_the_database_is_not_the_clients_fault(self):
        """Threat T40: a 4xx would make clients throw their registration away."""
        for error, status, code in (
            (psycopg2.OperationalError("secret detail"), 503, "temporarily_unavailable"),
            (ValueError("secret detail"), 500, "server_error"),
        ):
            with (
                patch.object(type(self.env["mcp.oauth.client"]), "_register_application", side_effect=error),
                self.assertLogs("odoo.http", "ERROR"),
            ):
                response = self.register(PUBLIC)
            self.assertNotIn("secret detail", response.text)
            self.assertRefused(response, status, code)


@tagged("post_install", "-at_install")
class TestOAuthRegistrationModel(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].search([("key", "=like", r"mcp\_endpoint.%")]).unlink()
        cls.clients = cls.env["mcp.oauth.client"]
        cls.clients.search([("kind", "=", "dcr")]).unlink()

    def register(self, address="192.0.2.7", **data):
        return self.clients._register_application({**PUBLIC, **data}, address)

    def refused(self, code, address="192.0.2.7", **data):
        with self.assertRaises(OAuthError) as caught:
            self.register(address, **data)
        self.assertEqual(caught.exception.code, code)
        return caught.exception

    def count(self):
        return self.clients.search_count([("kind", "=", "dcr")])

    def test_the_same_public_client_keeps_its_id(self):
        first = self.register()
        self.assertEqual(self.register(redirect_uris=["http://localhost:51234/cb"])["client_id"], first["client_id"])
        self.assertNotEqual(self.register(client_name="Other")["client_id"], first["client_id"])
        self.assertEqual(self.count(), 2)

    def test_a_client_with_a_secret_is_never_shared(self):
        ids = {self.register(**SECRET, token_endpoint_auth_method="client_secret_post")["client_id"] for _ in range(2)}
        self.assertEqual(len(ids), 2)

    def test_a_blocked_application_cannot_come_back_under_the_same_metadata(self):
        self.clients._get(self.register()["client_id"]).blocked = True
        self.refused("access_denied")

    def test_known_mode(self):
        """Threat T16: who is not on the list does not get in."""
        self.env["ir.config_parameter"].set_param("mcp_endpoint.registration_mode", "known")
        self.register()
        self.register(redirect_uris=["https://claude.ai/api/mcp/auth_callback"])
        self.refused("access_denied", redirect_uris=["https://n8n.example.com/cb"])
        self.refused("access_denied", redirect_uris=["http://localhost/cb", "https://n8n.example.com/cb"])
        self.env["ir.config_parameter"].set_param("mcp_endpoint.known_redirects", "https://n8n.example.com/cb")
        self.register(redirect_uris=["https://n8n.example.com/cb"])

    def test_registrations_of_one_sender_are_limited(self):
        with patch.object(oauth_registration, "PER_NETWORK", 3):
            for number in range(3):
                self.register(client_name=f"App {number}")
            error = self.refused("too_many_requests", client_name="App 4")
            self.assertEqual((error.status, dict(error.headers)["Retry-After"]), (429, "3600"))
            # One that is known already is no new row; others and vendors are not held responsible.
            self.register(client_name="App 1")
            self.register("198.51.100.9", client_name="App 4")
            self.register(**SECRET, token_endpoint_auth_method="client_secret_post")

    def test_an_ipv6_sender_is_its_network(self):
        with patch.object(oauth_registration, "PER_NETWORK", 1):
            self.register("2001:db8:1:1::1", client_name="App 1")
            self.refused("too_many_requests", "2001:db8:1:1::2", client_name="App 2")
            self.register("2001:db8:1:2::1", client_name="App 2")

    def test_all_registrations_together_are_limited(self):
        with patch.object(oauth_registration, "IN_ALL", 2):
            self.register("192.0.2.1", client_name="App 1")
            self.register("192.0.2.2", client_name="App 2")
            self.refused("too_many_requests", "192.0.2.3", client_name="App 3")

    def test_ten_thousand_registrations_stay_bounded(self):
        self.env.cr.execute(
            """
            INSERT INTO mcp_oauth_client
                   (name, client_id, kind, auth_method, grant_types, active, network, registered_at)
            SELECT 'Spam', 'spam-' || n, 'dcr', 'none', 'authorization_code', TRUE, '192.0.2.66',
                   now() - interval '2 hours'
              FROM generate_series(1, 10000) n
            """
        )
        self.refused("too_many_requests", client_name="One more")
        self.env.cr.execute(
            "UPDATE mcp_oauth_client SET registered_at = now() - interval '73 hours' WHERE name = 'Spam'"
        )
        self.env.invalidate_all()
        done, more = self.clients._gc_unused()
        self.assertEqual((done, more), (oauth_registration.PURGE_BATCH, True))
        self.register(client_name="One more")

    def test_purge_takes_only_what_never_was_used(self):
        old = fields.Datetime.now() - timedelta(hours=73)
        kept = {
            name: self.clients._get(self.register(client_name=name)["client_id"])
            for name in ("used", "young", "granted", "blocked")
        }
        gone = self.clients._get(self.register(client_name="gone")["client_id"])
        own = self.clients.create({"name": "Own", "redirect_uris": "https://x.example/cb", "registered_at": old})
        for client in (*kept.values(), gone):
            client.registered_at = old
        kept["young"].registered_at = fields.Datetime.now()
        kept["used"].last_used_at = old
        kept["blocked"].blocked = True
        self.env["mcp.token"]._open_grant(
            self.user, kept["granted"], self.profiles["read"], ("mcp:read",), "https://x.example/mcp"
        )
        self.clients._gc_unused()
        self.assertFalse(gone.exists())
        self.assertTrue(own.exists())
        for name, client in kept.items():
            self.assertTrue(client.exists(), name)

    def test_an_application_goes_when_it_was_idle_for_long_and_its_grants_are_gone(self):
        client = self.clients._get(self.register()["client_id"])
        client.last_used_at = fields.Datetime.now() - timedelta(days=91)
        resource = "https://x.example/mcp"
        grant = self.env["mcp.token"]._open_grant(self.user, client, self.profiles["read"], ("mcp:read",), resource)
        grant._revoke()
        self.clients._gc_unused()
        self.assertTrue(client.exists())
        grant.unlink()
        self.clients._gc_unused()
        self.assertFalse(client.exists())

    def test_registering_again_keeps_an_application_from_the_purge(self):
        client = self.clients._get(self.register()["client_id"])
        client.registered_at = fields.Datetime.now() - timedelta(hours=73)
        self.register()
        self.clients._gc_unused()
        self.assertTrue(client.exists())

    def test_nothing_is_told_to_anybody(self):
        client = self.clients._get(self.register(client_name="<img src=x onerror=alert(1)>")["client_id"])
        self.assertFalse(client.message_ids)
        self.assertFalse(client.message_follower_ids)
