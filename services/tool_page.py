"""A page of `tools/list` with its JSON: the same for most callers, and writing it is most of what listing costs.

Definitions are compared by identity: those of our own tools live as long as the registry, so the same page is found
again; definitions that an addon makes anew for each call are written anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from . import downgrade
from .jsonrpc import Prepared
from .versions import Version


class _Page:
    """Definitions as a key; being one keeps them alive, so that no other object takes their identity."""

    __slots__ = ("definitions",)

    def __init__(self, definitions: Sequence[Mapping[str, object]]) -> None:
        self.definitions = tuple(definitions)

    def __hash__(self) -> int:
        return hash(tuple(map(id, self.definitions)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Page)
            and len(self.definitions) == len(other.definitions)
            and all(mine is theirs for mine, theirs in zip(self.definitions, other.definitions, strict=True))
        )


def tool_page(definitions: Sequence[Mapping[str, object]], version: Version) -> Prepared:
    """Return the `Tool` objects as `version` defines them, with their JSON. Not to be changed by the caller."""
    return _written(_Page(definitions), version)


@lru_cache(maxsize=64)
def _written(page: _Page, version: Version) -> Prepared:
    return Prepared(downgrade.tool_definition(definition, version) for definition in page.definitions)
