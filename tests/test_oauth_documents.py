from contextlib import nullcontext
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import ConcurrencyError
from odoo.tests import mute_logger, tagged

from ..models import oauth_documents
from ..services.oauth import client_document
from ..services.oauth.errors import OAuthError
from ..services.safe_fetch import Fetched, FetchRefused
from .common import McpCase

URL = "https://app.example.com/oauth/client.json"
CLAUDE = "https://claude.ai/oauth/mcp-oauth-client-metadata"
DOCUMENT = {"client_id": URL, "client_name": "App", "redirect_uris": ["https://app.example.com/cb"]}


@tagged("post_install", "-at_install")
class TestOAuthDocuments(McpCase):
    def setUp(self):
        super().setUp()
        self.parameters = self.env["ir.config_parameter"]
        self.parameters.search([("key", "=like", r"mcp\_endpoint.%")]).unlink()
        self.clients = self.env["mcp.oauth.client"]
        self.fetched = []
        self.answer = Fetched(DOCUMENT, None)
        oauth_documents._failures.clear()
        patcher = patch.object(type(self.env["mcp.egress"]), "_fetch_json", self._fetch)
        patcher.start()
        self.addCleanup(patcher.stop)

    def _fetch(self, url, *_arguments, **_options):
        self.fetched.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def resolve(self, url=URL):
        return self.clients._resolve_document(url)

    def refused(self, code="invalid_client", url=URL):
        with self.assertRaises(OAuthError) as caught:
            self.resolve(url)
        self.assertEqual(caught.exception.code, code)
        return caught.exception.description

    def expire(self, client, *, fetched_ago=timedelta(hours=1)):
        now = fields.Datetime.now()
        client.write({"document_expires_at": now - timedelta(seconds=1), "document_fetched_at": now - fetched_ago})
        oauth_documents._failures.clear()

    def test_a_document_becomes_a_client(self):
        client = self.resolve()
        self.assertEqual((client.client_id, client.kind, client.name), (URL, "cimd", "App"))
        self.assertTrue(client._accepts_redirect("https://app.example.com/cb"))
        self.assertFalse(client._accepts_redirect("https://evil.example/cb"))
        self.assertEqual(client._auth_methods(), ("none",))
        self.assertEqual(self.clients._get(URL), client)

    def test_it_is_fetched_once_while_it_is_fresh(self):
        for max_age, life in ((None, 300), (0, 300), (3600, 3600), (10**9, 86400)):
            with self.subTest(max_age):
                self.clients.search([("client_id", "=", URL)]).unlink()
                self.fetched.clear()
                self.answer = Fetched(DOCUMENT, max_age)
                client = self.resolve()
                self.assertEqual(self.resolve(), client)
                self.assertEqual(self.fetched, [URL])
                left = (client.document_expires_at - fields.Datetime.now()).total_seconds()
                self.assertAlmostEqual(left, life, delta=10)

    def test_changed_metadata_is_another_consent(self):
        client = self.resolve()
        before = client.metadata_digest
        self.expire(client)
        self.resolve()
        self.assertEqual(client.metadata_digest, before)
        for change in ({"client_name": "Other"}, {"redirect_uris": ["https://app.example.com/other"]}):
            self.answer = Fetched({**DOCUMENT, **change}, None)
            self.expire(client)
            self.resolve()
            self.assertNotEqual(client.metadata_digest, before)
            before = client.metadata_digest
        self.assertFalse(client._accepts_redirect("https://app.example.com/cb"))

    def test_without_a_fresh_copy_the_stored_one_serves_for_a_day(self):
        client = self.resolve()
        self.answer = FetchRefused("app.example.com answered with HTTP status 403.")
        self.expire(client, fetched_ago=timedelta(hours=23))
        self.assertEqual(self.resolve(), client)
        self.expire(client, fetched_ago=timedelta(hours=25))
        self.assertIn("403", self.refused())

    def test_shipped_copies_stand_in_for_vendors_documents(self):
        self.answer = FetchRefused("claude.ai answered with HTTP status 403.")
        client = self.resolve(CLAUDE)
        self.assertTrue(client.is_snapshot)
        self.assertTrue(client._accepts_redirect("https://claude.ai/api/mcp/auth_callback"))
        self.assertTrue(client.warning)
        self.answer = Fetched({**DOCUMENT, "client_id": CLAUDE, "client_name": "Claude"}, None)
        client.document_expires_at = fields.Datetime.now()
        oauth_documents._failures.clear()
        self.assertFalse(self.resolve(CLAUDE).is_snapshot)

    def test_shipped_copies_can_be_switched_off(self):
        self.parameters.set_param("mcp_endpoint.cimd_snapshots", "off")
        self.answer = FetchRefused("claude.ai answered with HTTP status 403.")
        self.refused(url=CLAUDE)

    def test_an_address_that_fails_is_left_alone_for_a_while(self):
        self.answer = FetchRefused("nothing there")
        for _time in range(3):
            self.assertIn("nothing there", self.refused())
        self.assertEqual(self.fetched, [URL])

    def test_a_bad_document_leaves_no_client(self):
        for change in ({"client_id": "https://app.example.com/x"}, {"client_secret": "x"}):
            self.answer = Fetched({**DOCUMENT, **change}, None)
            self.refused()
        self.answer = Fetched({**DOCUMENT, "redirect_uris": ["javascript:x"]}, None)
        self.refused("invalid_redirect_uri")
        self.assertFalse(self.clients.search([("client_id", "=", URL)]))

    def test_a_bad_address_is_not_fetched(self):
        for url in ("https://app.example.com", "https://u@app.example.com/x", "https://app.example.com/a/../b"):
            self.refused(url=url)
        self.assertFalse(self.fetched)

    def test_a_blocked_client_is_refused_without_a_fetch(self):
        client = self.resolve()
        client.action_block()
        self.expire(client)
        self.fetched.clear()
        self.refused()
        self.assertFalse(self.fetched)
        client.action_unblock()
        self.assertEqual(self.resolve(), client)

    def test_settings_are_asked_before_anything_is_fetched(self):
        for name, value in (
            ("cimd", "off"),
            ("registration_mode", "closed"),
            ("cimd_hosts", "claude.ai, vscode.dev"),
        ):
            self.parameters.set_param(f"mcp_endpoint.{name}", value)
            self.refused()
            self.parameters.set_param(f"mcp_endpoint.{name}", False)
        self.assertFalse(self.fetched)
        self.parameters.set_param("mcp_endpoint.cimd_hosts", "claude.ai, APP.example.com")
        self.assertTrue(self.resolve())

    def test_known_mode_holds_for_documents_too(self):
        self.parameters.set_param("mcp_endpoint.registration_mode", "known")
        self.refused("access_denied")

    def test_one_host_cannot_fill_the_table(self):
        with patch.object(oauth_documents, "MOST_UNUSED_PER_HOST", 2):
            for number in range(3):
                url = f"https://app.example.com/{number}"
                self.answer = Fetched({**DOCUMENT, "client_id": url}, None)
                self.resolve(url) if number < 2 else self.refused("too_many_requests", url)

    def test_two_workers_storing_one_document_run_the_second_request_again(self):
        told = client_document.parse(URL, DOCUMENT, ("none",))
        for raised in (None, ConcurrencyError):
            with self.assertRaises(raised) if raised else nullcontext(), mute_logger("odoo.sql_db"):
                # As for a transaction that does not see the other's row.
                self.clients._keep_document(self.clients, URL, told, timedelta(hours=1), is_snapshot=False)

    def test_the_self_test_decides_what_is_advertised(self):
        server = self.env["mcp.oauth.server"]
        member = "client_id_metadata_document_supported"
        self.assertNotIn(member, server._server_metadata())
        server._cron_check_egress()
        self.assertIs(server._server_metadata()[member], True)
        self.answer = FetchRefused("The name cannot be resolved.")
        server._cron_check_egress()
        self.assertNotIn(member, server._server_metadata())
        self.assertIn("resolved", self.env["res.config.settings"].create({}).mcp_cimd_status)

    def test_the_cron_runs_it(self):
        self.env.ref("mcp_endpoint.cron_check_egress").ir_actions_server_id.run()
        self.assertTrue(self.fetched)

    def test_the_logo_is_never_fetched(self):
        """Threat T19."""
        self.answer = Fetched({**DOCUMENT, "logo_uri": "https://track.example/logo.svg"}, None)
        client = self.resolve()
        self.assertEqual(self.fetched, [URL])
        self.assertNotIn("track.example", str(client.read()))
