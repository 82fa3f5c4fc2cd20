"""Domains from outside: an untrusted list, text or set of flat filters becomes an Odoo domain, or an error.

Our own walk over the raw value, because Odoo's parser is made for trusted code: it takes the internal operator `ANY!`
in capitals, runs `search=` methods of fields the user may not see, and knows no limit of depth or size. What is not
understood is refused with its position; nothing is ever read as "everything".
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from odoo.fields import Domain

from ..services import filters as flat
from ..services.nearest import nearest
from ..services.plain_json import from_json_text
from . import filter_values, free_text
from .field_paths import (
    RELATIONAL,
    FieldPath,
    check_aggregate,
    check_groupby,
    checked_group_order,
    checked_order,
    invalid,
    resolve,
    unmasked,
)

__all__ = ["CheckedDomain", "check_aggregate", "check_groupby", "checked", "checked_group_order", "checked_order"]

MAX_DEPTH = 8
MAX_LEAVES = 100
MAX_TERMS = 500
EXAMPLE = '[["name","ilike","acme"],["active","=",true]]'
CORRECT = f"Write a domain like {EXAMPLE}, or use filters."
_ARITY = {"&": 2, "|": 2, "!": 1}
_CONSTANTS = {(1, "=", 1): Domain.TRUE, (0, "=", 1): Domain.FALSE}
_ARCHIVED = {"exclude": False, "include": True, "only": True, None: False}


@dataclass(frozen=True)
class CheckedDomain:
    """A domain every part of which this caller may use. Only `checked` makes one of untrusted input."""

    model: str
    domain: Domain = field(compare=False)
    active_test: bool = True


def checked(
    call,
    model: str,
    raw: object = None,
    *,
    filters: Sequence[Mapping[str, object]] | None = None,
    match: str = "all",
    query: str | None = None,
    name: str | None = None,
    archived: bool | str | None = False,
    ids: Sequence[int] | None = None,
) -> CheckedDomain:
    """Return the domain of records that meet `raw` and `filters` and `query`, are named `name` and are among `ids`.

    :param raw: an Odoo domain as a list, or as text in JSON or Python notation; None for none
    :param match: `all` or `any` of the flat filters
    :param query: words that are in the name or in a telling field
    :param name: words that are in the name
    :param archived: whether archived records count too; `"only"` for nothing but these
    :raises ToolError: a filter that is wrong, or names what this caller may not use
    """
    call.check_model(model)
    archived = {False: "exclude", True: "include"}.get(archived, archived)
    if archived not in _ARCHIVED or match not in ("all", "any"):
        raise invalid("archived is exclude, include or only; match is all or any.", model)
    # Who names records by id wants them, archived or not.
    active_test = not _ARCHIVED[archived] and ids is None
    walker = _Walker(call, active_test)
    domains = [] if raw is None else [walker.domain(model, _as_list(raw, model), "domain")]
    if filters:
        terms = [walker.flat(model, item, f"filters[{index}]") for index, item in enumerate(filters)]
        domains.append(Domain.OR(terms) if match == "any" else Domain.AND(terms))
    if ids is not None:
        domains.append(walker.leaf(model, ["id", "in", list(ids)], "ids", 0) if ids else Domain.FALSE)
    if query is not None:
        domains.append(free_text.matching(call, model, query))
    if name is not None:
        domains.append(free_text.named(call, model, name))
    if archived == "only":
        domains.append(_archived_only(call, model))
    return CheckedDomain(model, Domain.AND(domains), active_test)


def _archived_only(call, model: str) -> Domain:
    name = call.env[model]._active_name
    if name is None:
        raise invalid(f"{model} has no archive.", model, fix="Leave `archived` out.")
    call.field(model, name)
    return Domain(name, "=", False)


def _as_list(raw: object, model: str) -> list:
    if isinstance(raw, str):
        try:
            return from_json_text(raw, list)
        except ValueError as error:
            hint = ' Names such as uid do not exist here; write "me".' if "uid" in raw else ""
            raise invalid(f"domain must be {error}.{hint}", model, fix=CORRECT) from error
    if not isinstance(raw, list | tuple):
        raise invalid(f"domain must be a list, not {type(raw).__name__}.", model, fix=CORRECT)
    return list(raw)


class _Walker:
    """One walk over one caller's filters; counts what all of them have together."""

    def __init__(self, call, active_test: bool) -> None:
        self.call = call
        self.active_test = active_test
        self.leaves = 0

    def domain(self, model: str, terms: list, where: str, depth: int = 0) -> Domain:
        """Return the domain of a list in prefix notation; conditions side by side must all hold."""
        if depth > MAX_DEPTH:
            raise invalid(f"{where} is nested deeper than {MAX_DEPTH} levels.", model, fix="Use dotted paths.")
        if len(terms) > MAX_TERMS:
            raise invalid(f"{where} has {len(terms):,} items; {MAX_TERMS} are allowed.", model, fix="Use in.")
        if len(terms) == 3 and isinstance(terms[0], str) and terms[0] not in _ARITY and isinstance(terms[1], str):
            raise invalid(f"{where} is a single condition, not a list of them.", model, fix=f"Write [{_shown(terms)}].")
        stack: list[Domain] = []
        # From the end, as each prefix operator takes the domains that follow it.
        for index in range(len(terms) - 1, -1, -1):
            term, position = terms[index], f"{where}[{index}]"
            if not isinstance(term, str):
                stack.append(self.leaf(model, term, position, depth))
                continue
            if term not in _ARITY:
                raise invalid(f"{position}: {term[:60]!r} is neither a condition nor &, | or !.", model, fix=CORRECT)
            if len(stack) < _ARITY[term]:
                count = _ARITY[term]
                raise invalid(
                    f"{position}: {term!r} needs {count} condition{'s' * (count > 1)} after it and has {len(stack)}.",
                    model,
                    fix='Prefix notation: ["|", A, B] is A or B; ["!", A] is not A.',
                )
            operands = [stack.pop() for _operand in range(_ARITY[term])]
            stack.append(_combined(term, operands))
        return Domain.AND(reversed(stack))

    def leaf(
        self, model: str, term: object, where: str, depth: int, correct: Callable[[FieldPath], str] | None = None
    ) -> Domain:
        """Return the domain of one `[field, operator, value]`; `correct` writes the example of an error."""
        self.leaves += 1
        if self.leaves > MAX_LEAVES:
            raise invalid(f"More than {MAX_LEAVES} conditions.", model, fix="Use in with a list of values.")
        if not isinstance(term, list | tuple) or len(term) != 3:
            raise invalid(f"{where}: {_shown(term)} is not [field, operator, value].", model, fix=CORRECT)
        name, operator, value = term
        if not isinstance(name, str):
            if all(isinstance(item, str | int) for item in term) and tuple(term) in _CONSTANTS:
                return _CONSTANTS[tuple(term)]
            raise invalid(f"{where}: {_shown(name)} is not a field name.", model, fix=CORRECT)
        operator = _operator(operator, model, where)
        path = resolve(self.call, model, name)
        try:
            if operator in filter_values.SUBDOMAIN:
                condition = self._any(path, operator, value, where, depth)
            else:
                condition = filter_values.condition(self.call, path, operator, value)
        except ValueError as error:
            fix = (correct or _correction)(path)
            raise invalid(f"{where}: {name} {error}.", model, fix=fix, field=name) from error
        condition = self._runnable(path, condition, where)
        condition &= unmasked(self.call.env[path.field.model_name], path.field.name)
        for step in reversed(path.steps):
            condition = Domain(step.name, "any", condition)
        return condition

    def flat(self, model: str, item: object, where: str) -> Domain:
        """Return the domain of one `{field, op, value, values}`."""
        if not isinstance(item, Mapping) or not isinstance(item.get("field"), str):
            example = '{"field": "name", "op": "contains", "value": "acme"}'
            raise invalid(f"{where}: {_shown(item)} is not a filter.", model, fix=f"Write {example}.")
        path = resolve(self.call, model, item["field"])
        try:
            terms = flat.domain_terms(item, path.kind)
        except ValueError as error:
            fix = _flat_correction(path)
            raise invalid(f"{where}: {item['field']}: {error}.", model, fix=fix, field=item["field"]) from error
        stack = [
            term if isinstance(term, str) else self.leaf(model, term, where, 0, correct=_flat_correction)
            for term in terms
        ]
        return stack[0] if len(stack) == 1 else Domain.AND(stack[1:])

    def _any(self, path: FieldPath, operator: str, value: object, where: str, depth: int) -> Domain:
        if path.part or path.field.type not in RELATIONAL:
            raise ValueError(f"is no relation, so {operator} has nothing to look into")
        if not isinstance(value, list | tuple):
            raise ValueError(f'needs a list of conditions with {operator}, e.g. [["id","=",1]]')
        if not path.field._description_searchable:
            raise ValueError("is computed and not stored, so it cannot be filtered on")
        comodel = path.field.comodel_name
        self.call.check_model(comodel)
        inside = self.domain(comodel, list(value), f"{where}[2]", depth + 1)
        return Domain(path.field.name, operator, inside)

    def _runnable(self, path: FieldPath, condition: Domain, where: str) -> Domain:
        """Run the `search=` method of a field without a column here, where its refusal can still be told apart."""
        if path.field.store or not path.field.search or path.field.inherited or self.call.env.su:
            return condition
        records = self.call.env[path.field.model_name].with_context(active_test=self.active_test)
        try:
            return condition.optimize_full(records)
        except (ValueError, TypeError, NotImplementedError) as error:
            name = path.field.name
            message = f"{where}: {path.name} cannot be filtered this way; {name} is computed."
            raise invalid(message, path.field.model_name, fix="Try = with another value.", field=name) from error


