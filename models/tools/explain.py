from odoo import models

from ...services.schema import IDS, MODEL, choice, params, text
from ...services.tool import ToolResult, tool
from ..access_explanation import AccessExplainer

MOST_IDS = 50


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_explain_access",
        access="read",
        toolset="core",
        scoped=False,
        schema=params(
            model=MODEL,
            operation=choice("What for (default read).", "read", "write", "create", "delete"),
            ids=IDS,
            field=text("A field of it.", example="name"),
        ),
    )
    def _tool_explain_access(self, call, *, model, operation="read", ids=(), field=None) -> ToolResult:
        """Why you may or may not do something: which guardrail, profile, right, rule, company or field group decides,
        and which groups could. Use it after a refusal or not_found.
        """
        if len(ids) > MOST_IDS:
            call.note(f"Only the first {MOST_IDS} ids were looked at.")
        found = AccessExplainer(call, model, operation).explain(list(ids)[:MOST_IDS], field)
        facts = {
            "model": model,
            "operation": operation,
            "allowed": found.blocked_by is None,
            "blocked_by": found.blocked_by,
            "hidden_or_missing": found.hidden,
            "refused": found.refused,
            "checks": found.checks,
            "who_can": found.who_can,
        }
        facts = {key: value for key, value in facts.items() if value not in (None, [])}
        return ToolResult(facts, text=_as_text(facts))


def _as_text(facts: dict) -> str:
    verdict = "allowed" if facts["allowed"] else f"refused by: {facts['blocked_by']}"
    lines = [f"To {facts['operation']} {facts['model']}: {verdict}."]
    for check in facts["checks"]:
        mark = {True: "+", False: "x", None: "?"}[check["passes"]]
        failing = f" Fails for {', '.join(map(str, check['failing_ids']))}." if check.get("failing_ids") else ""
        lines.append(f"{mark} {check['layer']}: {check['text']}{failing}")
    for group in facts.get("who_can", ()):
        names = f": {', '.join(group['names'])}" if "names" in group else ""
        lines.append(f"Could: {group['group']} ({group['users']} users{names})")
    return "\n".join(lines)
