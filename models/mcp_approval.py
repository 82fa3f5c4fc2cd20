from datetime import timedelta

from odoo import api, fields, models

from . import approval_preview
from .later_call import FIXED

STATES = [
    ("waiting", "Waiting"),
    ("done", "Approved"),
    ("failed", "Approved, but failed"),
    ("refused", "Refused"),
    ("expired", "Expired"),
    ("withdrawn", "Withdrawn"),
]
DEFAULT_HOURS = 24
DEFAULT_RETENTION_DAYS = 90
ACTIVITY = "mcp_endpoint.mail_activity_type_approval"
PURGED_AT_ONCE = 500
LONGEST_TITLE = 160
# Requests whose questions are compared in one search, the latest first.
MOST_SEARCHED = 5_000


class McpApproval(models.Model):
    """One call of an assistant that waits for somebody's approval, or waited for it."""

    _name = "mcp.approval"
    _description = "Assistant's Request"
    _inherit = ["mcp.later.call"]
    # What is decided about never changes; a new preview of it may come.
    _fixed = FIXED | {"digest", "profile_ids", "approver_ids"}

    # Names no record: activities and the chatter show it to whoever may see that there is a request.
    name = fields.Char(string="Subject", required=True, readonly=True)
    title = fields.Char(string="Request", compute="_compute_preview_html", search="_search_title")
    state = fields.Selection(STATES, required=True, readonly=True, default="waiting", index=True)
    digest = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    question = fields.Text(readonly=True, groups=fields.NO_ACCESS)
    impact = fields.Char(readonly=True, help="What it would do, in short.")
    preview = fields.Json(readonly=True, groups=fields.NO_ACCESS)
    preview_date = fields.Datetime(string="Tried", readonly=True)
    preview_changed = fields.Boolean(readonly=True, help="It would do something else now than when it was asked for.")
    preview_html = fields.Html(string="What it would do", compute="_compute_preview_html", sanitize=False)
    arguments_html = fields.Html(string="What was called", compute="_compute_preview_html", sanitize=False)
    user_id = fields.Many2one(string="Requested for")
    profile_ids = fields.Many2many(
        "mcp.profile", string="Approval wanted by", readonly=True, context={"active_test": False}
    )
    approver_ids = fields.Many2many("res.users", "mcp_approval_approver_rel", string="Approvers", readonly=True)
    expires_at = fields.Datetime(string="Expires", required=True, readonly=True)
    decided_by_id = fields.Many2one("res.users", string="Decided by", readonly=True, ondelete="set null")
    decided_at = fields.Datetime(string="Decided", readonly=True)
    result = fields.Json(readonly=True, groups=fields.NO_ACCESS)
    result_text = fields.Text(readonly=True, groups=fields.NO_ACCESS)
    outcome_text = fields.Text(string="Outcome", compute="_compute_preview_html")
    is_shown = fields.Boolean(compute="_compute_preview_html")
    request_id = fields.Char(
        string="Request ID", readonly=True, help="Of the call that was run, in the audit log and the changes."
    )
    may_decide = fields.Boolean(compute="_compute_may_decide")
    is_mine = fields.Boolean(compute="_compute_may_decide")

    _one_waiting = models.UniqueIndex("(user_id, digest) WHERE state = 'waiting'", "A call waits once.")
    _token_date = models.Index("(token_id, id DESC)")

    @api.depends("state", "expires_at", "approver_ids", "user_id")
    @api.depends_context("uid")
    def _compute_may_decide(self):
        now = fields.Datetime.now()
        for approval in self:
            is_open = approval.state == "waiting" and approval.expires_at > now
            approval.may_decide = is_open and self.env.user in approval.approver_ids
            approval.is_mine = approval.user_id == self.env.user

    @api.depends("preview", "arguments", "result_text", "question", "name")
    @api.depends_context("lang", "uid")
    def _compute_preview_html(self):
        for approval in self:
            approval.is_shown = approval._is_shown()
            stored = approval._shown()
            preview = stored.preview or {}
            question = stored.question or approval.name
            approval.title = question if len(question) <= LONGEST_TITLE else f"{question[:LONGEST_TITLE]}…"
            approval.outcome_text = stored.result_text
            approval.preview_html = approval_preview.rendered(self.env, preview)
            approval.arguments_html = (
                approval_preview.rendered_arguments(stored.tool, stored.arguments or {}) if stored else False
            )
            if stored and not preview.get("changes"):
                # A message, a button: what it is about is in the arguments.
                approval.preview_html += approval.arguments_html

    def _search_title(self, operator, value):
        if operator not in ("ilike", "like", "=ilike", "=like", "in"):
            return NotImplemented
        # sudo: every question is compared, and only requests are found whose question is shown to the reader.
        found = self.sudo().search(fields.Domain("question", operator, value), limit=MOST_SEARCHED).sudo(self.env.su)
        shown = found._filtered_access("read").filtered(lambda approval: approval._is_shown())
        return fields.Domain("id", "in", shown.ids) | fields.Domain("name", operator, value)

    def _concerned(self):
        return self.user_id | self.approver_ids

    def action_open_changes(self):
        """Smart button *Changes*: what the approved call has changed."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("mcp_endpoint.action_mcp_change")
        return {**action, "domain": [("request_id", "=", self.request_id)], "context": {}}

    @api.model
    def _life(self) -> timedelta:
        # sudo: a system parameter that users may not read in general.
        hours = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.approval_hours", "")
        return timedelta(hours=int(hours) if hours.isdecimal() and int(hours) else DEFAULT_HOURS)

    def _link(self) -> str:
        return f"{self.get_base_url()}/odoo/mcp-approvals/{self.id}"

    @api.model
    def _expire_due(self, domain=()) -> None:
        """Close what nobody has decided on in time, among the rows of the domain that nobody is deciding on now."""
        due = fields.Domain("state", "=", "waiting") & fields.Domain("expires_at", "<=", fields.Datetime.now())
        # sudo: time is up for everybody's.
        for approval in self.sudo().search(due & fields.Domain(domain)).try_lock_for_update():
            approval._close("expired", None, approval.env._("Nobody decided in time."))

    @api.model
    def _cron_expire(self) -> None:
        """Close what nobody has decided on in time."""
        self._expire_due()

    def _close(self, state: str, decider, text: str = "") -> None:
        """Note a decision: on the row, in its chatter, for the requester, in the audit log."""
        self.ensure_one()
        now = fields.Datetime.now()
        # Set before the chatter is written, whose hooks may read it.
        self.write({"state": state, "decided_by_id": decider and decider.id, "decided_at": now})
        label = dict(self._fields["state"]._description_selection(self.env))[state]
        self.activity_ids.unlink()
        author = decider or self.env.ref("base.user_root")
        self.message_post(
            author_id=author.partner_id.id,
            body=f"{label}. {text}".strip(),
            subject=self.env._("%(state)s: %(call)s", state=label, call=self.name),
            subtype_xmlid="mail.mt_comment",
        )
        self.env["mcp.audit.log"]._record_event(
            method="approval",
            outcome="ok" if state in ("done", "failed", "withdrawn") else "refused",
            user_id=(decider or self.user_id).id,
            token_id=self.token_id.id or None,
            ip="",
            client="Odoo",
            reason=f"{state}: request {self.id} of {self.user_id.login}: {self.tool}",
        )

    @api.autovacuum
    def _gc_old_rows(self):
        """Delete decided requests past the retention time of the audit log."""
        # sudo: the vacuum's own parameters and rows.
        days = int(self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.audit_days", DEFAULT_RETENTION_DAYS))
        limit = fields.Datetime.now() - timedelta(days=days)
        old = self.search([("state", "!=", "waiting"), ("decided_at", "<", limit)], limit=PURGED_AT_ONCE)
        old.unlink()
        return len(old), len(old) == PURGED_AT_ONCE
