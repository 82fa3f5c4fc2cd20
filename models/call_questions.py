"""The part of `ToolCall` that asks people: the assistant's own user, or those who approve for the profile."""

import functools
from collections.abc import Mapping

from ..services import input_requests, tasks
from ..services.errors import BecomesTask, KeepsNothing, NeedsInput, ToolError
from ..services.input_requests import YES, Abilities
from ..services.policy import JOB_TOOL
from ..services.questions import AnyQuestion, Question
from ..services.tool import ToolResult

# What the pipeline and all tools ask under: one yes answers them together, as the preview shows the whole call.
CONSENT = "confirm"


class CallQuestions:
    """Mixed into `ToolCall`, which has `env`, `policy`, `exchange`, `answers`, `asked` and `rehearsing`."""

    # Agreed to on the page, but it would by now do something else than was shown there.
    outdated = False

    @property
    def approved(self) -> bool:
        """Whether this is the run of a call that its approvers have agreed to."""
        return self.exchange.approval_id is not None

    @functools.cached_property
    def tainted(self) -> bool:
        """Whether its token has lately read what people outside the company wrote, or had when it was submitted."""
        return self.exchange.tainted or self.env["mcp.token"]._is_tainted(self.exchange.credential.token_id)

    @functools.cached_property
    def abilities(self) -> Abilities:
        """What this client can be asked for during this call; nothing where there is no way to ask it."""
        exchange = self.exchange
        if not exchange.version.modern and not exchange.asks_itself:
            return Abilities()
        return Abilities.of(exchange.version, exchange.capabilities)

    @property
    def consented(self) -> bool:
        """Whether what `need` asks under `CONSENT` has been agreed to."""
        on_page = self.policy.confirms_on_page and not self.exchange.proven
        agreed = self._agreed_on_page if on_page else self._said_yes
        return self.approved or agreed

    def can_ask(self, key: str, question: AnyQuestion) -> bool:
        """Say whether `need` may ask a person for what the assistant has not told; where not, tell the assistant.

        A dry run bothers nobody, nor does the run of an approved call. A rehearsal uses what was answered before.
        """
        if self.rehearsing or self.approved:
            return key in self.answers
        return self.abilities.covers(question)

    def need(self, key: str, question: AnyQuestion) -> Mapping[str, object]:
        """Return the human's answer to a question. Call it before any side effect: the call may run again.

        :raises NeedsInput: when there is no answer yet; the pipeline then asks, in the way this client can
        :raises KeepsNothing: `declined`, when the human said no; it ends the call
        """
        return self.need_all({key: question})[key]

    def need_all(self, questions: Mapping[str, AnyQuestion]) -> dict[str, Mapping[str, object]]:
        """Return the answers to several questions that are asked at once; otherwise like `need`."""
        answers = {key: self._answer(key, question) for key, question in questions.items()}
        if missing := {key: questions[key] for key, answer in answers.items() if answer is None}:
            raise NeedsInput(missing)
        return answers

    def become_task(self, *, required: bool = False) -> None:
        """Go on as a task where the client knows tasks; call it when the questions are asked, before what takes long.

        :param required: do not go on here in any case
        :raises BecomesTask: the call runs again, as a job, and then gets past this
        :raises MissingCapability: it is required, and the client knows no tasks
        """
        exchange = self.exchange
        if self.rehearsing or exchange.job_id or self.approved:
            return
        if tasks.is_declared(exchange):
            raise BecomesTask("This call goes on as a task.")
        if required and exchange.version.modern:
            raise tasks.missing()
        if required:
            fix = f"Run it with {JOB_TOOL}, or tell the user that this client cannot do it."
            raise ToolError("needs_task", "This takes longer than anybody can wait for.", fix=fix)

    def need_by_profile(self) -> None:
        """Ask what the profile wants to be asked before any change. :raises NeedsInput: there is no answer yet"""
        if self.approved:
            self.answers.setdefault(CONSENT, YES)
            return
        question = Question(f"{self.spec.title}?")
        if self.policy.approval == "always":
            raise NeedsInput({CONSENT: question}, approval=True)
        if self.policy.confirmation == "always" and not (self._said_yes or self.consented):
            raise NeedsInput({CONSENT: question}, by_profile=True)

    def check_refusals(self) -> None:
        """:raises KeepsNothing: `declined`, when the human has refused to answer any of the questions"""
        refused = any(map(input_requests.is_no, self.answers.values()))
        if not refused and self.policy.confirms_on_page and self.spec.access != "read" and not self.rehearsing:
            refused = self.env["mcp.confirmation"]._was_refused(self)
        if refused:
            raise declined()

    @property
    def _said_yes(self) -> bool:
        return input_requests.is_yes(self.answers.get(CONSENT))

    @functools.cached_property
    def _agreed_on_page(self) -> bool:
        return not self.outdated and self.env["mcp.confirmation"]._take(self)

    def _answer(self, key: str, question: AnyQuestion) -> Mapping[str, object] | None:
        if question.is_consent:
            if self.rehearsing or self.approved:
                self.asked.append(question)
                return YES["content"]
            if self.policy.approval != "never":
                # What the assistant's own user answers does not count here.
                raise NeedsInput({key: question}, approval=True)
            if self.policy.confirms_on_page and not self.exchange.proven:
                return YES["content"] if self._agreed_on_page else None
        response = self.answers.get(key)
        if response is None and not question.is_consent and not question.sealed:
            response = self.exchange.offered.get(key)
        if input_requests.refused(response) or (question.is_consent and input_requests.is_no(response)):
            raise declined()
        answer = input_requests.accepted(question, response)
        if answer is not None:
            # Kept for the next round, if another question follows.
            self.answers[key] = response
        return answer


def declined() -> KeepsNothing:
    """Return what ends a call that its human has said no to: no failure, and nothing to try again."""
    message = "The user declined. Nothing was done."
    fix = "Ask the user what they want instead."
    result = ToolResult({"status": "declined", "message": message}, text=f"{message} {fix}")
    return KeepsNothing("declined", message, result, fix=fix)
