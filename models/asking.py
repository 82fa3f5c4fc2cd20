import contextlib
from collections.abc import Mapping

from odoo import models

from ..services import input_requests
from ..services.errors import MissingCapability, NeedsInput, PageNeeded, ToolError
from ..services.input_requests import Abilities
from ..services.questions import AnyQuestion, Question
from ..services.tool import ToolResult
from . import approval_preview, call_time, confirmation
from .odoo_errors import translating
from .tool_answer import answer


class McpToolRegistry(models.AbstractModel):
    """Asking: a call that has stopped at a question is rolled back, and its question goes the way this client can."""

    _inherit = "mcp.tool.registry"

    def _ask(self, call, options: Mapping, needed: NeedsInput) -> dict:
        """Return the result that asks.

        :raises NeedsInput: with `requests`, for whoever runs this call and asks itself (`Exchange.asks_itself`)
        :raises ToolError: the call would fail anyway, or this client cannot be asked
        :raises MissingCapability: likewise in the modern era
        """
        with translating(call.env), call_time.limited_call(call):
            if needed.approval:
                return answer(call, self.env["mcp.approval"]._park(call, options, needed.question))
            preview = None
            if any(question.is_consent for question in needed.questions.values()):
                preview = self._preview(call, needed)
            if preview and call.policy.confirms_on_page and (call.asked or not needed.by_profile):
                return self._ask_on_page(call, needed, preview)
            if requests := input_requests_for(call, needed.questions):
                return self._asked(call, needed, requests)
            if preview is None:
                raise cannot_be_asked(call, needed)
            return answer(call, confirmation.question_result(call, needed, preview))

    def _ask_on_page(self, call, needed: NeedsInput, preview: ToolResult) -> dict:
        """Return the result that leads the user to Odoo's own page. Other questions follow when that is answered.

        :raises PageNeeded: the same for a client that is told so by an error
        """
        key, question = next((key, each) for key, each in needed.questions.items() if each.is_consent)
        exchange = call.exchange
        message = question.message
        if call.outdated:
            why = call.env._("The records have changed since you agreed: it would now do something else.")
            message = f"{why}\n{message}"
        is_tried = preview.structured.get("status") != "not_tried"
        shown = approval_preview.rehearsed_facts(call, preview) if is_tried else {}
        with self._kept(call) as confirmations:
            asked = confirmations._asked(call, message, {**shown, "text": preview.text})
            request = input_requests.page_request(message, asked._url(), exchange.version, asked.key)
        if not Abilities.of(exchange.version, exchange.capabilities).urls:
            return answer(call, confirmation.page_result(call, message, asked, preview))
        if not exchange.version.modern and not exchange.job_id:
            raise PageNeeded(message, data={"elicitations": [request["params"]]})
        return self._asked(call, needed, {key: request})

    @contextlib.contextmanager
    def _kept(self, call):
        """Give what stores a confirmation, also where the run that asks is rolled back."""
        if call.exchange.job_id is None:
            yield call.env["mcp.confirmation"]
            return
        with self.env.registry.cursor() as cr:
            yield call.env["mcp.confirmation"].with_env(call.env(cr=cr))

    def _asked(self, call, needed: NeedsInput, requests: dict[str, dict]) -> dict:
        if call.exchange.asks_itself:
            needed.requests = requests
            needed.answers = {key: answer for key, answer in call.answers.items() if key not in requests}
            raise needed
        return self.env["mcp.server"]._input_required(call, requests)

    def _preview(self, call, needed: NeedsInput) -> ToolResult:
        """Try the call, and put what it would do into the words of the question.

        What else it asks on the way is asked along with it.
        """
        call.restart(rehearsing=True)
        # Who is asked while the call waits hears of the run itself, under the same token, which must not go back.
        silence = call.unreported() if call.exchange.asks_itself else contextlib.nullcontext()
        try:
            with silence:
                preview = self._rehearse(call)
        except NeedsInput as further:
            needed.questions = {**needed.questions, **further.questions}
            return ToolResult({"status": "not_tried"}, text="It cannot be tried before the other questions.")
        except ToolError as error:
            if error.code != "cannot_rehearse":
                raise
            preview = ToolResult({"status": "not_tried"}, text=error.message)
        for key, question in needed.questions.items():
            if question.is_consent:
                message = _worded(call, question, preview, by_profile=needed.by_profile)
                needed.questions[key] = Question(message, question.schema, question.preview)
        return preview


def input_requests_for(call, questions: Mapping[str, AnyQuestion]) -> dict[str, dict] | None:
    """Return the questions as requests to this client, None unless it can be asked all of them."""
    abilities, version = call.abilities, call.exchange.version
    if not all(map(abilities.covers, questions.values())):
        return None
    return {key: input_requests.request(question, abilities, version) for key, question in questions.items()}


def cannot_be_asked(call, needed: NeedsInput) -> MissingCapability | ToolError:
    """Return the error of a call that cannot be done without an answer that this client cannot get."""
    message = f"This needs an answer that this client cannot ask its user for: {needed.message}"
    if call.exchange.version.modern:
        required = input_requests.required_capabilities(needed.questions)
        return MissingCapability(message, data={"requiredCapabilities": required})
    return ToolError("cannot_ask", message, fix="Tell the user, who can do this in Odoo, or with another client.")


def _worded(call, question: Question, preview: ToolResult, *, by_profile: bool) -> str:
    """Return what a person decides on: the tool's own question, and what the call would do in a few words."""
    facts = preview.structured
    message = question.message
    if by_profile:
        message = call.asked[0].message if call.asked else approval_preview.headline(call.env, call.spec.title, facts)
        message = message if message.endswith("?") or call.asked else f"{message}?"
    effect = approval_preview.impact(call.env, facts) or (preview.text if facts.get("status") == "not_tried" else "")
    return approval_preview.plain(f"{message}\n{effect}" if effect else message)
