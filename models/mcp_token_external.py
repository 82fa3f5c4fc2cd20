from odoo import api, fields, models
from odoo.exceptions import UserError

from .single_row import create_single
from .token_lookup import TokenState


class McpToken(models.Model):
    """Access tokens of an identity provider at `/mcp`. All that a user has of one provider are one row here: what is
    done with them is accounted to it, and revoking it shuts them all out, whatever the provider still issues."""

    _inherit = "mcp.token"

    identity_provider_id = fields.Many2one(
        "mcp.identity.provider", readonly=True, index="btree_not_null", ondelete="cascade"
    )

    _external_unique = models.UniqueIndex(
        "(user_id, identity_provider_id) WHERE kind = 'external'", "A user has one row for each provider."
    )
    _external_has_provider = models.Constraint(
        "CHECK (kind <> 'external' OR identity_provider_id IS NOT NULL)", "A token from elsewhere has its provider."
    )

    @api.model
    def _find_foreign(self, secret: str) -> TokenState | None:
        return super()._find_foreign(secret) or self._find_external(secret)

    @api.model
    def _find_external(self, secret: str) -> TokenState | None:
        """Return the state of a signed access token, None when no provider that is set up vouches for it."""
        found = self.env["mcp.identity.provider"]._identify_bearer(secret)
        if found is None:
            return None
        user, provider = found.user, found.provider
        token = self._external_row(user, provider)
        granted = provider._scopes_of(found.claims)
        refusals = {
            "token_revoked": token.revoked_at,
            "user_archived": not user.active,
            "user_not_allowed": user.id == api.SUPERUSER_ID,
            "no_scope": not granted,
        }
        return TokenState(
            token.id,
            user.id,
            provider.profile_id.id,
            token.last_used_at or None,
            next((refusal for refusal, applies in refusals.items() if applies), None),
            "external",
            scopes=granted,
        )

    def _external_row(self, user, provider):
        # sudo: looked up before anybody is logged in; a verified signature stands for the user.
        tokens = self.sudo()
        domain = [
            ("kind", "=", "external"),
            ("user_id", "=", user.id),
            ("identity_provider_id", "=", provider.id),
        ]
        values = {
            "kind": "external",
            "name": provider.name,
            "user_id": user.id,
            "identity_provider_id": provider.id,
            "profile_id": provider.profile_id.id,
        }
        return tokens.search(domain) or create_single(tokens, values)

    @api.ondelete(at_uninstall=False)
    def _unlink_external_by_admin(self):
        """Without the row, the next token of the provider would simply be accepted again."""
        shut_out = self.filtered(lambda token: token.kind == "external" and token.revoked_at)
        if shut_out and not self.env.user.has_group("mcp_endpoint.group_mcp_admin"):
            raise UserError(self.env._("This keeps an identity provider's tokens out. An administrator may delete it."))
