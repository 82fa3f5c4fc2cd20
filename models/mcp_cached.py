from odoo import api, models


class McpCached(models.AbstractModel):
    """Rows that are compiled once and then cached: policies, tools, prompts. Every change counts from the next request
    on, in every worker.
    """

    _name = "mcp.cached"
    _description = "MCP Cached Rows"

    @api.model_create_multi
    def create(self, vals_list):
        created = super().create(vals_list)
        self._forget_compiled()
        return created

    def write(self, vals):
        result = super().write(vals)
        self._forget_compiled()
        return result

    def unlink(self):
        result = super().unlink()
        self._forget_compiled()
        return result

    @api.model
    def _forget_compiled(self) -> None:
        # The "default" cache; Odoo tells the other workers with the commit.
        self.env.registry.clear_cache()
