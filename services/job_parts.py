"""How a long call is cut into parts, and how their results are one again.

Each part is a call of its own with a slice of one list argument. What may be cut is declared by the tool; when a part
runs, and what is kept of it, is `mcp.job`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .budget import first_that_fit
from .errors import ToolError
from .tool import ToolSpec

Json = dict[str, object]

# Of one job; more would not fit into a request anyway.
MOST_ITEMS = 10_000
# A part has no more than a tool's result lists: what one leaves out is in no page of the whole.
FIRST_SIZE, LEAST, MOST = 50, 5, 200
# What one part should take. Shorter ones cost more commits, longer ones show less progress and cancel later.
AIM_SECONDS = 2.0
# Items of a list that the whole result repeats; the rest is read page by page.
MOST_LISTED = 100


def argument_of(spec: ToolSpec, arguments: Mapping[str, object]) -> str:
    """Return the name of the list by which this call can be cut.

    :raises ToolError: the tool does not declare any, or the call has none of those
    """
    for name in spec.parts:
        if isinstance(arguments.get(name), list):
            return name
    lists = f" by {' or '.join(spec.parts)}" if spec.parts else ""
    can = f"{spec.name} can be run in parts{lists} only" if lists else f"{spec.name} cannot be run in parts"
    raise ToolError("not_possible", f"{can}.", fix="Leave in_parts out: it then runs as one call.")


def slices(items: Sequence[object], size: int = MOST) -> Iterator[Sequence[object]]:
    """Cut a list into pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def next_size(size: int, seconds: float) -> int:
    """Return how many items the next part gets, after one of `size` took `seconds`: twice or half as many at most."""
    wanted = size * AIM_SECONDS / max(seconds, 0.001)
    return int(min(max(wanted, size / 2, LEAST), size * 2, MOST))


def longest_list(structured: Mapping[str, object]) -> str | None:
    """Return the name of the list that makes up most of a result, None where it has none."""
    lists = {name: value for name, value in structured.items() if isinstance(value, list) and value}
    return max(lists, key=lambda name: len(_json(lists[name])), default=None)


@dataclass(frozen=True)
class Page:
    """A part of a result that fits into an answer. `next` is where the next one starts, None after the last."""

    structured: Json
    text: str
    content: tuple[Mapping[str, object], ...]
    next: int | None


def merged(results: Iterable[Mapping[str, object]]) -> Json:
    """Return the facts of all parts as those of one call: numbers added up, lists one after the other, words kept.

    :param results: the `structuredContent` of each part, in order
    """
    whole: Json = {}
    for facts in results:
        for name, value in facts.items():
            known = whole.get(name)
            if isinstance(known, int) and isinstance(value, int) and not isinstance(value, bool):
                whole[name] = known + value
            elif isinstance(known, list) and isinstance(value, list):
                known.extend(value)
            elif name not in whole:
                whole[name] = list(value) if isinstance(value, list) else value
    return whole


def page(result: Mapping[str, object], start: int, budget: int) -> Page:
    """Return one page of a `CallToolResult`: items of its longest list, or where it has none pieces of its text.

    :param start: the first item or character of the page
    :param budget: characters of a page
    """
    facts = dict(result.get("structuredContent") or {})
    blocks = [block for block in result.get("content", ()) if block.get("type") != "text"] if not start else []
    text = "\n".join(block["text"] for block in result.get("content", ()) if block.get("type") == "text")
    if len(_json(facts)) <= budget and len(text) <= budget:
        return Page(facts, text, tuple(blocks), None)
    name = longest_list(facts)
    if name is None or len(_json(facts)) <= budget:
        end = start + budget
        return Page({}, text[start:end], tuple(blocks), end if end < len(text) else None)
    others = {key: value for key, value in facts.items() if key != name}
    # Lists beside it are told once, and short.
    others = {
        key: value[:MOST_LISTED] if isinstance(value, list) else value
        for key, value in others.items()
        if not start or not isinstance(value, list)
    }
    items = facts[name]
    room = budget - min(len(_json(others)), budget // 2)
    shown = first_that_fit(items[start:], lambda item: len(_json(item)) + 1, room)
    end = start + len(shown)
    told = {**others, name: shown}
    return Page(told, _json(told), tuple(blocks), end if end < len(items) else None)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
