"""Declaring a tool: the `@tool` decorator, `ToolSpec`, `ToolResult`, and `declared()` to collect them.

This is, with `services.errors` and `services.schema`, what other addons import. It checks a declaration when Python
imports it; it does not validate arguments (`services.schema`) and decides nothing about access (`mcp.policy`).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from . import schema as schemas
from .http_headers import mirrored_arguments

NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{2,31}")
# Of another addon's plain definitions, whose names may be given: no client known refuses these.
PLAIN_NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{2,63}")
ACCESS_LEVELS = ("read", "write", "admin")
TASK_SUPPORT = ("never", "optional", "required")


@dataclass(frozen=True)
class ToolSpec:
    """One tool as the registry knows it.

    :param access: lowest access level that may call it: `read`, `write` or `admin`
    :param schema: of the arguments, as they are validated
    :param listed_schema: the same as clients get it
    :param handler: name of the method on `mcp.tool.registry`; None for a tool handled in `execute_tool`
    :param on_request: not in the default list; listed when the URL names its toolset, callable in any case
    :param heavy: costs the server much more than other calls, and has a smaller budget of calls
    :param runs_others: it runs another tool, and what that one needs decides who may
    :param parts: names of the list arguments by which the call may be split into calls of its own, see `tool`
    :param task: `never`, `optional` or `required`, see `tool`
    :param common: names of the arguments that the pipeline handles, not the tool
    """

    name: str
    title: str
    description: str
    access: str
    toolset: str
    schema: Mapping[str, object]
    listed_schema: Mapping[str, object]
    handler: str | None = None
    destructive: bool = False
    idempotent: bool = False
    open_world: bool = False
    on_request: bool = False
    rolls_back: bool = False
    heavy: bool = False
    runs_others: bool = False
    parts: tuple[str, ...] = ()
    task: str = "never"
    common: frozenset[str] = frozenset()

    @property
    def needs(self) -> str:
        """The access level that a caller must have."""
        return "read" if self.runs_others else self.access

    @cached_property
    def mirrors_arguments(self) -> bool:
        """Whether request headers have to repeat some of the arguments."""
        return any(mirrored_arguments(self.schema))

    @cached_property
    def definition(self) -> dict[str, object]:
        """Return the MCP `Tool` object (specification, server/tools), every hint that has a meaning for it explicit."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.listed_schema,
            "annotations": {
                "readOnlyHint": self.access == "read",
                "destructiveHint": self.destructive,
                # Says nothing about a tool that only reads (specification, ToolAnnotations).
                **({} if self.access == "read" else {"idempotentHint": self.idempotent}),
                "openWorldHint": self.open_world,
            },
        }


@dataclass(frozen=True)
class ToolResult:
    """What a handler returns when a plain dict does not say enough.

    :param structured: the facts, as a JSON object
    :param text: the same facts as a short text for the model; None lets the pipeline write the JSON
    :param content: further MCP content blocks (image, resource_link, ...)
    :param meta: goes into `_meta`: `truncated`, `next_cursor`, `warnings`, ...
    """

    structured: Mapping[str, object]
    text: str | None = None
    content: Sequence[Mapping[str, object]] = ()
    meta: Mapping[str, object] = field(default_factory=dict)


def tool(
    name: str,
    *,
    access: str,
    toolset: str,
    schema: Mapping[str, object],
    title: str | None = None,
    destructive: bool = False,
    idempotent: bool = False,
    open_world: bool = False,
    rolls_back: bool = False,
    heavy: bool = False,
    scoped: bool = True,
    on_request: bool = False,
    runs_others: bool = False,
    parts: str | Sequence[str] = (),
    task: str = "never",
) -> Callable[[Callable], Callable]:
    """Declare a method of `mcp.tool.registry` as a tool; its docstring is the description the model reads.

    The method takes `call` and then, keyword-only, exactly the properties of `schema`; those without a default
    become `required`. Company, language, and for writes `dry_run`, `idempotency_key` and `confirm_token` are added
    to the schema here and handled by the pipeline, not by the method.

    :param scoped: list `company_id`; leave it out where it matters little, it is accepted anyway, and so is `lang`
    :param on_request: leave the tool out of the default list; see `ToolSpec`
    :param heavy: see `ToolSpec`
    :param rolls_back: a read whose code in Odoo writes on its way (a report that makes a portal link): it may, and
        all of it is rolled back
    :param runs_others: see `ToolSpec`
    :param parts: name or names of the list arguments that a job may split: calling the tool with one part after the
        other, each committed, comes to the same as calling it with the whole, but that a failure leaves earlier parts
    :param task: `optional`: a client that knows the tasks extension gets a task and looks for the result later;
        `required`: only such clients may call it; `never`: everybody waits
    :raises ValueError: at import, when the declaration is inconsistent
    """

    def decorate(method: Callable) -> Callable:
        method._mcp_tool = _checked_spec(
            method,
            name=name,
            access=access,
            toolset=toolset,
            schema=schema,
            scoped=scoped,
            title=title or _title(name),
            destructive=destructive,
            idempotent=idempotent,
            open_world=open_world,
            rolls_back=rolls_back,
            heavy=heavy,
            on_request=on_request,
            runs_others=runs_others,
            parts=(parts,) if isinstance(parts, str) else tuple(parts),
            task=task,
        )
        return method

    return decorate


