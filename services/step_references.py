"""References of batch steps to the results of earlier ones: `"$1.id"`, `"$1.ids"`, `"$2.records.0.name"`.

A reference is a whole string, and is replaced by the value itself, its type kept. A text that merely contains one is
left alone; `"$$1.id"` stands for the text `$1.id`. JSON written as text (a domain) is looked into. Nothing is
evaluated: a path is names of members and positions in lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from .errors import ToolError

_REFERENCE = re.compile(r"\$(\d{1,4})(\.[A-Za-z_]\w*(?:\.\w+)*)", re.ASCII)
_ESCAPED = re.compile(r"\$(\$\d{1,4}\.[A-Za-z_]\w*(?:\.\w+)*)", re.ASCII)
_MAYBE = re.compile(r"\$\d{1,4}\.[A-Za-z_]")
# Lists of rows in results, in which the ids are found when there is no list of ids.
_ROWS = ("records", "rows")
MAX_DEPTH = 30


def check_order(steps: Sequence[Mapping[str, object]]) -> None:
    """:raises ToolError: `invalid_reference`, for a step that refers to itself, to a later one, or to none"""
    for number, step in enumerate(steps, 1):
        for text, target in _references(step.get("arguments"), number):
            if not 1 <= target <= len(steps):
                raise _invalid(number, f"{text} refers to step {target}, but there are {len(steps)} steps")
            if target == number:
                raise _invalid(number, f"{text} refers to the step itself")
            if target > number:
                raise _invalid(number, f"{text} refers to step {target}, which runs later")


def resolve(value: object, results: Sequence[Mapping[str, object]]) -> object:
    """Return `value` with every reference replaced. The input is not changed.

    :param results: structured results of the earlier steps, the first step's first
    :raises ToolError: `invalid_reference`, when a result has no such member; it tells what there is
    """
    if isinstance(value, str):
        return _resolved_text(value, results)
    if isinstance(value, Mapping):
        return {key: resolve(item, results) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(item, results) for item in value]
    return value


def _resolved_text(text: str, results: Sequence[Mapping[str, object]]) -> object:
    if match := _REFERENCE.fullmatch(text):
        return _member(text, int(match[1]), match[2][1:].split("."), results)
    if match := _ESCAPED.fullmatch(text):
        return match[1]
    inner = _inner_json(text)
    return text if inner is None else resolve(inner, results)


def _member(text: str, step: int, path: Sequence[str], results: Sequence[Mapping[str, object]]) -> object:
    value: object = results[step - 1]
    for position, name in enumerate(path):
        if position == 0 and name in ("id", "ids") and name not in value:
            value = _ids(text, value, single=name == "id")
        elif isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            raise ToolError(
                "invalid_reference",
                f"{text}: the result of step {step} has no {'.'.join(path[: position + 1])}.",
                fix=_available(value),
            )
    return value


def _ids(text: str, result: Mapping[str, object], *, single: bool) -> object:
    """Return the ids of the records that a result is about, or the only one of them."""
    ids = result.get("ids")
    rows = next((result[name] for name in _ROWS if isinstance(result.get(name), list)), None)
    if ids is None and rows is not None:
        ids = [row["id"] for row in rows if isinstance(row, Mapping) and "id" in row]
    if not isinstance(ids, list):
        raise ToolError("invalid_reference", f"{text}: that step returns no records.", fix=_available(result))
    if not single:
        return ids
    if len(ids) != 1:
        raise ToolError(
            "invalid_reference",
            f"{text}: that step returns {len(ids)} records, not one.",
            fix="Take one by its position ($1.ids.0) or all of them ($1.ids).",
        )
    return ids[0]


def _available(value: object) -> str:
    if isinstance(value, Mapping):
        return f"It has: {', '.join(map(str, list(value)[:20]))}."
    if isinstance(value, list):
        return f"It is a list of {len(value)}; name a position from 0."
    return "It has no members."


def _inner_json(text: str) -> object | None:
    """Return what a text holds as JSON, if it does and there is a reference in it."""
    if text[:1] not in ("[", "{") or not _MAYBE.search(text):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if any(_MAYBE.search(leaf) for leaf in _leaves(value)) else None


def _references(value: object, number: int) -> Iterator[tuple[str, int]]:
    for leaf in _leaves(value, number=number):
        if match := _REFERENCE.fullmatch(leaf):
            yield leaf, int(match[1])
        elif (inner := _inner_json(leaf)) is not None:
            yield from _references(inner, number)


def _leaves(value: object, depth: int = 0, number: int = 0) -> Iterator[str]:
    """Yield the texts in a JSON value."""
    if depth > MAX_DEPTH:
        raise _invalid(number, f"its arguments are nested more than {MAX_DEPTH} deep")
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item, depth + 1, number)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, depth + 1, number)


def _invalid(number: int, problem: str) -> ToolError:
    return ToolError(
        "invalid_reference",
        f"Step {number}: {problem}. Nothing was done.",
        fix="A step may use the results of steps before it, e.g. $1.id in step 2.",
        details={"step": number},
    )
