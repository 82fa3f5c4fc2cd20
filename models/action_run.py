"""One run of a button: press it, follow what it answers through any wizards, and gather what came of it."""

import re
from collections.abc import Mapping

from odoo.models import BaseModel

from ..services.errors import KeepsNothing, ToolError
from ..services.questions import Question
from .action_outcome import Outcome
from .form_actions import Choice, action_id, is_grave
from .form_buttons import Button
from .missing_values import complete_wizard
from .view_values import literal, namespace, values_for
from .wizard import WizardForm
from .wizard_questions import wizard_questions
from .write_results import linked, names_of

# A wizard after a wizard after a wizard; and actions that only lead to another.
MOST_ROUNDS = 12
# Instead of a button: leave a wizard as it is, keeping what was done before it opened.
CLOSE = "close"
# Actions that only refresh or leave the screen.
_QUIET_TAGS = ("reload", "soft_reload", "history_back", "home")
# Context keys that belong to one screen and are not handed on to the next, as in the web client.
_OWN_KEYS = re.compile(r"(default_|search_default_|show_).+|.+_view_ref|group_by|active_id|active_ids|orderedBy")


class ActionRun:
    """Runs one choice on checked records.

    :param answers: for the wizard that it may open; None asks for them
    :param context: of the screen on which the choice is made; keys of ours, never a client's
    """

    def __init__(
        self, call, records: BaseModel, answers: Mapping | None, context: Mapping[str, object] | None = None
    ) -> None:
        self.call = call
        self.records = records
        self.answers = answers
        self.context = dict(context or {})
        self.path = "answers"
        self.outcome = Outcome()

    def run(self, choice: Choice) -> Outcome:
        """Press and follow. :raises KeepsNothing: a wizard needs answers; it carries what the wizard asks"""
        button = choice.button
        if choice.kind == "object":
            self._ask_first(choice)
            names = {}
            if button and button.context:
                row = values_for(self.call, self.records[:1], [button.context])
                names = {**row[self.records.ids[0]], "id": self.records.ids[0]}
            context = self._context(button.context if button else "", namespace(self.records.env, names, self.records))
            arguments = button.arguments() if button else []
            answer = self._press(self.records.with_context(**context), choice.name, *arguments)
        else:
            names = namespace(self.records.env, {}, self.records)
            context = self._context(button.context if button else "", names)
            answer = self._action(choice)
        self._follow(answer, self.context, context, self.records)
        if self.answers:
            self.call.note(f"No wizard asked for {self.path}; they were not used.")
        return self.outcome

    def _ask_first(self, choice: Choice | Button, title: str | None = None) -> None:
        if not is_grave(choice) or (self.call.policy.confirmation == "never" and not self.call.tainted):
            return
        rows = linked(self.call, self.records[:20])
        what = f"{title}: {choice.label}" if title else choice.label
        message = f"{what} on {names_of(self.records, rows)}?" if rows else f"{what}?"
        preview = {"model": self.records._name, "records": rows}
        self.call.need("confirm", Question(f"{choice.asks} {message}".strip(), preview=preview))

    def _press(self, records: BaseModel, method: str, *arguments: object) -> object:
        if re.search("unlink|delete", method):
            self.call.policy.check_model(records._name, "delete")
        try:
            return self.call.press(records, method, *arguments)
        except ValueError as error:
            if not str(error).startswith("Expected singleton"):
                raise
            raise ToolError(
                "one_at_a_time",
                f"{method} works on one record at a time. Nothing was changed.",
                fix="Call it once for each id.",
                model=records._name,
            ) from error

    def _action(self, choice: Choice) -> Mapping:
        """Return the action that a button or a binding names.

        :raises ToolError: it is gone or for other groups
        """
        # sudo: definitions of actions are closed to users; this one stands on their own form or menu.
        action = self.call.env["ir.actions.actions"].sudo().browse(action_id(self.call, choice.name) or 0).exists()
        # sudo: as above.
        action = self.call.env[action.type].sudo().browse(action.id) if action else action
        groups = action.group_ids if action and "group_ids" in action._fields else None
        if not action or (groups and not groups & self.call.env.user.all_group_ids):
            raise ToolError("access_denied", f"The action {choice.shown} is not open to this user.")
        names = {str(choice.name), *action.get_external_id().values()} - {""}
        self.call.policy.check_listed_method(self.records._name, names)
        if action._name == "ir.actions.server":
            # What an administrator has programmed may do anything.
            self._ask_first(Choice("action", "send", choice.label, asks=choice.asks))
        return {**action._get_action_dict(), "id": action.id, "type": action._name}

    def _follow(self, action: object, context: Mapping, button_context: Mapping, active: BaseModel) -> None:
        """Do what the web client would do with what a button answered.

        :param context: of the screen on which the button stands
        :param active: the records of that screen
        """
        for _round in range(MOST_ROUNDS):
            if not isinstance(action, Mapping):
                return
            carried = {key: value for key, value in context.items() if not _OWN_KEYS.fullmatch(key)}
            opening = {**carried, **button_context, **_active(active)}
            names = namespace(active.with_context(**opening).env, {}, active)
            is_wizard = self._is_wizard(action)
            try:
                opening |= self._context(action.get("context"), names)
            except ToolError:
                # Of a list of records it only chooses filters.
                if is_wizard:
                    raise
            if isinstance(action.get("effect"), Mapping):
                self.outcome.note_message(action["effect"].get("message"))
            if is_wizard:
                wizard = WizardForm(self.call, action, opening, active)
                if not wizard.buttons() or (self.path != "answers" and wizard.is_last_page()):
                    # It only says that it is done.
                    self.outcome.note_message(wizard.title)
                    return
                action, button_context = self._through(wizard)
                context, active = opening, wizard.record
            else:
                action, context, button_context = self._after(action, opening, active), opening, {}
        raise ToolError("not_possible", "The action opens one screen after another without an end.")

    def _is_wizard(self, action: Mapping) -> bool:
        model = action.get("res_model")
        is_window = action.get("type", "ir.actions.act_window") == "ir.actions.act_window"
        return bool(is_window and model in self.call.env and self.call.env[model]._transient)

    def _through(self, wizard: WizardForm) -> tuple[object, Mapping]:
        """Fill in a wizard and press its button; return what that answers, and the button's context."""
        if self.answers is None:
            result = wizard_questions(self.call, wizard, self.path)
            raise KeepsNothing(
                "input_needed",
                f"The wizard “{wizard.title}” needs {self.path}.",
                result,
                fix=result.structured["how"],
                model=wizard.record._name,
            )
        answers = dict(self.answers)
        following, wanted = answers.pop("next", None), answers.pop("button", None)
        if following is not None and not isinstance(following, Mapping):
            raise ToolError("invalid_arguments", f"{self.path}.next must be an object.", fix='For instance "next": {}.')
        if isinstance(wanted, str) and wanted.strip().casefold() == CLOSE:
            self.answers = following
            return None, {}
        wizard.answer(answers)
        complete_wizard(self.call, wizard, self.path)
        button = wizard.choose(wanted)
        self.answers, self.path = following, f"{self.path}.next"
        self._ask_first(button, wizard.title)
        names = wizard.names()
        wizard.record = record = wizard.save()
        context = self._context(button.context, names)
        if button.kind == "save":
            return None, context
        if button.kind == "action":
            return self._action(Choice("action", button.name, button.label, button)), context
        return self._press(record.with_context(**context), button.name, *button.arguments()), context

    def _after(self, action: Mapping, context: Mapping, active: BaseModel) -> object:
        """Note what an action other than a wizard is; return the one that it leads to."""
        parameters = action.get("params") or {}
        match action.get("type", "ir.actions.act_window"):
            case "ir.actions.act_window" if action.get("res_model"):
                self.outcome.note_records(self.call, action, active)
            case "ir.actions.report":
                self.outcome.note_report(action)
            case "ir.actions.act_url":
                self.outcome.note_link(self.records[:1].get_base_url(), action.get("url") or "")
            case "ir.actions.server":
                # `run` checks groups and access of the user itself, as it does for the web client.
                return self.call.env["ir.actions.server"].browse(action["id"]).with_context(**context).run()
            case "ir.actions.client" if action.get("tag") == "do_multi_print":
                for report in parameters.get("reports") or ():
                    self.outcome.note_report(report)
                return parameters.get("anotherAction")
            case "ir.actions.client":
                if action.get("tag") not in _QUIET_TAGS:
                    self.outcome.note_message(parameters.get("message") or f"Opens {action.get('tag')} in Odoo.")
                return parameters.get("next")
        return None

    def _context(self, expression: object, names: Mapping[str, object]) -> dict:
        try:
            return dict(literal(expression, names) or {})
        except ValueError as error:
            raise ToolError(
                "not_possible",
                "The context of this button cannot be evaluated outside the web client.",
                fix="Use Odoo's own screen for this one.",
            ) from error


def _active(records: BaseModel) -> dict[str, object]:
    if not records:
        return {"active_model": records._name}
    return {"active_id": records.ids[0], "active_ids": records.ids, "active_model": records._name}
