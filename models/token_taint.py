from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .late_write import after_commit

DEFAULT_MINUTES = 30
# How stale the note may get: it is not written with every read. The window is that much longer, never shorter.
RESOLUTION = timedelta(minutes=5)
TRIES = 3


class McpToken(models.Model):
    """Taint: an assistant that has just read outsiders' text may act on instructions in it. For a while, what it then
    wants to send out of the company is asked first; see `outbound`."""

    _inherit = "mcp.token"

    tainted_at = fields.Datetime(
        string="Read outsiders' text", readonly=True, help="Accurate to about five minutes, at most five minutes late."
    )
    tainted_until = fields.Datetime(
        string="Asks before sending out until",
        compute="_compute_tainted_until",
        help="Its assistant has read text by people outside the company. Until then, e-mail to outsiders and the like "
        "have to be confirmed, whatever the profile says.",
    )

    @api.depends("tainted_at")
    def _compute_tainted_until(self):
        window = self._taint_window()
        for token in self:
            until = token.tainted_at + window if token.tainted_at and window else False
            token.tainted_until = until if until and until > fields.Datetime.now() else False

    @api.model
    def _taint_window(self) -> timedelta | None:
        """Return for how long a token stays tainted, None when the setting is off."""
        # sudo: a system parameter that users may not read in general.
        minutes = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.taint_minutes", "")
        minutes = int(minutes) if minutes.isdecimal() else DEFAULT_MINUTES
        return timedelta(minutes=minutes) + RESOLUTION if minutes else None

    @api.model
    def _is_tainted(self, token_id: int | None) -> bool:
        """Say whether a token has read outsiders' text within the window."""
        window = self._taint_window() if token_id else None
        return window is not None and self._tainted_within(token_id, window)

    @api.model
    def _note_taint(self, call) -> None:
        """Remember that an answer holds outsiders' text, if it does: after its transaction, before it is sent."""
        is_shown = call.boundary.used and not call.boundary.hides
        if is_shown or call.gives_outsiders_file:
            self._taint(call.exchange.credential.token_id)

    @api.model
    def _taint(self, token_id: int | None) -> None:
        """Remember that a token is given outsiders' text now."""
        if not token_id or self._tainted_within(token_id, RESOLUTION):
            return
        query = SQL("UPDATE mcp_token SET tainted_at = %s WHERE id = %s", fields.Datetime.now(), token_id)
        after_commit(self.env, query, tries=TRIES)

    def _tainted_within(self, token_id: int, time: timedelta) -> bool:
        since = fields.Datetime.now() - time
        self.env.cr.execute(SQL("SELECT tainted_at > %s FROM mcp_token WHERE id = %s", since, token_id))
        return bool((self.env.cr.fetchone() or (False,))[0])
