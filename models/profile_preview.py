from collections import defaultdict

from odoo import api, fields, models

from ..services.exchange import Narrowing
from ..services.guardrails import model_is_unreachable
from ..services.policy import OPERATIONS, CompiledPolicy
from .call_fields import ODOO_OPERATIONS
from .schema_cache import cached

MOST_MODELS = 80
MOST_FIELDS = 12


class McpProfile(models.Model):
    """*What this allows*: what one user would really have with a profile, by the code that governs calls and by their
    own rights in Odoo. It follows the form while it is edited.
    """

    _inherit = "mcp.profile"

    preview_user_id = fields.Many2one(
        "res.users",
        string="As",
        store=False,
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        groups="mcp_endpoint.group_mcp_admin",
    )
    # Of any user: for administrators.
    preview = fields.Html(
        string="What This Allows",
        compute="_compute_preview",
        sanitize=False,
        groups="mcp_endpoint.group_mcp_admin",
    )

    @api.depends(
        "group_ids",
        "preview_user_id", "access_level", "allow_delete", "toolsets", "tools_allowed", "tools_denied", "company_ids",
        "rule_ids.pattern", "rule_ids.allow_read", "rule_ids.allow_write", "rule_ids.allow_create", "rule_ids.sequence",
        "rule_ids.allow_delete", "rule_ids.allow_call", "rule_ids.fields_mode", "rule_ids.field_names",
        "rule_ids.domain", "rule_ids.methods", "rule_ids.group_ids",
    )  # fmt: skip
    def _compute_preview(self):
        for profile in self:
            user = profile.preview_user_id or self.env.user
            profile.preview = self.env["ir.qweb"]._render(
                "mcp_endpoint.profile_preview", profile._previewed(user), minimal_qcontext=True
            )

    def _previewed(self, user) -> dict[str, object]:
        """Return what the template shows: tools by toolset, models with operations, what limits them."""
        policy = self._policy_as_edited(user)
        shown = self._previewed_models(policy, user)
        return {
            "user": user.name,
            "may_connect": user._may_use_mcp(),
            "may_choose": self.is_baseline or self._is_open_to(frozenset(user._get_group_ids())),
            "tools": self._previewed_tools(policy, user),
            "models": shown[:MOST_MODELS],
            "more_models": len(shown) - MOST_MODELS,
            "operations": OPERATIONS,
            "companies": self._previewed_companies(policy, user),
        }

    def _policy_as_edited(self, user) -> CompiledPolicy:
        """Return the policy that a token of `user` with this profile would have, with what is not saved yet."""
        # sudo: as in `_compiled`; only administrators have this form.
        profile = self.sudo().with_context(lang=None)
        held = frozenset(user._get_group_ids())
        baseline = self.sudo().search([("is_baseline", "=", True)], limit=1)
        layers = [profile._layer("baseline" if profile.is_baseline else "profile", held)]
        if not profile.is_baseline:
            layers.insert(0, baseline._layer("baseline", held))
        is_admin = user.has_group("mcp_endpoint.group_mcp_admin")
        return CompiledPolicy(tuple(layers), self.env["mcp.model.tier"]._tiers(is_admin))

    def _previewed_tools(self, policy: CompiledPolicy, user) -> list[tuple[str, list[str]]]:
        as_user = self.env["mcp.policy"].with_user(user)
        specs = list(self.env["mcp.tool.registry"]._specs().values())
        by_toolset = defaultdict(list)
        for spec in as_user._visible(specs, policy, Narrowing(toolsets=frozenset({"all"}))):
            by_toolset[spec.toolset].append(spec.name)
        return list(by_toolset.items())

    def _previewed_models(self, policy: CompiledPolicy, user) -> list[dict[str, object]]:
        """Return the models that people work with and those that rules name, as far as anything is open."""
        named = {rule.pattern for layer in policy.layers for rule in layer.rules.rules}
        catalog = cached(self.env, "models", self.env["mcp.tool.registry"]._model_catalog)
        rows = []
        for item in catalog:
            name = item["model"]
            if model_is_unreachable(name) or not (item.get("menu") or name in named or policy.limits_fields(name)):
                continue
            records = self.env[name].with_user(user)
            allowed = {
                operation: policy.allows_model(name, operation) and records.has_access(ODOO_OPERATIONS[operation])
                for operation in OPERATIONS
            }
            if any(allowed.values()):
                rows.append({"model": name, "label": item["label"], "allowed": allowed, **_limits(policy, records)})
        return sorted(rows, key=lambda row: (not row["limited"], row["label"]))

    def _previewed_companies(self, policy: CompiledPolicy, user) -> list[str]:
        limit = policy.companies
        # sudo: names of the user's companies, for administrators.
        companies = user.sudo().company_ids
        return [company.name for company in companies if limit is None or company.id in limit]


def _limits(policy: CompiledPolicy, records) -> dict[str, object]:
    """Return what is closed of a model's fields, records and methods."""
    name = records._name
    listed: dict[str, object] = {"fields": "", "records": " and ".join(policy.domains(name)), "methods": ""}
    if policy.limits_fields(name):
        known = [each for each, field in records._fields.items() if records._has_field_access(field, "read")]
        is_open = set(policy.readable_fields(name, known))
        closed = sorted(set(known) - is_open)
        shorter, word = (sorted(is_open), "only") if len(is_open) < len(closed) else (closed, "not")
        more = f" … {len(shorter) - MOST_FIELDS} more" if len(shorter) > MOST_FIELDS else ""
        listed["fields"] = f"{word} {', '.join(shorter[:MOST_FIELDS])}{more}"
    rules = [layer.rules.of(name) for layer in policy.layers]
    methods = [rule.methods for rule in rules if rule is not None and rule.methods is not None]
    if methods:
        listed["methods"] = ", ".join(sorted(frozenset.intersection(*methods))) or "none"
    return {**listed, "limited": any(listed.values())}
