from odoo import api, models

from ...services.errors import ToolError
from ...services.times import to_wire
from ...services.tool import ToolResult
from ...services.uri import Template, build

_OWN = (
    Template(
        "custom",
        ("slug",),
        "Company resource",
        "A text or list that an administrator wrote.",
        tool="odoo_search_records",
    ),
    Template(
        "prompt",
        ("name",),
        "Skill",
        "A prompt with its arguments, as it is kept.",
        priority=0.4,
        tool="odoo_find_skills",
    ),
)


class McpResource(models.Model):
    """The resources that administrators wrote, read as the caller: its groups are a record rule."""

    _inherit = "mcp.resource"

    @api.private
    def get_resources(self, call) -> list[dict]:
        items = super().get_resources(call)
        if not self._is_granted(call, "core"):
            return items
        return items + [
            {
                "uri": build("custom", resource.slug),
                "name": resource.slug,
                "title": resource.name,
                "description": resource.description or resource.name,
                "mimeType": "text/markdown",
                "annotations": {
                    "audience": ["user", "assistant"],
                    "priority": 0.7,
                    "lastModified": to_wire(resource.write_date, "UTC"),
                },
            }
            for resource in self.search([])
        ]

    @api.model
    def _templates(self) -> dict[str, Template]:
        return super()._templates() | {template.kind: template for template in _OWN}

    def _resource_prompt(self, call, name: str) -> ToolResult:
        prompt = self.env["mcp.prompt"]._named(call, name)
        definition = prompt._definition()
        lines = [
            f"- {each['name']}{' (required)' if each['required'] else ''}: {each['description']}"
            for each in definition["arguments"]
        ]
        parts = [f"# {prompt.title}", prompt.description or "", "\n".join(["## Arguments", *lines]) if lines else ""]
        text = "\n\n".join(part for part in [*parts, "## Text", prompt.body] if part)
        return ToolResult({**definition, "body": prompt.body}, text=text)

    def _resource_custom(self, call, slug: str) -> ToolResult:
        resource = self.search([("slug", "=", slug)])
        if not resource:
            raise ToolError("not_found", f"There is no resource {slug!r}.", fix="See resources/list.")
        parts = [f"# {resource.name}", resource.body or ""]
        facts: dict[str, object] = {"title": resource.name, "body": resource.body or None}
        # sudo: the definition of a filter that an administrator chose; what it finds is read as the caller.
        saved = resource.filter_id.sudo()
        if saved:
            # Its domain passes our own parser, which knows no names and no code: nothing is evaluated.
            found = self.env["mcp.tool.registry"]._tool_search_records(
                call, model=saved.model_id, domain=saved.domain, limit=resource.row_limit
            )
            facts |= {"model": saved.model_id, "count": found.structured["count"], "rows": found.structured["rows"]}
            parts.append(found.text)
        text = "\n\n".join(part for part in parts if part)
        return ToolResult({key: value for key, value in facts.items() if value is not None}, text=text)
