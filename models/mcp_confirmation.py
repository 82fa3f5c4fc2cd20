import re
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..services import canonical
from ..services.errors import ToolError
from . import approval_preview
from .odoo_errors import translating
from .retention import purge

LIFE = timedelta(minutes=15)
KEY = re.compile(r"[A-Za-z0-9_-]{32}")
MOST_WAITING = 50
LONGEST_MESSAGE = 2000


class McpConfirmation(models.Model):
    """A call that its own user has to agree to on a page of Odoo's: there, no client can answer for them.

    It is about one call (user, connection, tool, arguments), and an agreement is good for one run of it, whichever way
    the client comes back. The key in its address opens nothing: the page is for its user, who has to be logged in.
    """

    _name = "mcp.confirmation"
    _description = "MCP Confirmation"
    _log_access = False
    _order = "id desc"

    key = fields.Char(required=True, groups=fields.NO_ACCESS)
    user_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    token_id = fields.Many2one("mcp.token", required=True, index=True, ondelete="cascade")
    tool = fields.Char(required=True)
    title = fields.Char(required=True)
    digest = fields.Char(required=True)
    message = fields.Text(required=True)
    preview = fields.Json()
    client = fields.Char(help="As the client names itself; not verified.")
    state = fields.Selection(
        [("waiting", "Waiting"), ("accepted", "Agreed"), ("declined", "Refused"), ("used", "Done"), ("told", "Closed")],
        required=True,
        default="waiting",
    )
    expires_at = fields.Datetime(required=True, index=True)

    _key_unique = models.UniqueIndex("(key)", "A confirmation is stored once.")
    _call_index = models.Index("(user_id, digest)")

    @api.model
    def _asked(self, call, message: str, preview: dict):
        """Return the open confirmation of a call, as superuser; a new one if there is none."""
        # sudo: nobody has access to the model; the row is the caller's own.
        confirmations = self.sudo()
        now = fields.Datetime.now()
        own = [("user_id", "=", call.env.uid), ("state", "=", "waiting"), ("expires_at", ">", now)]
        values = {"message": message[:LONGEST_MESSAGE], "preview": preview, "expires_at": now + LIFE}
        if known := confirmations.search([*own, ("digest", "=", self._digest(call))], limit=1):
            # What it would do may have changed meanwhile, and whoever opens it now needs time.
            known.write(values)
            return known
        # Agreed to before, and asked anew: that answer is to another question.
        confirmations.search(self._agreed_to(call)).write({"state": "told"})
        # An assistant that asks without end pushes out its own oldest questions.
        confirmations.search(own, offset=MOST_WAITING - 1).unlink()
        return confirmations.create(
            {
                **values,
                "key": secrets.token_urlsafe(24),
                "user_id": call.env.uid,
                "token_id": call.exchange.credential.token_id,
                "tool": call.spec.name,
                "title": call.spec.title,
                "digest": self._digest(call),
                "client": call.client_name,
            }
        )

    @api.model
    def _check_current(self, call) -> None:
        """Set `call.outdated` if its user has agreed on the page to something else than it would do by now.

        What would fail is left to the run itself, which says why.
        """
        if not call.policy.confirms_on_page or call.exchange.proven or call.approved:
            return
        # sudo: nobody has access to the model; the row is the caller's own.
        found = self.sudo().search([*self._agreed_to(call), ("expires_at", ">", fields.Datetime.now())], limit=1)
        if not (shown := (found.preview or {}).get("fingerprint")):
            return
        registry = self.env["mcp.tool.registry"]
        call.restart(rehearsing=True)
        try:
            with translating(call.env), call.unreported():
                now = approval_preview.rehearsed_facts(call, registry._rehearse(call))
            call.outdated = now["fingerprint"] != shown
        except ToolError:
            return
        finally:
            call.restart(rehearsing=False)

    @api.model
    def _agreed_to(self, call) -> list[tuple]:
        """Return the domain of what the caller has agreed to of this very call, and not used yet."""
        return [("user_id", "=", call.env.uid), ("digest", "=", self._digest(call)), ("state", "=", "accepted")]

    @api.model
    def _take(self, call) -> bool:
        """Use up the agreement to a call, in the transaction of its effect; say whether there was one."""
        return self._close(call, "accepted", "used")

    @api.model
    def _was_refused(self, call) -> bool:
        """Say whether the user has refused a call on the page. It is said once: a later call is a new question."""
        return self._close(call, "declined", "told")

    def _close(self, call, state: str, closed: str) -> bool:
        query = SQL(
            "UPDATE mcp_confirmation SET state = %s"
            " WHERE user_id = %s AND digest = %s AND state = %s AND expires_at > %s",
            closed,
            call.env.uid,
            self._digest(call),
            state,
            fields.Datetime.now(),
        )
        self.env.cr.execute(query)
        return self.env.cr.rowcount > 0

    def _url(self) -> str:
        return f"{self.get_base_url()}{self._path()}"

    def _path(self) -> str:
        return f"/mcp/confirm/{self.key}{self.env['mcp.oauth.server']._database_query()}"

    @api.model
    def _digest(self, call) -> str:
        # One level down: the digest of a call leaves out names at its top that here make another call.
        essence = {"call": dict(call.arguments), "company": call.env.company.id}
        return canonical.digest(call.spec.name, {**essence, "token": call.exchange.credential.token_id})

    @api.autovacuum
    def _gc_confirmations(self):
        return purge(self, SQL("expires_at < %s", fields.Datetime.now() - LIFE))
