import uuid
from collections.abc import Mapping
from datetime import datetime

from odoo import api, models

from ..services import job_parts
from ..services import schema as schemas
from ..services.errors import InvalidParams, NeedsInput, ToolError
from ..services.policy import FOLLOW_UP_TOOL, JOB_TOOL
from ..services.questions import Question
from ..services.tool import ToolSpec
from . import call_time, job_answers
from .batch_steps import scope_of
from .call_questions import CONSENT
from .later_call import narrowing_as_json
from .mcp_job import OPEN
from .odoo_errors import translating
from .rehearsal import rehearsed

# These look at jobs themselves.
NOT_A_JOB = frozenset({JOB_TOOL, FOLLOW_UP_TOOL})
# Beside the call, not in it: the job has its own.
_HANDLED_BY_JOB = ("idempotency_key", "confirm_token")
# How long it is tried before it is queued, to ask first what it would ask. What takes longer asks when it runs.
TRIAL_SECONDS = 5
LONGEST_NAME = 160


class McpJob(models.Model):
    """The assistant's side: a call is checked as if it were made now, and queued."""

    _inherit = "mcp.job"

    @api.model
    def _submit(
        self,
        call,
        tool: str,
        arguments: Mapping,
        *,
        in_parts: bool = False,
        priority: str = "1",
        not_before: datetime | None = None,
    ):
        """Queue a call of another tool and return its job.

        :param call: of the tool that queues it, in whose environment this is
        :raises ToolError: the call would be refused or fail, or the user has too many jobs
        """
        registry = self.env["mcp.tool.registry"]
        try:
            spec, arguments = registry._find(tool, arguments)
        except InvalidParams as error:
            raise ToolError("unknown_tool", error.message, fix="Use the name of a tool you have.") from error
        if spec.name in NOT_A_JOB:
            raise ToolError("not_possible", f"{spec.name} cannot be a job.", fix="Call it by itself.")
        if apart := [name for name in _HANDLED_BY_JOB if arguments.get(name) not in (None, "")]:
            raise ToolError("invalid_arguments", f"{apart[0]} belongs to the job.", fix="Give it beside tool.")
        arguments, parts_by = _checked(spec, arguments) if in_parts else (dict(arguments), None)
        first = {**arguments, parts_by: arguments[parts_by][: job_parts.FIRST_SIZE]} if parts_by else arguments
        inner, options = registry._prepare(call.exchange, spec, {**scope_of(call), **first})
        self.env["mcp.policy"]._authorize(inner)
        total = len(arguments[parts_by]) if parts_by else 0
        is_agreed = False
        if spec.access != "read" and not options.get("dry_run"):
            is_agreed = self._ask_first(call, inner, is_later=not_before is not None, total=total)
        return self._queue(
            inner,
            {**scope_of(call), **arguments},
            parts_by=parts_by,
            total=total,
            priority=priority,
            not_before=not_before,
            answers=inner.answers,
            # What was asked about the job was asked as the profile wants it. What the trial did not show was not: a
            # client may have said yes to the job as a whole.
            proven=call.policy.confirms_on_page and is_agreed,
        )

    def _ask_first(self, call, inner, *, is_later: bool, total: int) -> bool:
        """Have answered now what the call would ask when it runs, as far as a short trial shows it.

        The answers are those of the inner call then.

        :param total: items of all parts, of which the first is tried; 0 where it is not run in parts
        :return: whether something was asked, and agreed to
        :raises NeedsInput: there is no answer yet
        """
        if inner.policy.confirmation == "always" or inner.approved:
            # The pipeline has asked about the job as a whole.
            inner.answers.setdefault(CONSENT, job_answers.YES)
        asks = inner.policy.confirmation != "never" or inner.tainted
        if not asks or (inner.spec.heavy and not inner.spec.destructive):
            return False
        asked = self._tried(inner, is_later=is_later)
        if asked:
            texts = list(dict.fromkeys(question.message for question in asked))
            texts += job_answers.scope(total, job_parts.FIRST_SIZE)
            preview = {"questions": [dict(question.preview) for question in asked]}
            call.need(CONSENT, Question(" ".join(texts), preview=preview))
            inner.answers[CONSENT] = job_answers.YES
        return bool(asked)

    def _tried(self, inner, *, is_later: bool) -> list[Question]:
        """Return what the call would ask for consent to, by trying it for a while and taking all of it back."""
        inner.restart(rehearsing=True)
        try:
            with translating(inner.env), call_time.limited(inner.env, seconds=TRIAL_SECONDS), rehearsed(inner.env):
                self.env["mcp.tool.registry"].with_env(inner.env).execute_tool(inner)
        except NeedsInput:
            raise
        except ToolError as error:
            # What cannot be tried now is seen when it runs; what would fail is better said at once.
            if error.code not in ("cannot_rehearse", "timeout") and not is_later:
                raise
        return list(inner.asked)

    def _queue(self, call, arguments: Mapping, **facts):
        """Create the row of a call that was checked, and wake the runners.

        :param call: the call itself, not the one that queues it
        :param facts: further fields
        """
        limit = self.env["mcp.limits"]._settings().jobs_open
        # sudo: nobody may create jobs over RPC; this one is the caller's own, and counted among theirs.
        jobs = self.sudo().with_context(mail_create_nosubscribe=True, mail_create_nolog=True, tracking_disable=True)
        if limit and jobs.search_count([("user_id", "=", call.env.uid), ("state", "in", OPEN)]) >= limit:
            raise ToolError(
                "too_many_jobs",
                f"{limit} jobs of this user wait or run already. Nothing was queued.",
                fix=f"Wait until some are done ({FOLLOW_UP_TOOL}), or cancel some.",
                retryable=True,
            )
        start = self.env.cr.now()
        job = jobs.create(
            {
                **self._asked_by(call),
                "name": _name(call, facts.get("total") or 0),
                "arguments": dict(arguments),
                "narrowing": narrowing_as_json(call.exchange.narrowing),
                "capabilities": job_answers.ABILITIES,
                "approval_id": call.exchange.approval_id,
                "tainted": call.tainted,
                "part_size": job_parts.FIRST_SIZE,
                "expires_at": max(start, facts.get("not_before") or start) + self._life(),
                "request_id": uuid.uuid4().hex,
                **facts,
            }
        )
        job._wake(facts.get("not_before"))
        return job

    @api.model
    def _may_run(self, call) -> bool:
        """Say whether the caller of a tool may run it as a job instead."""
        spec = self.env["mcp.tool.registry"]._specs().get(JOB_TOOL)
        if spec is None or call.spec.name in NOT_A_JOB or call.exchange.job_id:
            return False
        return bool(self.env["mcp.policy"]._callable([spec], call.policy, call.exchange.narrowing))


def _checked(spec: ToolSpec, arguments: Mapping) -> tuple[dict[str, object], str]:
    """Return the arguments of a call that runs in parts, all parts validated, and by which of them it is cut."""
    name = job_parts.argument_of(spec, arguments)
    items = arguments[name]
    if not 0 < len(items) <= job_parts.MOST_ITEMS:
        raise ToolError(
            "invalid_arguments",
            f"{name} has 1 to {job_parts.MOST_ITEMS} items, not {len(items)}.",
            fix="Make several jobs of it.",
        )
    valid = None
    checked: list[object] = []
    for piece in job_parts.slices(items):
        valid = schemas.validate(spec.schema, {**arguments, name: list(piece)}, access=spec.access)
        checked.extend(valid.arguments[name])
    return {**valid.arguments, name: checked}, name


def _name(call, count: int) -> str:
    model = call.arguments.get("model")
    label = call.env["ir.model"]._get(model).name if isinstance(model, str) and model in call.env else None
    name = f"{call.spec.title}: {label}" if label else call.spec.title
    name = f"{name} ({count})" if count else name
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
