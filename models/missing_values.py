"""Asking the person for what a new record or a wizard still needs, instead of sending the assistant to ask them.

Only after the assistant has tried: what it knows from the conversation nobody has to fill in again.
"""

from collections.abc import Mapping, Sequence

from odoo.models import BaseModel

from ..services import form_schema
from ..services.errors import ToolError
from ..services.questions import Question
from .view_values import literal
from .wizard import WizardForm

MOST_CHOICES = 15
LONGEST_HELP = 200


def created_or_asked(call, model: str, values: Mapping[str, object]) -> BaseModel:
    """Create a record as `ToolCall.create`; if it lacks required fields and its user can be asked, ask for them.

    :raises NeedsInput: there is no answer yet
    """
    try:
        return call.create(model, [values])
    except ToolError as error:
        if error.code != "missing_required" or error.model != model:
            raise
        fields = [_field(call, model, name) for name in error.details["missing"]]
        label = call.env["ir.model"]._get(model).name
        given = _asked(call, "fields", f"{label}: what is still needed to create it?", fields)
        if given is None:
            raise
    return call.create(model, [{**values, **given}])


def complete_wizard(call, wizard: WizardForm, key: str) -> None:
    """Fill in what a wizard still lacks, if its user can be asked. :raises NeedsInput: there is no answer yet"""
    if missing := wizard.missing():
        fields = [_field(call, wizard.record._name, name, wizard) for name in missing]
        if given := _asked(call, key, f"{wizard.title}: what is still needed?", fields):
            wizard.answer(given)


def _asked(call, key: str, message: str, fields: Sequence[Mapping[str, object]]) -> dict[str, object] | None:
    """Return what the person has filled in, None where it cannot be asked for."""
    schema = form_schema.form(fields)
    if schema is None or not call.can_ask(key, question := Question(message, schema)):
        return None
    return form_schema.values(fields, call.need(key, question))


def _field(call, model: str, name: str, wizard: WizardForm | None = None) -> dict[str, object]:
    described = call.describe_fields(model, [name], ["string", "type", "selection", "relation", "help"]).get(name)
    if described is None:
        return {"name": name, "label": name, "type": "closed"}
    label = described["string"]
    if wizard:
        label = next((node.get("string") for node in wizard.nodes[name] if node.get("string")), label)
    facts = {"name": name, "label": label, "type": described["type"], "help": (described.get("help") or "")}
    facts["help"] = " ".join(facts["help"].split())[:LONGEST_HELP]
    if described["type"] == "selection":
        return {**facts, "options": described.get("selection")}
    if described["type"] == "many2one":
        return {**facts, "options": _linked(call, model, name, described["relation"], wizard)}
    return facts


def _linked(call, model: str, name: str, relation: str, wizard: WizardForm | None) -> list[tuple[int, str]] | None:
    """Return the records that a link can be to, if they are few."""
    if not call.allows_model(relation):
        return None
    domain = (wizard and wizard.nodes[name][0].get("domain")) or call.env[model]._fields[name].get_description(
        call.env, ["domain"]
    ).get("domain")
    try:
        domain = literal(domain, wizard.names() if wizard else {}) if isinstance(domain, str) else domain
    except ValueError:
        return None
    # The domain comes from the field or the view; what it finds is read under the caller's own rules.
    found = call.env[relation].search(domain or [], limit=MOST_CHOICES + 1)
    if not 0 < len(found) <= MOST_CHOICES:
        return None
    return [(row["id"], row["display_name"]) for row in call.read(found._filtered_access("read"), ["display_name"])]
