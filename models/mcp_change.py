from odoo import api, fields, models
from odoo.exceptions import UserError

from .retention import purge_old

DEFAULT_RETENTION_DAYS = 90


class McpChange(models.Model):
    """The undo journal: one row per record that a tool call created, changed, archived or deleted.

    `before` and `after` hold plain values by field name, in the form that `write` takes them: many2one as id, x2many
    as list of ids, dates as Odoo's text, nothing as null. A binary field is only marked, `{"binary": true}`, and cannot
    be restored. One2many lines that changed have rows of their own, so that to undo is to go through the rows of a
    request from the last to the first and skip one2many fields. A record has not moved on since when its `write_date`
    (to the second) is not after `date`. Some models archive in `unlink`: a record "deleted" here may still exist.
    """

    _name = "mcp.change"
    _description = "MCP Change"
    _order = "id desc"
    _log_access = False
    _rec_name = "name"

    date = fields.Datetime(required=True, readonly=True, index=True)
    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="cascade")
    token_id = fields.Many2one("mcp.token", readonly=True, index="btree_not_null", ondelete="set null")
    request_id = fields.Char(readonly=True, index=True)
    tool = fields.Char(readonly=True)
    model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference("Record", model_field="model", required=True, readonly=True)
    # What records held is shown by `change_reading`, as far as the reader may read them.
    res_name = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    operation = fields.Selection(
        [("create", "Created"), ("write", "Changed"), ("archive", "Archived"), ("delete", "Deleted")],
        required=True,
        readonly=True,
    )
    before = fields.Json(readonly=True, groups=fields.NO_ACCESS)
    after = fields.Json(readonly=True, groups=fields.NO_ACCESS)
    company_id = fields.Many2one("res.company", readonly=True, help="Company in which the values were written.")
    lang = fields.Char(string="Language", readonly=True, help="Language in which translated values were written.")
    reverted_at = fields.Datetime(string="Undone", readonly=True)

    _user_id_desc = models.Index("(user_id, id DESC)")
    _model_record = models.Index("(model, res_id)")

    def write(self, vals):
        if set(vals) - {"reverted_at"}:
            raise UserError(self.env._("The journal cannot be changed."))
        return super().write(vals)

    @api.autovacuum
    def _gc_old_rows(self):
        """Delete rows past the retention time."""
        return purge_old(self, "mcp_endpoint.change_days", DEFAULT_RETENTION_DAYS)
