from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from odoo import api, fields, models
from odoo.addons.mail.tools.discuss import Store

# The assistant that writes the messages made now. No argument and no context key, which any RPC client could send.
_writing: ContextVar[str | None] = ContextVar("mcp_writing_client", default=None)


@contextmanager
def written_by(client: str) -> Iterator[None]:
    """Mark the messages made in the block as written by this assistant."""
    previous = _writing.set(client)
    try:
        yield
    finally:
        _writing.reset(previous)


class MailMessage(models.Model):
    _inherit = "mail.message"

    # Says who typed, not who is responsible: the author is always the token's user.
    mcp_client = fields.Char(string="AI Assistant", readonly=True, copy=False)

    @api.model_create_multi
    def create(self, vals_list):
        client = _writing.get()
        return super().create([{**values, "mcp_client": client} for values in vals_list])

    def write(self, vals):
        return super().write({name: value for name, value in vals.items() if name != "mcp_client"})

    def _to_store_defaults(self, target: Store.Target):
        return [*super()._to_store_defaults(target), "mcp_client"]
