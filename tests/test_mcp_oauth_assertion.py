import time
from datetime import timedelta

import psycopg2
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpOauthAssertion(McpCase):
    def test_each_counts_once_for_each_issuer(self):
        use = self.env["mcp.oauth.assertion"]._use
        expires = time.time() + 60
        self.assertTrue(use("https://a.example.com", "1", expires, 30))
        self.assertFalse(use("https://a.example.com", "1", expires + 5, 30))
        self.assertTrue(use("https://a.example.com", "2", expires, 30))
        self.assertTrue(use("https://b.example.com", "1", expires, 30))
        self.assertTrue(use("x", "'; DROP TABLE res_users; --" * 500, expires, 30))

    def test_another_worker_sees_it(self):
        """T34: of two workers with the same assertion, one has it accepted; the other is run again and told."""
        expires = time.time() + 60
        with self.registry.cursor() as mine, self.registry.cursor() as theirs:
            # Both transactions have begun before either writes.
            for cr in (mine, theirs):
                cr.execute("SELECT 1 FROM mcp_oauth_assertion")
            model = self.env["mcp.oauth.assertion"]
            self.assertTrue(model.with_env(model.env(cr=mine))._use("i", "j", expires, 30))
            mine.commit()
            with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.errors.SerializationFailure):
                model.with_env(model.env(cr=theirs))._use("i", "j", expires, 30)
            theirs.rollback()
            self.assertFalse(model.with_env(model.env(cr=theirs))._use("i", "j", expires, 30))
            mine.execute("DELETE FROM mcp_oauth_assertion")

    def test_expired_ones_are_purged_and_no_other(self):
        model = self.env["mcp.oauth.assertion"]
        model._use("i", "1", time.time() + 60, 30)
        self.assertEqual(model._gc_expired(), (0, False))
        self.env.cr.execute("UPDATE mcp_oauth_assertion SET expires_at = expires_at - %s", [timedelta(minutes=2)])
        self.assertEqual(model._gc_expired(), (1, False))
