import json
from dataclasses import replace
from unittest.mock import patch

from freezegun import freeze_time
from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from ..models import job_queue, mcp_job_pulse
from ..models.job_notices import CHANGED
from ..services import tasks
from ..services.errors import InvalidParams, MissingCapability
from ..services.topics import task as topic
from ..services.versions import V2026_07_28
from .common import McpCase
from .delivering import DeliveryMixin
from .tasks import ASKING, DECLARED, TaskMixin, deletion


@tagged("post_install", "-at_install")
class TestTaskNotifications(DeliveryMixin, TaskMixin, McpCase):
    def wish(self, ids, *, user=None, profile="full", capabilities=DECLARED):
        """Return the exchange of a client that listens to tasks, and what is granted to it."""
        params = {"notifications": {"taskIds": ids}}
        exchange = self.exchange(
            user, profile=profile, method="subscriptions/listen", params=params, version=V2026_07_28
        )
        exchange = replace(exchange, capabilities=capabilities)
        server = self.registry_as(user).env["mcp.server"]
        return exchange, server._rpc_subscriptions_listen(exchange)["notifications"]

    def listen(self, *ids, **options):
        """Return the stream of a client that listens to tasks, as the hub begins it."""
        exchange, granted = self.wish(list(ids), **options)
        server = self.registry_as(options.get("user")).env["mcp.server"]
        held = server._listening_stream(exchange, granted)
        held.on_close(self.index.remove)
        self.index.add(held)
        self.delivery.begin([held], 100, 1500)
        next(held)
        return held

    def heard(self, held):
        """Return the states that a stream was sent since the last time; all other messages fail."""
        found = []
        while held.bytes_waiting:
            message = json.loads(next(held).decode().partition("data: ")[2])
            self.assertEqual(message["method"], "notifications/tasks")
            tag = message["params"].pop("_meta")
            self.assertEqual(tag, {"io.modelcontextprotocol/subscriptionId": 1})
            found.append(message["params"])
        return found

    def deliver(self, *tasks):
        self.env.flush_all()
        self.delivery.deliver({topic(self.job_of(task).id): 101 for task in tasks})

    def test_only_own_tasks_are_granted_and_nothing_is_said_of_others(self):
        own, other = self.begin(), self.begin()
        foreign = self.begin(user=self.other)
        narrower = self.begin("odoo_import_records", profile="write")
        no_task = self.submit().handle
        made_up = ["x", "", "%", "\0", "\ud800", "x" * 10_000, own + "x", str(self.job_of(own).id)]
        ids = [other, *made_up, foreign, narrower, no_task, own, own]
        self.assertEqual(self.wish(ids)[1], {"taskIds": [other, own]})
        self.assertEqual(self.wish(made_up)[1], {"taskIds": []})
        expired = self.job_of(own)
        expired._end("cancelled")
        expired.expires_at = fields.Datetime.subtract(fields.Datetime.now(), seconds=1)
        self.assertEqual(self.wish([own])[1], {"taskIds": []})

    def test_wishes_that_are_none(self):
        for wished in (None, "x", 7, {"x": 1}, [7], [None], [["x"]], ["x"] * (tasks.MOST_LISTENED + 1)):
            with self.subTest(wished=wished), self.assertRaises(InvalidParams):
                self.wish(wished)

    def test_extension_has_to_be_declared(self):
        with self.assertRaises(MissingCapability) as caught:
            self.wish([self.begin()], capabilities={})
        self.assertEqual(caught.exception.data, {"requiredCapabilities": DECLARED})

    def test_each_state_is_told_once_as_it_would_be_asked_for(self):
        task = self.begin()
        held = self.listen(task)
        [first] = self.heard(held)
        self.assertEqual(first, self.get(task))
        self.assertEqual(first["status"], "working")
        self.deliver(task)
        self.assertEqual(self.heard(held), [])
        self.run_lane()
        self.deliver(task)
        self.deliver(task)
        [last] = self.heard(held)
        self.assertEqual(last, self.get(task))
        self.assertEqual((last["status"], last["result"]["structuredContent"]["created"]), ("completed", 1))

    def test_progress_is_told(self):
        task = self.begin()
        held = self.listen(task)
        self.heard(held)
        job = self.job_of(task)
        job.state = "running"
        self.env.flush_all()
        with self.enter_registry_test_mode():
            mcp_job_pulse.tell(self.registry, job.id, 30, 120, "Importing")
        self.deliver(task)
        [state] = self.heard(held)
        self.assertEqual((state["status"], state["statusMessage"]), ("working", "30 of 120 Importing"))

    def test_question_and_its_answer(self):
        partner = self.partners.create({"name": "Doomed"})
        task = self.begin("odoo_batch", {"steps": deletion(partner)}, capabilities=ASKING)
        held = self.listen(task)
        self.run_lane()
        self.deliver(task)
        asked = self.heard(held)[-1]
        self.assertEqual((asked["status"], list(asked["inputRequests"])), ("input_required", ["confirm"]))
        self.send("tasks/update", {"taskId": task, "inputResponses": {"confirm": {"action": "decline"}}})
        self.deliver(task)
        self.run_lane()
        self.deliver(task)
        self.assertEqual([state["status"] for state in self.heard(held)], ["working", "completed"])

    def test_ended_before_it_was_listened_to(self):
        task = self.begin()
        self.send("tasks/cancel", {"taskId": task})
        self.assertEqual([state["status"] for state in self.heard(self.listen(task))], ["cancelled"])

    def test_rights_of_the_moment(self):
        token = self.env["mcp.token"].browse(self.exchange().credential.token_id)
        for lose in (
            token._revoke,
            lambda: setattr(self.user, "active", False),
            lambda: setattr(self.user, "group_ids", [Command.clear()]),
            lambda: setattr(self.profiles["full"], "ip_allowed", "10.0.0.0/8"),
            lambda: self.env["ir.config_parameter"].set_param("mcp_endpoint.paused", "True"),
        ):
            with self.env.cr.savepoint() as savepoint:
                task = self.begin()
                held = self.listen(task)
                self.assertEqual(len(self.heard(held)), 1)
                self.job_of(task)._end("cancelled")
                lose()
                self.deliver(task)
                self.assertEqual(self.heard(held), [])
                self.env.invalidate_all(flush=False)
                savepoint.rollback()
                self.env.registry.clear_all_caches()

    def test_result_that_is_closed_by_now_is_not_told(self):
        task = self.begin()
        held = self.listen(task)
        self.heard(held)
        self.run_lane()
        part = self.job_of(task).part_ids
        part.result = {**part.result, "_meta": {"untrusted": {"id": "0123456789ab", "note": "By outsiders."}}}
        self.env.flush_all()
        self.profiles["full"].lockdown = True
        self.deliver(task)
        [state] = self.heard(held)
        self.assertEqual(state["result"]["structuredContent"]["error"]["code"], "hidden")

    def test_outsiders_text_taints_who_is_told(self):
        task = self.begin()
        held = self.listen(task)
        self.run_lane()
        part = self.job_of(task).part_ids
        part.result = {**part.result, "_meta": {"untrusted": {"id": "0123456789ab", "note": "By outsiders."}}}
        with patch.object(type(self.env["mcp.token"]), "_taint") as tainted:
            self.deliver(task)
        tainted.assert_called_once_with(held.credential.token_id)


