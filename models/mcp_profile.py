import json

from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..services.exchange import Credential
from ..services.oauth import scopes
from ..services.policy import CompiledPolicy, Layer, scope_layer
from ..services.policy_rules import names
from ..services.tool import ACCESS_LEVELS


class McpProfile(models.Model):
    """A named set of limits: of the baseline, of a token, of an application. See `services.policy`.

    Limits for models, tools, addresses and the like are in `profile_limits`.
    """

    _name = "mcp.profile"
    _description = "MCP Access Profile"
    _inherit = ["mcp.cached", "mail.thread"]
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    description = fields.Text(translate=True, help="Shown to the user who chooses a profile for a token.")
    is_baseline = fields.Boolean(
        string="Baseline", readonly=True, copy=False, help="Applies to every call, on top of the token's own profile."
    )
    access_level = fields.Selection(
        [("read", "Read"), ("write", "Read and write"), ("admin", "Administer")],
        required=True,
        default="read",
        tracking=True,
    )
    allow_delete = fields.Boolean(
        string="Delete records", tracking=True, help="Without it, records can be archived only."
    )
    toolsets = fields.Char(tracking=True, help="Comma-separated names of toolsets. Empty: all of them.")
    confirmation = fields.Selection(
        [("never", "Never"), ("destructive", "Before destructive changes"), ("always", "Before every change")],
        required=True,
        default="destructive",
        tracking=True,
        help="When a person has to confirm before the assistant's change is made.",
    )
    calls_per_minute = fields.Integer(
        help="How many calls a token with this profile may make in any 60 seconds. 0: as the settings say. The smaller "
        "number counts.",
    )
    group_ids = fields.Many2many(
        "res.groups",
        string="For Groups",
        tracking=True,
        help="Who may choose this profile for a token. Empty: every MCP user.",
    )

    default_group_ids = fields.Many2many(
        "res.groups",
        "mcp_profile_default_group_rel",
        string="Default for Groups",
        tracking=True,
        help="Members find this profile chosen when they make a token or connect an application.",
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
        if not self.env.su:
            vals_list = [{**vals, "is_baseline": False} for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        if "is_baseline" in vals and not self.env.su:
            raise UserError(self.env._("Which profile is the baseline cannot be changed; change its limits instead."))
        return super().write(vals)

    @api.model
    def _available_to(self, user):
        """Return the profiles that `user` may choose for a token, first those that are the default of their groups.

        Portal users only read, unless a profile is opened to a group of theirs.
        """
        for_all = Domain("group_ids", "=", False)
        if user.share:
            for_all &= Domain("access_level", "=", "read")
        # sudo: users choose among profiles by name; what a profile says is no secret, but its model is for admins.
        found = self.sudo().search(
            Domain("is_baseline", "=", False) & (for_all | Domain("group_ids", "in", user.all_group_ids.ids))
        )
        return found.sorted(lambda profile: not profile.default_group_ids & user.all_group_ids)

    def _is_open_to(self, held: frozenset[int]) -> bool:
        """Say whether a user in these groups may choose the profile, as `_available_to` does."""
        if groups := self.group_ids.ids:
            return not held.isdisjoint(groups)
        return self.access_level == "read" or self.env.ref("base.group_portal").id not in held

    @api.model
    def _compiled_for(self, credential: Credential, *, scoped: bool = True) -> CompiledPolicy:
        """Return the policy of the token that a request came with.

        :param scoped: with what its scopes leave; without, what more scopes could open
        """
        granted = credential.scopes if scoped else None
        # Others have one that an administrator gave them (API keys, identity providers, machines), or that every
        # refresh asks for (applications).
        is_chosen = credential.kind == "personal"
        return self._policy_of(
            credential.user_id, credential.profile_id, granted, credential.client_profile_id, is_chosen
        )

    @api.model
    @tools.ormcache("user_id", "profile_id", "granted", "client_profile_id", "is_chosen")
    def _policy_of(
        self,
        user_id: int,
        profile_id: int,
        granted: tuple[str, ...] | None,
        client_profile_id: int | None,
        is_chosen: bool,
    ) -> CompiledPolicy:
        """Return the policy of a token, from one look into the cache: it is asked for several times in every call."""
        level = None if granted is None else scopes.level(granted) or "none"
        # sudo: what groups a user is in decides what they may do here.
        user = self.env["res.users"].sudo().browse(user_id)
        return self._compiled(profile_id, level, client_profile_id, *self._standing(user), is_chosen)

    @api.model
    def _standing(self, user) -> tuple[tuple[int, ...], bool]:
        """Return what profiles ask of a user: which of the groups in rules are theirs, and whether they administer."""
        groups = self._rule_groups()
        held = tuple(sorted(groups.intersection(user._get_group_ids()))) if groups else ()
        return held, user.has_group("mcp_endpoint.group_mcp_admin")

    @api.model
    @tools.ormcache("profile_id", "scope_level", "client_profile_id", "held", "is_admin", "is_chosen")
    def _compiled(
        self,
        profile_id: int,
        scope_level: str | None = None,
        client_profile_id: int | None = None,
        held: tuple[int, ...] = (),
        is_admin: bool = False,
        is_chosen: bool = False,
    ) -> CompiledPolicy:
        """Return the policy of a token with this profile: the layers of the baseline, the profile, the application
        and the scopes.

        :param scope_level: access level that the scopes reach, None for a token without scopes
        :param client_profile_id: the upper limit of the application that the token was given to
        :param held: the user's groups, of those that rules are for
        :param is_admin: the user is an MCP Administrator
        :param is_chosen: the user chose the profile, which counts as long as they still may

        An archived or deleted profile leaves nothing to allow, nor does one that is not open to its user any more: the
        result then reads only what the baseline reads and has no toolset.
        """
        # sudo: limits are read to be enforced, never shown.
        profiles = self.sudo().with_context(active_test=False, lang=None)
        baseline = profiles.search(Domain("is_baseline", "=", True), limit=1)
        wanted = [("baseline", baseline.id), ("profile", profile_id)]
        if client_profile_id:
            wanted.append(("client", client_profile_id))
        layers = []
        for kind, record_id in wanted:
            profile = profiles.browse(record_id).exists()
            is_open = profile.active and (kind != "profile" or not is_chosen or profile._is_open_to(frozenset(held)))
            layers.append(profile._layer(kind, frozenset(held)) if is_open else _withdrawn(kind))
        if scope_level is not None:
            layers.append(scope_layer(scope_level) if scope_level in ACCESS_LEVELS else _withdrawn("scope"))
        key = json.dumps([profile_id, scope_level, client_profile_id, held, is_admin, is_chosen])
        return CompiledPolicy(tuple(layers), self.env["mcp.model.tier"]._tiers(is_admin), key)

    @api.model
    def _compiled_by(self, key: str) -> CompiledPolicy:
        """Return the policy with this key."""
        profile_id, scope_level, client_profile_id, held, *facts = json.loads(key)
        return self._compiled(profile_id, scope_level, client_profile_id, tuple(held), *facts)

    def _layer(self, kind: str, held: frozenset[int]) -> Layer:
        """Return this profile's limits for a user in these groups. Extend it for a further limit."""
        self.ensure_one()
        return Layer(
            kind=kind,
            name=self.name,
            level=self.access_level,
            allow_delete=self.allow_delete,
            toolsets=names(self.toolsets) or None,
            confirmation=self.confirmation,
            calls_per_minute=self.calls_per_minute,
        )


def _withdrawn(kind: str) -> Layer:
    return Layer(kind, "withdrawn, or not open to this user any more", "read", False, frozenset(), "always")
