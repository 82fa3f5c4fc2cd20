"""Jobs that are submitted as an assistant does and run as a lane does: what their tests start from."""

from ..models import job_queue, job_run
from .common import McpMixin


class JobMixin(McpMixin):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.jobs = cls.env["mcp.job"]
        cls.partners = cls.env["res.partner"]

    def submit(self, tool="odoo_create_records", arguments=None, user=None, profile="full", **options):
        """Queue a call and return its job."""
        arguments = {"model": "res.partner", "records": [{"name": "By a job"}]} if arguments is None else arguments
        told = self.ok("odoo_run_job", user, profile=profile, tool=tool, arguments=arguments, **options)
        self.env.flush_all()
        return self.jobs.browse(told["id"])

    def submit_rows(self, count, **options):
        """Queue an import in parts."""
        rows = [{"id": f"job_{number}", "name": f"Row {number}"} for number in range(1, count + 1)]
        return self.submit("odoo_import_records", {"model": "res.partner", "rows": rows}, in_parts=True, **options)

    def run_lane(self, *, most=50, seconds=60):
        """Run what is due, as a lane does; return how many jobs it has taken."""
        self.env.flush_all()
        count = 0
        with self.enter_registry_test_mode():
            running = self.env["mcp.limits"]._settings().jobs_running
            while count < most and (taken := job_queue.claim(self.registry, running)):
                job_run.run(self.registry, taken, job_run.time.monotonic() + seconds)
                count += 1
        self.env.invalidate_all()
        return count

    def imported(self):
        return self.partners.search_count([("name", "=like", "Row %")])

    def run_claim(self, taken):
        """Go on with a job that was taken before."""
        with self.enter_registry_test_mode():
            job_run.run(self.registry, taken, job_run.time.monotonic() + 60)
        self.env.invalidate_all()
