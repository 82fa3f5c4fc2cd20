"""One checked condition: which operators a type of field takes, and its value in the form the ORM compares.

A value that does not fit is an error. Odoo itself would let many of them through and match nothing, or everything.
"""

from odoo.fields import Domain

from ..services import plain_json
from ..services.errors import ToolError
from ..services.nearest import nearest
from . import filter_dates
from .field_paths import RELATIONAL, TEMPORAL, X2MANY, FieldPath, invalid, resolve, unmasked

EQUALITY = ("=", "!=", "in", "not in")
ORDERING = ("<", "<=", ">", ">=")
PATTERNS = ("like", "not like", "ilike", "not ilike", "=like", "not =like", "=ilike", "not =ilike")
HIERARCHY = ("child_of", "parent_of")
SUBDOMAIN = ("any", "not any")
# A whitelist: Odoo lower-cases operators after it has refused the internal `any!`, which skips access rules.
OPERATORS = frozenset((*EQUALITY, *ORDERING, *PATTERNS, *HIERARCHY, *SUBDOMAIN))
SPELLINGS = {"==": "=", "<>": "!="}
NEGATIVE = frozenset({"!=", "not in", "not any", *(operator for operator in PATTERNS if operator.startswith("not"))})

MAX_IN = 10_000
MAX_ID = 2**31 - 1
MAX_PATTERN = 1_000

_TEXT = ("char", "text", "html", "reference", "selection", "property")
_NUMBERS = ("integer", "float", "monetary", "many2one_reference")
_ALLOWED = {
    "boolean": EQUALITY,
    "id": EQUALITY + ORDERING + HIERARCHY,
    **dict.fromkeys(_NUMBERS + tuple(TEMPORAL), EQUALITY + ORDERING),
    **dict.fromkeys(_TEXT, EQUALITY + ORDERING + PATTERNS),
    **dict.fromkeys(RELATIONAL, EQUALITY + PATTERNS + HIERARCHY),
}


def condition(call, path: FieldPath, operator: str, value: object) -> Domain:
    """Return the condition on the model of `path.field`; the relations before it are the caller's to follow.

    :raises ToolError: operator or value do not fit the field
    :raises ValueError: the same, said in words that follow the field's name
    """
    kind = path.kind
    allowed = _ALLOWED.get(kind)
    if allowed is None:
        raise ValueError(f"is a {kind} field, which cannot be filtered on")
    if operator not in allowed:
        raise ValueError(f"is a {kind} field: {operator} does not fit, only {', '.join(allowed)}{_operator_hint(kind)}")
    field = path.field
    if not path.part and not field._description_searchable:
        raise ValueError("is computed and not stored, so it cannot be filtered on; read it, or filter on what it is of")
    if isinstance(value, list | tuple) and operator in ("=", "!="):
        operator = "in" if operator == "=" else "not in"
    if operator in ("in", "not in") and not isinstance(value, list | tuple):
        value = [value]
    if kind in RELATIONAL or kind == "id":
        return _link(call, path, operator, value)
    if field.name == "display_name":
        check_name_search(call, field.model_name)
    if operator in PATTERNS:
        return _pattern(call, path, operator, value)
    if kind in TEMPORAL:
        clock = filter_dates.clock(call)
        return filter_dates.compared(path, operator, _each(operator, value, filter_dates.reader(clock)), clock)
    return Domain(path.expression, operator, _each(operator, value, _converter(call, path, kind)))


def check_name_search(call, model: str) -> None:
    """Check every field that a search by display name looks into.

    :raises ToolError: one of them is closed to this caller
    """
    for name in name_fields(call, model):
        resolve(call, model, name)


def name_fields(call, model: str) -> list[str]:
    """Return the fields (or paths) by which records of a model are found by name."""
    records = call.env[model]
    return list(records._rec_names_search or ([records._rec_name] if records._rec_name else []))


def pattern_text(value: object, operator: str) -> str:
    """Return the text of a `like` condition.

    :raises ValueError: empty (it would match everything), too long, or ending in an escape
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"needs a text to look for with {operator}, not {value!r}")
    text = plain_json.checked_text(str(value), MAX_PATTERN)
    if not text.strip():
        raise ValueError(f"needs a text to look for with {operator}; an empty one would match everything")
    if (len(text) - len(text.rstrip("\\"))) % 2:
        raise ValueError("has a pattern that ends in a lone backslash")
    return text


def _each(operator: str, value: object, convert) -> object:
    """Convert one value, or each of a list. False and null mean "not set", where equality is asked."""
    if operator in ("in", "not in"):
        if not value:
            raise ValueError(f"needs at least one value with {operator}")
        if len(value) > MAX_IN:
            raise ValueError(f"has a list of {len(value):,} values; {MAX_IN:,} are allowed")
        return [False if item is None or item is False else convert(item) for item in value]
    if isinstance(value, list | tuple | dict):
        raise ValueError(f"needs one value with {operator}, not {type(value).__name__}")
    if value is None or value is False:
        if operator not in EQUALITY:
            raise ValueError(f"needs a value with {operator}")
        return False
    return convert(value)


def _converter(call, path: FieldPath, kind: str):
    """Return the function that makes a value of the field's type, or raises ValueError."""

    def expected(reader, value):
        try:
            return reader(value)
        except ValueError as error:
            raise ValueError(f"is a {kind} field and needs {error}, not {value!r}") from error

    if kind == "selection":
        options = selection(call, path.field)
        return lambda value: _selection_key(options, value)
    reader = {
        "boolean": lambda value: plain_json.to_boolean(bool(value) if value in (0, 1) else value),
        "integer": plain_json.to_integer,
        "many2one_reference": plain_json.to_integer,
        "float": plain_json.to_number,
        "monetary": plain_json.to_number,
        "property": _property,
    }.get(kind, _text)
    return lambda value: expected(reader, value)


