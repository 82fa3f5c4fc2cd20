"""Tools added with `@tool`, as the README shows it."""

import time

from odoo import models

from odoo.addons.mcp_endpoint.services.errors import ToolError
from odoo.addons.mcp_endpoint.services.questions import Question
from odoo.addons.mcp_endpoint.services.schema import integer, params, text
from odoo.addons.mcp_endpoint.services.tool import tool

from .conformance_tasks import work


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool("fixture_count_partners", access="read", toolset="fixture", schema=params(name=text("Part of the name.")))
    def _tool_count_partners(self, call, *, name):
        """Count the contacts whose name contains a text."""
        return {"count": call.count(call.domain("res.partner", [["name", "ilike", name]]))}

    @tool("fixture_write_while_reading", access="read", toolset="fixture", schema=params(name=text("Name.")))
    def _tool_write_while_reading(self, call, *, name):
        """Pretend to read, and write."""
        self.env["res.partner"].create({"name": name})
        return {"written": name}

    @tool(
        "fixture_rename_slowly",
        access="write",
        toolset="fixture",
        schema=params(id=integer("Contact."), name=text("New name."), seconds=integer("Time between.", maximum=30)),
    )
    def _tool_rename_slowly(self, call, *, id, name, seconds=0):
        """Rename a contact and dawdle before the end of the transaction."""
        call.write(call.records("res.partner", "write", [id]), {"name": name})
        call.env.flush_all()
        time.sleep(seconds)
        return {"renamed": id}

    @tool(
        "fixture_wait",
        access="write",
        toolset="fixture",
        schema=params(name=text("Name."), seconds=integer("Seconds.", maximum=60)),
    )
    def _tool_wait(self, call, *, name, seconds=0):
        """Create a contact, then keep PostgreSQL busy."""
        created = call.create("res.partner", [{"name": f"{name} 1"}])
        call.env.cr.execute("SELECT pg_sleep(%s)", [seconds])
        return {"id": created.id}

    @tool("fixture_crash", access="write", toolset="fixture", schema=params(name=text("Name.")))
    def _tool_crash(self, call, *, name):
        """Write, then fail in a way nobody foresaw."""
        call.create("res.partner", [{"name": name}])
        raise RuntimeError("the secret cause")

    @tool(
        "fixture_ask",
        access="write",
        toolset="fixture",
        schema=params(name=text("Name."), seconds=integer("Time after it.", maximum=30)),
    )
    def _tool_ask(self, call, *, name, seconds=0):
        """Ask the human, then create a contact and dawdle before the end of the transaction."""
        call.need("sure", Question(f"Create {name}?"))
        created = call.create("res.partner", [{"name": name}])
        call.env.flush_all()
        for second in range(0 if call.rehearsing else seconds):
            call.progress(second, seconds)
            time.sleep(1)
        return {"id": created.id}

    @tool("fixture_refuse", access="read", toolset="fixture", schema=params(name=text("Name.")))
    def _tool_refuse(self, call, *, name):
        """Fail in a way the model can act on."""
        raise ToolError("no_such_thing", f"There is no {name}.", fix="Choose another.")

    @tool(
        "fixture_create_slowly",
        access="write",
        toolset="fixture",
        schema=params(name=text("Name."), seconds=integer("Time after it.", maximum=30)),
    )
    def _tool_create_slowly(self, call, *, name, seconds):
        """Create a contact, then take time, hearing of it when nobody waits any more."""
        created = call.create("res.partner", [{"name": name}])
        call.env.flush_all()
        work(call, seconds)
        return {"id": created.id}
