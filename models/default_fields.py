"""The fields that are read of a model when the caller names none: few, stored, and what a person would look at."""

from odoo.models import BaseModel

from .field_paths import OPAQUE, X2MANY
from .model_schema import model_schema
from .schema_cache import cached

MAX_FIELDS = 9

_UNSUITABLE = OPAQUE | X2MANY | {"html", "text", "properties", "many2one_reference"}


def default_fields(call, model: str) -> tuple[list[str], int]:
    """Return the fields to read, the one that names a record first, and how many others the caller could ask for.

    The choice is the same for all users of the same groups and cached so; the caller's policy is applied each time.
    """
    facts = cached(call.env, f"columns:{model}", lambda: _candidates(call.env[model]))
    names = call.policy.readable_fields(model, facts["names"])
    if len(call.env.companies) < 2:
        names = [name for name in names if name != "company_id"]
    shown = names[:MAX_FIELDS]
    return shown or ["display_name"], facts["count"] - len(shown)


def _candidates(records: BaseModel) -> dict[str, object]:
    """Return more names than are shown, the most telling first, so that a policy may close some of them."""
    names = [item["name"] for item in model_schema(records.env, records._name)["fields"]]
    suitable = [name for name in names if name != "id" and _is_suitable(records, name)]
    own_name = records._rec_name if records._rec_name in suitable else "display_name"
    ranked = [own_name, *(name for name in suitable if name != own_name)]
    # Whoever looks at documents of money wants to see how much.
    amount = next((name for name in ranked if records._fields[name].type == "monetary"), None)
    if amount and ranked.index(amount) >= MAX_FIELDS:
        ranked.remove(amount)
        ranked.insert(MAX_FIELDS - 1, amount)
    return {"names": ranked[: 3 * MAX_FIELDS], "count": len(names)}


def _is_suitable(records: BaseModel, name: str) -> bool:
    field = records._fields[name]
    if field.comodel_name == "res.currency" and any(other.type == "monetary" for other in records._fields.values()):
        # Amounts say their currency.
        return False
    # What is computed on reading may cost much, or fail on one record.
    is_stored = (field.store and field.column_type) or field.inherited
    return bool(is_stored and field.type not in _UNSUITABLE and not field.company_dependent)
