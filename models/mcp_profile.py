from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..services.exchange import Credential
from ..services.oauth import scopes
from ..services.policy import CompiledPolicy, Layer, scope_layer
from ..services.tool import ACCESS_LEVELS


class McpProfile(models.Model):
    _name = "mcp.profile"
    _description = "MCP Access Profile"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    description = fields.Text(translate=True, help="Shown to the user who chooses a profile for a token.")
    is_baseline = fields.Boolean(
        string="Baseline", readonly=True, help="Applies to every call, on top of the token's own profile."
    )
    access_level = fields.Selection(
        [("read", "Read"), ("write", "Read and write"), ("admin", "Administer")],
        required=True,
        default="read",
    )
    allow_delete = fields.Boolean(string="Delete records", help="Without it, records can be archived only.")
    toolsets = fields.Char(help="Comma-separated names of toolsets. Empty: all of them.")
    confirmation = fields.Selection(
        [("never", "Never"), ("destructive", "Before destructive changes"), ("always", "Before every change")],
        required=True,
        default="destructive",
        help="When a person has to confirm before the assistant's change is made.",
    )
    calls_per_minute = fields.Integer(
        help="How many calls a token with this profile may make in any 60 seconds. 0: as the settings say. The smaller "
        "number counts.",
    )
    group_ids = fields.Many2many(
        "res.groups", string="For Groups", help="Who may choose this profile for a token. Empty: every MCP user."
    )

    _baseline_unique = models.UniqueIndex("(is_baseline) WHERE is_baseline", "There is one baseline profile.")

    _calls = models.Constraint(
        "CHECK (calls_per_minute BETWEEN 0 AND 1000000)", "Calls per minute are between 0 and 1,000,000."
    )

    @api.constrains("is_baseline", "active")
    def _check_baseline_active(self):
        if self.filtered(lambda profile: profile.is_baseline and not profile.active):
            raise ValidationError(self.env._("The baseline profile applies to every call and cannot be archived."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_baseline(self):
        if any(self.mapped("is_baseline")):
            raise UserError(self.env._("The baseline profile applies to every call and cannot be deleted."))

    @api.model_create_multi
    def create(self, vals_list):
        profiles = super().create(vals_list)
        self.env.registry.clear_cache()
        return profiles

    def write(self, vals):
        result = super().write(vals)
        # Compiled policies are cached in the "default" cache of every worker; Odoo signals the change to all of them.
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    @api.model
    def _available_to(self, user):
        """Return the profiles that `user` may choose for a token.

        Portal users only read, unless a profile is opened to a group of theirs.
        """
        for_all = Domain("group_ids", "=", False)
        if user.share:
            for_all &= Domain("access_level", "=", "read")
        # sudo: users choose among profiles by name; what a profile says is no secret, but its model is for admins.
        return self.sudo().search(
            Domain("is_baseline", "=", False) & (for_all | Domain("group_ids", "in", user.all_group_ids.ids))
        )

    @api.model
    def _compiled_for(self, credential: Credential) -> CompiledPolicy:
        """Return the policy of the token that a request came with."""
        if credential.scopes is None:
            return self._compiled(credential.profile_id)
        return self._compiled(credential.profile_id, scopes.level(credential.scopes) or "none")

    @api.model
    @tools.ormcache("profile_id", "scope_level")
    def _compiled(self, profile_id: int, scope_level: str | None = None) -> CompiledPolicy:
        """Return the policy of a token with this profile: the baseline's layer, the profile's own, that of its scopes.

        :param scope_level: access level that the scopes reach, None for a token without scopes

        An archived or deleted profile leaves nothing to allow: the result then reads only what the baseline reads
        and has no toolset.
        """
        # sudo: limits are read to be enforced, never shown.
        profiles = self.sudo().with_context(active_test=False, lang=None)
        baseline = profiles.search(Domain("is_baseline", "=", True), limit=1)
        profile = profiles.browse(profile_id).exists()
        closed = Layer("profile", "withdrawn", "read", False, frozenset(), "always")
        layers = (
            baseline._layer("baseline") if baseline else closed,
            profile._layer("profile") if profile.active else closed,
        )
        if scope_level is not None:
            layers += (scope_layer(scope_level) if scope_level in ACCESS_LEVELS else closed,)
        return CompiledPolicy(layers)

    def _layer(self, kind: str) -> Layer:
        self.ensure_one()
        names = frozenset(name.strip() for name in (self.toolsets or "").split(",") if name.strip())
        return Layer(
            kind=kind,
            name=self.name,
            level=self.access_level,
            allow_delete=self.allow_delete,
            toolsets=names or None,
            confirmation=self.confirmation,
            calls_per_minute=self.calls_per_minute,
        )
