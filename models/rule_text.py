"""Record rules in words: "Company is one of your companies" instead of a domain.

Lists of ids are only counted: a rule may have looked them up with more rights than the reader has.
"""

from odoo.api import Environment
from odoo.fields import Domain
from odoo.orm.domains import DomainAnd, DomainCondition, DomainNot, DomainOr

LONGEST = 300
MAX_DEPTH = 6
_OPERATORS = {
    "=": "is", "!=": "is not", "in": "is one of", "not in": "is none of", "<": "is less than", "<=": "is at most",
    ">": "is more than", ">=": "is at least", "like": "contains", "ilike": "contains", "not like": "does not contain",
    "not ilike": "does not contain", "=like": "matches", "=ilike": "matches", "child_of": "is below", "=?": "is",
    "parent_of": "is above", "any": "has", "not any": "does not have", "any!": "has", "not any!": "does not have",
}  # fmt: skip


def rule_text(env: Environment, model: str, domain: Domain) -> str:
    """Return an evaluated rule domain as a phrase in the user's language where labels are translated."""
    text = _phrase(env, model, domain, 0)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _phrase(env: Environment, model: str, domain: Domain, depth: int) -> str:
    if domain.is_true():
        return "all records"
    if domain.is_false():
        return "no record"
    if depth > MAX_DEPTH:
        return "…"
    match domain:
        case DomainNot():
            return f"not ({_phrase(env, model, domain.child, depth + 1)})"
        case DomainAnd() | DomainOr():
            word = " and " if isinstance(domain, DomainAnd) else " or "
            parts = [_phrase(env, model, child, depth + 1) for child in domain.children]
            return word.join(f"({part})" if " and " in part or " or " in part else part for part in parts)
        case DomainCondition():
            return _condition(env, model, domain, depth)
    return "a condition of its own"


def _condition(env: Environment, model: str, condition: DomainCondition, depth: int) -> str:
    labels = []
    field, target = None, model
    for name in condition.field_expr.split("."):
        field = env[target]._fields.get(name) if target else None
        if field is None:
            labels.append(name)
            break
        labels.append(str(field._description_string(env) or name))
        target = field.comodel_name if field.relational else None
    subject = " / ".join(labels)
    operator = _OPERATORS.get(condition.operator, condition.operator)
    value = condition.value
    if isinstance(value, Domain):
        return f"{subject} {operator} ({_phrase(env, target, value, depth + 1)})" if target else subject
    return _comparison(env, subject, operator, value, target)


def _comparison(env: Environment, subject: str, operator: str, value: object, target: str | None) -> str:
    values = (
        list(value)
        if isinstance(value, list | tuple | set | frozenset) or hasattr(value, "__len__") and not isinstance(value, str)
        else [value]
    )
    empty = any(each in (False, None) for each in values)
    given = [each for each in values if each not in (False, None)]
    if not given:
        return f"{subject} is set" if operator in ("is not", "is none of") else f"{subject} is empty"
    named = _named(env, given, target)
    return f"{subject} {operator} {named}{' or empty' if empty else ''}"


def _named(env: Environment, values: list, target: str | None) -> str:
    own = {
        "res.users": ("you", [env.uid]),
        "res.partner": ("your own contact", env.user.partner_id.ids),
        "res.company": ("your companies", env.companies.ids),
    }
    if target in own and set(values) <= set(own[target][1]):
        return own[target][0]
    if target or all(isinstance(each, int) and not isinstance(each, bool) for each in values):
        return f"{len(values)} certain record(s)" if len(values) > 1 or target else str(values[0])
    return ", ".join(str(each) for each in values[:5]) + ("…" if len(values) > 5 else "")
