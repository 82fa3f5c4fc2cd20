import uuid
from collections.abc import Callable
from functools import partial

from odoo import fields, models
from odoo.api import Environment
from odoo.exceptions import AccessError
from odoo.service.model import retrying

from ..services.errors import HttpRefusal, ProtocolError, ToolError
from ..services.exchange import Exchange, Message
from ..services.versions import V2026_07_28
from .approval_preview import impact
from .odoo_errors import translating

LONGEST_RESULT = 2000


class McpApproval(models.Model):
    """The person's side: approve, refuse, withdraw. The approved call then runs, once, as its own user.

    Decision, call, audit rows and journal are one transaction of their own, on a row that is locked: whoever comes
    second finds it decided. It is a fresh cursor, because what runs there must find no other user's environment.
    """

    _inherit = "mcp.approval"

    def action_approve(self):
        """Button *Approve*: run the call now."""
        self._check_is_approver()
        return self._decide(self._approved)

    def action_refuse(self):
        """Button *Refuse*."""
        self._check_is_approver()
        return self._decide(lambda approval, decider: approval._ended("refused", decider, approval.env._("Refused.")))

    def action_withdraw(self):
        """Button *Withdraw*, for the user whose assistant asked."""
        self.ensure_one()
        self.check_access("read")
        if self.user_id != self.env.user:
            raise AccessError(self.env._("Only the user whose assistant has asked may withdraw a request."))
        return self._decide(
            lambda approval, decider: approval._ended("withdrawn", decider, approval.env._("Withdrawn."))
        )

    def _check_is_approver(self) -> None:
        """:raises AccessError: the user was not asked, or may not decide any more"""
        self.ensure_one()
        self.check_access("read")
        # sudo: whom the profiles accept now; only membership of the person who asks is told.
        approval = self.sudo().with_context(active_test=False)
        accepted = self.env["mcp.profile"]._approvers(approval.profile_ids, approval.user_id)
        if self.env.user not in approval.approver_ids & accepted:
            raise AccessError(self.env._("You are not one of those who may decide on this request."))

    def _decide(self, deed: Callable) -> dict:
        """Run a decision in its own transaction and return what the screen shows of it.

        :param deed: takes the locked, waiting request and who decides; returns kind and text of a notification
        """
        with self.env.registry.cursor() as cr:
            # sudo: the user of a request that the caller was checked for.
            env = Environment(cr, self.sudo().user_id.id, {})
            kind, text = retrying(partial(_decided, env, self.id, self.env.uid, self.env.lang, deed), env)
        self.env.invalidate_all(flush=False)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": text,
                "sticky": kind != "success",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _ended(self, state: str, decider, text: str) -> tuple[str, str]:
        self._close(state, decider)
        return "success", text

    def _approved(self, approval, decider) -> tuple[str, str]:
        """Run the call under the policy of this moment, unless it would now do something else than was shown."""
        run = approval._run_of_call()
        if reason := approval._why_dead():
            result = None
        elif (changed := approval._changed_preview(run)) is not None:
            approval.write({**changed, "preview_changed": True, "preview_date": fields.Datetime.now()})
            text = approval.env._("The records have changed since: it would now do something else. Look at it again.")
            approval.message_post(body=text, author_id=decider.partner_id.id, subtype_xmlid="mail.mt_note")
            return "warning", text
        else:
            result, reason = approval._run(run)
        text = (reason or _text(result))[:LONGEST_RESULT]
        approval.write({"result": result, "result_text": text, "request_id": run.request_id})
        approval._close("failed" if reason else "done", decider)
        if reason:
            return "danger", approval.env._("Approved, but it failed: %s", text)
        return "success", approval.env._("Approved and done.")

    def _run_of_call(self) -> Exchange:
        """Return the call as its own token would make it now."""
        return Exchange(
            message=Message("tools/call", {"name": self.tool, "arguments": self.arguments or {}}, id=self.id),
            version=V2026_07_28,
            credential=self._credential(),
            request_id=uuid.uuid4().hex,
            client={"name": self.client or ""},
            transport="approval",
            approval_id=self.id,
        )

    def _changed_preview(self, run: Exchange) -> dict | None:
        """Return the values of a new preview if it differs from the one that was approved, None if it does not.

        What would fail is left to the run itself, which says why.
        """
        if not (shown := (self.preview or {}).get("fingerprint")):
            return None
        registry = _acting(self.env, self.user_id.id)["mcp.tool.registry"]
        try:
            spec, arguments = registry._find(self.tool, self.arguments or {})
            call, _options = registry._prepare(run, spec, arguments)
            registry.env["mcp.policy"]._authorize(call)
            with translating(call.env):
                preview = self._preview(call)
        except (ToolError, ProtocolError):
            return None
        if preview["fingerprint"] == shown:
            return None
        return {"preview": preview, "impact": impact(self.env, preview)}

    def _run(self, run: Exchange) -> tuple[dict | None, str | None]:
        """Return the call's result, and why it failed if it did."""
        registry = _acting(self.env, self.user_id.id)["mcp.tool.registry"]
        try:
            result = registry._call_tool(run)
        except (ProtocolError, HttpRefusal) as error:
            return None, error.message
        return result, _text(result) if result["isError"] else None


def _decided(env: Environment, approval_id: int, decider_id: int, lang: str | None, deed: Callable) -> tuple[str, str]:
    """Lock the request, and do what was decided if it still waits."""
    env.transaction.default_env = env
    # sudo: who may decide was checked; the requester, whose transaction this is, has no write access to requests.
    approval = env["mcp.approval"].sudo().with_context(lang=lang).browse(approval_id)
    if not approval.try_lock_for_update():
        return "warning", approval.env._("Somebody is deciding on this right now, or it is gone.")
    if approval.state == "waiting" and approval.expires_at <= fields.Datetime.now():
        approval._close("expired", None)
    if approval.state != "waiting":
        label = dict(approval._fields["state"]._description_selection(approval.env))[approval.state]
        return "warning", approval.env._("This was decided before: %s.", label)
    # sudo: as above.
    return deed(approval, approval.env["res.users"].browse(decider_id))


def _acting(env: Environment, user_id: int) -> Environment:
    """Return the requester's own environment, as a request of their token has it."""
    return env(user=user_id, context={}, su=False)


def _text(result: dict) -> str:
    return "\n".join(block["text"] for block in result["content"] if block["type"] == "text")
