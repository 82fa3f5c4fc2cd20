import json
import threading
from dataclasses import asdict
from datetime import timedelta

import psycopg2
from odoo import fields
from odoo.sql_db import db_connect
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..services.errors import ToolError
from ..services.tool import ToolResult
from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpIdempotency(McpCase):
    def setUp(self):
        super().setUp()
        self.result = asdict(ToolResult({"ids": [7]}, text="Created.", meta={"warnings": ["a"]}))

    def claim(self, key="k1", **arguments):
        call = self.make_call(
            "odoo_create_records", **(arguments or {"model": "res.partner", "records": [{"name": "A"}]})
        )
        return call, call.env["mcp.idempotency"]._claim(call, key)

    def test_repeated_key_returns_the_first_result(self):
        call, stored = self.claim()
        self.assertIsNone(stored)
        call.env["mcp.idempotency"]._store(call, "k1", self.result)
        _call, stored = self.claim()
        self.assertEqual(
            ToolResult(**stored), ToolResult({"ids": [7]}, "Created.", content=[], meta={"warnings": ["a"]})
        )

    def test_numbers_and_key_order_do_not_matter(self):
        call, _none = self.claim(model="res.partner", records=[{"name": "A", "color": 1}])
        call.env["mcp.idempotency"]._store(call, "k1", self.result)
        _call, stored = self.claim(records=[{"color": 1.0, "name": "A"}], model="res.partner")
        self.assertIsNotNone(stored)

    def test_other_arguments_conflict(self):
        call, _none = self.claim()
        call.env["mcp.idempotency"]._store(call, "k1", self.result)
        with self.assertRaises(ToolError) as caught:
            self.claim(model="res.partner", records=[{"name": "B"}])
        self.assertEqual(caught.exception.code, "idempotency_conflict")

    def test_key_of_another_user_is_another_key(self):
        call, _none = self.claim()
        call.env["mcp.idempotency"]._store(call, "k1", self.result)
        other = self.user.copy({"login": "mcp_other"})
        call = self.make_call("odoo_create_records", other, model="res.partner", records=[{"name": "A"}])
        self.assertIsNone(call.env["mcp.idempotency"]._claim(call, "k1"))

    def test_failed_or_expired_call_leaves_the_key_free(self):
        self.claim()
        _call, stored = self.claim(model="res.partner", records=[{"name": "B"}])
        self.assertIsNone(stored, "no response was stored, so nothing has happened")
        _call.env["mcp.idempotency"]._store(_call, "k1", self.result)
        self.env.cr.execute("UPDATE mcp_idempotency SET expires = %s", [fields.Datetime.now() - timedelta(days=1)])
        self.assertIsNone(self.claim()[1])

    def test_bad_keys_are_refused(self):
        for key in ("", "x" * 201):
            with self.assertRaises(ToolError):
                self.claim(key)

    def test_nonce_works_once(self):
        call, _none = self.claim()
        call.env["mcp.idempotency"]._consume_nonce(call, "n1")
        with self.assertRaises(ToolError) as caught:
            call.env["mcp.idempotency"]._consume_nonce(call, "n1")
        self.assertEqual(caught.exception.code, "confirmation_used")
        self.assertIsNone(self.claim("nonce:n1")[1], "a client's key cannot be a nonce")

    def test_purge_takes_only_expired_rows(self):
        self.claim("old")
        self.env.cr.execute("UPDATE mcp_idempotency SET expires = %s", [fields.Datetime.now() - timedelta(days=1)])
        self.claim("new")
        self.assertEqual(self.env["mcp.idempotency"]._gc_expired(), (1, False))
        self.env.cr.execute("SELECT key FROM mcp_idempotency")
        self.assertEqual(self.env.cr.fetchall(), [("key:new",)])

    def test_pipeline_runs_a_repeated_call_once(self):
        arguments = {"model": "res.partner", "records": [{"name": "Once"}], "idempotency_key": "pipe"}
        first = self.ok("odoo_create_records", **arguments)
        self.assertEqual(self.ok("odoo_create_records", **json.loads(json.dumps(arguments))), first)
        self.assertEqual(self.env["res.partner"].search_count([("name", "=", "Once")]), 1)
        self.fails("idempotency_conflict", "odoo_create_records", **{**arguments, "records": [{"name": "Twice"}]})

    def test_dry_run_does_not_use_the_key(self):
        arguments = {"model": "res.partner", "records": [{"name": "Once"}], "idempotency_key": "pipe"}
        self.ok("odoo_create_records", dry_run=True, **arguments)
        self.assertTrue(self.ok("odoo_create_records", **arguments)["ids"])

    def test_of_two_parallel_calls_the_second_fails_to_serialize_and_then_finds_the_answer(self):
        first, second = (db_connect(self.env.cr.dbname).cursor() for _ in range(2))
        insert = (
            "INSERT INTO mcp_idempotency (user_id, key, expires) VALUES (1, 'key:race', now() + interval '1 day')"
            " ON CONFLICT (user_id, key) DO NOTHING"
        )
        failures = []

        def run_second():
            try:
                second.execute(insert)
            except psycopg2.errors.SerializationFailure as error:
                failures.append(error)

        try:
            second.execute("SELECT 1")  # its snapshot is older than the first one's commit
            first.execute(insert)
            with mute_logger("odoo.sql_db"):
                thread = threading.Thread(target=run_second)
                thread.start()
                thread.join(0.3)
                self.assertTrue(thread.is_alive(), "the second waits for the first")
                first.commit()
                thread.join(10)
            self.assertTrue(failures)
            second.rollback()
            second.execute(insert)
            self.assertEqual(second.rowcount, 0)
        finally:
            second.rollback()
            first.execute("DELETE FROM mcp_idempotency WHERE key = 'key:race'")
            first.commit()
            first.close()
            second.close()
