"""What people see of the journal: names and values of records as far as they could read these in Odoo themselves."""

from markupsafe import Markup
from odoo import api, fields, models
from odoo.fields import Domain

from .journal_shown import shown

# Rows whose names are compared in one search, the latest first.
MOST_SEARCHED = 5_000


class McpChange(models.Model):
    _inherit = "mcp.change"

    name = fields.Char(compute="_compute_name", search="_search_name")
    is_hidden = fields.Boolean(compute="_compute_name")
    values_html = fields.Html(string="Values", compute="_compute_values_html", sanitize=False)

    @api.depends("res_name")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_name(self):
        visible = self._visible()
        for change in self:
            change.is_hidden = change not in visible
            # sudo: the reader may see what the record is called, or is told its number.
            stored = change.sudo()
            change.name = f"{stored.model} {stored.res_id}" if change.is_hidden else stored.res_name

    def _search_name(self, operator, value):
        if operator not in ("ilike", "like", "=ilike", "=like", "in"):
            return NotImplemented
        # sudo: every name is compared, and only rows are found whose name the reader may see.
        found = self.sudo().search(Domain("res_name", operator, value), limit=MOST_SEARCHED)
        return Domain("id", "in", found.sudo(self.env.su)._filtered_access("read")._visible().ids)

    @api.depends("before", "after")
    @api.depends_context("uid", "lang", "tz", "allowed_company_ids")
    def _compute_values_html(self):
        visible = self._visible()
        for change in self:
            change.values_html = change._rendered_values() if change in visible else False

    def _rendered_values(self) -> Markup:
        """Return a table of the fields that changed and that the reader may read."""
        # sudo: field by field, of a record that the reader may read.
        stored = self.sudo()
        records = self.env[stored.model]
        before, after = stored.before or {}, stored.after or {}
        rows = []
        for name in dict.fromkeys([*before, *after]):
            field = records._fields.get(name)
            if field is not None and records._has_field_access(field, "read"):
                label = field._description_string(self.env)
                old, new = (shown(self.env, field, held[name]) if name in held else "" for held in (before, after))
                rows.append(_ROW % {"name": name, "label": label, "old": old, "new": new})
        head = _HEAD % (self.env._("Field"), self.env._("Before"), self.env._("After"))
        return _TABLE % (head, Markup("").join(rows)) if rows else Markup("")

    def _visible(self):
        """Return the rows whose record the reader can read; where it is gone, could have read."""
        if self.env.su:
            return self
        found = self.browse()
        for model, rows in self.grouped("model").items():
            if model not in self.env or not self.env[model].has_access("read"):
                continue
            existing = self.env[model].browse(set(rows.mapped("res_id"))).exists()
            readable = set(existing._filtered_access("read")._ids)
            there = set(existing._ids)
            found += rows.filtered(
                lambda row, readable=readable, there=there: row.res_id in readable
                or row.user_id == self.env.user
                or (row.res_id not in there and row._could_be_read())
            )
        return found

    def _could_be_read(self) -> bool:
        """Say whether the record rules would let the reader see a deleted record, by the values it had."""
        rules = self.env["ir.rule"]._compute_domain(self.model, "read")
        if rules.is_true():
            return True
        # sudo: compared with the rules, not shown.
        held = self.sudo().before or {}
        asked = {condition.field_expr.partition(".")[0] for condition in rules.iter_conditions()}
        if not asked <= held.keys():
            return False
        # sudo: as record rules are evaluated.
        gone = self.env[self.model].sudo().new({name: held[name] for name in asked})
        return bool(gone.filtered_domain(rules))


_TABLE = Markup('<table class="table table-sm o_mcp_values">%s<tbody>%s</tbody></table>')
_HEAD = Markup("<thead><tr><th>%s</th><th>%s</th><th>%s</th></tr></thead>")
_ROW = Markup('<tr><td title="%(name)s">%(label)s</td><td class="text-muted">%(old)s</td><td>%(new)s</td></tr>')
