"""How a method of `mcp.resource` becomes a kind of resource: the `@resource` decorator, and who declared what.

It checks declarations, at import. Reading a URI is `services.uri`; what may be read is decided by the pipeline.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

from .uri import Template, kind_of, parameters_of

PREFIX = "_resource_"


def resource(
    uri: str, *, title: str, toolset: str = "core", priority: float = 0.5
) -> Callable[[Callable], Callable]:
    """Declare a method of `mcp.resource` as what `odoo://<kind>/{variable}/…` reads; its docstring is listed with it.

    The method is called `_resource_<kind>`, takes `call` and then, keyword-only, the variables of the URI: `id` is a
    number, any other a technical name. It returns Markdown, or a `ToolResult` whose facts `?format=json` gives.

    :param toolset: who is not granted this toolset does not see the resource
    :param priority: how much an assistant should care, 0 to 1; the order in which resources are listed
    :raises ValueError: at import, when the declaration is inconsistent
    """

    def decorate(method: Callable) -> Callable:
        description = inspect.getdoc(method)
        if not description:
            raise ValueError(f"{uri}: {method.__name__} needs a docstring, which is its description")
        template = Template(
            kind_of(uri) or "", tuple(parameters_of(uri)), title, " ".join(description.split()), toolset, priority
        )
        if template.uri != uri:
            raise ValueError(f"{uri}: must be odoo://<kind>, followed by variables only, as in odoo://<kind>/{{name}}")
        if method.__name__ != PREFIX + template.kind:
            raise ValueError(f"{uri}: its method must be called {PREFIX}{template.kind}, not {method.__name__}")
        named = _keyword_only(method)
        if set(named) != set(template.parameters):
            raise ValueError(f"{uri}: the keyword-only parameters of {method.__name__} must be its variables: {named}")
        method._mcp_resource = template
        return method

    return decorate


def declared(cls: type) -> dict[str, Template]:
    """Return the resources declared on a class and its bases, by kind; an override keeps the declaration."""
    templates = {}
    for attribute in dir(cls):
        if attribute.startswith(PREFIX):
            methods = (klass.__dict__.get(attribute) for klass in cls.__mro__)
            template = next((method._mcp_resource for method in methods if hasattr(method, "_mcp_resource")), None)
            if template is not None:
                templates[template.kind] = template
    return templates


def _keyword_only(method: Callable) -> list[str]:
    parameters = inspect.signature(method).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
