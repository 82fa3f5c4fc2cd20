"""Names of fields as a caller writes them, resolved to what may be used: dotted paths, order, group by, aggregates.

Every element of a path passes `ToolCall.field`, which checks its model too: Odoo runs `search=` methods before it looks
at a field's groups, and some paths bypass the rules of the models they cross.
"""

import re
from dataclasses import dataclass

from odoo.fields import Domain, Field
from odoo.models import BaseModel

from ..services.errors import ToolError
from ..services.nearest import nearest

MAX_PATH = 6
MAX_ORDER_TERMS = 5
DATE_PARTS = (
    "year_number", "quarter_number", "month_number", "iso_week_number", "day_of_year", "day_of_month", "day_of_week",
)  # fmt: skip
TIME_PARTS = ("hour_number", "minute_number", "second_number")
GRANULARITIES = ("hour", "day", "week", "month", "quarter", "year")
RELATIONAL = frozenset({"many2one", "one2many", "many2many"})
X2MANY = frozenset({"one2many", "many2many"})
NUMERIC = frozenset({"integer", "float", "monetary"})
TEMPORAL = frozenset({"date", "datetime"})
# Neither filtered, sorted nor grouped on: their columns hold no comparable value.
OPAQUE = frozenset({"binary", "image", "json", "serialized", "properties_definition"})

_PROPERTY = re.compile(r"[a-z0-9_]{1,512}")
_ORDER_TERM = re.compile(
    r"(?P<name>[a-z0-9_.]+)(?:\s+(?P<direction>asc|desc))?(?:\s+nulls\s+(?P<nulls>first|last))?", re.IGNORECASE
)
_GROUP_ORDER_TERM = re.compile(r"(?P<name>[a-z0-9_.:]+)(?:\s+(?P<direction>asc|desc))?", re.IGNORECASE)
_AGGREGATES = {
    "sum": NUMERIC,
    "avg": NUMERIC,
    "min": NUMERIC | TEMPORAL,
    "max": NUMERIC | TEMPORAL,
    "sum_currency": frozenset({"monetary"}),
    "bool_and": frozenset({"boolean"}),
    "bool_or": frozenset({"boolean"}),
    "count": None,
    "count_distinct": None,
}


@dataclass(frozen=True)
class FieldPath:
    """A resolved name.

    :param steps: the relations that are followed, first one first
    :param field: what the path ends in
    :param part: a date part (`month_number`) or the name of a property, after the field
    """

    name: str
    steps: tuple[Field, ...]
    field: Field
    part: str | None = None

    @property
    def expression(self) -> str:
        """The end of the path as Odoo writes it, on the model of `field`."""
        return f"{self.field.name}.{self.part}" if self.part else self.field.name

    @property
    def kind(self) -> str:
        """The type by which values are read: a date part is an integer."""
        if not self.part:
            return "id" if self.field.name == "id" else self.field.type
        return "property" if self.field.type == "properties" else "integer"


def resolve(call, model: str, name: object) -> FieldPath:
    """Return the path that `name` stands for on `model`.

    :raises ToolError: a wrong or closed name anywhere on it
    """
    names = name.split(".") if isinstance(name, str) else []
    if not names or not all(names):
        raise invalid(f"{name!r} is not a field name.", model, fix="See odoo_describe_model for its fields.")
    if len(names) > MAX_PATH:
        raise invalid(f"{name[:100]} is longer than {MAX_PATH} fields.", model, fix="Start from a nearer model.")
    steps = []
    for index, element in enumerate(names):
        field = call.field(model, element)
        rest = names[index + 1 :]
        if not rest:
            return FieldPath(name, tuple(steps), field)
        if field.type in RELATIONAL:
            # `call.field` of the next name checks the model it is on.
            steps.append(field)
            model = field.comodel_name
        else:
            return FieldPath(name, tuple(steps), field, _part(field, model, rest))
    raise AssertionError("unreachable: the last name returns")


def unmasked(records: BaseModel, name: str) -> Domain:
    """Return the domain of the records whose value of a field this user is shown.

    Private meetings of others read as "Busy", but Odoo searches and groups by what is behind it.
    """
    if not hasattr(records, "_get_default_privacy_domain") or name in records._get_public_fields():
        return Domain.TRUE
    attended = Domain("partner_ids", "in", records.env.user.partner_id.ids)
    return Domain(records._get_default_privacy_domain()) | attended


