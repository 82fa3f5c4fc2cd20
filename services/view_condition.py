"""Conditions of views (`invisible="state != 'draft'"`), evaluated only as far as they are simple.

Names, constants, comparisons and `and`, `or`, `not` are understood; anything else (calls, attributes, arithmetic) makes
the answer unknown. Nothing is ever executed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping

MAX_LENGTH = 1000

_COMPARE = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
# As in the web client's Python: lower-case truth values occur in older views.
_CONSTANTS = {"true": True, "false": False, "none": None}


class _UnknownError(Exception):
    """The condition is not simple, or names something that has no value here."""


def names_in(expression: str) -> set[str]:
    """Return the names that a condition needs values for; none when it is not simple."""
    try:
        tree = _parsed(expression)
    except _UnknownError:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - _CONSTANTS.keys()


def evaluate(expression: str, values: Mapping[str, object]) -> bool | None:
    """Return what the condition says for these values, None when that cannot be told."""
    try:
        return bool(_value(_parsed(expression).body, values))
    except (_UnknownError, TypeError, RecursionError):
        return None


def _parsed(expression: str) -> ast.Expression:
    if len(expression) > MAX_LENGTH:
        raise _UnknownError
    try:
        return ast.parse(expression.replace("\n", " ").strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise _UnknownError from error


def _value(node: ast.AST, values: Mapping[str, object]) -> object:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.List() | ast.Tuple():
            return [_value(item, values) for item in node.elts]
        case ast.UnaryOp(op=ast.Not()):
            return not _value(node.operand, values)
        case ast.BoolOp():
            return _both(node, values)
        case ast.Compare():
            return _compared(node, values)
    raise _UnknownError


def _both(node: ast.BoolOp, values: Mapping[str, object]) -> object:
    """`and` and `or`; one side can decide although the other is unknown."""
    deciding = isinstance(node.op, ast.Or)
    unknown = False
    result: object = not deciding
    for part in node.values:
        try:
            result = _value(part, values)
        except (_UnknownError, TypeError):
            unknown = True
            continue
        if bool(result) is deciding:
            return result
    if unknown:
        raise _UnknownError
    return result


def _compared(node: ast.Compare, values: Mapping[str, object]) -> bool:
    left = _value(node.left, values)
    for comparison, right_node in zip(node.ops, node.comparators, strict=True):
        right = _value(right_node, values)
        if not _COMPARE[type(comparison)](left, right):
            return False
        left = right
    return True
