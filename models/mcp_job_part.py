from odoo import api, fields, models


class McpJobPart(models.Model):
    """What became of one part of a job, written with its effects or not at all. A job that is not cut has one."""

    _name = "mcp.job.part"
    _description = "Part of an Assistant's Job"
    _order = "id"
    _log_access = False

    job_id = fields.Many2one("mcp.job", required=True, readonly=True, index=True, ondelete="cascade")
    date = fields.Datetime(string="Time", required=True, readonly=True)
    first = fields.Integer(string="From", readonly=True)
    items = fields.Integer(readonly=True)
    seconds = fields.Float(readonly=True, digits=(16, 2))
    outcome = fields.Selection(
        [("ok", "Done"), ("error", "Error"), ("asked", "Asked"), ("waited", "Waited")], readonly=True
    )
    text = fields.Char(compute="_compute_text")
    told = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    # A `CallToolResult`, of those that have succeeded.
    result = fields.Json(readonly=True, groups=fields.NO_ACCESS, prefetch=False)

    @api.depends("told")
    @api.depends_context("uid")
    def _compute_text(self):
        for part in self:
            # sudo: shown to those whom the job concerns.
            part.text = part.sudo().told if part.job_id._is_shown() else False
