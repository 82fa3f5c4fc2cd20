from collections import defaultdict

from odoo import api, models

from ...services.errors import ToolError
from ...services.tool import ToolResult
from ...services.uri import Template, build
from ..schema_cache import cached

OPERATIONS = ("read", "create", "write", "delete")
MOST_MODELS = 100
COUNT_CAP = 10_000
_JSON = "Add ?format=json for JSON."
_OWN = (
    Template(
        "context",
        (),
        "Context",
        "The user you act as, companies, time zone, apps, limits.",
        priority=1.0,
        tool="odoo_get_context",
    ),
    Template(
        "models",
        (),
        "Models",
        "The main models, with what you may do on each.",
        priority=0.8,
        tool="odoo_find_models",
    ),
    Template(
        "categories",
        (),
        "Apps",
        "The installed apps and their main models.",
        priority=0.4,
        tool="odoo_find_models",
    ),
    Template(
        "model",
        ("name",),
        "Model",
        f"A model's fields, choices and operations. {_JSON}",
        priority=0.8,
        tool="odoo_describe_model",
    ),
    Template(
        "access",
        ("model",),
        "Access",
        f"What you may do on a model, and why not. {_JSON}",
        tool="odoo_explain_access",
    ),
    Template(
        "workflow",
        ("model",),
        "Workflow",
        f"A model's states, buttons and reports. {_JSON}",
        tool="odoo_describe_model",
    ),
    Template(
        "module",
        ("name",),
        "Module",
        f"An installed module and its models. {_JSON}",
        priority=0.3,
        tool="odoo_get_context",
    ),
)


class McpResource(models.Model):
    """Resources about the connection, the models and the apps. Most tell what a tool tells."""

    _inherit = "mcp.resource"

    @api.model
    def _templates(self) -> dict[str, Template]:
        return super()._templates() | {template.kind: template for template in _OWN}

    def _resource_context(self, call) -> ToolResult:
        return _titled("Context", self.env["mcp.tool.registry"]._tool_get_context(call))

    def _resource_models(self, call) -> ToolResult:
        return _titled("Models", self.env["mcp.tool.registry"]._tool_find_models(call, limit=MOST_MODELS))

    def _resource_model(self, call, name: str) -> ToolResult:
        return _titled(name, self.env["mcp.tool.registry"]._tool_describe_model(call, model=name, detail="full"))

    def _resource_workflow(self, call, model: str) -> ToolResult:
        result = self.env["mcp.tool.registry"]._tool_describe_model(call, model=model, purpose="actions")
        return _titled(f"Workflow of {model}", result)

    def _resource_access(self, call, model: str) -> ToolResult:
        refusals = {operation: _refusal(call, model, operation) for operation in OPERATIONS}
        facts: dict[str, object] = {
            "title": f"Access to {model}",
            "model": model,
            "operations": {
                operation: {"allowed": True} if reason is None else {"allowed": False, "reason": reason}
                for operation, reason in refusals.items()
            },
        }
        if refusals["read"] is None:
            count = call.count(call.domain(model), limit=COUNT_CAP + 1)
            facts["visible_records"] = f"more than {COUNT_CAP}" if count > COUNT_CAP else count
            facts["fields"] = {
                "all": len(call.env[model]._fields),
                "readable": len(call.fields(model)),
                "writable": len(call.fields(model, "write")) if refusals["write"] is None else 0,
            }
        lines = [f"# Access to {model}", ""]
        lines += [f"- {name}: {'no. ' + reason if reason else 'yes'}" for name, reason in refusals.items()]
        if "fields" in facts:
            lines.append(f"- records visible: {facts['visible_records']}")
            lines.append("- fields: " + ", ".join(f"{name} {count}" for name, count in facts["fields"].items()))
        return ToolResult(facts, text="\n".join(lines))

    def _resource_categories(self, call) -> ToolResult:
        catalog = cached(call.env, "models", self.env["mcp.tool.registry"]._model_catalog)
        apps: dict[str, list[dict]] = defaultdict(list)
        for item in catalog:
            if item.get("menu") and call.allows_model(item["model"]):
                apps[item.get("app") or "Other"].append({"model": item["model"], "label": item["label"]})
        facts = {"title": "Apps", "apps": [{"app": app, "models": found} for app, found in sorted(apps.items())]}
        lines = ["# Apps"]
        for app in facts["apps"]:
            lines += ["", f"## {app['app']}", *(f"- {each['label']} ({each['model']})" for each in app["models"])]
        return ToolResult(facts, text="\n".join(lines))

    def _resource_module(self, call, name: str) -> ToolResult:
        # sudo: what an installed module is called and depends on, which Odoo's own pages show to every user.
        module = self.env["ir.module.module"].sudo().search([("name", "=", name), ("state", "=", "installed")])
        if not module:
            raise ToolError(
                "not_found", f"No module {name!r} is installed.",
                fix="See odoo_get_context with app_query for those that are.",
            )  # fmt: skip
        registry = self.env.registry
        own = [
            model
            for model, cls in registry.items()
            if cls._original_module == name and not cls._transient and call.allows_model(model)
        ]
        facts = {
            "title": module.shortdesc or name,
            "module": name,
            "summary": module.summary or None,
            "version": module.installed_version,
            "author": module.author or None,
            "category": module.category_id.name or None,
            "application": module.application,
            "depends": sorted(module.dependencies_id.mapped("name")),
            "models": sorted(own),
        }
        facts = {key: value for key, value in facts.items() if value is not None}
        lines = [f"# {facts['title']}", ""]
        lines += [
            f"- {key}: {', '.join(value) if isinstance(value, list) else value}"
            for key, value in facts.items()
            if key not in ("title", "models")
        ]
        lines += ["", "## Models", *(f"- {model}: {build('model', model)}" for model in facts["models"])]
        return ToolResult(facts, text="\n".join(lines))


def _titled(title: str, result: ToolResult) -> ToolResult:
    """Return what a tool told as a document with a heading."""
    return ToolResult({"title": title, **result.structured}, text=f"# {title}\n\n{result.text}")


def _refusal(call, model: str, operation: str) -> str | None:
    """Return why an operation on a model is closed, None when it is open. :raises ToolError: there is no such model"""
    try:
        call.check_model(model, operation)
    except ToolError as error:
        if error.code == "unknown_model":
            raise
        return " ".join(error.message.split())
    return None
