from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from ..models import mcp_job_pulse
from .jobs import JobMixin


@tagged("post_install", "-at_install")
class TestUiJobs(JobMixin, HttpCase):
    def test_user_looks_cancels_and_answers(self):
        partner = self.partners.create({"name": "Doomed"})
        with patch.object(type(self.jobs), "_ask_first", lambda *_args, **_options: None):
            asks = self.submit("odoo_delete_records", {"model": "res.partner", "ids": partner.ids, "mode": "delete"})
        self.run_lane()
        self.assertEqual(asks.state, "needs_input")
        runs = self.submit_rows(120)
        self.run_lane(most=1, seconds=0)
        with self.enter_registry_test_mode():
            mcp_job_pulse.tell(self.registry, runs.id, 50, 120, "")
        self.env.invalidate_all()
        self.start_tour("/odoo/mcp-jobs", "mcp_jobs", login="mcp_employee", timeout=180)
        self.assertEqual(asks.state, "queued")
        self.run_lane()
        self.assertEqual((runs.state, asks.state), ("cancelled", "done"))
        self.assertFalse(partner.exists())
