"""What administrators have decided about the list of tools: switched off, described otherwise, moved, made themselves.

The code stays the truth: a decision holds only what differs from it, and a tool without one is as its code says.
Immutable, so that a worker caches it until it changes. Who may call what is decided in `mcp.policy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .custom_tools import CustomTool
from .tool import ToolSpec

# The order in which toolsets are listed; those of other addons follow by name.
TOOLSETS = ("find", "core", "write", "action", "chatter", "files", "bi", "jobs", "pages", "builder")
# Between two toolsets, so that something can be put there.
_STEP = 100


def default_sequence(toolset: str) -> int:
    """Return where in the list the tools of a toolset stand; within it they are sorted by name."""
    return _STEP * (1 + (TOOLSETS.index(toolset) if toolset in TOOLSETS else len(TOOLSETS)))


@dataclass(frozen=True)
class Decision:
    """What is decided about one tool; None and empty leave it as it is."""

    enabled: bool = True
    sequence: int | None = None
    description: str = ""
    toolset: str = ""
    on_request: bool | None = None

    def applied(self, spec: ToolSpec) -> ToolSpec:
        """Return the spec with what is decided about it."""
        changes: dict[str, object] = {}
        if self.description:
            changes["description"] = self.description
        if self.toolset:
            changes["toolset"] = self.toolset
        if self.on_request is not None:
            changes["on_request"] = self.on_request
        return replace(spec, **changes) if changes else spec


@dataclass(frozen=True)
class Governance:
    """All decisions of a database.

    :param decisions: by tool name
    :param tools: those that administrators have made, by name
    :param broken: why a tool that was made cannot run, by name
    """

    decisions: Mapping[str, Decision] = field(default_factory=dict)
    tools: Mapping[str, CustomTool] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    def applied(self, coded: Mapping[str, ToolSpec]) -> dict[str, ToolSpec]:
        """Return the tools there are by name, in the order in which they are listed.

        :param coded: the tools that code declares; of two with one name the code's wins
        """
        every = {name: tool.spec for name, tool in self.tools.items()} | dict(coded)
        as_it_is = Decision()
        decided = {
            name: self.decisions.get(name, as_it_is).applied(spec)
            for name, spec in every.items()
            if self.decisions.get(name, as_it_is).enabled
        }
        return dict(sorted(decided.items(), key=self._place))

    def _place(self, item: tuple[str, ToolSpec]) -> tuple[int, str, str]:
        name, spec = item
        decision = self.decisions.get(name)
        sequence = decision.sequence if decision else None
        return default_sequence(spec.toolset) if sequence is None else sequence, spec.toolset, name
