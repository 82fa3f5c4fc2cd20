"""Keeps the cached tools in step with what they are made of. Server actions and reports clear the cache themselves."""

from odoo import models

# What of a source is part of the cached facts.
_CACHED = {"active", "model_id"}


class IrFilters(models.Model):
    _inherit = "ir.filters"

    def write(self, vals):
        result = super().write(vals)
        if _CACHED & vals.keys():
            self.env["mcp.tool"]._forget("filter_id", self.ids)
        return result

    def unlink(self):
        # Before: afterwards no tool says any more that it was made of these.
        self.env["mcp.tool"]._forget("filter_id", self.ids)
        return super().unlink()


class MailTemplate(models.Model):
    _inherit = "mail.template"

    def write(self, vals):
        result = super().write(vals)
        if _CACHED & vals.keys():
            self.env["mcp.tool"]._forget("template_id", self.ids)
        return result

    def unlink(self):
        self.env["mcp.tool"]._forget("template_id", self.ids)
        return super().unlink()