def _combined(operator: str, operands: list[Domain]) -> Domain:
    if operator == "!":
        return ~operands[0]
    return operands[0] & operands[1] if operator == "&" else operands[0] | operands[1]


def _operator(operator: object, model: str, where: str) -> str:
    known = " ".join(operator.lower().split()) if isinstance(operator, str) else ""
    known = filter_values.SPELLINGS.get(known, known)
    if known in filter_values.OPERATORS:
        return known
    near = ", ".join(nearest(known, filter_values.OPERATORS)) if known else ""
    listed = ", ".join(sorted(filter_values.OPERATORS))
    raise invalid(
        f"{where}: {_shown(operator)} is not an operator.",
        model,
        fix=f"Did you mean {near}? All: {listed}." if near else f"Operators: {listed}.",
    )


def _correction(path: FieldPath) -> str:
    examples = {
        "many2one": '["{0}","=",7], ["{0}","ilike","acme"] or ["{0}","=",false]',
        "boolean": '["{0}","=",true]',
        "date": '["{0}",">=","2026-01-31"] or ["{0}","=","this_month"]',
        "datetime": '["{0}",">=","2026-01-31T08:00:00Z"] or ["{0}","=","this_month"]',
    }
    numeric = '["{0}",">",100]' if path.kind in ("integer", "float", "monetary") else '["{0}","=","value"]'
    links = '["{0}","in",[7]]' if path.kind in RELATIONAL or path.kind == "id" else numeric
    return f"For instance {examples.get(path.kind, links).format(path.name)}."


def _flat_correction(path: FieldPath) -> str:
    operator, value = {
        "boolean": ("eq", "true"),
        "date": ("within", "this_month"),
        "datetime": ("within", "this_month"),
        **dict.fromkeys(("integer", "float", "monetary"), ("gt", "100")),
        **dict.fromkeys((*RELATIONAL, "id"), ("eq", "7")),
        "many2one": ("contains", "acme"),
    }.get(path.kind, ("contains", "acme"))
    return f"For instance {json.dumps({'field': path.name, 'op': operator, 'value': value})}."


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
