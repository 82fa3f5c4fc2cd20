"""The steps of a batch: each is a whole call of its own inside the batch's, with one question for all of them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odoo.models import BaseModel

from ..services import step_references
from ..services.errors import Cancelled, InvalidParams, NeedsInput, PolicyDenied, ToolError
from ..services.questions import AnyQuestion, Question
from ..services.tool import ToolResult
from .call_environment import open_companies
from .call_questions import CONSENT
from .odoo_errors import translating
from .rehearsal import reading, rehearsed
from .tool_call import ToolCall

# These run calls themselves, or outside this transaction.
NOT_IN_A_BATCH = frozenset({"odoo_batch", "odoo_import_records", "odoo_run_job", "odoo_call_tool"})
_HANDLED_BY_BATCH = ("dry_run", "idempotency_key", "confirm_token")


@dataclass
class Step:
    """One step that was begun, for the audit log."""

    number: int
    name: str
    call: ToolCall | None
    started: float
    duration: float = 0.0
    error: ToolError | None = None
    result: ToolResult | None = None


class StepCall(ToolCall):
    """The call of one step. What it would ask is asked once, by the batch, which also reports."""

    reports = False

    def __init__(self, call: ToolCall, batch: ToolCall) -> None:
        super().__init__(call.env, call.exchange, call.spec, call.policy, call.arguments, rehearsing=batch.rehearsing)
        self.notes, self.boundary = call.notes, batch.boundary
        self.batch = batch
        self.questions: list[Question] = []

    def can_ask(self, key: str, question: AnyQuestion) -> bool:
        return False

    def _answer(self, key: str, question: AnyQuestion) -> Mapping[str, object] | None:
        if not question.is_consent:
            raise ToolError(
                "not_possible",
                f"This needs an answer that a batch cannot ask for: {question.message}",
                fix="Make this step a call of its own.",
            )
        if self.rehearsing:
            self.questions.append(question)
            self.batch.asked.append(question)
            return {"confirm": True}
        return self.batch.need(CONSENT, question)


class BatchRun:
    """The run of a batch's steps, each through the registry's own gate.

    :param registry: `mcp.tool.registry` in the environment of the batch
    """

    def __init__(self, registry: BaseModel, call: ToolCall) -> None:
        self.registry = registry
        self.call = call

    def run(self, steps: Sequence[Mapping]) -> list[Step]:
        """Run all steps in the transaction of the call and return them with their results.

        :raises ToolError: of the first step that fails, naming it; the pipeline then takes everything back
        """
        step_references.check_order(steps)
        call = self.call
        if not call.rehearsing and call.policy.confirmation != "never":
            # A "no" ends it here, before the first step.
            call.check_refusals()
            if not call.consented:
                self._ask_once(steps)
        return self._run_all(steps)

    def _ask_once(self, steps: Sequence[Mapping]) -> None:
        """Try the steps, taking everything back, to learn what they would ask before anything has an effect.

        :raises NeedsInput: with the questions of all steps in one
        """
        call = self.call
        call.restart(rehearsing=True)
        try:
            with call.unreported(), rehearsed(call.env):
                done = self._run_all(steps)
            asked = [(step.number, question) for step in done for question in step.call.questions]
        except ToolError as error:
            if error.code != "cannot_rehearse":
                raise
            asked = [(0, Question(f"{error.message} Run the {len(steps)} steps for real?"))]
        finally:
            call.restart(rehearsing=False)
        if asked:
            text = " ".join(
                f"Step {number}: {question.message}" if number else question.message for number, question in asked
            )
            preview = {"questions": [{"step": number, **question.preview} for number, question in asked]}
            call.need(CONSENT, Question(text, preview=preview))

    def _run_all(self, steps: Sequence[Mapping]) -> list[Step]:
        done: list[Step] = []
        # Kept on the call for the audit log, which is written when all is over.
        self.call.steps = done
        for number, described in enumerate(steps, 1):
            step = Step(number, described["tool"], None, time.perf_counter())
            done.append(step)
            try:
                arguments = step_references.resolve(
                    described.get("arguments") or {}, [earlier.result.structured for earlier in done[:-1]]
                )
                self._run_step(step, arguments)
            except (Cancelled, NeedsInput):
                raise
            except ToolError as error:
                step.error = error
                raise _at_step(error, step) from error
            finally:
                step.duration = time.perf_counter() - step.started
            self.call.progress(number, len(steps), step.name)
        return done

    def _run_step(self, step: Step, arguments: Mapping) -> None:
        """Take one step through the gate that every call meets: find, validate, authorize, execute."""
        batch, registry = self.call, self.registry
        if step.name in NOT_IN_A_BATCH:
            raise ToolError("not_possible", f"{step.name} cannot be a step.", fix="Call it by itself.")
        if apart := [name for name in _HANDLED_BY_BATCH if arguments.get(name) not in (None, False, "")]:
            raise ToolError("invalid_arguments", f"{apart[0]} belongs to the batch.", fix="Give it beside steps.")
        try:
            spec, arguments = registry._find(step.name, arguments)
        except InvalidParams as error:
            raise ToolError("unknown_tool", error.message, fix="Use the name of a tool you have.") from error
        if spec.name in NOT_IN_A_BATCH:
            raise ToolError("not_possible", f"{spec.name} cannot be a step.", fix="Call it by itself.")
        prepared, _options = registry._prepare(batch.exchange, spec, {**scope_of(batch), **arguments})
        call = step.call = StepCall(prepared, batch)
        registry.env["mcp.policy"]._authorize(call)
        try:
            with translating(call.env):
                if spec.access == "read":
                    with reading(call.env):
                        result = registry.with_env(call.env).execute_tool(call)
                else:
                    result = registry.with_env(call.env).execute_tool(call)
                    # What is computed late may fail: then it is this step's error, not the next one's.
                    call.env.flush_all()
        finally:
            batch.journal.entries.extend(call.journal.entries)
            batch.journal.ids.extend(call.journal.ids)
        step.result = result if isinstance(result, ToolResult) else ToolResult(result)
        for note in call.notes:
            batch.note(f"Step {step.number}: {note}")
        if call.model:
            batch.touch(call.model, call.record_ids)


def audit_step(step: Step, batch: ToolCall, batch_outcome: str) -> None:
    """Write the audit row of a step, with the request id of its batch."""
    outcome, reason = batch_outcome, None
    if step.error:
        outcome, reason = step.error.outcome, step.error
    elif batch_outcome in ("error", "refused"):
        outcome, reason = "error", "rolled_back: another step of the batch failed"
    batch.env["mcp.audit.log"]._record(
        batch.exchange,
        tool=step.call.spec.name if step.call else step.name[:64],
        outcome=outcome,
        reason=reason,
        model=step.call.model if step.call else None,
        record_ids=step.call.record_ids if step.call else (),
        dry_run=batch.rehearsing,
        duration_ms=step.duration * 1000,
        arguments=step.call.arguments if step.call else None,
        result=step.result.structured if step.result else None,
    )


def scope_of(batch: ToolCall) -> dict[str, object]:
    """Return the company and language of a call, which those it runs share unless they name their own."""
    companies = batch.env.context["allowed_company_ids"]
    narrowed = list(companies) != list(open_companies(batch.env, batch.policy))
    return {"lang": batch.env.lang, **({"company_id": companies[0]} if narrowed else {})}


def _at_step(error: ToolError, step: Step) -> ToolError:
    """Return the error as the batch's own, of the same code."""
    facts = {
        "fix": f"{error.fix or ''} Nothing of the batch was kept.".strip(),
        "retryable": error.retryable,
        "model": error.model,
        "field": error.field,
        "record": error.record,
    }
    message = f"Step {step.number} ({step.name[:64]}): {error.message}"
    details = {**error.details, "step": step.number, "tool": step.name[:64]}
    if isinstance(error, PolicyDenied):
        refusal = PolicyDenied(error.rule, message, **facts)
        refusal.details.update(details)
        return refusal
    return ToolError(error.code, message, details=details, **facts)
