import contextlib
import os
import smtplib
import socket
import urllib.request
import uuid
from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged
from odoo.tools import SQL

from ..services import outgoing
from .common import McpCase
from .test_rehearsal import Session, sending_allowed

# What tells of the dry run itself, and is meant to stay.
KEPT_TABLES = ("mcp_audit_log", "mcp_token", "mcp_session")
EXTERNAL_ID = "__import__.mcp_dry_run"


def send_mail(partner):
    partner.message_post(
        body="Hello",
        partner_ids=partner.ids,
        message_type="comment",
        subtype_xmlid="mail.mt_comment",
        attachments=[("note.txt", uuid.uuid4().bytes)],
    )
    partner.env["mail.mail"].create({"email_to": "b@example.com", "subject": "At once", "body_html": "x"}).send()
    partner.activity_schedule("mail.mail_activity_data_todo", summary="Call")


def draw_numbers(partner):
    for code in ("mcp.test.standard", "mcp.test.no_gap", "mcp.test.ranges"):
        assert partner.env["ir.sequence"].next_by_code(code)


def store_files(partner):
    attachments = partner.env["ir.attachment"]
    new = attachments.create({"name": "new", "raw": uuid.uuid4().bytes})
    new.raw = uuid.uuid4().bytes
    attachments.search([("name", "=", "mcp dry run")]).unlink()


def wake_crons(partner):
    partner.env.ref("base.autovacuum_job")._trigger()


def notify_browsers(partner):
    partner._bus_send("mcp.test", {"a": 1})


def call_webhook(partner):
    action = partner.env["ir.actions.server"].search([("name", "=", "mcp dry run hook")])
    action.with_context(active_model="res.partner", active_id=partner.id).run()


def contact_servers(_partner):
    # An address, so that nothing is looked up before the connection is refused.
    host = "127.0.0.1"
    for contact in (
        lambda: Session().get(f"http://{host}:9/x", timeout=1),
        lambda: urllib.request.urlopen(f"http://{host}:9/x", timeout=1),
        lambda: smtplib.SMTP(host, 9, timeout=1),
    ):
        with contextlib.suppress(OSError):
            contact()


def add_hooks(partner):
    for name in ("precommit", "postcommit", "prerollback", "postrollback"):
        hook = getattr(partner.env.cr, name)
        hook.add(lambda: None)
        hook.data["mcp.dry_run"] = ["seen"]


def commit_elsewhere(partner):
    with partner.env.registry.cursor() as cr:
        cr.execute(
            "INSERT INTO ir_logging (type, name, message, path, func, line) "
            "VALUES ('server', 'mcp dry run', 'x', 'x', 'x', '1')"
        )
    partner.env.cr.commit()  # pylint: disable=invalid-commit


def fill_caches(partner):
    env = partner.env
    env["ir.model.data"]._update_xmlids([{"xml_id": EXTERNAL_ID, "record": partner, "noupdate": False}])
    env.ref(EXTERNAL_ID)
    user = env["res.users"].search([("login", "=", "mcp_employee")])
    user.write({"group_ids": [Command.link(env.ref("base.group_system").id)]})
    assert user.has_group("base.group_system")


EFFECTS = (
    send_mail, draw_numbers, store_files, wake_crons, notify_browsers, call_webhook, contact_servers, add_hooks,
    commit_elsewhere, fill_caches,
)  # fmt: skip


