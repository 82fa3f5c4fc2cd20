"""What can be run on records: buttons of the form, bound actions, and a few methods; and which of it is meant.

A button counts only where the form shows it: present in the view that this user gets, not hidden on any of the
records. A condition that cannot be evaluated hides it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odoo.models import BaseModel

from ..services.errors import ToolError
from ..services.nearest import nearest
from .form_buttons import Button, form_buttons
from .view_values import any_says, namespace, values_for

# Methods behind no button: what the web client's own menu runs.
ALLOWED_METHODS = {"action_archive": "Archive", "action_unarchive": "Unarchive"}
MOST_LISTED = 30

# Words in a method's name that say it posts, validates, cancels, sends, pays or deletes: hard to take back.
_GRAVE_WORDS = frozenset(
    {
        "apply", "cancel", "close", "delete", "done", "lost", "merge", "pay", "payment", "payments", "post", "refund",
        "remove", "reversal", "reverse", "send", "unlink", "validate",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """One thing that can be run. `kind` is `object` (a method) or `action` (its id or external id, in `name`)."""

    kind: str
    name: str
    label: str
    button: Button | None = None
    asks: str = ""

    @property
    def shown(self) -> str:
        return self.label if self.label == self.name else f"{self.label} ({self.name})"


def is_grave(choice: Choice | Button) -> bool:
    """Say whether a human should be asked first: the view asks itself, or the method's name says so."""
    return bool(choice.asks) or bool(_GRAVE_WORDS & set(re.split(r"[_\W]+", choice.name)))


def find_choice(call, records: BaseModel, wanted: str) -> Choice:
    """Return what is meant by `wanted`, offered on all of the records.

    :raises ToolError: `unknown_action`, `ambiguous_action`, or `not_offered` with the state that the record is in
    """
    choices = _choices(call, records)
    named = [choice for choice in choices if _is_meant(call, choice, wanted)]
    # The menu repeats buttons under the same label, without their conditions; by its id it can still be had.
    named = [choice for choice in named if choice.button] or named
    values = values_for(call, records, _conditions(choices)) if named else {}
    if not named:
        raise _unknown(call, records, choices, wanted)
    offered = [choice for choice in named if not _hidden_on(records, choice, values)]
    if not offered:
        raise _not_offered(call, records, choices, named, values)
    if len({choice.name for choice in offered}) > 1:
        listed = ", ".join(choice.shown for choice in offered)
        raise ToolError(
            "ambiguous_action",
            f"{wanted[:80]!r} can mean: {listed}.",
            fix="Call again with the name in brackets.",
            model=records._name,
        )
    return offered[0]


def _choices(call, records: BaseModel) -> list[Choice]:
    choices = [
        Choice(button.kind, button.name, button.label, button, button.asks)
        for button in form_buttons(records)
        if button.kind in ("object", "action")
    ]
    # As the web client asks for them: reduced to the user's groups.
    bound = call.env["ir.actions.actions"].get_bindings(records._name).get("action", ())
    choices += [Choice("action", str(action["id"]), action["name"]) for action in bound]
    if records._active_name:
        taken = {choice.name for choice in choices}
        choices += [Choice("object", name, label) for name, label in ALLOWED_METHODS.items() if name not in taken]
    return choices


def _is_meant(call, choice: Choice, wanted: str) -> bool:
    word = " ".join(wanted.split()).casefold()
    if word in (choice.name.casefold(), choice.label.casefold()):
        return True
    return choice.kind == "action" and bool(word) and action_id(call, word) == action_id(call, choice.name)


def action_id(call, name: str) -> int | None:
    """Return the id of the action that a number or an external id stands for; views use both."""
    if name.isdecimal():
        return int(name)
    if not re.fullmatch(r"\w+\.[\w.]+", name):
        return None
    # sudo: external ids are for administrators; callers only use those that an action on offer has.
    model, res_id = call.env["ir.model.data"].sudo()._xmlid_to_res_model_res_id(name)
    return res_id if model and model.startswith("ir.actions.") else None


def _conditions(choices: Sequence[Choice]) -> set[str]:
    return {condition for choice in choices if choice.button for condition in choice.button.hidden_if}


def _hidden_on(records: BaseModel, choice: Choice, values: Mapping[int, Mapping]) -> list[int]:
    """Return the ids of the records on which something is hidden, or may be."""
    if choice.button is None:
        return []
    conditions = choice.button.hidden_if
    return [
        record_id
        for record_id in records.ids
        if any_says(conditions, namespace(records.env, {**values[record_id], "id": record_id})) is not False
    ]


def _offered(records: BaseModel, choices: Sequence[Choice], values: Mapping[int, Mapping]) -> str:
    shown = [choice.shown for choice in choices if not _hidden_on(records, choice, values)]
    return ", ".join(list(dict.fromkeys(shown))[:MOST_LISTED]) or "none"


def _unknown(call, records: BaseModel, choices: Sequence[Choice], wanted: str) -> ToolError:
    values = values_for(call, records, _conditions(choices))
    near = nearest(wanted, {choice.name: choice.label for choice in choices})
    labels = {choice.name: choice.shown for choice in choices}
    hint = f"Did you mean {', '.join(labels[name] for name in near)}? " if near else ""
    return ToolError(
        "unknown_action",
        f"The form of {records._name} has no button or action {wanted[:80]!r} for this user.",
        fix=f"{hint}Offered now: {_offered(records, choices, values)}.",
        model=records._name,
        details={"nearest": near},
    )


def _not_offered(
    call, records: BaseModel, choices: Sequence[Choice], named: Sequence[Choice], values: Mapping[int, Mapping]
) -> ToolError:
    hidden = min((_hidden_on(records, choice, values) for choice in named), key=len)
    record = records.browse(hidden[0])
    conditions = named[0].button.hidden_if
    unclear = any_says(conditions, namespace(records.env, {**values[record.id], "id": record.id})) is None
    why = "its condition in the view cannot be evaluated here" if unclear else f"{_state(call, record)}"
    others = f" and {len(hidden) - 1} more" if len(hidden) > 1 else ""
    return ToolError(
        "not_offered",
        f"{named[0].shown} is not offered on {records._name} {record.id}{others}: {why}.",
        fix=f"Offered now: {_offered(record, choices, values)}.",
        model=records._name,
        record=record.id,
        details={"hidden_if": " or ".join(conditions)},
    )


def _state(call, record: BaseModel) -> str:
    """Return the state of a record in words, as far as its model has one."""
    names = [name for name in ("state", "stage_id", "status", "active") if name in call.fields(record._name)]
    if not names:
        return "not in its present state"
    [row] = call.read(record, names)
    labels = call.describe_fields(record._name, names, ["string", "selection"])
    parts = []
    for name in names:
        value = row[name]
        if name == "active" and value:
            continue
        chosen = dict(labels[name].get("selection") or ()).get(value, value[1] if isinstance(value, tuple) else value)
        parts.append(f"{labels[name]['string']} is {chosen!r}")
    return ", ".join(parts) or "not in its present state"
