from datetime import datetime

from odoo.tests import BaseCase, tagged

from ..services import tasks
from ..services.errors import InvalidParams, MissingCapability
from ..services.exchange import Credential, Exchange, Message
from ..services.versions import V2025_11_25, V2026_07_28


def exchange(capabilities, params=None, version=V2026_07_28):
    return Exchange(
        message=Message("tasks/get", params or {}, id=1),
        version=version,
        credential=Credential("personal", 1, 2, 3, ""),
        request_id="x",
        capabilities=capabilities,
    )


@tagged("post_install", "-at_install")
class TestServiceTasks(BaseCase):
    def test_declared_on_the_request_and_in_the_stateless_revision(self):
        declared = {"extensions": {tasks.EXTENSION: {}}}
        self.assertTrue(tasks.is_declared(exchange(declared)))
        self.assertFalse(tasks.is_declared(exchange(declared, version=V2025_11_25)))
        for other in ({}, {"extensions": []}, {"extensions": {tasks.EXTENSION: True}}, {"tasks": {}}):
            with self.subTest(other):
                self.assertFalse(tasks.is_declared(exchange(other)))
                with self.assertRaises(MissingCapability):
                    tasks.task_id(exchange(other, {"taskId": "x"}))

    def test_ids(self):
        declared = {"extensions": {tasks.EXTENSION: {}}}
        self.assertEqual(tasks.task_id(exchange(declared, {"taskId": "abc"})), "abc")
        for wrong in (None, 7, "", "x" * 65, ["x"], {"x": 1}, "a\0", "a\n", "\ud800"):
            with self.subTest(wrong), self.assertRaises(InvalidParams):
                tasks.task_id(exchange(declared, {"taskId": wrong}))

    def test_of_wished_ids_those_are_left_that_could_be_some(self):
        declared = {"extensions": {tasks.EXTENSION: {}}}
        self.assertEqual(tasks.wished(exchange(declared), ["b", "a", "b", "", "a\0", "x" * 65]), ["b", "a"])

    def test_news_are_status_message_and_questions(self):
        state = {"taskId": "x", "status": "input_required", "lastUpdatedAt": "1", "inputRequests": {"a": {}}}
        self.assertEqual(tasks.seen_of(state), tasks.seen_of({**state, "lastUpdatedAt": "2"}))
        for news in ({"status": "working"}, {"statusMessage": "5 of 9"}, {"inputRequests": {"b": {}}}):
            self.assertNotEqual(tasks.seen_of(state), tasks.seen_of({**state, **news}))

    def test_of_capabilities_only_what_is_asked_for_is_kept(self):
        given = {"elicitation": {"form": {"x": 1}, "y": 2}, "roots": {}, "sampling": "yes", "experimental": {"z": 1}}
        self.assertEqual(tasks.abilities(given), {"elicitation": {"form": {}}, "roots": {}})

    def test_times_are_utc(self):
        self.assertEqual(tasks.to_wire(datetime(2026, 7, 1, 12, 30, 5, 999)), "2026-07-01T12:30:05Z")
