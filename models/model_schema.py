"""What a model looks like to a group of users in a language: its facts and fields, the fields that matter most first.

Nothing in it depends on records, on the user or on the company, so it is cached (`schema_cache`). Guardrails and
profiles are not applied here: whoever shows it asks the call which of these fields are open.
"""

from lxml import etree
from odoo.api import Environment
from odoo.exceptions import UserError
from odoo.fields import Field
from odoo.models import BaseModel

from ..services.field_rank import rank
from .schema_cache import cached

_ATTRIBUTES = (
    "type", "string", "help", "required", "readonly", "searchable", "sortable", "groupable", "aggregator", "relation",
    "relation_field", "currency_field", "company_dependent",
)  # fmt: skip


def model_schema(env: Environment, model: str) -> dict:
    """Return the description of a model that exists; see `_build` for its keys."""
    return cached(env, f"fields:{model}", lambda: _build(env[model]))


def _build(records: BaseModel) -> dict:
    """Return `label`, `record_name`, `order`, `archive` (field), `chatter`, `activities`, `checks_company`, `parents`
    (fields that create their record with this one) and `fields`: one dict each, false facts left out.
    """
    listed = _list_view_fields(records)
    facts = {
        "label": records.env["ir.model"]._get(records._name).name,
        "record_name": records._rec_name,
        "order": records._order,
        "archive": records._active_name,
        "chatter": "message_ids" in records._fields,
        "activities": "activity_ids" in records._fields,
        "checks_company": records._check_company_auto,
        "parents": list(records._inherits.values()),
    }
    ordering = {part.split()[0].partition(".")[0] for part in records._order.split(",") if part.strip()}
    fields = []
    for name, description in records.fields_get(attributes=_ATTRIBUTES).items():
        field = records._fields[name]
        fields.append(_field_facts(records, field, description, listed, ordering))
    fields.sort(key=lambda item: (-item.pop("rank"), item["name"]))
    return {key: value for key, value in facts.items() if value} | {"fields": fields}


def _field_facts(records: BaseModel, field: Field, description: dict, listed: set[str], ordering: set[str]) -> dict:
    base = field.base_field
    computed = bool(base.compute or base.related)
    facts = {
        "name": field.name,
        "type": field.type,
        "label": description.get("string") or field.name,
        "help": " ".join((description.get("help") or "").split()),
        "required": bool(description.get("required")),
        "readonly": bool(description.get("readonly")),
        "searchable": bool(description.get("searchable")),
        "sortable": bool(description.get("sortable")),
        "groupable": bool(description.get("groupable")),
        "aggregator": description.get("aggregator"),
        "relation": description.get("relation"),
        "inverse": description.get("relation_field"),
        "currency": description.get("currency_field"),
        "per_company": bool(description.get("company_dependent")),
        "computed": computed,
        "has_default": bool(field.default or base.default),
        "lines": _holds_lines(records, field),
        "selection": _selection(field, records.env),
        "dynamic_selection": _is_dynamic(field),
    }
    shown = {key: value for key, value in facts.items() if value not in (None, False, "", [])}
    return shown | {"rank": rank(facts | _standing(records, field, listed, ordering))}


def _standing(records: BaseModel, field: Field, listed: set[str], ordering: set[str]) -> dict:
    """Return what the model's authors let one see of a field's weight."""
    own_module = records.env.registry[field.base_field.model_name]._original_module
    return {
        "record_name": field.name == records._rec_name,
        "listed": field.name in listed,
        "ordering": field.name in ordering,
        "tracked": bool(getattr(field, "tracking", None)),
        "indexed": bool(field.index),
        "custom": field.manual,
        "stored": field.store,
        "related": bool(field.related and not field.inherited),
        "foreign": field.base_field._module != own_module,
        "restricted": bool(field.groups),
    }


def _holds_lines(records: BaseModel, field: Field) -> bool:
    """Say whether a one2many holds the parts of a document, as order lines are, rather than linked records."""
    if field.type != "one2many" or not field.inverse_name or field.readonly:
        return False
    inverse = records.env[field.comodel_name]._fields.get(field.inverse_name)
    if inverse is None or inverse.type != "many2one":
        return False
    return bool(inverse.required or "line" in field.name or field.name == "move_ids")


def _is_dynamic(field: Field) -> bool:
    """Say whether the values come from a method: they may depend on the user or the company and are not cached."""
    return field.type in ("selection", "reference") and (isinstance(field.selection, str) or callable(field.selection))


def _selection(field: Field, env: Environment) -> list[list[str]]:
    if field.type != "selection" or _is_dynamic(field):
        return []
    return [[value, label] for value, label in field._description_selection(env)]


def _list_view_fields(records: BaseModel) -> set[str]:
    """Return the fields that the list view shows to this user without asking for more columns."""
    try:
        arch = etree.fromstring(records.get_view(view_type="list")["arch"])
    except (UserError, ValueError):
        # A broken custom view must not hide the model; it only costs a better order of the fields.
        return set()
    return {
        node.get("name")
        for node in arch.iterchildren("field")
        if node.get("optional") != "hide" and node.get("column_invisible") not in ("1", "True")
    }
