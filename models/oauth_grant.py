from datetime import timedelta

from odoo import api, fields, models

from ..services.oauth import scopes
from ..services.oauth.token_request import TokenRequest

DEFAULT_GRANT_DAYS = 180
# A grant without a person behind it is used again until it is this close to its end.
RENEW_BEFORE = timedelta(days=1)


class McpToken(models.Model):
    """A grant: what one user lets one application do. Access and refresh tokens are its secrets and die with it."""

    _inherit = "mcp.token"

    oauth_client_id = fields.Many2one(
        "mcp.oauth.client", string="Application", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    scope = fields.Char(string="Scopes", readonly=True)
    resource = fields.Char(readonly=True)
    # The refresh token that is current. Every rotation writes it: two at the same time cannot both commit.
    generation = fields.Integer(readonly=True)

    _grant_has_client = models.Constraint(
        "CHECK (kind <> 'oauth' OR oauth_client_id IS NOT NULL AND scope IS NOT NULL AND resource IS NOT NULL)",
        "A grant is for an application, with a scope.",
    )

    def _counts(self) -> bool:
        """Say whether the token is alive, and so is the application that it is for."""
        self.ensure_one()
        client = self.oauth_client_id
        return self.state == "active" and not (client.blocked or (client and not client.active))

    def _scopes(self) -> tuple[str, ...] | None:
        """Return what the token is limited to, None for what knows no scopes."""
        return scopes.parse(self.scope) if self.kind == "oauth" else None

    @api.model
    def _open_grant(self, user, client, profile, granted: tuple[str, ...], resource: str):
        """Return a new grant; its secrets are issued apart.

        :param resource: canonical: the only audience that its access tokens have
        """
        # sudo: nobody may create rows over RPC; the caller has the user's consent or an administrator's word.
        return self.sudo().create(
            {
                "kind": "oauth",
                "name": client.name,
                "user_id": user.id,
                "profile_id": profile.id,
                "oauth_client_id": client.id,
                "scope": " ".join(granted),
                "resource": resource,
                "expires_at": fields.Datetime.now() + timedelta(days=self._grant_days()),
            }
        )

    @api.model
    def _standing_grant(self, user, client, profile, granted: tuple[str, ...], resource: str):
        """Return the live grant of a client that comes back for every access token, a new one where there is none."""
        # sudo: grants are looked up before anybody is logged in.
        known = self.sudo().search(
            [
                ("kind", "=", "oauth"),
                ("user_id", "=", user.id),
                ("oauth_client_id", "=", client.id),
                ("profile_id", "=", profile.id),
                ("scope", "=", " ".join(granted)),
                ("resource", "=", resource),
                ("revoked_at", "=", False),
                ("expires_at", ">", fields.Datetime.now() + RENEW_BEFORE),
            ],
            order="id",
            limit=1,
        )
        return known or self._open_grant(user, client, profile, granted, resource)

    def _end_for_reuse(self, asked: TokenRequest) -> None:
        """End the grant because one of its old refresh tokens came back, and tell its user."""
        self._revoke()
        self.env["mcp.audit.log"]._record_event(
            method="oauth/token",
            outcome="refused",
            reason="refresh_reuse: An old refresh token was used again, so the connection was ended.",
            user_id=self.user_id.id,
            token_id=self.id,
            ip=asked.ip,
            client=asked.user_agent,
        )
        # The request that brought the old token belongs to nobody: the mail is Odoo's own.
        self.with_user(api.SUPERUSER_ID)._tell_owner_of_secret(
            lambda env: env._("A connected application was cut off"),
            lambda env: env._(
                "Odoo has ended the connection of “%(client)s” to your account, because an old key of it was used "
                "again, from %(ip)s. Either the application lost track of its keys, or somebody has a copy of one. "
                "Connect it again if you still use it; if the address means nothing to you, tell your administrator.",
                client=self.oauth_client_id.name,
                ip=asked.ip or env._("an unknown address"),
            ),
        )

    @api.model
    def _grant_days(self) -> int:
        # sudo: a system parameter that users may not read in general.
        days = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.grant_days", "")
        return int(days) if days.isdecimal() and int(days) else DEFAULT_GRANT_DAYS
