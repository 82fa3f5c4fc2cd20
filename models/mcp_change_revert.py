import time
import uuid

from odoo import models

from ..services.errors import ToolError
from ..services.exchange import Credential, Exchange, Message
from ..services.policy import CompiledPolicy, Layer
from ..services.tool import ToolResult
from ..services.versions import V2026_07_28
from .call_environment import call_environment
from .odoo_errors import CALLER_ERRORS, translated
from .rehearsal import changing
from .tool_call import ToolCall

# A person at Odoo's own screens is not an assistant: guardrails and the user's rights hold, profiles do not. The
# button's own question was the confirmation.
_POLICY = CompiledPolicy((Layer("user", "Odoo", "admin", True, None, "never"),))


class McpChange(models.Model):
    _inherit = "mcp.change"

    def action_revert(self):
        """Undo this change as the logged-in user, by the code and with the journal and audit row of `odoo_undo`."""
        self.ensure_one()
        env = call_environment(self.env, _POLICY)
        arguments = {"change_id": self.id}
        exchange = Exchange(
            message=Message("button/revert", {"name": "odoo_undo", "arguments": arguments}),
            version=V2026_07_28,
            credential=Credential("user", None, env.uid, None, None),
            request_id=uuid.uuid4().hex,
            client={"name": "Odoo"},
            transport="odoo",
        )
        registry = env["mcp.tool.registry"]
        call = ToolCall(env, exchange, registry._declared()["odoo_undo"], _POLICY, arguments)
        started = time.perf_counter()
        error = result = None
        try:
            with changing(env):
                result = registry._tool_undo(call, **arguments)
        except (ToolError, *CALLER_ERRORS) as raised:
            error = raised if isinstance(raised, ToolError) else translated(raised, env)
            if error is None:
                raise
        env["mcp.audit.log"]._record(
            exchange,
            tool="odoo_undo",
            outcome="error" if error else "ok",
            reason=error,
            model=call.model,
            record_ids=call.record_ids,
            duration_ms=(time.perf_counter() - started) * 1000,
        )
        # An exception would take the audit row back.
        return self._notification(error, result, call.notes)

    def _notification(self, error: ToolError | None, result: ToolResult | None, notes: list[str]) -> dict:
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "danger" if error else "success",
                "title": self.env._("Not undone") if error else self.env._("Undone"),
                "message": error.message if error else "\n".join([*result.text.splitlines()[1:], *notes]),
                "sticky": bool(error or notes),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
