from odoo.tests import tagged

from .common import McpCase
from .jobs import JobMixin


@tagged("post_install", "-at_install")
class TestMcpJob(JobMixin, McpCase):
    def test_runs_as_its_user(self):
        job = self.submit()
        self.assertEqual(job.state, "queued")
        self.assertFalse(self.partners.search([("name", "=", "By a job")]))
        self.assertEqual(self.run_lane(), 1)
        self.assertEqual((job.state, job.outcome[:7]), ("done", "Created"))
        partner = self.partners.search([("name", "=", "By a job")])
        self.assertEqual(partner.create_uid, self.user)
        row = self.env["mcp.audit.log"].search([("request_id", "=", job.request_id)])
        self.assertEqual((row.user_id, row.outcome, row.transport), (self.user, "ok", "job"))

    def test_in_parts(self):
        job = self.submit_rows(120)
        self.run_lane()
        self.assertEqual((job.state, job.checkpoint), ("done", 120), job.outcome)
        self.assertEqual(self.imported(), 120)
        self.assertGreater(len(job.part_ids), 1)
