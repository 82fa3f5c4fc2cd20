from odoo import api, models, tools

from ..services.errors import InsufficientScope, PolicyDenied
from ..services.exchange import Exchange, Narrowing
from ..services.http_gate import is_plain_from_elsewhere
from ..services.oauth import challenge, scopes
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
        for rule in (
            self._rule_endpoint,
            self._rule_address,
            self._rule_readonly_url,
            self._rule_narrowed_url,
            self._rule_profile,
            self._rule_administrator,
        ):
            rule(call)

    @api.model
    @tools.ormcache(cache="stable")
    def _is_paused(self) -> bool:
        """Say whether an administrator has switched the whole endpoint off. Asked before every request, from memory."""
        # sudo: a system parameter that is read to be enforced.
        return self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.paused") == "True"

    @api.model
    def _needs_https(self, scheme: str, host: str) -> bool:
        """Say whether a request is refused for coming without TLS. This machine itself may always."""
        if not is_plain_from_elsewhere(scheme, host):
            return False
        # sudo: a system parameter that is read to be enforced.
        return self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.https_only") == "True"

    def _rule_endpoint(self, call) -> None:
        if self._is_paused():
            raise PolicyDenied("endpoint:paused", "An administrator has switched this endpoint off.")

    def _rule_address(self, call) -> None:
        call.policy.check_address(call.exchange.credential.ip)

    def _rule_readonly_url(self, call) -> None:
        if call.exchange.narrowing.readonly and call.spec.needs != "read":
            raise PolicyDenied("url:readonly", f"{call.spec.name} changes data and this connection is read only.")

    def _rule_narrowed_url(self, call) -> None:
        spec = call.spec
        if _is_left_out(spec, call.exchange.narrowing) and not call.policy.lists_follow_up(spec):
            raise PolicyDenied("url:toolsets", f"{spec.name} is left out by the URL of this connection.")

    def _rule_profile(self, call) -> None:
        call.policy.check_tool(call.spec)

    def _rule_administrator(self, call) -> None:
        if call.spec.access == "admin" and not call.env.user.has_group("mcp_endpoint.group_mcp_admin"):
            raise PolicyDenied("user:group", f"{call.spec.name} needs a user in the group MCP Administrator.")

    @api.model
    def _check_scope(self, spec: ToolSpec, exchange: Exchange) -> None:
        """Check that the connection was granted the scope that a tool needs.

        Only where nothing else is in the way: a client that is challenged sends its user through a login, which has to
        help. What the profile, the URL or the groups refuse is a tool error.

        :raises InsufficientScope: with the scope to ask for
        """
        granted, narrowing = exchange.credential.scopes, exchange.narrowing
        needed = f"mcp:{spec.needs}"
        if granted is None or needed in scopes.implied(granted):
            return
        is_closed = _is_left_out(spec, narrowing) or (narrowing.readonly and spec.needs != "read")
        is_administrator = self.env.user.has_group("mcp_endpoint.group_mcp_admin")
        if is_closed or (spec.access == "admin" and not is_administrator):
            return
        if self.env["mcp.profile"]._compiled_for(exchange.credential, scoped=False).allows_tool(spec):
            message = f"{spec.name} needs the scope {needed}"
            url = self.env["mcp.oauth.server"]._resource_metadata_url()
            header = challenge.bearer(url, (needed,), "insufficient_scope", message)
            raise InsufficientScope(f"{message}, which was not granted to this connection.", header)

    @api.model
    def _visible(self, specs: list[ToolSpec], policy: CompiledPolicy, narrowing: Narrowing) -> list[ToolSpec]:
        """Return the tools that this caller is shown: those no rule would refuse, less what the URL leaves out.

        Nor those that need more scope. Who has granted reading alone has decided so, and a model that is shown a tool
        tries it: its user would be sent through a login for what they have just declined, and clients differ in
        surviving that. The challenge is for those who know a tool from an earlier, wider grant, or by its name.
        """
        return [
            spec
            for spec in self._callable(specs, policy, narrowing)
            if _is_asked_for(spec, narrowing) or policy.lists_follow_up(spec)
        ]

    @api.model
    def _callable(self, specs: list[ToolSpec], policy: CompiledPolicy, narrowing: Narrowing) -> list[ToolSpec]:
        """Return the tools that no rule would refuse to this caller, those on request included."""
        is_administrator = self.env.user.has_group("mcp_endpoint.group_mcp_admin")
        return [
            spec
            for spec in specs
            if policy.allows_tool(spec)
            and (spec.access != "admin" or is_administrator)
            and not (narrowing.readonly and spec.needs != "read")
            and (not _is_left_out(spec, narrowing) or policy.lists_follow_up(spec))
            and not _is_excluded(spec, narrowing)
        ]


def _is_asked_for(spec: ToolSpec, narrowing: Narrowing) -> bool:
    """Say whether the URL leaves the tool in the list: by default those that most conversations need."""
    if narrowing.toolsets is None:
        return not spec.on_request
    return ALL_TOOLSETS in narrowing.toolsets or spec.toolset in narrowing.toolsets


def _is_left_out(spec: ToolSpec, narrowing: Narrowing) -> bool:
    # Not those on request: they are off the list by default, not by the URL.
    is_outside = narrowing.toolsets is not None and not _is_asked_for(spec, narrowing)
    return is_outside or _is_excluded(spec, narrowing)


def _is_excluded(spec: ToolSpec, narrowing: Narrowing) -> bool:
    return spec.name in narrowing.exclude or spec.toolset in narrowing.exclude
