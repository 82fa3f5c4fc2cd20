"""The text of a saved filter's domain: whether it may be evaluated at all, and its `{{argument}}` marks.

Filters are written by their users, and evaluating one runs it for somebody else. So only what the web client's filter
editor writes is let through: literals, dates reckoned from today, and the names of `NAMES`. Marks stand inside texts
and are replaced after evaluation, so that no value of a client is ever read as code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from datetime import date, datetime

MARK = re.compile(r"\{\{\s*([a-z][a-z0-9_]{0,31})\s*\}\}", re.ASCII)
LONGEST = 5_000
NAMES = frozenset(
    {"uid", "allowed_company_ids", "current_company_id", "current_date", "context_today", "now", "datetime",
     "relativedelta", "time", "True", "False", "None"}
)  # fmt: skip
_ATTRIBUTES = frozenset(
    {"combine", "date", "datetime", "replace", "strftime", "time", "timedelta", "today", "weekday", "year", "month",
     "day", "max", "min"}
)  # fmt: skip
_NODES = (
    ast.Expression, ast.List, ast.Tuple, ast.Constant, ast.Name, ast.Load, ast.Attribute, ast.Call, ast.keyword,
    ast.UnaryOp, ast.USub, ast.Not, ast.BinOp, ast.Add, ast.Sub, ast.Dict,
)  # fmt: skip
_ARITY = {"&": 2, "|": 2, "!": 1}
_DROPPED = object()


def check_expression(text: str) -> None:
    """Refuse what a filter editor would not write.

    :raises ValueError: saying what is not allowed, in words that follow "The domain"
    """
    if len(text) > LONGEST:
        raise ValueError(f"has more than {LONGEST:,} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError("cannot be read; write a list such as [('name', 'ilike', '{{name}}')]") from error
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            raise ValueError(f"uses {type(node).__name__.lower()}, which filters may not")
        if isinstance(node, ast.Name) and node.id not in NAMES:
            raise ValueError(f"uses the name {node.id}, which filters do not have")
        if isinstance(node, ast.Attribute) and node.attr not in _ATTRIBUTES:
            raise ValueError(f"uses {node.attr}, which filters may not")


def marks_in(value: object) -> set[str]:
    """Return the names of the arguments marked anywhere in an evaluated domain.

    :raises ValueError: braces that are no mark
    """
    if isinstance(value, str):
        rest = MARK.sub("", value)
        if "{{" in rest or "}}" in rest:
            raise ValueError(f"has {value[:60]!r}; only the name of an argument stands in double braces")
        return set(MARK.findall(value))
    if isinstance(value, list | tuple):
        return set().union(*(marks_in(item) for item in value))
    return set()


def filled(domain: object, values: Mapping[str, object]) -> list[object]:
    """Return the domain with its marks replaced by the values of the arguments.

    A text that is one mark becomes the value itself; other texts take it as text. A condition with a mark whose
    argument was not given is left out, together with an operator that then has nothing to combine.

    :raises ValueError: it is no list, an operator lacks its conditions, or a mark names no argument
    """
    if not isinstance(domain, list | tuple):
        raise ValueError("is no list of conditions")
    stack: list[list[object] | object] = []
    for term in reversed(domain):
        if isinstance(term, str):
            if term not in _ARITY or len(stack) < _ARITY[term]:
                raise ValueError(f"has {term[:60]!r} where a condition or &, | or ! belongs")
            operands = [stack.pop() for _ in range(_ARITY[term])]
            kept = [operand for operand in operands if operand is not _DROPPED]
            if len(kept) == len(operands):
                stack.append([term, *(part for operand in kept for part in operand)])
            else:
                stack.append(kept[0] if kept else _DROPPED)
        else:
            if isinstance(term, list | tuple) and marks_in(term[:2]):
                raise ValueError("may have marks only in the value of a condition")
            condition = _filled(term, values)
            stack.append(_DROPPED if condition is _DROPPED else [condition])
    return [part for operand in reversed(stack) if operand is not _DROPPED for part in operand]


def _filled(value: object, values: Mapping[str, object]) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds") + ("" if value.tzinfo else "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        names = MARK.findall(value)
        if unknown := set(names) - set(values):
            raise ValueError(f"has the mark {sorted(unknown)[0]}, which is no argument")
        if any(values[name] is None for name in names):
            return _DROPPED
        if whole := MARK.fullmatch(value):
            return values[whole[1]]
        return MARK.sub(lambda match: str(values[match[1]]), value)
    if isinstance(value, list | tuple):
        items = [_filled(item, values) for item in value]
        return _DROPPED if any(item is _DROPPED for item in items) else items
    return value
