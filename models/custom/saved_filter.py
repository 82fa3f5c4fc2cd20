"""A tool made of a saved filter: its domain, order and grouping as arguments of the shipped reading tools."""

import json
from collections.abc import Mapping

from ...services.custom_tools import CustomTool
from ...services.domain_text import check_expression, filled
from ...services.errors import ToolError
from ..view_values import literal, namespace
from .given import Given

# What the web client's graphs and pivots keep as their measures.
_MEASURES = ("pivot_measures", "graph_measure")


def query(call, tool: CustomTool, given: Given) -> tuple[str, dict[str, object]]:
    """Return the handler that answers this filter, and its arguments.

    The domain goes through the same guard as one that the client wrote, with the caller's own rights.

    :raises ToolError: `tool_broken`, when the filter has become unusable since the tool was made
    """
    # sudo: filters are their owners'; an administrator has chosen this one, and its rows are read as the caller.
    saved = call.env["ir.filters"].sudo().browse(tool.source_id)
    try:
        names = namespace(call.env, {})
        values = {name: _as_filter_value(tool, name, value) for name, value in given.values.items()}
        domain = [*_domain(saved.domain, names, values), *_domain(tool.condition, names, values)]
        context = _literal(saved.context, names)
        context = context if isinstance(context, Mapping) else {}
        order = ", ".join(_listed(json.loads(saved.sort or "[]")))
    except ValueError as error:
        raise ToolError(
            "tool_broken",
            f"The filter behind {tool.name} {error}.",
            fix="Do without it, and tell an administrator to look at MCP Server, Tools.",
        ) from error
    groups = _listed(context.get("group_by"))
    if groups:
        measures = tool.columns or tuple(each for key in _MEASURES for each in _listed(context.get(key)))
        # An order of records says nothing about groups.
        asked = {"group_by": groups, "measures": list(dict.fromkeys(measures)), "domain": domain}
        return "_tool_aggregate_records", {"model": tool.model, **asked}
    archived = "include" if context.get("active_test") is False else "exclude"
    asked = {"domain": domain, "order": order or None, "fields": list(tool.columns) or None, "archived": archived}
    return "_tool_search_records", {"model": tool.model, **asked}


def _domain(text: str | None, names: Mapping[str, object], values: Mapping[str, object]) -> list[object]:
    return filled(_literal(text, names) or [], values)


def _literal(text: str | None, names: Mapping[str, object]) -> object:
    if not text:
        return None
    # The context of a filter is a dictionary of names and numbers.
    check_expression(text)
    return literal(text, names)


def _as_filter_value(tool: CustomTool, name: str, value: object) -> object:
    """Return the value as conditions take it: a moment with its zone."""
    kind = next(argument.kind for argument in tool.arguments if argument.name == name)
    return f"{value.replace(' ', 'T')}Z" if kind == "datetime" and isinstance(value, str) else value


def _listed(value: object) -> list[str]:
    words = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return [word for word in words if isinstance(word, str)]
