"""Tools that an administrator has made of what a database has: their arguments as a schema, and their `ToolSpec`.

Plain facts, so that they can be cached for all users of a worker. What such a tool does is in `models/custom`; what
an administrator has changed of other tools is in `services.tool_governance`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from . import schema as schemas
from .plain_json import to_boolean, to_integer, to_number
from .tool import ToolSpec

# What a tool can be made of, and the access level that it needs.
ACCESS = {"action": "write", "filter": "read", "report": "read", "template": "write"}
HANDLER = "_run_custom_tool"
TOOLSET = "custom"
MOST_RECORDS = 100

# Arguments that each tool of a kind has besides its own.
STANDARD: dict[str, dict[str, Mapping[str, object]]] = {
    "action": {},
    "filter": {"limit": schemas.LIMIT(), "cursor": schemas.CURSOR},
    "report": {
        "format": schemas.choice("text (default), html, or pdf: a link.", "text", "html", "pdf"),
        "cursor": schemas.CURSOR,
    },
    "template": {},
}
RESERVED_ARGUMENTS = frozenset({*schemas.common("write"), *(name for added in STANDARD.values() for name in added)})
_HINTS = {
    "date": "YYYY-MM-DD, or today.",
    "datetime": "ISO 8601 date and time.",
    "record": "Id or exact name.",
    "records": "Ids.",
}


@dataclass(frozen=True)
class Argument:
    """One argument that the administrator has declared.

    :param default: as text, as the administrator wrote it; empty for none
    :param model: of a record, its model
    """

    name: str
    kind: str
    description: str
    required: bool = False
    default: str = ""
    model: str = ""
    choices: tuple[str, ...] = ()

    def default_value(self) -> object:
        """Return the default as a client would send it, None without one.

        :raises ValueError: with what was expected
        """
        if not self.default:
            return None
        match self.kind:
            case "number":
                return to_number(self.default)
            case "integer":
                return to_integer(self.default)
            case "boolean":
                return to_boolean(self.default)
            case "records":
                return [to_integer(part) for part in self.default.split(",")]
            case "selection" if self.default not in self.choices:
                raise ValueError(f"one of {', '.join(self.choices)}")
        return self.default

    def schema(self) -> Mapping[str, object]:
        """Return the property that clients see."""
        parts = [self.description.strip(), _HINTS.get(self.kind, "")]
        parts += [f"Default: {self.default}."] if self.default else []
        told = " ".join(part if part[-1] in ".?!:" else f"{part}." for part in parts if part)
        match self.kind:
            case "number":
                return schemas.number(told)
            case "integer":
                return schemas.integer(told)
            case "boolean":
                return schemas.boolean(told)
            case "records":
                return schemas.array(told, {"type": "integer", "minimum": 1}, MOST_RECORDS)
            case "selection":
                return schemas.choice(told, *self.choices)
        return schemas.text(told)


@dataclass(frozen=True)
class CustomTool:
    """A tool made of a server action, a saved filter, a report or an e-mail template.

    :param id: of its `mcp.tool`
    :param source: a key of `ACCESS`
    :param source_id: of the server action, filter, report or template
    :param model: that the source works on
    """

    id: int
    name: str
    title: str
    description: str
    source: str
    source_id: int
    model: str
    toolset: str = TOOLSET
    arguments: tuple[Argument, ...] = ()
    columns: tuple[str, ...] = ()
    condition: str = ""

    @property
    def target(self) -> Argument | None:
        """The argument that names the records to work on: the first of the source's own model."""
        if self.source == "filter":
            return None
        of_model = (each for each in self.arguments if each.kind in ("record", "records") and each.model == self.model)
        return next(of_model, None)

    @cached_property
    def spec(self) -> ToolSpec:
        """Return the spec as the registry keeps it.

        :raises ValueError: the schema would leave the portable dialect
        """
        access = ACCESS[self.source]
        properties = {each.name: each.schema() for each in self.arguments} | STANDARD[self.source]
        required = [each.name for each in self.arguments if each.required and not each.default]
        # Clients choke on an object without properties; the common argument is accepted in any case.
        hidden = {"company_id", "lang"} if properties or access != "read" else {"lang"}
        complete = schemas.with_common(schemas.params(**properties), required=required, access=access)
        return ToolSpec(
            name=self.name,
            title=self.title,
            description=self.description,
            access=access,
            toolset=self.toolset,
            schema=complete,
            listed_schema=schemas.listed(complete, leave_out=hidden),
            handler=HANDLER,
            # What an administrator has programmed may do anything, and mail leaves the house.
            destructive=self.source == "action",
            open_world=access != "read",
            rolls_back=self.source == "report",
            common=frozenset(schemas.common(access)),
        )


def listed_size(spec: ToolSpec) -> int:
    """Return how many characters the definition takes in `tools/list`."""
    return len(json.dumps(spec.definition, ensure_ascii=False, separators=(",", ":")))
