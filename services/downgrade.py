"""How a result in its newest form is written down for an older revision.

Handlers produce what 2026-07-28 allows; this takes away or rewrites what an older schema does not know. Unknown
members would be tolerated by most clients, unknown content types would not: those unions are closed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from .versions import Version

Json = dict[str, object]

# Members that stay at the root of a wrapped schema, where references to them point.
_ROOT_KEYWORDS = ("$schema", "$defs")


def tool_definition(definition: Mapping[str, object], version: Version) -> Json:
    """Return a `Tool` object as `version` defines it."""
    tool = dict(definition)
    if version.modern:
        return tool
    title = tool.get("title")
    _strip_item(tool, version)
    tool["inputSchema"] = _without_boolean_properties(tool["inputSchema"])
    if "outputSchema" in tool:
        tool["outputSchema"] = _object_schema(tool["outputSchema"])
    if not version.structured_content:
        tool.pop("outputSchema", None)
    if not version.tool_annotations:
        tool.pop("annotations", None)
    elif title and not version.titles:
        tool["annotations"] = {"title": title, **(tool.get("annotations") or {})}
    return tool


def listed_item(definition: Mapping[str, object], version: Version) -> Json:
    """Return a `Resource`, a `ResourceTemplate` or a `Prompt` as `version` defines it."""
    item = dict(definition)
    if version.modern:
        return item
    _strip_item(item, version)
    if "arguments" in item and not version.titles:
        item["arguments"] = [
            {key: value for key, value in argument.items() if key != "title"} for argument in item["arguments"]
        ]
    return item


def tool_result(result: Mapping[str, object], version: Version) -> Json:
    """Return a `CallToolResult` as `version` defines it, without the members of the modern envelope."""
    if version.modern:
        return dict(result)
    older = {key: value for key, value in result.items() if key not in ("resultType", "structuredContent")}
    content = [content_block(block, version) for block in result.get("content") or ()]
    if "structuredContent" in result:
        structured = result["structuredContent"]
        if version.structured_content:
            older["structuredContent"] = structured if isinstance(structured, dict) else {"result": structured}
        elif not any(block["type"] == "text" for block in content):
            # Nothing else would tell the model the facts.
            content.append({"type": "text", "text": json.dumps(structured, ensure_ascii=False)})
    older["content"] = content
    return older


def content_block(block: Mapping[str, object], version: Version) -> Json:
    """Return one content block as `version` defines it; also those of prompt messages."""
    kind = block.get("type")
    if kind == "audio" and not version.audio:
        return _embedded_audio(block)
    if kind == "resource_link" and not version.resource_links:
        return {"type": "text", "text": _link_text(block)}
    older = dict(block)
    _strip_item(older, version)
    if kind == "resource":
        resource = dict(block["resource"])
        _strip_item(resource, version)
        older["resource"] = resource
    return older


def _strip_item(item: Json, version: Version) -> None:
    if not version.icons:
        item.pop("icons", None)
    if version.titles:
        return
    item.pop("title", None)
    item.pop("_meta", None)
    annotations = item.get("annotations")
    if isinstance(annotations, dict) and "lastModified" in annotations:
        item["annotations"] = {key: value for key, value in annotations.items() if key != "lastModified"}


def _object_schema(schema: object) -> object:
    """Wrap an output schema that is no object's, as `tool_result` wraps the value."""
    if isinstance(schema, Mapping) and schema.get("type") == "object":
        return _without_boolean_properties(schema)
    inner = schema
    wrapper: Json = {}
    if isinstance(schema, Mapping):
        wrapper = {key: schema[key] for key in _ROOT_KEYWORDS if key in schema}
        inner = {key: value for key, value in schema.items() if key not in wrapper}
    properties = {"result": _boolean_as_object(inner)}
    return {**wrapper, "type": "object", "properties": properties, "required": ["result"]}


def _without_boolean_properties(schema: Mapping[str, object]) -> Mapping[str, object]:
    """Older schemas want each entry of `properties` to be an object."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not any(isinstance(entry, bool) for entry in properties.values()):
        return schema
    return {**schema, "properties": {key: _boolean_as_object(entry) for key, entry in properties.items()}}


def _boolean_as_object(schema: object) -> object:
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return schema


def _embedded_audio(block: Mapping[str, object]) -> Json:
    resource = {"uri": "embedded:audio", "mimeType": block["mimeType"], "blob": block["data"]}
    return {"type": "resource", "resource": resource}


def _link_text(block: Mapping[str, object]) -> str:
    text = f"{block.get('title') or block['name']}: {block['uri']}"
    return f"{text}\n{block['description']}" if block.get("description") else text
