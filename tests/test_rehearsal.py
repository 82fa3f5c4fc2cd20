import io
import socketserver
import threading
from unittest.mock import patch

import requests
from odoo import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models import rehearsal
from ..services import outgoing
from ..services.errors import ToolError
from ..services.tool import ToolResult
from .common import McpCase


class SmtpSink(socketserver.BaseRequestHandler):
    """Counts who connects; a real mail server would be talked to here."""

    def handle(self):
        self.server.visits.append(self.client_address)
        self.request.sendall(b"220 sink\r\n")


class Session(requests.Session):
    """Silenced like the class that Odoo's tests replace."""

    def send(self, request, **options):
        raise AssertionError("sent")


outgoing._silence(Session)


def sending_allowed(env):
    """Let Odoo send mail although a test runs, so that only our own mute is in the way."""
    return patch.object(type(env["ir.mail_server"]), "_disable_send", lambda cls: False)


@tagged("post_install", "-at_install")
class TestRehearsal(McpCase):
    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create({"name": "Rehearsed", "email": "r@example.com"})
        self.cr = self.env.cr
        self.cr.flush()

    def count(self, table):
        self.cr.execute(f"SELECT count(*) FROM {table}")  # pylint: disable=sql-injection
        return self.cr.fetchone()[0]

    def hooks(self):
        return [
            len(getattr(self.cr, name)._funcs) for name in ("precommit", "postcommit", "prerollback", "postrollback")
        ]

    def test_nothing_remains_and_mail_is_told(self):
        tables = (
            "res_partner",
            "mail_mail",
            "mail_message",
            "bus_bus",
            "ir_cron_trigger",
            "mail_activity",
            "mcp_change",
        )
        before, hooks = {table: self.count(table) for table in tables}, self.hooks()
        self.cr.postcommit.data.clear()
        with sending_allowed(self.env), patch("smtplib.SMTP") as smtp, rehearsal.rehearsed(self.env) as seen:
            self.partner.message_post(
                body="Hello", partner_ids=self.partner.ids, message_type="comment", subtype_xmlid="mail.mt_comment"
            )
            self.partner.activity_schedule("mail.mail_activity_data_todo", summary="Call", user_id=self.user.id)
            self.partner._bus_send("mcp.test", {})
            self.env.ref("base.autovacuum_job")._trigger()
            self.env["res.partner"].create({"name": "Never"})
        smtp.assert_not_called()
        self.assertEqual({table: self.count(table) for table in tables}, before)
        self.assertEqual(self.hooks(), hooks)
        self.assertFalse(self.cr.postcommit.data.get("bus.bus.channels"))
        self.assertIn("r@example.com", str(seen.side_effects["emails"]))
        self.assertEqual(seen.side_effects["activities"][0]["summary"], "Call")
        self.assertTrue(seen.side_effects["messages"])

    def test_mail_sent_at_once_reaches_no_server(self):
        server = socketserver.TCPServer(("127.0.0.1", 0), SmtpSink)
        server.visits = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        mail_server = self.env["ir.mail_server"].create(
            {"name": "Sink", "smtp_host": "127.0.0.1", "smtp_port": server.server_address[1], "smtp_encryption": "none"}
        )
        message = self.env["ir.mail_server"]._build_email__("a@example.com", ["b@example.com"], "Subject", "Body")
        with sending_allowed(self.env), rehearsal.rehearsed(self.env) as seen:
            self.env["ir.mail_server"].send_email(message, mail_server_id=mail_server.id)
            mail = self.env["mail.mail"].create(
                {"email_to": "c@example.com", "subject": "Direct", "mail_server_id": mail_server.id}
            )
            mail.send()
        self.assertFalse(server.visits)
        self.assertEqual({email["subject"] for email in seen.side_effects["emails"]}, {"Subject", "Direct"})
        self.assertIn("b@example.com", str(seen.side_effects["emails"]))

    def test_outside_a_rehearsal_mail_is_sent(self):
        message = self.env["ir.mail_server"]._build_email__("a@example.com", ["b@example.com"], "Subject", "Body")
        with patch.object(outgoing.Outgoing, "refuse") as refuse:
            self.assertTrue(self.env["ir.mail_server"].send_email(message))
        refuse.assert_not_called()

    def test_other_servers_are_not_contacted(self):
        with self.assertRaises(ToolError) as caught, rehearsal.rehearsed(self.env):
            Session().get("https://iap.example.com/x", timeout=1)
        self.assertEqual(caught.exception.code, "cannot_rehearse")
        self.assertIn("iap.example.com", caught.exception.message)

    def test_outside_a_rehearsal_requests_are_made(self):
        with self.assertRaisesRegex(AssertionError, "sent"):
            Session().get("https://iap.example.com/x", timeout=1)

    def test_code_that_survives_a_lost_connection_is_told_about(self):
        with rehearsal.rehearsed(self.env) as seen:
            try:
                Session().post("https://sms.example.com/x", timeout=1)
            except requests.exceptions.RequestException:
                self.partner.name = "offline"
        self.assertEqual(seen.side_effects["outside_services"], ["sms.example.com"])

    def test_webhooks_are_told_and_not_queued(self):
        action = self.env["ir.actions.server"].create(
            {
                "name": "Tell the warehouse",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "webhook",
                "webhook_url": "https://hook.example.com",
            }
        )
        self.cr.flush()
        hooks = self.hooks()
        with rehearsal.rehearsed(self.env) as seen:
            action.with_context(active_model="res.partner", active_id=self.partner.id).run()
        self.assertEqual(seen.side_effects["webhooks"], ["Tell the warehouse"])
        self.assertEqual(self.hooks(), hooks)

    def test_commit_inside_commits_nothing(self):
        commit = self.cr.commit
        with rehearsal.rehearsed(self.env):
            self.partner.name = "Committed?"
            self.cr.commit()  # pylint: disable=invalid-commit
        self.assertEqual(self.partner.name, "Rehearsed")
        self.assertEqual(self.cr.commit, commit)
        with self.assertRaises(ToolError), rehearsal.rehearsed(self.env):
            self.cr.rollback()

    def test_deferred_constraints_fail_in_the_rehearsal(self):
        with self.assertRaises(Exception), rehearsal.rehearsed(self.env):  # noqa: B017 - Odoo's UserError or PostgreSQL's
            self.partner.parent_id = self.partner
        self.assertFalse(self.partner.parent_id)

    def test_cache_of_rights_does_not_survive(self):
        group = self.env.ref("base.group_system")
        for manager in (rehearsal.rehearsed, rehearsal.changing):
            with self.subTest(manager=manager.__name__):
                self.assertFalse(self.user.has_group("base.group_system"))
                with self.assertRaises(ToolError), manager(self.env):
                    self.user.write({"group_ids": [Command.link(group.id)]})
                    self.assertTrue(self.user.has_group("base.group_system"))
                    raise ToolError("stop", "Stop.")
                self.assertFalse(self.user.has_group("base.group_system"))

    def test_changes_from_before_are_still_signalled(self):
        self.env.registry.clear_cache()
        invalidated = set(self.env.registry.cache_invalidated)
        self.addCleanup(self.env.registry.cache_invalidated.clear)
        with rehearsal.rehearsed(self.env):
            pass
        self.assertTrue(invalidated)
        self.assertLessEqual(invalidated, self.env.registry.cache_invalidated)

    def test_callbacks_from_before_stay_and_those_of_a_failure_go(self):
        self.cr.postcommit.clear()
        calls = []
        self.cr.postcommit.add(lambda: calls.append("kept"))
        self.cr.postcommit.data["mcp.test"] = ["kept"]
        self.addCleanup(self.cr.postcommit.clear)
        with self.assertRaises(ToolError), rehearsal.changing(self.env):
            self.cr.postcommit.add(lambda: calls.append("dropped"))
            self.cr.postcommit.data["mcp.test"].append("dropped")
            raise ToolError("stop", "Stop.")
        self.assertEqual(self.cr.postcommit.data["mcp.test"], ["kept"])
        with rehearsal.changing(self.env):
            self.cr.postcommit.add(lambda: calls.append("also kept"))
        self.assertEqual(len(self.cr.postcommit._funcs), 2)
        for function in self.cr.postcommit._funcs:
            function()
        self.assertEqual(calls, ["kept", "also kept"])

    def test_real_changes_stay(self):
        with rehearsal.changing(self.env):
            self.partner.name = "Real"
        self.assertEqual(self.partner.name, "Real")

    def test_reading_cannot_write_and_writing_works_after(self):
        self.enterContext(mute_logger("odoo.sql_db"))
        with self.assertRaisesRegex(Exception, "read-only"), rehearsal.reading(self.env):
            self.cr.execute("UPDATE res_partner SET color = 1 WHERE id = %s", [self.partner.id])
        with self.assertRaisesRegex(Exception, "read-only"), rehearsal.reading(self.env):
            self.partner.name = "Left for the flush"
        with rehearsal.reading(self.env):
            self.assertEqual(self.partner.name, "Rehearsed")
        self.partner.name = "Writable again"
        self.env.flush_all()

    def test_what_asks_the_database_nothing_opens_nothing(self):
        self.env["mcp.limits"]._settings()
        self.env.flush_all()
        with self.assertQueryCount(0), rehearsal.reading(self.env):
            pass
        with self.assertRaises(KeyError), rehearsal.reading(self.env):
            raise KeyError
        with self.assertQueryCount(3), rehearsal.reading(self.env):
            self.cr.execute("SELECT 1")
        with rehearsal.reading_until_logged(self.env):
            pass
        self.env["mcp.audit.log"]._record(self.exchange(), outcome="ok", duration_ms=1)
        self.assertEqual(rehearsal.unsent(self.cr), "")

    def test_no_way_to_ask_goes_past_the_savepoint(self):
        self.enterContext(mute_logger("odoo.sql_db"))
        ids = [(self.partner.id,)]
        for name, ask in {
            "executemany": lambda cr: cr.executemany("UPDATE res_partner SET color = 1 WHERE id = %s", ids),
            "execute_values": lambda cr: cr.execute_values(
                "UPDATE res_partner SET color = 1 FROM (VALUES %s) AS v (id) WHERE v.id = res_partner.id", ids
            ),
            "copy_expert": lambda cr: cr.copy_expert("COPY res_currency (name) FROM STDIN", io.StringIO("X\n")),
            "copy_from": lambda cr: cr.copy_from(io.StringIO("X\n"), "res_currency", columns=("name",)),
        }.items():
            with self.subTest(name), self.assertRaisesRegex(Exception, "read-only"), rehearsal.reading(self.env):
                ask(self.cr)

    def test_nested_reads_end_one_by_one(self):
        self.enterContext(mute_logger("odoo.sql_db"))
        with rehearsal.reading(self.env):
            with self.assertRaisesRegex(Exception, "read-only"), rehearsal.reading(self.env):
                self.cr.execute("UPDATE res_partner SET color = 1 WHERE id = %s", [self.partner.id])
            with rehearsal.reading(self.env):
                pass
            with self.assertRaisesRegex(Exception, "read-only"), self.cr.savepoint():
                self.cr.execute("UPDATE res_partner SET color = 1 WHERE id = %s", [self.partner.id])
        self.partner.name = "Writable again"
        self.env.flush_all()

    def test_a_read_is_ended_by_its_audit_row(self):
        self.enterContext(mute_logger("odoo.sql_db"))
        exchange = self.exchange()
        for outcome in ("ok", "refused", "refused"):
            # The second refusal within a moment has no row of its own.
            with rehearsal.reading_until_logged(self.env):
                self.cr.execute("SELECT 1")
            with self.assertRaisesRegex(Exception, "read-only"), self.cr.savepoint():
                self.cr.execute("UPDATE res_partner SET color = 1 WHERE id = %s", [self.partner.id])
            self.env["mcp.audit.log"]._record(exchange, outcome=outcome, duration_ms=1)
            self.cr.execute("UPDATE res_partner SET color = 1 WHERE id = %s", [self.partner.id])
            self.assertEqual(rehearsal.unsent(self.cr), "")

    def test_preview_says_what_would_leave(self):
        seen = rehearsal.Rehearsal({"emails": [{"to": ["a@example.com"], "subject": "x"}]})
        result = rehearsal.preview(None, ToolResult({"ids": [1]}, text="Created."), [{"field": "name"}] * 99, seen)
        self.assertEqual(result.structured["status"], "dry_run")
        self.assertEqual((len(result.structured["changes"]), result.structured["changes_count"]), (60, 99))
        self.assertIn("1 e-mail(s) to a@example.com", result.text)
