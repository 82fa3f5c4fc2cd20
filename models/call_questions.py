"""The part of `ToolCall` that asks people: the assistant's own user, or those who approve for the profile."""

import functools
from collections.abc import Mapping

from ..services.errors import NeedsInput, ToolError
from ..services.questions import Question

# What the pipeline and all tools ask under: one yes answers them together, as the preview shows the whole call.
CONSENT = "confirm"


class CallQuestions:
    """Mixed into `ToolCall`, which has `env`, `policy`, `exchange`, `answers`, `asked` and `rehearsing`."""

    @property
    def approved(self) -> bool:
        """Whether this is the run of a call that its approvers have agreed to."""
        return self.exchange.approval_id is not None

    @functools.cached_property
    def tainted(self) -> bool:
        """Whether its token has lately read what people outside the company wrote."""
        return self.env["mcp.token"]._is_tainted(self.exchange.credential.token_id)

    def need(self, key: str, question: Question) -> Mapping[str, object]:
        """Return the human's answer to a question. Call it before any side effect: the call may run again.

        :raises NeedsInput: when there is no answer yet; the pipeline then asks, in the way this client can
        :raises ToolError: `declined`, when the human said no
        """
        if self.rehearsing or (self.approved and question.is_consent):
            self.asked.append(question)
            return {"confirm": True}
        if self.policy.approval != "never" and question.is_consent:
            # What the assistant's own user answers does not count here.
            raise NeedsInput(key, question, approval=True)
        answer = self.answers.get(key)
        if answer is None:
            raise NeedsInput(key, question)
        if answer.get("confirm") is False:
            raise ToolError("declined", "The user declined. Nothing was done.", fix="Ask the user what they want.")
        return answer

    def need_by_profile(self) -> None:
        """Ask what the profile wants to be asked before any change. :raises NeedsInput: there is no answer yet"""
        if self.approved:
            self.answers.setdefault(CONSENT, {"confirm": True})
            return
        question = Question(f"{self.spec.title}?")
        if self.policy.approval == "always":
            raise NeedsInput(CONSENT, question, approval=True)
        if self.policy.confirmation == "always" and CONSENT not in self.answers:
            raise NeedsInput(CONSENT, question)