def checked_order(call, model: str, order: str | None) -> str:
    """Return the order to search in: the caller's terms or the model's own, then `id`, so that pages are stable.

    :raises ToolError: `invalid_order`
    """
    records = call.env[model]
    if not order or not order.strip():
        own = records._order
        return own if _names_id(own) else f"{own}, id"
    parts = order.split(",")
    if len(parts) > MAX_ORDER_TERMS:
        raise _invalid_order(f"order has {len(parts)} terms; {MAX_ORDER_TERMS} are allowed.", model)
    terms = [_order_term(call, model, part.strip()) for part in parts]
    text = ", ".join(terms)
    return text if _names_id(text) else f"{text}, id"


def check_groupby(call, model: str, term: str) -> FieldPath:
    """Check one `field`, `many2one.field` or `date:month` to group by, and return its path.

    :raises ToolError: `invalid_group_by`
    """
    name, colon, granularity = term.partition(":") if isinstance(term, str) else ("", "", "")
    path = resolve(call, model, name)
    if any(step.type != "many2one" for step in path.steps):
        raise _invalid_group(f"{name} passes a one2many or many2many; groups can only follow many2one fields.", model)
    if not all(_is_column(step) for step in path.steps):
        raise _invalid_group(f"{name} passes a computed field, which the database cannot group by.", model)
    field = path.field
    if path.steps and not unmasked(call.env[field.model_name], field.name).is_true():
        raise _invalid_group(f"{name} is private on some records; group {field.model_name} itself.", model)
    if field.type in TEMPORAL:
        # Not `month_number` and the like: Odoo's formatting of these fails on records without a date.
        if path.part or granularity not in GRANULARITIES:
            listed = ", ".join(GRANULARITIES)
            raise _invalid_group(f"{name} is a date: cut it by {listed}, e.g. {path.name}:month.", model)
        return path
    if colon and field.type != "properties":
        raise _invalid_group(f"{name} is no date, so :{granularity} does not apply. Use {name}.", model)
    if field.type == "properties":
        if not path.part or colon and granularity not in GRANULARITIES or path.steps:
            raise _invalid_group(f"Group by one property of {name}, e.g. {name.split('.')[0]}.<property>.", model)
        return path
    if field.type in OPAQUE or field.type in ("one2many", "html") or not _is_column(field):
        raise _invalid_group(f"{name} ({field.type}) cannot be grouped by: it has no stored value of its own.", model)
    if field.type == "many2many":
        call.check_model(field.comodel_name)
    elif field.type == "many2one":
        call.policy.check_model(field.comodel_name)
    return path


def check_aggregate(call, model: str, term: str) -> None:
    """Check one `__count` or `field:function`.

    :raises ToolError: `invalid_measure`
    """
    if term == "__count":
        return
    name, _colon, function = term.partition(":") if isinstance(term, str) else ("", "", "")
    if function not in _AGGREGATES:
        raise _invalid_measure(f"{term!r}: write field:function with one of {', '.join(_AGGREGATES)}.", model)
    if "." in name:
        raise _invalid_measure(f"{name} is a path; measures are fields of {model} itself.", model)
    field = call.field(model, name)
    kinds = _AGGREGATES[function]
    if field.comodel_name == "res.currency" and function in ("min", "max"):
        # By their lowest and highest id one sees whether amounts are in one currency.
        kinds = None
    if kinds is not None and field.type not in kinds or field.type in OPAQUE | X2MANY | {"properties"}:
        usable = ", ".join(_measurable(call, model)[:12]) or "none"
        raise _invalid_measure(
            f"{function} does not work on {name}, a {field.type} field. Numeric fields: {usable}.", model
        )
    if not _is_column(field):
        raise _invalid_measure(f"{name} is computed and not stored, so the database cannot {function} it.", model)
    if function == "sum_currency":
        call.field(model, field.get_currency_field(call.env[model]))
        call.check_model("res.currency")


