"""What an opened wizard asks, as plain JSON: its fields with defaults and choices, its buttons, how to call again."""

from collections.abc import Mapping

from ..services.shaping import wire_value
from ..services.tool import ToolResult
from .view_values import literal
from .wizard import X2MANY, WizardForm

MOST_FIELDS = 40
MOST_CHOICES = 15
MOST_LINES = 20


def wizard_questions(call, wizard: WizardForm, path: str) -> ToolResult:
    """Return the `input_needed` result for a wizard that has no answers yet.

    :param path: where its answers go: `answers`, or `answers.next` for one that follows another
    """
    names = wizard.names()
    model = wizard.record._name
    open_to_write = call.fields(model, "write")
    visible = [name for name in wizard.nodes if name in call.fields(model) and wizard.is_visible(name, names)]
    described = call.describe_fields(model, visible, ["string", "type", "selection", "relation", "help"])
    fields, facts = [], {}
    for name in visible[:MOST_FIELDS]:
        label = next((node.get("string") for node in wizard.nodes[name] if node.get("string")), None)
        label = label or described[name]["string"]
        if wizard.is_readonly(name, names) or name not in open_to_write:
            facts[label] = _shown(call, wizard, name)
            continue
        entry = {"name": name, "label": label, "type": described[name]["type"]}
        if wizard.is_required(name, names):
            entry["required"] = True
        entry |= _choices(call, wizard, name, described[name], names)
        fields.append({**entry, "default": _shown(call, wizard, name)})
    buttons = [{"label": button.label, "name": button.name} for button in wizard.buttons()]
    buttons = list({button["name"]: button for button in reversed(buttons)}.values())[::-1]
    how = (
        f"Nothing was done yet. Call {call.spec.name} again with the same arguments plus {path}: values by field name "
        '({} takes the defaults), and optionally "button": which to press '
        + f'(default {buttons[0]["label"]!r}), or "close" to leave it.'
    )
    structured = {
        "status": "input_needed",
        "wizard": {"title": wizard.title, "model": model},
        "fields": fields,
        "shows": {label: value for label, value in facts.items() if value not in (None, "", [], {}, False)},
        "buttons": buttons,
        "answers_go_in": path,
        "how": how,
    }
    return ToolResult({key: value for key, value in structured.items() if value or key in ("fields", "buttons")})


def _choices(call, wizard: WizardForm, name: str, described: Mapping, names: Mapping[str, object]) -> dict:
    if described["type"] == "selection":
        return {"options": [{"value": value, "label": label} for value, label in described.get("selection") or ()]}
    relation = described.get("relation")
    if not relation:
        return {}
    facts: dict[str, object] = {"relation": relation}
    if described["type"] == "one2many" or not call.allows_model(relation):
        return facts
    node = wizard.nodes[name][0]
    try:
        domain = literal(node.get("domain") or wizard.record._fields[name]._description_domain(call.env), names)
    except ValueError:
        return facts
    # The domain comes from the view; what it finds is read under the caller's own rules.
    found = call.env[relation].search(domain or [], limit=MOST_CHOICES + 1)
    if len(found) <= MOST_CHOICES:
        facts["options"] = _named(call, relation, found.ids)
    return facts


def _shown(call, wizard: WizardForm, name: str) -> object:
    """Return what a field holds, with names for links that the caller may see."""
    field, value = wizard.record._fields[name], wizard.values[name]
    if field.type == "many2one":
        return next(iter(_named(call, field.comodel_name, [value])), None) if value else None
    if field.type == "many2many":
        return _named(call, field.comodel_name, [key for key in value.lines if isinstance(key, int)][:MOST_LINES])
    if field.type in X2MANY:
        return _lines(call, wizard, name)
    return _plain(call, field.type, value)


def _lines(call, wizard: WizardForm, name: str) -> list[dict]:
    """Return the lines, numbered so that an answer can change one: `[{"line": 1, "quantity": 2}]`."""
    comodel = wizard.record._fields[name].comodel_name
    fields = call.fields(comodel) if call.allows_model(comodel) else {}
    rows = []
    for number, line in enumerate(list(wizard.lines(name).lines.values())[:MOST_LINES], 1):
        row: dict[str, object] = {"line": number}
        for key, value in line.shown.items():
            if key not in fields or key == "id":
                continue
            if fields[key].type == "many2one":
                row[key] = next(iter(_named(call, fields[key].comodel_name, [value])), None) if value else None
            elif fields[key].type not in X2MANY:
                row[key] = _plain(call, fields[key].type, value)
        rows.append(row)
    return rows


def _plain(call, kind: str, value: object) -> object:
    # As it would be answered: an amount as a number.
    kind = "float" if kind == "monetary" else kind
    return wire_value(value, {"type": kind}, row={}, name="", tz=call.env.context.get("tz"))


def _named(call, model: str, ids: list[int]) -> list[dict]:
    if not ids or not call.allows_model(model):
        return []
    visible = call.env[model].browse(ids).exists()._filtered_access("read")
    return [{"id": row["id"], "name": row["display_name"]} for row in call.read(visible, ["display_name"])]
