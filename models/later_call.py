"""A call that runs later than it was made: whether its token still counts, and what it is limited to by then."""

import dataclasses
from collections.abc import Mapping

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..services.exchange import Credential, Narrowing

FIXED = frozenset({"tool", "arguments", "user_id", "token_id", "scopes", "ip"})


class McpLaterCall(models.AbstractModel):
    """What requests for approval and jobs have in common: who asked for what, with which token, and who sees that.

    Nobody has write access: rows change by the server, and by buttons that check who presses them.
    """

    _name = "mcp.later.call"
    _description = "MCP Later Call"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    # Who may see it may write in its chatter.
    _mail_post_access = "read"
    # What never changes.
    _fixed = FIXED

    tool = fields.Char(required=True, readonly=True)
    # What it is about is shown to those whom it concerns: see `_is_shown`.
    arguments = fields.Json(readonly=True, prefetch=False, groups=fields.NO_ACCESS)
    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="cascade")
    token_id = fields.Many2one("mcp.token", readonly=True, index="btree_not_null", ondelete="set null")
    client = fields.Char(string="Assistant", readonly=True, help="As the client names itself; not verified.")
    ip = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    scopes = fields.Json(readonly=True, groups=fields.NO_ACCESS)

    def write(self, vals):
        if self._fixed.intersection(vals):
            raise UserError(self.env._("What an assistant has asked for cannot be changed."))
        return super().write(vals)

    @api.model
    def _asked_by(self, call) -> dict[str, object]:
        """Return the values that say who makes the call, and what it is limited to."""
        credential = call.exchange.credential
        return {
            "tool": call.spec.name,
            "user_id": call.env.uid,
            "token_id": credential.token_id,
            "client": call.client_name,
            "ip": credential.ip,
            "scopes": list(credential.scopes) if credential.scopes is not None else False,
        }

    def _why_dead(self) -> str | None:
        """Say why the token or its user no longer count, None when they do."""
        # The token is empty when it was deleted.
        token, user = self.token_id, self.user_id
        if not token or token.user_id != user or not token._counts():
            return self.env._("The assistant's token was revoked or has expired.")
        if not user._may_use_mcp():
            return self.env._("%s may not use assistants any more.", user.name)
        return None

    def _credential(self) -> Credential:
        """Return the credential of the call, with the profiles that its token has now."""
        token, limited = self.token_id, self.scopes
        granted = token._scopes() if token else None
        # False or None are those of a token that knew no scopes. More than it has now is lost.
        limited = granted if limited is False or limited is None else tuple(limited)
        if granted is not None and limited is not None:
            limited = tuple(scope for scope in limited if scope in granted)
        profile = (token.identity_provider_id or token).profile_id
        client_profile = token.oauth_client_id.profile_id
        return Credential(
            token.kind,
            token.id,
            self.user_id.id,
            profile.id,
            self.ip or "",
            scopes=limited,
            client_profile_id=client_profile.id or None,
        )

    def _concerned(self):
        """Return the users who may see what it is about."""
        return self.user_id

    def _is_shown(self) -> bool:
        """Say whether the reader is one of them, or an administrator of the settings: who governs assistants may see
        that something was asked for, and need not see records of closed models.
        """
        user = self.env.user
        return self.env.su or user in self._concerned() or user.has_group("base.group_system")

    def _shown(self):
        """Return the call as superuser where the reader may see what it is about, else none."""
        # sudo: shown to those whom it concerns, whatever they may read themselves.
        return self.sudo() if self._is_shown() else self.sudo().browse()


def narrowing_as_json(narrowing: Narrowing) -> dict[str, object]:
    """Return what the URL of a call has left out, as plain JSON."""
    facts = dataclasses.asdict(narrowing)
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in facts.items()}


def narrowing_from_json(facts: Mapping[str, object] | bool | None) -> Narrowing:
    """Return the narrowing that `narrowing_as_json` has written."""
    lists = {name: frozenset(value) if isinstance(value, list) else value for name, value in (facts or {}).items()}
    return Narrowing(**lists)