def selection(call, field) -> dict[str, str]:
    """Return the labels of a selection field, by value, in the caller's language."""
    return {str(key): str(label) for key, label in field._description_selection(call.env)}


def _selection_key(options: dict[str, str], value: object) -> str:
    text = str(value)
    if text in options:
        return text
    wanted = text.strip().casefold()
    for key, label in options.items():
        if wanted in (label.casefold(), key.casefold()):
            return key
    near = nearest(text, options) or list(options)[:10]
    listed = ", ".join(f"{key} ({options[key]})" for key in near)
    raise ValueError(f"has no choice {text[:100]!r}; choices: {listed}")


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("text")
    return plain_json.checked_text(str(value))


def _property(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    return _text(value)


def _pattern(call, path: FieldPath, operator: str, value: object) -> Domain:
    text = pattern_text(value, operator)
    if path.kind == "selection" and "=" not in operator:
        # The database holds the technical values; people and models look for what they read.
        options = selection(call, path.field)
        wanted = text.casefold()
        keys = [key for key, label in options.items() if wanted in label.casefold() or wanted in key.casefold()]
        if not keys:
            _selection_key(options, text)
        return Domain(path.expression, "not in" if operator in NEGATIVE else "in", keys)
    return Domain(path.expression, operator, text)


def _link(call, path: FieldPath, operator: str, value: object) -> Domain:
    field = path.field
    comodel = field.model_name if path.kind == "id" else field.comodel_name
    if field.type in X2MANY:
        # Whether there are any already says something about records of the other model.
        call.check_model(comodel)
    else:
        call.policy.check_model(comodel)
    if operator in PATTERNS:
        call.check_model(comodel)
        check_name_search(call, comodel)
        if not unmasked(call.env[comodel], "display_name").is_true():
            raise ValueError(f"links to {comodel}, some of whose names are private; filter by a dotted path")
        return Domain(path.expression, operator, pattern_text(value, operator))
    if operator in HIERARCHY:
        return _hierarchy(call, path, comodel, operator, value)
    if operator in ORDERING:
        # Ids count up, so "above 0" or "since the last one" are fair questions.
        return Domain(path.expression, operator, _each(operator, value, _converter(call, path, "integer")))
    ids = _each(operator, value, lambda item: _record_id(call, comodel, item))
    # A superuser's domain may be kept, which a query cannot, and all records are visible to it.
    if field.type in X2MANY and (field.store or field.inherited) and not call.env.su:
        return _linked_to(call, field, operator, ids if isinstance(ids, list) else [ids])
    return Domain(path.expression, operator, ids)


def _linked_to(call, field, operator: str, ids: list[int | bool]) -> Domain:
    """Return the condition of an x2many on visible records: Odoo's own `in` asks as superuser whether there are any."""
    linked = call.env[field.comodel_name].with_context(active_test=False)
    parts = []
    if wanted := [item for item in ids if item is not False]:
        parts.append(Domain(field.name, "any", linked._search(Domain("id", "in", wanted))))
    if len(wanted) < len(ids):
        parts.append(Domain(field.name, "not any", linked._search(Domain.TRUE)))
    condition = Domain.OR(parts)
    return ~condition if operator in NEGATIVE else condition


def _hierarchy(call, path: FieldPath, comodel: str, operator: str, value: object) -> Domain:
    own = path.kind != "id" and comodel == path.field.model_name
    parent = path.field.name if own else call.env[comodel]._parent_name
    if parent not in call.env[comodel]._fields:
        raise ValueError(f"cannot be asked with {operator}: {comodel} has no hierarchy; use in")
    # The hierarchy is walked as superuser; this checks the model and the field that it is walked by.
    call.field(comodel, parent)
    values = value if isinstance(value, list | tuple) else [value]
    if any(item is None or item is False for item in values):
        raise ValueError(f"needs record ids with {operator}")
    return Domain(path.expression, operator, _each("in", values, lambda item: _record_id(call, comodel, item)))


def _record_id(call, comodel: str, value: object) -> int:
    if isinstance(value, str) and value.strip().lower() in ("me", "my_company"):
        return _own_id(call, comodel, value.strip().lower())
    try:
        record_id = plain_json.to_integer(value)
    except ValueError as error:
        hint = f'a name is looked for with ilike or the flat op contains, and "not set" is false, not {value!r}'
        raise ValueError(f"links to {comodel} and needs a record id; {hint}") from error
    if not 0 < record_id <= MAX_ID:
        raise ValueError(f'links to {comodel} and needs a record id from 1 up; "not set" is false, not {record_id}')
    return record_id


def _own_id(call, comodel: str, word: str) -> int:
    """Return the id that `me` or `my_company` stands for on a link to this model."""
    user = call.env.user
    if word == "my_company" and comodel == "res.company":
        return call.env.company.id
    if word == "me" and comodel == "res.users":
        return user.id
    if word == "me" and comodel == "res.partner":
        return user.partner_id.id
    if word == "me" and comodel in ("hr.employee", "hr.employee.public") and "employee_id" in user._fields:
        # sudo: the user's own link to their employee, whose model an employee may not be allowed to read.
        if employee := user.sudo().employee_id:
            return employee.id
        raise ToolError("invalid_filter", "This user is no employee, so `me` has no meaning here.", model=comodel)
    fits = "users, partners and employees" if word == "me" else "companies"
    raise invalid(f"{word!r} stands for {fits}, not for {comodel}.", comodel, fix="Give a record id.")


def _operator_hint(kind: str) -> str:
    if kind in TEMPORAL:
        return ' (for a month write = with "2026-01")'
    if kind in RELATIONAL:
        return "; to compare a field of the linked record, write a dotted path"
    return ""