def checked_group_order(call, model: str, order: str | None, groupby: list[str], aggregates: list[str]) -> str | None:
    """Return the order of groups; it may name only what is grouped by or measured, as these have been checked.

    :raises ToolError: `invalid_order`
    """
    if not order or not order.strip():
        return None
    known = {*groupby, *aggregates, "__count"}
    terms = []
    for part in order.split(","):
        match = _GROUP_ORDER_TERM.fullmatch(part.strip())
        if match is None or match["name"] not in known:
            raise _invalid_order(
                f"Groups cannot be sorted by {part.strip()[:100]!r}, only by {', '.join(sorted(known))}.", model
            )
        field = call.env[model]._fields.get(match["name"])
        if field is not None and field.type == "many2one":
            # Odoo sorts them by the other model's own order, which tells something about its values.
            call.check_model(field.comodel_name)
        terms.append(f"{match['name']} {(match['direction'] or 'asc').lower()}")
    return ", ".join(terms)


def invalid(message: str, model: str, *, fix: str | None = None, field: str | None = None) -> ToolError:
    """Return the error of a filter that cannot be understood."""
    return ToolError("invalid_filter", message, fix=fix, model=model, field=field)


def _part(field: Field, model: str, rest: list[str]) -> str:
    name = f"{field.name}.{'.'.join(rest)}"
    if field.type == "properties" and len(rest) == 1 and _PROPERTY.fullmatch(rest[0]):
        return rest[0]
    parts = {"date": DATE_PARTS, "datetime": DATE_PARTS + TIME_PARTS}.get(field.type, ())
    if len(rest) == 1 and rest[0] in parts:
        return rest[0]
    if parts:
        near = ", ".join(nearest(rest[0], parts)) or ", ".join(parts)
        raise invalid(f"{name} is no part of a date.", model, fix=f"Parts: {near}.", field=field.name)
    fix = f"Filter on {field.name} itself."
    raise invalid(
        f"{name} cannot be followed: {field.name} of {model} is a {field.type}, not a relation.", model, fix=fix
    )


def _order_term(call, model: str, term: str) -> str:
    match = _ORDER_TERM.fullmatch(term)
    if match is None:
        raise _invalid_order(f"{term[:100]!r} is not a sort term.", model)
    name = match["name"]
    path = resolve(call, model, name)
    field = path.field
    if path.steps and not (len(path.steps) == 1 and field.name == "id" and path.steps[0].type == "many2one"):
        raise _invalid_order(f"{name} belongs to another model; sort by a field of {model}.", model)
    sorted_field = path.steps[0] if path.steps else field
    is_property = field.type == "properties" and path.part
    if (path.part and not is_property) or (field.type in OPAQUE | X2MANY or not _is_column(sorted_field)):
        raise _invalid_order(f"{name} cannot be sorted by: {model} has no stored value of it to compare.", model)
    if field.type == "many2one" and not path.steps:
        # Odoo sorts them by the other model's own order, which tells something about its values.
        call.check_model(field.comodel_name)
    direction = f" {match['direction'].lower()}" if match["direction"] else ""
    nulls = f" nulls {match['nulls'].lower()}" if match["nulls"] else ""
    return f"{name}{direction}{nulls}"


def _is_column(field: Field) -> bool:
    """Say whether the field has a value in the database, on its own table or on the one its model inherits from."""
    if field.type == "many2many":
        return field.store or bool(field.related and field.related_field.store)
    if field.inherited:
        return _is_column(field.inherited_field)
    return bool(field.store and field.column_type)


def _names_id(order: str) -> bool:
    return any(term.split()[:1] == ["id"] for term in order.split(","))


def _measurable(call, model: str) -> list[str]:
    return [
        name
        for name, field in call.fields(model).items()
        if field.type in NUMERIC and _is_column(field) and field.aggregator and name != "id"
    ]


def _invalid_order(message: str, model: str) -> ToolError:
    return ToolError("invalid_order", message, fix='Write for instance "date desc, id".', model=model)


def _invalid_group(message: str, model: str) -> ToolError:
    return ToolError("invalid_group_by", message, fix="See odoo_describe_model for the fields.", model=model)


def _invalid_measure(message: str, model: str) -> ToolError:
    return ToolError("invalid_measure", message, fix="Write for instance amount_total:sum, or __count.", model=model)
