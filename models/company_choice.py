"""In which company a new document is meant, where nothing says so and it matters.

The web client always shows one; an assistant's call without `company_id` falls to the user's main company, which is a
guess. It is asked about only for documents that belong to a company (a required field), that nothing they link to
already places in one, and only where the person can be asked at once; the answer tells the assistant how to say it
itself from then on.
"""

from collections.abc import Mapping, Sequence

from ..services.questions import Question
from .values_guard import ValuesCheck

KEY = "company"
MOST_COMPANIES = 30


def choose_company(call, model: str, values_list: Sequence[Mapping[str, object]]) -> None:
    """Let the call work in the company that its user means. :raises NeedsInput: there is no answer yet"""
    companies = call.env.companies
    if not 1 < len(companies) <= MOST_COMPANIES or call.policy.confirmation == "never":
        return
    question = _question(call, model)
    if not call.can_ask(KEY, question) or not _is_open(call, model, values_list):
        return
    chosen = companies.browse(int(call.need(KEY, question)[KEY]))
    call.env = call.env(context={**call.env.context, "allowed_company_ids": chosen.ids})
    # sudo: the name of one of the user's own companies.
    name = chosen.sudo().name
    call.note(f"The user chose {name}. Give company_id={chosen.id} in further calls for it, so that nobody is asked.")


def _question(call, model: str) -> Question:
    # sudo: names of the user's own companies.
    choices = [{"const": str(company.id), "title": company.name} for company in call.env.companies.sudo()]
    field = {"type": "string", "title": "Company", "oneOf": choices, "default": str(call.env.company.id)}
    label = call.env["ir.model"]._get(model).name if model in call.env else model
    schema = {"type": "object", "properties": {KEY: field}, "required": [KEY]}
    return Question(f"{label}: in which company?", schema)


def _is_open(call, model: str, values_list: Sequence[Mapping[str, object]]) -> bool:
    """Say whether the company of new records matters, and neither they nor what they link to tell it."""
    call.check_model(model, "create")
    records = call.env[model]
    field = records._fields.get("company_id")
    if field is None or field.comodel_name != "res.company" or not (field.store and field.required):
        return False
    if not all(isinstance(values, Mapping) and "company_id" not in values for values in values_list):
        return False
    check = ValuesCheck(call)
    return not any(_places(call, records, check.record(model, values, "create")) for values in values_list)


def _places(call, records, values: Mapping[str, object]) -> bool:
    """Say whether a record that is linked to belongs to one company."""
    for name, value in values.items():
        field = records._fields[name]
        linked = call.env[field.comodel_name] if field.type == "many2one" and value else records.browse()
        # sudo: only whether it has a company, of a record that the caller may see.
        if "company_id" in linked._fields and linked.sudo().browse(value).company_id:
            return True
    return False
