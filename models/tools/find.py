import re

from odoo import models

from ...services.errors import ToolError
from ...services.schema import params, text
from ...services.tool import ToolResult, tool
from ...services.uri import SCHEME, build
from ..full_text import find

MAX_RESULTS = 20
_SHORT_ID = re.compile(r"([a-z][a-z0-9_.]*)[/,](\d+)", re.ASCII)


class McpToolRegistry(models.AbstractModel):
    """The two tools that ChatGPT's research calls; names, arguments and results are as it wants them."""

    _inherit = "mcp.tool.registry"

    @tool(
        "search",
        access="read",
        scoped=False,
        heavy=True,
        toolset="find",
        schema=params(query=text("Words to look for.", example="azure interior", max_length=500)),
    )
    def _tool_search(self, call, *, query):
        """Full-text search over customers, products, orders, invoices, tasks and skills; returns ids for fetch."""
        hits = find(call, query, MAX_RESULTS)
        return _bare(call, {"results": [{"id": hit.id, "title": hit.title, "url": hit.url} for hit in hits]})

    @tool(
        "fetch",
        access="read",
        scoped=False,
        toolset="find",
        schema=params(id=text("An id from search, or any odoo:// URI.", example="odoo://record/res.partner/1")),
    )
    def _tool_fetch(self, call, *, id):
        """The full text of one hit of search, or of any odoo:// resource."""
        resources = self.env["mcp.resource"]
        short = _SHORT_ID.fullmatch(id.strip())
        uri = build("record", *short.groups()) if short else id.strip()
        if not uri.startswith(SCHEME):
            raise ToolError("not_found", f"{uri[:80]!r} is no id of search.", fix="Give an id exactly as search did.")
        address = resources._address(uri)
        template = resources._templates()[address.kind]
        if template.toolset != "core":
            # What belongs to other toolsets stays with those who have them.
            resources._check_granted(call, template.toolset, template.tool)
        found = resources._document(call, address)
        facts = found.structured
        metadata = {"kind": address.kind, "mimeType": "text/markdown"}
        metadata |= {name: str(facts[name]) for name in ("model", "id") if facts.get(name)}
        document = {
            "id": id.strip(),
            "title": str(facts.get("title") or template.title),
            "text": "\n\n".join(text for text in (found.text, call.boundary.line) if text),
            "url": facts.get("url") or uri,
            "metadata": metadata,
        }
        return _bare(call, document, **found.meta)


def _bare(call, facts: dict, **meta: object) -> ToolResult:
    """Return a result whose text is nothing but the facts as JSON: its readers parse it. Notes go into `_meta`."""
    warnings, call.notes = call.notes, []
    return ToolResult(facts, meta={**meta, **({"warnings": warnings} if warnings else {})})
