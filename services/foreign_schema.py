"""Schemas that use more than the portable dialect: validated by `jsonschema` where it is installed.

Odoo does not require that package. Without it such a tool's arguments are checked by type, required, properties,
items, enum and range only, and the tool itself must expect the rest.
"""

from __future__ import annotations

from collections.abc import Mapping

from .argument_errors import MAX_PROBLEMS, Problem

try:
    from jsonschema import Draft202012Validator, SchemaError
    from referencing import Registry
except ImportError:
    Draft202012Validator = None


def foreign_problems(schema: Mapping[str, object], arguments: object) -> list[Problem]:
    """Return what `jsonschema` objects to, nothing where it is not installed.

    :raises ValueError: when the schema itself is not a valid one
    """
    if Draft202012Validator is None:
        return []
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"The tool's input schema is invalid: {error.message}") from error
    # An empty registry: by default an unknown `$ref` would be fetched from the network.
    validator = Draft202012Validator(schema, registry=Registry())
    problems = []
    for error in validator.iter_errors(arguments):
        problems.append(Problem(tuple(error.absolute_path), error.instance, f"a value that fits {_rule(error)}"))
        if len(problems) == MAX_PROBLEMS:
            break
    return problems


def _rule(error) -> str:
    """Name the keyword that failed and its value, shortened."""
    return f"{error.validator}: {str(error.validator_value)[:120]}"
