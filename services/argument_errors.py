"""What is wrong with each argument, and the one error that tells the model all of it with a corrected example."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from .errors import ToolError

# Errors told in one answer: enough to correct a call at once, few enough to be read.
MAX_PROBLEMS = 5
_NOTHING: object = object()


class Problem(Exception):
    """One argument that cannot be accepted; collected by `services.coercion`, never shown as such.

    :param path: keys and indexes from the arguments object down
    :param suggestion: a value that would be right there
    :param rename: the argument beside it that was probably meant
    """

    def __init__(
        self,
        path: tuple[str | int, ...],
        value: object,
        expected: str,
        *,
        suggestion: object = _NOTHING,
        rename: str | None = None,
    ) -> None:
        super().__init__(expected)
        self.path = path
        self.value = value
        self.expected = expected
        self.suggestion = suggestion
        self.rename = rename

    @property
    def sentence(self) -> str:
        where = path_text(self.path)
        if self.value is _NOTHING:
            return f"{where}: is missing, expected {self.expected}."
        if self.rename:
            return f"{where}: this tool has no such argument, did you mean {self.rename}?"
        return f"{where}: got {shortened(self.value)}, expected {self.expected}."

    def as_dict(self) -> dict[str, object]:
        facts: dict[str, object] = {"path": path_text(self.path), "expected": self.expected}
        if self.value is not _NOTHING:
            facts["value"] = shortened(self.value)
        return facts


def missing(path: tuple[str | int, ...], expected: str) -> Problem:
    """Return the problem of a required argument that is absent."""
    return Problem(path, _NOTHING, expected)


def invalid_arguments(schema: Mapping[str, object], problems: Sequence[Problem]) -> ToolError:
    """Return the error for these problems: each with path, value and what was expected, and one corrected example."""
    told = problems[:MAX_PROBLEMS]
    example: dict[str, object] = {}
    for problem in told:
        _correct(example, schema, problem)
    sentences = [problem.sentence for problem in told]
    more = len(problems) - len(told)
    if more > 0:
        sentences.append(f"And {more} more.")
    fix = f"Correct and call again, e.g. {shortened(example, 400)}" if example else "Correct the arguments, call again."
    facts = {"errors": [problem.as_dict() for problem in told], "example": example or None}
    return ToolError("invalid_arguments", " ".join(sentences), fix=fix, details=facts)


def path_text(path: Sequence[str | int]) -> str:
    """Return `filters[0].op` for `("filters", 0, "op")`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{shortened_name(step)}" for step in path)
    return text.removeprefix(".") or "arguments"


def shortened_name(name: str) -> str:
    """Return a name that a client made up, short and on one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:60])


def shortened(value: object, limit: int = 80) -> str:
    """Return a value as JSON of at most about `limit` characters."""
    if isinstance(value, str):
        value = value[: limit + 1]
    elif isinstance(value, list):
        value = value[: limit // 2]
    try:
        written = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        written = f"<{type(value).__name__}>"
    return written if len(written) <= limit else f"{written[: limit - 1]}…"


def example_for(schema: object) -> object:
    """Return a small value that the schema accepts."""
    if not isinstance(schema, Mapping):
        return "text"
    example = getattr(schema, "example", None)
    if example is not None:
        return example
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return schema.get("minimum", min(1, schema.get("maximum", 1)))
    if kind == "boolean":
        return True
    if kind == "array":
        return [example_for(schema.get("items"))]
    if kind == "object":
        properties = schema.get("properties") or {}
        return {name: example_for(properties[name]) for name in schema.get("required") or list(properties)[:2]}
    return "text"


def _correct(example: dict[str, object], schema: Mapping[str, object], problem: Problem) -> None:
    """Put a right value for the problem's top-level argument into the example."""
    properties = schema.get("properties") or {}
    path = (*problem.path[:-1], problem.rename) if problem.rename else problem.path
    if not path or path[0] not in properties:
        return
    # Through JSON: the fragments' own examples must not change.
    example.setdefault(path[0], json.loads(json.dumps(example_for(properties[path[0]]))))
    if problem.suggestion is _NOTHING:
        return
    target: object = example
    for step in path[:-1]:
        target = _child(target, step)
    if isinstance(target, dict):
        target[path[-1]] = problem.suggestion
    elif isinstance(target, list):
        target[:] = [problem.suggestion]


def _child(target: object, step: str | int) -> object:
    if isinstance(target, dict):
        return target.get(step)
    return target[0] if isinstance(target, list) and target else None
