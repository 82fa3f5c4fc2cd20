"""Which buttons, bound actions and reports a user finds on a model's form, and on which records they are offered."""

from collections.abc import Sequence

from lxml import etree

from ..services.guardrails import method_is_uncallable
from ..services.view_condition import evaluate, names_in
from .form_buttons import hiding_conditions, label_of
from .schema_cache import cached

MOST_BUTTONS = 40
MOST_RECORDS = 20


def model_actions(call, model: str, ids: Sequence[int]) -> dict:
    """Return `buttons`, `server_actions` and `reports` that are open to the caller; nothing is run.

    :param ids: records for which to say whether each button is offered, at most 20
    """
    records = call.records(model, "read", ids[:MOST_RECORDS])
    if len(ids) > MOST_RECORDS:
        call.note(f"Buttons were checked for the first {MOST_RECORDS} records only.")
    # What a form looks like follows from groups and language; on which records a button is offered is asked each time.
    buttons = cached(
        call.env, f"buttons:{model}", lambda: _buttons(records.browse().get_view(view_type="form")["arch"])
    )
    if records:
        _mark_offered(call, records, buttons)
    facts = {
        "buttons": buttons[:MOST_BUTTONS],
        "server_actions": _bound(call, "ir.actions.server", model, ("name",)),
        "reports": _bound(call, "ir.actions.report", model, ("name", "report_name", "report_type")),
    }
    if len(buttons) > MOST_BUTTONS:
        facts["buttons_omitted"] = len(buttons) - MOST_BUTTONS
    return {key: value for key, value in facts.items() if value or key == "buttons"}


def _buttons(arch: str) -> list[dict]:
    """Return the buttons of a form that `get_view` has already reduced to what the user's groups see."""
    buttons: dict[tuple[str, str], dict] = {}
    # Buttons inside an x2many's own view act on its lines, not on this record.
    for node in etree.fromstring(arch).xpath("//button[@name][not(ancestor::field)]"):
        name, kind = node.get("name"), node.get("type", "object")
        conditions = hiding_conditions(node)
        if conditions is None or kind not in ("object", "action") or node.get("special"):
            continue
        if kind == "object" and method_is_uncallable(name):
            continue
        label = label_of(node) or name
        condition = " or ".join(f"({each})" for each in conditions) if len(conditions) > 1 else "".join(conditions)
        button = buttons.get((name, kind))
        if button is None:
            button = buttons[name, kind] = {"name": name, "label": label, "type": kind, "hidden_if": condition}
        elif condition != button["hidden_if"]:
            # The same button often stands twice, highlighted and plain: it is hidden where both are.
            both = condition and button["hidden_if"]
            button["hidden_if"] = f"({button['hidden_if']}) and ({condition})" if both else ""
        if node.get("confirm"):
            button["asks"] = node.get("confirm")
    return [{key: value for key, value in button.items() if value} for button in buttons.values()]


def _mark_offered(call, records, buttons: list[dict]) -> None:
    model = records._name
    wanted = set().union(*(names_in(button.get("hidden_if", "")) for button in buttons))
    readable = sorted(wanted & call.fields(model).keys())
    rows = [{name: _plain(value) for name, value in row.items()} for row in call.read(records, readable or ["id"])]
    for button in buttons:
        condition = button.get("hidden_if")
        hidden = {row["id"]: evaluate(condition, row) if condition else False for row in rows}
        button["offered_on"] = [record for record, is_hidden in hidden.items() if is_hidden is False]
        if unclear := [record for record, is_hidden in hidden.items() if is_hidden is None]:
            button["unclear_on"] = unclear


def _plain(value: object) -> object:
    """Return a many2one as its id, as the web client's conditions see it."""
    return value[0] if isinstance(value, tuple) else value


def _bound(call, action_model: str, model: str, fields: Sequence[str]) -> list[dict]:
    # sudo: definitions of actions are closed to users; these are the ones their own menus offer, by groups.
    actions = call.env[action_model].sudo().search([("binding_model_id.model", "=", model)], order="id")
    groups = call.env.user.all_group_ids
    offered = actions.filtered(lambda action: not action.group_ids or action.group_ids & groups)
    return [{"id": action.id, **{name: action[name] for name in fields}} for action in offered]
