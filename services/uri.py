"""The `odoo://` URIs of resources: their templates, how one is read from a client's text, and how one is written.

    odoo://record/res.partner/14?format=json    kind, arguments, and the one option there is

Text in, checked values out. Whether a model, a record or a prompt exists, and who may see it, is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

SCHEME = "odoo://"
FORMATS = {"markdown": "text/markdown", "json": "application/json"}
MAX_LENGTH = 500
# The largest id PostgreSQL holds in an integer column.
MAX_ID = 2**31 - 1

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PARAMETER = re.compile(r"\{(\w+)\}")
_ID = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_NAME = re.compile(r"[\w][\w.\-]{0,127}", re.ASCII)


@dataclass(frozen=True)
class Template:
    """One kind of resource: `odoo://<kind>/{...}`; without parameters it is a resource of its own.

    A parameter named `id` is a record id; every other one is a technical name (letters, digits, `_`, `.`, `-`).

    :param tool: the tool that reads the same thing; who is not granted it does not see the resource either
    :param toolset: the toolset whose tools read the same things; who is not granted it does not see the resource
    """

    kind: str
    parameters: tuple[str, ...]
    title: str
    description: str
    toolset: str = "core"
    priority: float = 0.5
    tool: str = ""

    @property
    def uri(self) -> str:
        """The URI template (RFC 6570, level 1)."""
        return SCHEME + "/".join([self.kind, *(f"{{{name}}}" for name in self.parameters)])


@dataclass(frozen=True)
class Address:
    """What a URI names: a kind, its arguments by name, and the format asked for."""

    uri: str
    kind: str
    arguments: Mapping[str, str | int]
    format: str = "markdown"


def build(kind: str, *arguments: object) -> str:
    """Return the URI of a resource."""
    return SCHEME + "/".join([kind, *(quote(str(argument), safe="") for argument in arguments)])


def kind_of(uri: str) -> str | None:
    """Return the kind that a URI or a URI template names, None for one that is not ours."""
    return re.split(r"[/?{]", uri[len(SCHEME) :], maxsplit=1)[0] if uri.startswith(SCHEME) else None


def parameters_of(template: str) -> list[str]:
    """Return the names of the variables in a URI template."""
    return _PARAMETER.findall(template)


def parse(uri: str, templates: Mapping[str, Template]) -> Address:
    """Return what a client's URI names.

    :param templates: by kind, those that are served
    :raises ValueError: not a URI of ours, of an unknown kind, or with an argument that cannot be one; the message
        says which, and is fit for the client
    """
    if len(uri) > MAX_LENGTH:
        raise ValueError(f"The URI is longer than {MAX_LENGTH} characters.")
    if not uri.startswith(SCHEME):
        raise ValueError(f"Only {SCHEME} URIs are served.")
    path, _mark, query = uri[len(SCHEME) :].partition("?")
    kind, *raw = path.split("/")
    template = templates.get(kind)
    if template is None:
        raise ValueError(f"There is no kind of resource {kind[:40]!r}; there are {', '.join(sorted(templates))}.")
    if len(raw) != len(template.parameters):
        raise ValueError(f"Write it as {template.uri}.")
    arguments = {name: _argument(name, text, template) for name, text in zip(template.parameters, raw, strict=True)}
    return Address(uri, kind, arguments, _format(query))


def _argument(name: str, text: str, template: Template) -> str | int:
    value = _decoded(text)
    if name == "id":
        if not _ID.fullmatch(value) or int(value) > MAX_ID:
            raise ValueError(f"{{id}} in {template.uri} is a record id, a whole number from 1 to {MAX_ID}.")
        return int(value)
    if not _NAME.fullmatch(value) or ".." in value:
        raise ValueError(f"{{{name}}} in {template.uri} is a technical name: letters, digits, dot, dash, underscore.")
    return value


def _decoded(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise ValueError("The URI has a % that is not followed by two hexadecimal digits.")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise ValueError("The URI's percent-encoding is not UTF-8.") from None


def _format(query: str) -> str:
    if not query:
        return "markdown"
    name, _equals, value = query.partition("=")
    if name != "format" or value not in FORMATS:
        raise ValueError(f"The only query there is: ?format={' or ?format='.join(FORMATS)}.")
    return value
