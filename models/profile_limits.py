from dataclasses import replace

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..services.ip_rules import AddressRules, networks
from ..services.policy import Layer
from ..services.policy_rules import NameList, RuleSet, matches, names, unreadable_names

# Less holds no useful answer; more, none does.
SMALLEST_RESULT = 1_000
LARGEST_RESULT = 80_000
ADDRESSES = ("ip_allowed", "ip_denied")
TOOLS = ("tools_allowed", "tools_denied")


class McpProfile(models.Model):
    """Limits of a profile beyond its access level: models, tools, companies, addresses, size of answers, lockdown."""

    _inherit = "mcp.profile"

    rule_ids = fields.One2many("mcp.profile.rule", "profile_id", string="Models", copy=True)
    rule_count = fields.Integer(string="Rules", compute="_compute_rule_count")
    tools_allowed = fields.Char(
        string="Only These Tools",
        tracking=True,
        help="Names or patterns such as odoo_search_*, separated by commas. Empty: all tools of the toolsets.",
    )
    tools_denied = fields.Char(string="Never These Tools", tracking=True, help="These stay closed in any case.")
    company_ids = fields.Many2many(
        "res.company",
        string="Companies",
        tracking=True,
        help="Calls work in these companies only, as far as they are the user's. Empty: in all of the user's.",
    )
    ip_allowed = fields.Text(
        string="Only From",
        tracking=True,
        groups="mcp_endpoint.group_mcp_admin",
        help="Addresses or networks such as 192.0.2.0/24 or 2001:db8::/32, one per line. Empty: from anywhere.",
    )
    ip_denied = fields.Text(
        string="Never From",
        tracking=True,
        groups="mcp_endpoint.group_mcp_admin",
        help="Addresses or networks, one per line.",
    )
    max_result = fields.Integer(
        string="Largest Answer", tracking=True, help="In characters, 1,000 to 80,000. 0: what the tools allow."
    )
    payload_capture = fields.Boolean(
        string="Keep Payloads",
        tracking=True,
        help="The audit log keeps arguments and results of the calls, with secrets redacted.",
    )
    lockdown = fields.Boolean(
        tracking=True,
        help="Text that outsiders wrote (incoming mail, portal, web forms) is hidden from the assistant, not only "
        "marked as theirs.",
    )

    @api.depends("rule_ids")
    def _compute_rule_count(self):
        for profile in self:
            profile.rule_count = len(profile.rule_ids)

    @api.constrains("max_result")
    def _check_max_result(self):
        for profile in self:
            if profile.max_result and not SMALLEST_RESULT <= profile.max_result <= LARGEST_RESULT:
                raise ValidationError(self.env._("The largest answer is between 1,000 and 80,000 characters, or 0."))

    @api.constrains(*ADDRESSES)
    def _check_addresses(self):
        for profile in self:
            for name in ADDRESSES:
                try:
                    networks(profile[name] or "")
                except ValueError as error:
                    raise ValidationError(self.env._("Not an address or network: %s", error)) from error

    @api.constrains(*TOOLS)
    def _check_tools(self):
        # sudo: names of tools, of those that are switched off too.
        made = self.env["mcp.tool"].sudo().search(Domain.TRUE).mapped("name")
        known = {*self.env["mcp.tool.registry"]._coded(), *made}
        for profile in self:
            for name in TOOLS:
                if wrong := unreadable_names(profile[name]):
                    raise ValidationError(self.env._("%s: not the name of a tool.", ", ".join(wrong)))
                for pattern in names(profile[name]):
                    if not any(matches(frozenset({pattern}), tool) for tool in known):
                        raise ValidationError(self.env._("There is no tool %s.", pattern))

    def _layer(self, kind: str, held: frozenset[int]) -> Layer:
        rules = RuleSet(tuple(rule._compiled() for rule in self.rule_ids.sorted()))
        return replace(
            super()._layer(kind, held),
            tools=NameList(names(self.tools_allowed) or None, names(self.tools_denied)),
            rules=rules.for_groups(held),
            addresses=AddressRules(networks(self.ip_allowed or ""), networks(self.ip_denied or "")),
            companies=frozenset(self.company_ids.ids) or None,
            max_result=self._result_limit(kind),
            capture=self.payload_capture,
            lockdown=self.lockdown,
        )

    def _result_limit(self, kind: str) -> int:
        """Return the largest answer that the profile leaves, for the baseline with the setting; 0 for no limit."""
        # sudo: a system parameter that is read to be enforced. A change of it clears the cache that policies are in.
        stored = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.max_result") or ""
        limits = [self.max_result, int(stored) if kind == "baseline" and stored.isdecimal() else 0]
        return max(min(filter(None, limits), default=0), SMALLEST_RESULT) if any(limits) else 0

    @api.model
    @tools.ormcache()
    def _rule_groups(self) -> frozenset[int]:
        """Return the groups on whose members it depends what rules say, and who may have which profile."""
        # sudo: limits are read to be enforced, never shown.
        rules = self.env["mcp.profile.rule"].sudo().search([("group_ids", "!=", False)])
        profiles = self.sudo().with_context(active_test=False).search([("group_ids", "!=", False)])
        return frozenset((rules.group_ids | profiles.group_ids | self.env.ref("base.group_portal")).ids)

    def _note_rule(self, text: str) -> None:
        """Tell in the chatter what was done to a rule; the profile may just be made or deleted."""
        if self.exists():
            self._message_log(body=text)
