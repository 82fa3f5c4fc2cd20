from odoo import api, models

from ..services.errors import PolicyDenied
from ..services.exchange import Narrowing
from ..services.policy import CompiledPolicy
from ..services.tool import ToolSpec

# `?toolsets=all` lists every tool the caller may use, those on request included.
ALL_TOOLSETS = "all"


class McpPolicy(models.AbstractModel):
    """Who may call what. The rules run in order; the first refusal wins and is named in the error and the audit log.

    What a call then does with models and fields is checked where it happens, in `ToolCall`, by the same policy.
    """

    _name = "mcp.policy"
    _description = "MCP Policy"

    @api.model
    def _authorize(self, call) -> None:
        """:raises PolicyDenied: by the first rule that refuses this call"""
        for rule in (self._rule_readonly_url, self._rule_narrowed_url, self._rule_profile, self._rule_administrator):
            rule(call)

    def _rule_readonly_url(self, call) -> None:
        if call.exchange.narrowing.readonly and call.spec.access != "read":
            raise PolicyDenied("url:readonly", f"{call.spec.name} changes data and this connection is read only.")

    def _rule_narrowed_url(self, call) -> None:
        spec, narrowing = call.spec, call.exchange.narrowing
        # Not those on request: they are off the list by default, not by the URL.
        is_outside = narrowing.toolsets is not None and not _is_asked_for(spec, narrowing)
        if is_outside or _is_excluded(spec, narrowing):
            raise PolicyDenied("url:toolsets", f"{spec.name} is left out by the URL of this connection.")

    def _rule_profile(self, call) -> None:
        call.policy.check_tool(call.spec)

    def _rule_administrator(self, call) -> None:
        if call.spec.access == "admin" and not call.env.user.has_group("mcp_endpoint.group_mcp_admin"):
            raise PolicyDenied("user:group", f"{call.spec.name} needs a user in the group MCP Administrator.")

    @api.model
    def _visible(self, specs: list[ToolSpec], policy: CompiledPolicy, narrowing: Narrowing) -> list[ToolSpec]:
        """Return the tools that this caller is shown: those no rule would refuse, less what the URL leaves out."""
        is_administrator = self.env.user.has_group("mcp_endpoint.group_mcp_admin")
        return [
            spec
            for spec in specs
            if policy.allows_tool(spec)
            and (spec.access != "admin" or is_administrator)
            and not (narrowing.readonly and spec.access != "read")
            and _is_asked_for(spec, narrowing)
            and not _is_excluded(spec, narrowing)
        ]


def _is_asked_for(spec: ToolSpec, narrowing: Narrowing) -> bool:
    """Say whether the URL leaves the tool in the list: by default those that most conversations need."""
    if narrowing.toolsets is None:
        return not spec.on_request
    return ALL_TOOLSETS in narrowing.toolsets or spec.toolset in narrowing.toolsets


def _is_excluded(spec: ToolSpec, narrowing: Narrowing) -> bool:
    return spec.name in narrowing.exclude or spec.toolset in narrowing.exclude
