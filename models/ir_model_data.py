from odoo import api, models, tools


class IrModelData(models.Model):
    _inherit = "ir.model.data"

    @api.model
    @tools.ormcache("model")
    def _mcp_shipped(self, model: str) -> set[int]:
        """Return the set in which `provenance` keeps the ids of records that have an external id.

        Odoo clears this cache whenever an external id is changed or taken away; the set is then a new, empty one.
        """
        return set()
