from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..models.mcp_auth_failure import FREE_FAILURES, LONGEST_WAIT, SLOTS, McpAuthFailure
from ..services import secret_tokens
from .common import McpCase, McpHttpCase


class OneCursor:
    """Stands for the registry's cursors: what is written on one of its own stays in the test's transaction."""

    def __init__(self, cr):
        self.cr = cr

    def __enter__(self):
        return self.cr

    def __exit__(self, *_error):
        return False


@tagged("post_install", "-at_install")
class TestMcpAuthFailure(McpCase):
    def setUp(self):
        super().setUp()
        self.startPatcher(
            patch.object(type(self.env.registry), "cursor", lambda *_args, **_options: OneCursor(self.cr))
        )
        self.failures = self.env["mcp.auth.failure"]
        # Senders share slots by its digest. With this one those of the tests do not.
        self.env["ir.config_parameter"].set_param("database.uuid", "00000000-0000-0000-0000-000000000000")
        self.cr.execute("DELETE FROM mcp_auth_failure")

    def note(self, times=1, address="192.0.2.1", kind="token", client=None):
        return [self.failures._note(kind, address, client) for _time in range(times)][-1]

    def row(self, **values):
        row = self.failures.search([(name, "=", value) for name, value in values.items()])
        row.invalidate_recordset()
        return row

    def pass_time(self, **span):
        for row in self.failures.search([]):
            row.sudo().write(
                {name: row[name] - timedelta(**span) for name in ("first_at", "last_at", "blocked_until") if row[name]}
            )
        self.env.flush_all()

    def test_first_failures_are_answered_then_each_doubles_the_wait(self):
        self.assertEqual(self.note(FREE_FAILURES), 0)
        self.assertEqual(self.note(), 2)
        for expected in (4, 8, 16):
            self.pass_time(seconds=expected)
            self.assertEqual(self.note(), expected)

    def test_wait_has_a_limit_even_after_very_many_failures(self):
        self.note()
        self.row(address="192.0.2.1").sudo().failures = 1_000_000
        self.env.flush_all()
        self.assertEqual(self.note(), LONGEST_WAIT)

    def test_nothing_is_written_while_the_sender_has_to_wait(self):
        self.note(FREE_FAILURES + 1)
        self.row(address="192.0.2.1").sudo().blocked_until += timedelta(minutes=1)
        self.env.flush_all()
        with patch.object(McpAuthFailure, "_count") as count:
            self.assertGreater(self.note(100), 0)
        count.assert_not_called()
        self.assertEqual(self.row(address="192.0.2.1").total, FREE_FAILURES + 1)

    def test_a_quiet_hour_forgives(self):
        self.note(FREE_FAILURES + 5)
        self.pass_time(hours=2)
        self.assertEqual(self.note(), 0)
        self.assertEqual(self.row(address="192.0.2.1").failures, 1)

    def test_addresses_and_kinds_are_counted_apart(self):
        self.note(FREE_FAILURES + 1)
        self.assertEqual(self.note(address="192.0.2.2"), 0)
        self.assertEqual(self.note(kind="refresh"), 0)

    def test_one_ipv6_sender_cannot_use_all_its_addresses(self):
        for number in range(FREE_FAILURES):
            self.note(address=f"2001:db8::{number:x}")
        self.assertGreater(self.note(address="2001:db8::ffff"), 0)
        self.assertEqual(self.note(address="2001:db8:0:1::1"), 0)

    def test_a_client_is_counted_from_all_addresses_together(self):
        for number in range(FREE_FAILURES):
            self.note(kind="client", client="agent", address=f"192.0.2.{number}")
        self.assertGreater(self.note(kind="client", client="agent", address="192.0.2.200"), 0)
        self.assertEqual(self.note(kind="client", client="other", address="192.0.2.201"), 0)

    def test_table_cannot_grow_beyond_its_slots(self):
        with patch("odoo.addons.mcp_endpoint.models.mcp_auth_failure.SLOTS", 16):
            for number in range(200):
                self.note(address=f"198.51.100.{number}")
        self.assertLessEqual(self.failures.search_count([]), 16)
        self.assertLessEqual(self.failures._slot("token", "192.0.2.1"), SLOTS)

    def test_quiet_rows_are_purged(self):
        self.note()
        self.pass_time(days=29)
        self.failures._gc_quiet()
        self.assertTrue(self.failures.search_count([]))
        self.pass_time(days=2)
        self.assertEqual(self.failures._gc_quiet(), (1, False))

    def test_administrators_read_and_nobody_writes(self):
        self.note()
        row = self.row(address="192.0.2.1")
        with self.assertRaises(AccessError):
            row.with_user(self.user).read(["address"])
        admin = self.env.ref("base.user_admin")
        self.assertEqual(row.with_user(admin).read(["total"])[0]["total"], 1)
        for operation in ("write", "create", "unlink"):
            self.assertFalse(row.with_user(admin).has_access(operation))


@tagged("post_install", "-at_install")
class TestMcpAuthFailureHttp(McpHttpCase):
    """What is counted is kept in memory: the cursors of a test share a transaction, which the refusal rolls back."""

    def setUp(self):
        super().setUp()
        self.noted = []
        self.wait = 0
        self.startPatcher(patch.object(McpAuthFailure, "_note", self.note))

    def note(self, kind, address, client_id=None):
        self.noted.append((kind, address))
        return self.wait

    def wrong(self, token=None):
        token = token or secret_tokens.new_token(secret_tokens.PERSONAL_PREFIX)
        return self.rpc("tools/list", token=token)

    def test_who_has_to_wait_is_told_how_long(self):
        self.wait = 17
        response = self.wrong()
        self.assertEqual((response.status_code, response.headers["Retry-After"]), (429, "17"))
        self.assertEqual(response.headers["Content-Type"], "application/json")
        self.assertNotIn("Set-Cookie", response.headers)
        self.assertEqual(self.noted, [("token", "127.0.0.1")])

    def test_a_forwarded_address_is_not_believed_without_a_proxy(self):
        headers = {
            "X-Forwarded-For": "203.0.113.9",
            "X-Forwarded-Host": "other.example",
            "Forwarded": "for=203.0.113.9",
        }
        wrong = secret_tokens.new_token(secret_tokens.PERSONAL_PREFIX)
        self.rpc("tools/list", token=wrong, headers=headers)
        self.assertEqual(self.noted, [("token", "127.0.0.1")])

    def test_right_token_works_while_its_address_has_to_wait(self):
        self.wait = LONGEST_WAIT
        self.assertEqual(self.rpc("tools/list").status_code, 200)
        self.assertEqual(self.noted, [])

    def test_who_brings_no_token_is_asked_for_one_and_not_counted(self):
        self.wait = LONGEST_WAIT
        self.assertEqual(self.rpc("tools/list", token=False).status_code, 401)
        self.assertEqual(self.noted, [])

    def test_who_brings_a_dead_token_is_always_told_to_log_in(self):
        self.wait = LONGEST_WAIT
        secret = self.issue()
        self.env["mcp.token"].browse(self.env["mcp.token"]._find(secret).id)._revoke()
        self.assertEqual(self.wrong(secret).status_code, 401)
        self.assertEqual(self.noted, [("dead", "127.0.0.1")])

    def test_answers_to_wrong_tokens_are_all_alike(self):
        bodies = {self.wrong(token).content for token in ("x", "omcp_pat_" + "a" * 49, "y" * 5000, None)}
        self.assertEqual(len(bodies), 1)
