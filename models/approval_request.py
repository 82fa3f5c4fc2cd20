from datetime import timedelta

from markupsafe import Markup
from odoo import api, fields, models

from ..services import canonical
from ..services.errors import ToolError
from ..services.policy import FOLLOW_UP_TOOL
from ..services.questions import Question
from ..services.times import to_wire
from ..services.tool import ToolResult
from . import approval_preview
from .mcp_approval import ACTIVITY
from .single_row import create_single

# A repeated call gets the outcome of the decided one for so long; an idempotency_key makes it another call.
REMEMBERED = timedelta(hours=24)
MOST_WAITING = 50
_ASK_ANEW = "To ask for it anew, call with a new idempotency_key."
_HANDLED_BEFORE = ("dry_run", "confirm_token")


class McpApproval(models.Model):
    """The assistant's side: a call is parked, and the same call, made again, learns what became of it."""

    _inherit = "mcp.approval"

    @api.model
    def _park(self, call, options: dict, question: Question) -> ToolResult:
        """Return the result of a call that its profile does not let run without approval.

        :param call: to be tried once more, for the preview; nothing of it was kept so far
        :raises ToolError: the call would fail, or nobody could approve it
        """
        preview = self._preview(call)
        grave = bool(call.asked) or preview["fingerprint"] is None
        # sudo: which profiles ask is read to be enforced.
        profiles = (
            self.env["mcp.profile"]
            .sudo()
            .browse(layer.profile_id for layer in call.policy.approving(grave=grave) if layer.profile_id)
        )
        approvers = self.env["mcp.profile"]._approvers(profiles, call.env.user)
        if not approvers:
            raise ToolError(
                "no_approver",
                f"This needs an approval that nobody may give ({', '.join(profiles.mapped('name'))}). Nothing is done.",
                fix="Tell the user: an administrator has to name approvers in the access profile.",
            )
        message = call.asked[0].message if call.asked else question.message
        if message == f"{call.spec.title}?":
            message = approval_preview.headline(call.env, call.spec.title, preview)
        return self._requested(call, options, message, preview, profiles, approvers)._outcome(call)

    def _digest(self, call, options: dict) -> str:
        # One level down: the digest of a call leaves out names at its top that here make another call.
        essence = {"call": dict(call.arguments), "key": options.get("idempotency_key"), "company": call.env.company.id}
        return canonical.digest(call.spec.name, {**essence, "token": call.exchange.credential.token_id})

    @api.model
    def _known_outcome(self, call, options: dict) -> ToolResult | None:
        """Return what became of this very call, if it waits or was decided on lately; None for a new one."""
        if call.approved or call.policy.approval == "never":
            return None
        # sudo: found by user and by a digest that has the token in it.
        own = self.sudo().search(
            [("user_id", "=", call.env.uid), ("digest", "=", self._digest(call, options))], limit=1
        )
        now = fields.Datetime.now()
        if own.state == "waiting" and own.expires_at <= now:
            self._expire_due([("id", "=", own.id)])
        decided = own.state in ("done", "failed", "refused") and own.decided_at > now - REMEMBERED
        return own._outcome(call) if own.state == "waiting" or decided else None

    def _preview(self, call) -> dict:
        """Return what the call would do, its fingerprint None where that cannot be tried.

        What it would ask is in `call.asked` then: a call that asks nothing is not one of the grave ones.
        """
        call.restart(rehearsing=True)
        try:
            result = self.env["mcp.tool.registry"]._rehearse(call)
        except ToolError as error:
            if error.code != "cannot_rehearse":
                raise
            return {"text": error.message, "fingerprint": None}
        return approval_preview.rehearsed_facts(call, result)

    def _requested(self, call, options: dict, message: str, preview: dict, profiles, approvers):
        """Create the request and tell those who decide."""
        # sudo: nobody may create requests over RPC; this one is the caller's own.
        approvals = self.sudo().with_context(mail_create_nosubscribe=True, mail_create_nolog=True)
        if approvals.search_count([("user_id", "=", call.env.uid), ("state", "=", "waiting")]) >= MOST_WAITING:
            raise ToolError(
                "too_many_waiting",
                f"{MOST_WAITING} calls of this user wait for an approval already. Nothing was done.",
                fix="Ask the user to have them decided on, or to withdraw some in Odoo.",
            )
        given = {name: value for name, value in options.items() if name not in _HANDLED_BEFORE}
        message = approval_preview.plain(message)
        approval = create_single(
            approvals,
            {
                "name": approval_preview.subject(approvals.env, call.spec.title, preview),
                **self._asked_by(call),
                "arguments": {**call.arguments, **given},
                "digest": self._digest(call, options),
                "question": message,
                "impact": approval_preview.impact(approvals.env, preview),
                "preview": preview,
                "preview_date": fields.Datetime.now(),
                "profile_ids": profiles.ids,
                "approver_ids": approvers.ids,
                "expires_at": fields.Datetime.now() + self._life(),
            },
        )
        approval.message_subscribe(call.env.user.partner_id.ids)
        approval._tell_approvers()
        return approval

    def _tell_approvers(self) -> None:
        """Give each approver an activity, and a mail or notification as they prefer, in their language."""
        self.ensure_one()
        for lang, users in self.approver_ids.grouped("lang").items():
            # No mail of its own for the activity: the notification says more.
            approval = self.with_context(lang=lang, mail_activity_quick_update=True)
            env = approval.env
            subject = env._("Approve or refuse: %s", self.title)
            for user in users:
                approval.activity_schedule(
                    ACTIVITY, user_id=user.id, summary=self.name, date_deadline=self.expires_at.date()
                )
            text = env._(
                "%(client)s asks for this on behalf of %(user)s. Nothing was done yet; without a decision it expires.",
                client=self.client,
                user=self.user_id.name,
            )
            approval.message_notify(
                partner_ids=users.partner_id.ids,
                subject=subject,
                body=Markup('<p><b>%s</b></p><p>%s</p><p>%s</p><p><a href="%s">%s</a></p>')
                % (self.question, text, self.impact or "", self._link(), env._("Look at it and decide")),
                email_layout_xmlid="mail.mail_notification_light",
            )

    def _outcome(self, call) -> ToolResult:
        """Return what the assistant is told of its call."""
        self.ensure_one()
        facts = self._facts(call.env.context.get("tz"))
        if self.state == "waiting":
            people = ", ".join(self.approver_ids.mapped("name")[:5])
            following = f"{FOLLOW_UP_TOOL} kind=approval id={self.id}"
            text = (
                f"Not done yet: request {self.id} waits for approval by {people} in Odoo, until {facts['expires']}. "
                f"Tell the user. {following} tells the outcome; do not try another way."
            )
            return ToolResult({**facts, "status": "waiting_for_approval", "next": following}, text=text)
        if self.state == "refused":
            return ToolResult(
                facts, text=f"Request {self.id} was refused by {facts['decided_by']}. Nothing was done. {_ASK_ANEW}"
            )
        if self.state == "failed":
            return ToolResult(facts, text=f"Request {self.id} was approved, but failed: {self.result_text} {_ASK_ANEW}")
        call.note(f"Request {self.id} was approved by {facts['decided_by']} and run: this is its result. {_ASK_ANEW}")
        result = self.result or {}
        text = "\n".join(block["text"] for block in result.get("content", ()) if block["type"] == "text")
        blocks = [block for block in result.get("content", ()) if block["type"] != "text"]
        return ToolResult(
            result.get("structuredContent") or {}, text=text, content=blocks, meta=result.get("_meta") or {}
        )

    @api.model
    def _listed(self, call, request_id: int | None, status: str | None, limit: int) -> ToolResult:
        """Return the requests of the caller's own token: another one's may see more than this one may."""
        own = fields.Domain("user_id", "=", call.env.uid)
        own &= fields.Domain("token_id", "=", call.exchange.credential.token_id)
        if request_id:
            own &= fields.Domain("id", "=", request_id)
        tz = call.env.context.get("tz")
        # sudo: the caller's own requests; people reach them through the list in Odoo.
        found = self.sudo().search(own, limit=200)
        if request_id and not found:
            raise ToolError("not_found", f"You have no request {request_id}.", fix="Leave id out to list them.")
        rows = [(approval, approval._facts(tz)) for approval in found]
        rows = [(approval, facts) for approval, facts in rows if status in (None, facts["status"])]
        shown = [facts for _approval, facts in rows[:limit]]
        lines = [f"{len(rows)} request(s)."] if not request_id else []
        lines += [f"{each['id']}: {each['status']}: {each['request']}" for each in shown]
        if request_id and rows and (result := found.result):
            shown[0]["result"] = result.get("structuredContent") or {}
            lines += [block["text"] for block in result.get("content", ()) if block["type"] == "text"]
        return ToolResult({"jobs": shown, "count": len(rows)}, text="\n".join(lines))

    def _facts(self, tz: str | None) -> dict[str, object]:
        """Return the state of a request as plain JSON, for its own assistant."""
        status = self.state
        if status == "waiting":
            status = "waiting_for_approval" if self.expires_at > fields.Datetime.now() else "expired"
        facts = {
            "id": self.id,
            "kind": "approval",
            "tool": self.tool,
            "request": self.title,
            "status": status,
            "requested": to_wire(self.create_date, tz),
            "expires": to_wire(self.expires_at, tz) if self.state == "waiting" else None,
            "decided": to_wire(self.decided_at, tz) if self.decided_at else None,
            "decided_by": self.decided_by_id.name or None,
            "error": self.result_text if self.state == "failed" else None,
        }
        return {name: value for name, value in facts.items() if value is not None}