def declared(cls: type) -> dict[str, ToolSpec]:
    """Return the tools declared on a class and its bases, by tool name.

    An override of a handler keeps the declaration of the method it overrides; redecorating replaces it.

    :raises ValueError: when two methods declare one name
    """
    specs: dict[str, ToolSpec] = {}
    for attribute in dir(cls):
        if not attribute.startswith("_tool_"):
            continue
        spec = next(
            (
                klass.__dict__[attribute]._mcp_tool
                for klass in cls.__mro__
                if hasattr(klass.__dict__.get(attribute), "_mcp_tool")
            ),
            None,
        )
        if spec is None:
            continue
        if spec.name in specs:
            raise ValueError(f"Two methods declare the tool {spec.name}: {specs[spec.name].handler} and {attribute}")
        specs[spec.name] = spec
    return specs


def spec_from_definition(definition: Mapping[str, object]) -> ToolSpec:
    """Make a spec of a plain definition that an addon appended in `get_tools()`.

    What does not declare `annotations.readOnlyHint` counts as a write: what is not declared is not trusted.

    :raises ValueError: for a name outside our pattern, or no object as input schema
    """
    name = definition.get("name")
    if not isinstance(name, str) or not PLAIN_NAME_PATTERN.fullmatch(name):
        raise ValueError(f"Tool name {name!r} must match {PLAIN_NAME_PATTERN.pattern}")
    input_schema = definition.get("inputSchema")
    if not isinstance(input_schema, Mapping) or input_schema.get("type") != "object":
        raise ValueError(f"Tool {name}: inputSchema must be an object schema")
    hints = definition.get("annotations") or {}
    read_only = hints.get("readOnlyHint") is True
    access = "read" if read_only else str(definition.get("access") or "write")
    declared_properties = input_schema.get("properties") or {}
    # What the tool declares itself is its own, whatever we call it.
    added = {key: value for key, value in schemas.common(access).items() if key not in declared_properties}
    return ToolSpec(
        name=name,
        title=str(definition.get("title") or _title(name)),
        description=str(definition.get("description") or ""),
        access=access,
        toolset=str(definition.get("toolset") or "custom"),
        schema={**input_schema, "properties": {**declared_properties, **added}},
        listed_schema=input_schema,
        common=frozenset(added),
        destructive=not read_only and hints.get("destructiveHint", True) is not False,
        idempotent=hints.get("idempotentHint") is True,
        open_world=hints.get("openWorldHint") is True,
        task=definition["task"] if definition.get("task") in TASK_SUPPORT else "never",
    )


def _title(name: str) -> str:
    return name.removeprefix("odoo_").replace("_", " ").capitalize()


def _checked_spec(method: Callable, *, schema: Mapping[str, object], scoped: bool, **facts) -> ToolSpec:
    name = facts["name"]
    if not NAME_PATTERN.fullmatch(name):
        raise ValueError(f"Tool name {name!r} must match {NAME_PATTERN.pattern}")
    if not method.__name__.startswith("_tool_"):
        raise ValueError(f"Tool {name}: its method must be named _tool_..., not {method.__name__}")
    if facts["access"] not in ACCESS_LEVELS:
        raise ValueError(f"Tool {name}: access must be one of {', '.join(ACCESS_LEVELS)}")
    if facts["task"] not in TASK_SUPPORT:
        raise ValueError(f"Tool {name}: task must be one of {', '.join(TASK_SUPPORT)}")
    if any(schema["properties"].get(part, {}).get("type") != "array" for part in facts["parts"]):
        raise ValueError(f"Tool {name}: parts must name arguments that are arrays")
    description = inspect.getdoc(method)
    if not description:
        raise ValueError(f"Tool {name}: its method needs a docstring, the description the model reads")
    keywords = {
        parameter.name: parameter.default is inspect.Parameter.empty
        for parameter in inspect.signature(method).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    properties = schema["properties"]
    if set(keywords) != set(properties):
        odd = ", ".join(sorted(set(keywords) ^ set(properties)))
        raise ValueError(f"Tool {name}: schema and keyword-only parameters differ in {odd}")
    required = [keyword for keyword, is_required in keywords.items() if is_required]
    complete = schemas.with_common(schema, required=required, access=facts["access"])
    return ToolSpec(
        description=" ".join(description.split()),
        schema=complete,
        listed_schema=schemas.listed(complete, leave_out={"lang"} if scoped else {"company_id", "lang"}),
        common=frozenset(schemas.common(facts["access"])),
        handler=method.__name__,
        **facts,
    )