@tagged("post_install", "-at_install")
class TestJobNotices(TaskMixin, McpCase):
    def setUp(self):
        super().setUp()
        self.env.cr.flush()
        self.env["bus.bus"].search([]).unlink()

    def noticed(self):
        """Return what was told since the last time: topics, and ids of jobs by whose screen it was."""
        self.env.cr.flush()
        rows = self.env["bus.bus"].search([])
        topics, screens = set(), {}
        for row in rows:
            channel, message = json.loads(row.channel), json.loads(row.message)
            if message["type"] == "mcp":
                topics.update(name for name in message["payload"] if name.startswith("task:"))
            elif message["type"] == CHANGED:
                self.assertEqual(set(message["payload"]), {"ids"})
                screens.setdefault(tuple(channel[1:]), set()).update(message["payload"]["ids"])
        rows.unlink()
        return topics, screens

    def expected(self, jobs):
        admins = self.env.ref("mcp_endpoint.group_mcp_admin")
        screens = {("res.groups", admins.id): set(jobs.ids)}
        for job in jobs:
            screens.setdefault(("res.partner", job.user_id.partner_id.id), set()).add(job.id)
        return {topic(job.id) for job in jobs}, screens

    def test_whatever_changes_is_told_to_its_user_and_to_administrators(self):
        job = self.submit()
        self.assertEqual(self.noticed(), self.expected(job))
        with self.enter_registry_test_mode():
            taken = job_queue.claim(self.registry, 0)
            self.assertEqual(taken.job_id, job.id)
        self.assertEqual(self.noticed(), self.expected(job))
        job.with_user(self.user).action_cancel()
        self.assertEqual(self.noticed(), self.expected(job))
        self.run_claim(taken)
        self.assertEqual(self.noticed(), self.expected(job))
        self.env["res.partner"].create({"name": "Nobody's job"})
        self.assertEqual(self.noticed(), (set(), {}))

    def test_users_are_told_of_their_own_jobs_only(self):
        jobs = self.submit() | self.submit(user=self.other)
        self.assertEqual(self.noticed(), self.expected(jobs))

    def test_progress_is_told_once_a_second(self):
        job = self.submit()
        self.noticed()
        for moment, told in (("12:00:00.1", True), ("12:00:00.9", False), ("12:00:01.0", True)):
            with freeze_time(f"2026-07-28 {moment}"), self.enter_registry_test_mode():
                mcp_job_pulse.tell(self.registry, job.id, 1, 10, "")
            self.assertEqual(self.noticed(), self.expected(job) if told else (set(), {}), moment)

    def test_what_is_rolled_back_is_not_told(self):
        job = self.submit()
        self.noticed()
        with self.env.cr.savepoint() as savepoint:
            job._end("cancelled")
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(self.noticed(), (set(), {}))
