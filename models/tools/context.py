from collections.abc import Mapping

from odoo import fields, models, release
from odoo.modules import get_manifest

from ...services import budget
from ...services.schema import array, params, text
from ...services.times import to_wire
from ...services.tool import ToolResult, tool
from ...services.versions import VERSIONS
from ..call_environment import open_companies
from ..schema_cache import cached

SECTIONS = ("user", "companies", "apps", "access", "limits", "health")
DEFAULT_SECTIONS = SECTIONS[:5]
# What fits into a short answer; the rest is counted and found with `app_query`.
MOST_APPS = 30
MOST_COMPANIES = 10
_MAX_ROWS = 200

_SECTION = {"type": "string", "enum": list(SECTIONS)}


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_get_context",
        access="read",
        scoped=False,
        toolset="core",
        schema=params(
            sections=array(f"Of {', '.join(SECTIONS)}. Default: all but health.", _SECTION, len(SECTIONS)),
            app_query=text("Find installed modules by name.", example="sale", max_length=100),
        ),
    )
    def _tool_get_context(self, call, *, sections=(), app_query=None):
        """Who you act as, companies, currency, time zone, today's date, installed apps, what this connection may do.
        Call it first, once.
        """
        wanted = list(sections) or list(DEFAULT_SECTIONS)
        if app_query and "apps" not in wanted:
            wanted.append("apps")
        parts = {
            "user": lambda: _user(call),
            "companies": lambda: _companies(call),
            "apps": lambda: self._context_apps(call, app_query),
            "access": lambda: self._context_access(call),
            "limits": lambda: _limits(call),
            "health": lambda: self._context_health(call),
        }
        facts = {"odoo": release.major_version, **{name: parts[name]() for name in SECTIONS if name in wanted}}
        return ToolResult(facts, text=_as_text(facts))

    def _context_apps(self, call, query: str | None) -> dict:
        modules = cached(call.env, "apps", self._installed_modules)
        if query:
            wanted = query.lower().split()
            found = [item for item in modules if all(word in f"{item[0]} {item[1]}".lower() for word in wanted)]
            listed = [f"{label} ({name})" for name, label, _is_app in found]
        else:
            listed = [label for _name, label, is_app in modules if is_app]
        facts: dict[str, object] = {"installed": listed[:MOST_APPS]}
        if len(listed) > MOST_APPS:
            facts["more"] = len(listed) - MOST_APPS
            facts["how"] = "Narrow it with app_query."
        return facts

    def _installed_modules(self) -> list[tuple[str, str, bool]]:
        # sudo: the names of installed modules, which Odoo's own menus and pages show to every user.
        modules = self.env["ir.module.module"].sudo().search([("state", "=", "installed")], order="sequence, name")
        return [(module.name, module.shortdesc or module.name, module.application) for module in modules]

    def _context_access(self, call) -> dict:
        specs = self._visible_specs(call.exchange)
        levels = [layer.name for layer in call.policy.layers]
        level = "read" if call.exchange.narrowing.readonly else call.policy.level
        return {
            "level": level,
            "may_delete": level != "read" and all(layer.allow_delete for layer in call.policy.layers),
            "asks_before": call.policy.confirmation,
            **({"needs_approval": call.policy.approval} if call.policy.approval != "never" else {}),
            "profiles": list(dict.fromkeys(levels)),
            "toolsets": list(dict.fromkeys(spec.toolset for spec in specs)),
            "tools": len(specs),
        }

    def _context_health(self, call) -> dict:
        # sudo: how many modules wait for a restart, how many jobs are late; counts only.
        modules = self.env["ir.module.module"].sudo()
        pending = modules.search_count([("state", "in", ("to install", "to upgrade", "to remove"))])
        late = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        overdue = self.env["ir.cron"].sudo().search_count([("nextcall", "<", late)])
        return {
            "status": "ok" if not pending else "modules_pending",
            "odoo_version": release.version,
            "mcp_server_version": get_manifest("mcp_endpoint")["version"],
            "protocol": call.exchange.version.name,
            "protocols": list(VERSIONS),
            "transport": call.exchange.transport,
            "modules_pending": pending,
            "jobs_overdue_1h": overdue,
        }


def _user(call) -> dict:
    # The caller's own record and companies: Odoo lets every user read these.
    user = call.env.user
    tz = call.env.context.get("tz") or "UTC"
    now = to_wire(fields.Datetime.now(), tz)
    return {
        "id": user.id,
        "name": user.name,
        "login": user.login,
        "partner_id": user.partner_id.id,
        "language": call.env.lang,
        "timezone": tz,
        "now": now,
        "today": now[:10],
        "weekday": fields.Date.to_date(now[:10]).strftime("%A"),
    }


def _companies(call) -> dict:
    # sudo: names and currencies of the user's own companies, also of those outside this call's company_id.
    companies = call.env["res.company"].sudo().browse(open_companies(call.env, call.policy))
    active = call.env.companies.sudo()
    ordered = active | companies
    current = active[:1]
    listed = [
        {
            "id": company.id,
            "name": company.name,
            "currency": company.currency_id.name,
            **({"country": company.country_id.code} if company.country_id else {}),
            **({} if company in active else {"active": False}),
        }
        for company in ordered[:MOST_COMPANIES]
    ]
    facts = {"current": current.id, "currency": current.currency_id.name, "list": listed}
    return {**facts, "more": len(ordered) - MOST_COMPANIES} if len(ordered) > MOST_COMPANIES else facts


def _limits(call) -> dict:
    return {
        "max_rows": _MAX_ROWS,
        "max_records_per_write": 500,
        "answer_chars": budget.DEFAULT_BUDGET,
        "answer_chars_max": budget.MAX_BUDGET,
    }


def _as_text(facts: Mapping[str, object]) -> str:
    """One line per section: `user: id=7, name=Eve, ...`."""
    return "\n".join(f"{name}: {_inline(value)}" for name, value in facts.items())


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_inline(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_inline(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    # Names are typed by people: one line stays one line.
    return " ".join(str(value).split())