@tagged("post_install", "-at_install")
class TestDryRun(McpCase):
    """Each effect that a change may have beyond its own rows, caused in a dry run of each tool that changes data."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("mcp_endpoint.profile_full").confirmation = "never"
        cls.partner = cls.env["res.partner"].create({"name": "Rehearsed", "email": "r@example.com"})
        cls.env["ir.sequence"].create([
            {"name": "a", "code": "mcp.test.standard", "implementation": "standard", "number_increment": 3},
            {"name": "b", "code": "mcp.test.no_gap", "implementation": "no_gap"},
            {"name": "c", "code": "mcp.test.ranges", "implementation": "standard", "use_date_range": True},
        ])  # fmt: skip
        cls.env["ir.sequence"].next_by_code("mcp.test.ranges")
        cls.env["ir.attachment"].create({"name": "mcp dry run", "raw": b"mcp dry run"})
        cls.env["ir.actions.server"].create({
            "name": "mcp dry run hook", "model_id": cls.env["ir.model"]._get_id("res.partner"), "state": "webhook",
            "webhook_url": "https://hook.example.com",
        })  # fmt: skip
        cls.env["ir.ui.view"].create({
            "name": "partner form", "model": "res.partner", "type": "form", "priority": 0,
            "arch": """<form><header><button name="action_archive" type="object" string="Shelve"/></header>
                <field name="name"/></form>""",
        })  # fmt: skip
        cls.classes = {name: type(cls.env[name]) for name in ("res.partner", "ir.attachment")}

    def scenarios(self):
        """Return arguments by tool."""
        model, ids = "res.partner", self.partner.ids
        changed = self.ok("odoo_update_records", model=model, ids=ids, values={"name": uuid.uuid4().hex})
        create = {"model": model, "records": [{"name": "Never"}]}
        return {
            "odoo_create_records": create,
            "odoo_update_records": {"model": model, "ids": ids, "values": {"comment": "<p>x</p>"}},
            "odoo_delete_records": {"model": model, "ids": ids, "mode": "delete"},
            "odoo_import_records": {"model": model, "rows": [{"id": "never_1", "name": "Never"}]},
            "odoo_batch": {"steps": [{"tool": "odoo_create_records", "arguments": create}]},
            "odoo_run_action": {"model": model, "ids": ids, "action": "Shelve"},
            "odoo_post_message": {"model": model, "id": ids[0], "kind": "message", "body": "Hello"},
            "odoo_upload_file": {"model": model, "id": ids[0], "name": "n.txt", "text": uuid.uuid4().hex},
            "odoo_undo": {"change_id": changed["change_ids"][0]},
        }

    @contextlib.contextmanager
    def causing(self, effect):
        """Cause an effect whenever a contact is created, changed, deleted or written to, or a file is attached."""
        self.caused = 0
        busy = []

        def also(original):
            def method(records, *args, **options):
                result = original(records, *args, **options)
                if not busy:
                    busy.append(True)
                    try:
                        self.caused += 1
                        effect(self.partner.with_env(records.env).sudo().exists() or records.env.user.partner_id.sudo())
                    finally:
                        busy.clear()
                return result

            return method

        with contextlib.ExitStack() as stack:
            for model, name in (
                ("res.partner", "create"),
                ("res.partner", "write"),
                ("res.partner", "unlink"),
                ("res.partner", "message_post"),
                ("ir.attachment", "create"),
            ):
                method = getattr(self.classes[model], name)
                stack.enter_context(patch.object(self.classes[model], name, also(method)))
            stack.enter_context(sending_allowed(self.env))
            self.connect = stack.enter_context(patch.object(socket.socket, "connect", side_effect=OSError))
            yield

    def world(self):
        """Whatever an effect of this test could have left anywhere."""
        cr = self.env.cr
        cr.flush()
        cr.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = sorted(name for (name,) in cr.fetchall() if name not in KEPT_TABLES)
        rows = SQL(" UNION ALL ").join(
            SQL("SELECT %s, count(*), sum(hashtext(t::text)) FROM %s t", name, SQL.identifier(name)) for name in tables
        )
        facts = {name: rest for name, *rest in self.env.execute_query(rows)}
        cr.execute("SELECT relname FROM pg_class WHERE relkind = 'S' AND relname LIKE 'ir_sequence_%'")
        for (name,) in cr.fetchall():
            facts[name] = self.env.execute_query(SQL("SELECT last_value, is_called FROM %s", SQL.identifier(name)))
        for name in ("precommit", "postcommit", "prerollback", "postrollback"):
            hook = getattr(cr, name)
            facts[name] = len(hook._funcs), {key: str(value) for key, value in hook.data.items()}
        with self.env.registry.cursor() as other:
            other.execute("SELECT count(*) FROM ir_logging WHERE name = 'mcp dry run'")
            facts["committed elsewhere"] = other.fetchone()
        store = self.env["ir.attachment"]._filestore()
        facts["files"] = sorted(os.path.join(folder, file) for folder, _dirs, files in os.walk(store) for file in files)
        facts["external id"] = self.env.ref(EXTERNAL_ID, raise_if_not_found=False)
        facts["right"] = self.user.has_group("base.group_system")
        return facts

    def differences(self, before):
        return {name: (before.get(name), facts) for name, facts in self.world().items() if facts != before.get(name)}

    def leaves_nothing(self, effect):
        scenarios = self.scenarios()
        before = self.world()
        for tool, arguments in scenarios.items():
            with self.subTest(tool=tool), self.causing(effect):
                result = self.ok(tool, **arguments, dry_run=True)
                self.assertEqual(result["status"], "dry_run")
                self.assertTrue(self.caused)
                self.assertEqual(self.differences(before), {})
                self.connect.assert_not_called()

    def test_every_tool_with_a_dry_run_is_tried(self):
        specs = self.registry_as()._specs()
        with_dry_run = {name for name, spec in specs.items() if "dry_run" in spec.common}
        # What a job does it does later; that a tried one is not even queued is tested where they are submitted.
        self.assertEqual(with_dry_run, {*self.scenarios(), "odoo_run_job"})

    def test_the_effects_are_seen_where_they_are_real(self):
        unseen = {effect.__name__ for effect in EFFECTS} - {"contact_servers", "call_webhook", "commit_elsewhere"}
        for effect in EFFECTS:
            before = self.world()
            savepoint = self.env.cr.savepoint()
            if effect.__name__ in unseen:
                with self.subTest(effect=effect.__name__), patch.object(type(self.env["mail.mail"]), "send"):
                    effect(self.partner)
                    self.assertTrue(self.differences(before))
            savepoint.close(rollback=True)
            for name in ("precommit", "postcommit", "prerollback", "postrollback"):
                getattr(self.env.cr, name).clear()
            self.env.registry.clear_cache()

    def test_mail_and_activities(self):
        self.leaves_nothing(send_mail)

    def test_numbers(self):
        self.leaves_nothing(draw_numbers)

    def test_numbers_told_are_those_that_would_come(self):
        codes = ("mcp.test.standard", "mcp.test.no_gap", "mcp.test.ranges")

        def drawn():
            return [[self.env["ir.sequence"].next_by_code(code) for code in codes] for _twice in range(3)]

        with outgoing.muted(), self.env.cr.savepoint() as savepoint:
            told = drawn()
            savepoint.rollback()
            self.env.invalidate_all()
        self.assertEqual(told, drawn())
        self.assertEqual(len({number for row in told for number in row[:1]}), 3)

    def test_files(self):
        self.leaves_nothing(store_files)

    def test_scheduled_jobs(self):
        self.leaves_nothing(wake_crons)

    def test_bus(self):
        self.leaves_nothing(notify_browsers)

    def test_webhooks(self):
        self.leaves_nothing(call_webhook)

    def test_other_servers(self):
        self.leaves_nothing(contact_servers)

    def test_callbacks(self):
        self.leaves_nothing(add_hooks)

    def test_commits(self):
        self.leaves_nothing(commit_elsewhere)

    def test_caches_of_the_worker(self):
        self.leaves_nothing(fill_caches)
