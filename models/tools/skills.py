from odoo import models

from ...services.schema import free_form, params, text
from ...services.tool import ToolResult, tool
from ..full_text import text_score, words_of

MAX_SKILLS = 30


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_find_skills",
        access="read",
        scoped=False,
        toolset="core",
        schema=params(
            query=text("What you want to do.", example="overdue invoices", max_length=200),
            id=text("Read this skill.", example="overdue_invoices"),
            arguments=free_form("Its arguments.", {"model": "res.partner"}, model=text("Example: a model.")),
        ),
    )
    def _tool_find_skills(self, call, *, query=None, id=None, arguments=None):
        """This company's playbooks for usual tasks. Look here before a task of several steps; then read one by id."""
        prompts = self.env["mcp.prompt"]
        if id is not None:
            prompt = prompts._named(call, id)
            body = prompt._text(call, arguments or {})
            return ToolResult(
                {"id": prompt.name, "title": prompt.title, "text": body}, text=f"# {prompt.title}\n\n{body}"
            )
        found = list(prompts._available(call).values())
        if query:
            words = words_of(query)
            scored = [(text_score(words, f"{each.name} {each.title}", _rest(each)), each) for each in found]
            found = [each for score, each in sorted(scored, key=lambda pair: -pair[0]) if score > 0]
        shown = [_summary(each) for each in found[:MAX_SKILLS]]
        facts = {"skills": shown, "total": len(found)}
        lines = [
            f"{each['id']}({', '.join(each['arguments'])}): {each['title']}. {each['description']}" for each in shown
        ]
        return ToolResult(facts, text="\n".join(lines) or "No skill fits. Call without query for all of them.")


def _rest(prompt) -> str:
    return f"{prompt.description or ''} {prompt.body}"


def _summary(prompt) -> dict:
    return {
        "id": prompt.name,
        "title": prompt.title,
        "description": prompt.description or "",
        # A mark tells those that must be given, as in the descriptions of models.
        "arguments": [f"{each.name}{'*' if each._definition()['required'] else ''}" for each in prompt.argument_ids],
    }
