from dataclasses import replace
from unittest.mock import patch

from odoo.tests import tagged

from ..models import call_reporting
from ..services.outlet import Outlet
from .common import McpCase


class Listener(Outlet):
    """Keeps what it is told."""

    def __init__(self):
        self.progress = []

    def notify(self, method, params):
        self.progress.append((params["progress"], params["total"]))

    def check(self):
        """Nobody cancels."""


@tagged("post_install", "-at_install")
class TestCallReporting(McpCase):
    def setUp(self):
        super().setUp()
        # Every report counts here, however soon it comes.
        self.startPatcher(patch.object(call_reporting, "PAUSE", 0.0))

    def told(self, tool, *, token="t", **arguments):
        """Run a tool that must succeed; the progress it reports, and its structured content."""
        listener = Listener()
        meta = {} if token is None else {"_meta": {"progressToken": token}}
        exchange = self.exchange(params={"name": tool, "arguments": arguments, **meta})
        result = self.registry_as()._call_tool(replace(exchange, outlet=listener))
        self.assertFalse(result["isError"], result["content"][0]["text"])
        done = [done for done, _total in listener.progress]
        self.assertEqual(done, sorted(set(done)))
        return listener.progress, result["structuredContent"]

    def create(self, count, **options):
        records = [{"name": f"Reported {number}"} for number in range(count)]
        return self.told("odoo_create_records", model="res.partner", records=records, **options)

    def test_bulk_changes_report_portions(self):
        told, facts = self.create(250)
        self.assertEqual(told, [(100, 250), (200, 250), (250, 250)])
        self.assertEqual(facts["count"], 250)
        ids = self.env["res.partner"].search([("name", "like", "Reported %")]).ids
        self.assertEqual(len(ids), 250)
        update = {"model": "res.partner", "ids": ids, "values": {"comment": "x"}}
        told, facts = self.told("odoo_update_records", **update)
        self.assertEqual(told, [(100, 250), (200, 250), (250, 250)])
        updates = [{"id": record_id, "values": {"ref": str(record_id)}} for record_id in ids[:3]]
        told, _facts = self.told("odoo_update_records", model="res.partner", updates=updates)
        self.assertEqual(told, [(1, 3), (2, 3), (3, 3)])
        told, _facts = self.told("odoo_delete_records", model="res.partner", ids=ids)
        self.assertEqual(told[-1], (250, 250))

    def test_nothing_is_cut_where_nobody_listens(self):
        told, facts = self.create(250, token=None)
        self.assertEqual((told, facts["count"]), ([], 250))

    def test_batch_reports_its_steps_alone(self):
        step = {"tool": "odoo_create_records", "arguments": {"model": "res.partner", "records": [{"name": "Step"}]}}
        told, _facts = self.told("odoo_batch", steps=[step] * 3)
        self.assertEqual(told, [(1, 3), (2, 3), (3, 3)])

    def test_import_reports_rows(self):
        rows = [{"id": f"reported_{number}", "name": f"Row {number}"} for number in range(250)]
        told, _facts = self.told("odoo_import_records", model="res.partner", rows=rows)
        self.assertEqual(told, [(0, 250), (100, 250), (200, 250), (250, 250)])
        rows = [{**row, "name": f"{row['name']} again"} for row in rows[:4]]
        told, _facts = self.told("odoo_import_records", model="res.partner", rows=rows)
        self.assertEqual(told, [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)])

    def test_search_and_undo_report(self):
        told, _facts = self.told("search", query="Eve Employee")
        self.assertEqual(told[-1][0], told[-1][1])
        self.create(3)
        told, _facts = self.told("odoo_undo", request_id="test-request")
        self.assertEqual(told, [(1, 3), (2, 3), (3, 3)])

    def test_trial_before_the_real_run_is_silent(self):
        call = self.make_call("odoo_create_records")
        listener = Listener()
        message = replace(call.exchange.message, params={"_meta": {"progressToken": 0}})
        call.exchange = replace(call.exchange, message=message, outlet=listener)
        with call.unreported():
            call.progress(5, 5)
        call.progress(1, 5)
        self.assertEqual(listener.progress, [(1, 5)])

    def test_reports_pause(self):
        self.startPatcher(patch.object(call_reporting, "PAUSE", 3600.0))
        told, _facts = self.create(350)
        self.assertEqual(told, [(100, 350), (350, 350)])
