import hashlib
from urllib.parse import quote

from odoo import api, fields, models
from odoo.tools import SQL

from ..services.oauth.pages import Page
from . import approval_preview
from .mcp_confirmation import KEY, LIFE


class McpConfirmation(models.Model):
    """The page on which a person agrees to what their assistant wants to do."""

    _inherit = "mcp.confirmation"

    @api.model
    def _show(self, key: str, *, is_changed: bool = False) -> Page:
        """Return the page for whoever is logged in: the question for its user, and nothing of it for anybody else.

        :param is_changed: the question is another one than they have answered
        """
        found = self._opened(key)
        if isinstance(found, Page):
            return found
        if found.state != "waiting":
            return self._closed_page(found)
        token = found.token_id
        return Page(
            "question",
            {
                "confirmation": found,
                "path": found._path(),
                "shown": found._asked_as(),
                "is_changed": is_changed,
                "facts": approval_preview.grouped(self.env, found.preview or {}),
                "user": self.env.user.name,
                "login": self.env.user.login,
                "connection": token.name,
                "minutes": max(round((found.expires_at - fields.Datetime.now()).total_seconds() / 60), 1),
            },
        )

    @api.model
    def _decide(self, key: str, *, agreed: bool, shown: str) -> Page:
        """Take the answer of whoever is logged in.

        :param shown: what `_asked_as` was when they were asked
        """
        found = self._opened(key)
        if isinstance(found, Page):
            return found
        # Of two answers at the same time the second fails to serialize, is run again, and finds the first.
        query = SQL("SELECT id FROM mcp_confirmation WHERE id = %s FOR UPDATE", found.id)
        self.env.cr.execute(query, log_exceptions=False)
        if found.state != "waiting":
            return self._closed_page(found)
        if agreed and shown != found._asked_as():
            # The same call may ask something else by now, and a yes is to what was read.
            return self._show(key, is_changed=True)
        found.write({"state": "accepted" if agreed else "declined", "expires_at": fields.Datetime.now() + LIFE})
        self.env["mcp.audit.log"]._record_event(
            method="confirmation",
            outcome="ok" if agreed else "refused",
            user_id=self.env.uid,
            token_id=found.token_id.id,
            ip="",
            client="Odoo",
            reason=f"{found.state} on the page: {found.tool}",
        )
        return Page("answered", {"confirmation": found, "state": found.state})

    @api.model
    def _opened(self, key: str):
        """Return the confirmation, as superuser, or the page that says why this is none for this user."""
        # sudo: nobody has access to the model. Its key leads to a row; what is shown of it, only its user gets.
        found = self.sudo()
        if KEY.fullmatch(key):
            found = found.search([("key", "=", key), ("expires_at", ">", fields.Datetime.now())], limit=1)
        if not found:
            return Page("error", {"reason": "expired"}, status=410)
        if found.user_id != self.env.user:
            values = {
                "reason": "user",
                "user": self.env.user.name,
                "login": self.env.user.login,
                "switch_url": f"/web/session/logout?redirect={quote(found._path(), safe='')}",
            }
            return Page("error", values, status=403)
        return found

    def _asked_as(self) -> str:
        """Return what tells this question from another one about the same call."""
        return hashlib.sha256(self.message.encode()).hexdigest()

    @api.model
    def _closed_page(self, found) -> Page:
        return Page("answered", {"confirmation": found, "state": found.state, "is_late": True}, status=410)
