from dataclasses import dataclass

from odoo import api, fields, models, tools
from odoo.addons.base.models.res_users import check_identity


@dataclass(frozen=True)
class Standing:
    """What a user is to the endpoint. `may_call` is `_may_use_mcp` without what is read with the token's row."""

    may_call: bool
    is_admin: bool
    is_internal: bool
    lang: str


@dataclass(frozen=True)
class Workplace:
    """What a user's calls are made with.

    :param companies: ids, the main one first
    :param company_paths: `parent_path` by company id
    """

    lang: str
    tz: str
    companies: tuple[int, ...]
    company_paths: dict[int, str]


class ResUsers(models.Model):
    _inherit = "res.users"

    mcp_token_ids = fields.One2many(
        "mcp.token", "user_id", string="AI Access Tokens", domain=[("kind", "in", ("personal", "api_key"))]
    )
    mcp_url = fields.Char(string="Address", compute="_compute_mcp_url")

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, "mcp_token_ids", "mcp_url"]

    def _compute_mcp_url(self):
        query = self.env["mcp.doctor"]._server()._database_query()
        for user in self:
            user.mcp_url = f"{user.get_base_url().rstrip('/')}/mcp{query}"

    def _may_use_mcp(self) -> bool:
        """Say whether this user may own tokens and call tools.

        Never the superuser (uid 1 bypasses all access rights) and never a public user, whatever their groups.
        """
        self.ensure_one()
        return self.id != api.SUPERUSER_ID and self.active and self._has_mcp_group()

    def _has_mcp_group(self) -> bool:
        """Say whether the user's groups open the endpoint: MCP User for employees, the setting for portal users.

        Groups and settings come from Odoo's cache: this runs before every call.
        """
        if self.has_group("base.group_public"):
            return False
        if self.has_group("base.group_user"):
            return self.has_group("mcp_endpoint.group_mcp_user")
        return self.has_group("base.group_portal") and self._mcp_parameter("mcp_endpoint.portal_users") == "True"

    def _may_mint_mcp_tokens(self) -> bool:
        """Say whether an administrator leaves personal tokens open to this user."""
        group_id = self._mcp_parameter("mcp_endpoint.minting_group_id")
        return not group_id.isdecimal() or int(group_id) in self.all_group_ids.ids

    @api.model
    @tools.ormcache("user_id")
    def _mcp_standing(self, user_id: int) -> Standing:
        """Return what every call asks about its user. Odoo clears this cache when their groups or language change."""
        # Of the user themselves: it may be the first environment of its transaction, which makes it the default one.
        # sudo: what groups a user is in decides what they may do here.
        user = self.env(user=user_id, su=False)["res.users"].sudo().browse(user_id)
        return Standing(
            may_call=user._has_mcp_group(),
            is_admin=user.has_group("mcp_endpoint.group_mcp_admin"),
            is_internal=user.has_group("base.group_user"),
            lang=user.with_user(user_id).context_get()["lang"],
        )

    def _mcp_parameter(self, name: str) -> str:
        # sudo: a system parameter that users may not read in general.
        return self.env["ir.config_parameter"].sudo().get_param(name, "")

    @api.model
    @tools.ormcache("self.env.uid")
    def _mcp_workplace(self) -> Workplace:
        """Return where this user works. Odoo clears this cache when their language, time zone or companies change,
        and when a company is made or deleted; it never moves one.
        """
        own = self.context_get()
        user = self.env.user.with_context(prefetch_fields=False)
        main = user.company_id.id
        companies = (main, *(company for company in user._get_company_ids() if company != main))
        # sudo: only the hierarchy of the user's own companies, for record rules.
        rows = self.env["res.company"].sudo().browse(companies).read(["parent_path"])
        return Workplace(
            lang=own["lang"],
            tz=own.get("tz") or "UTC",
            companies=companies,
            company_paths={row["id"]: row["parent_path"] for row in rows},
        )

    def write(self, vals):
        result = super().write(vals)
        if "password" in vals or vals.get("active") is False:
            # A stolen account is recovered by a new password: what was minted with the old one must die with it.
            # sudo: the tokens' model is not writable by users; they are those of the users just written.
            self.env["mcp.token"].sudo().search([("user_id", "in", self.ids), ("revoked_at", "=", False)])._revoke()
        elif "totp_secret" in vals and not vals["totp_secret"]:
            self._end_mcp_grants()
        return result

    def _action_revoke_all_devices(self):
        self._end_mcp_grants()
        return super()._action_revoke_all_devices()

    def _end_mcp_grants(self) -> None:
        """End the connections that were made by logging in, when that log-in is no longer to be trusted.

        Personal tokens were made apart from it and stay; their owner sees them in the same place.
        """
        grants = [("kind", "=", "oauth"), ("user_id", "in", self.ids), ("revoked_at", "=", False)]
        # sudo: the tokens' model is not writable by users; whoever may log these users out, may do this.
        self.env["mcp.token"].sudo().search(grants)._revoke()

    @check_identity
    def action_new_mcp_token(self):
        """Button *New token* of the preferences: asks for the password, then opens the form that mints."""
        return {
            "type": "ir.actions.act_window",
            "res_model": "mcp.token.wizard",
            "name": self.env._("New token"),
            "view_mode": "form",
            "target": "new",
            "context": {"default_client": self.env.context.get("mcp_client")},
        }
