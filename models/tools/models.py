import functools
import json

from odoo import models
from odoo.tools import SQL

from ...services import model_names
from ...services.nearest import nearest
from ...services.schema import CURSOR, LIMIT, boolean, params, text
from ...services.tables import table_text
from ...services.tool import ToolResult, tool
from ..paging import next_cursor, page_start
from ..schema_cache import cached_json

DEFAULT_LIMIT = 20
OPERATIONS = ("read", "create", "write", "delete")
# Below this a model shares a word with the query and little else.
_GOOD_MATCH = 40.0
_COLUMNS = ("model", "label", "also", "app", "operations")


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_find_models",
        access="read",
        scoped=False,
        toolset="core",
        schema=params(
            query=text("Word, label, technical or old name, e.g. invoice.", example="invoice", max_length=200),
            category=text("App or category, e.g. Sales.", example="Sales", max_length=100),
            custom_only=boolean("Only models made in this database."),
            limit=LIMIT(DEFAULT_LIMIT, 100),
            cursor=CURSOR,
        ),
    )
    def _tool_find_models(
        self, call, *, query=None, category=None, custom_only=False, limit=DEFAULT_LIMIT, cursor=None
    ):
        """Find the model that holds a kind of record, with what you may do on it. Without query: the main models."""
        criteria = {"query": query, "category": category, "custom_only": custom_only}
        start = page_start(call, criteria, cursor)["offset"]
        found = self._open_models(call, query, category, custom_only)
        page = [_shown(call, item) for item in found[start : start + limit]]
        facts: dict[str, object] = {"models": page, "total": len(found)}
        if note := _note(call, query, found):
            facts["note"] = note
        meta = {}
        if start + limit < len(found):
            facts["next_cursor"] = meta["next_cursor"] = next_cursor(call, criteria, {"offset": start + limit})
        return ToolResult(facts, text=_as_text(facts), meta=meta)

    def _open_models(
        self, call, query: str | None, category: str | None = None, custom_only: bool = False
    ) -> list[dict]:
        """Return the entries of `_model_catalog` that are looked for and open to the caller, the best first."""
        catalog = cached_json(call.env, "models", self._model_catalog)
        ranked = _ranked(catalog, (query or "").strip(), category, custom_only)
        return [item for item in ranked if call.allows_model(item["model"])]

    def _models_begun(self, call, start: str) -> tuple[str, ...]:
        """Return the models whose technical name or everyday word begins with a text; also closed ones."""
        return _begun(cached_json(call.env, "models", self._model_catalog), start)

    def _model_catalog(self) -> list[dict]:
        """Return what does not depend on the caller, for every model with records of its own."""
        # sudo: names of models and of installed modules; which of them are shown is decided per caller.
        known = self.env["ir.model"].sudo()
        rows = known.search_read([("transient", "=", False), ("abstract", "=", False)], ["model", "name", "state"])
        modules = self.env["ir.module.module"].sudo().search([("state", "=", "installed")])
        apps = {module.name: (module.shortdesc, module.category_id) for module in modules}
        in_menus = self._models_in_menus()
        catalog = []
        for row in rows:
            cls = self.env.registry.models.get(row["model"])
            if cls is None or cls._abstract or cls._transient:
                continue
            app, category = apps.get(cls._original_module, ("", self.env["ir.module.category"]))
            item = {
                "model": row["model"],
                "label": row["name"],
                "source": cls._description or "",
                "app": app,
                "category": " ".join(filter(None, (cls._original_module, category.parent_id.name, category.name))),
                "custom": row["state"] == "manual",
                "menu": row["model"] in in_menus,
            }
            catalog.append({key: value for key, value in item.items() if value})
        return catalog

    def _models_in_menus(self) -> set[str]:
        """Return the models that a menu opens: those people work with, rather than lines and settings."""
        self.env["ir.ui.menu"].flush_model(["action", "active"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT a.res_model FROM ir_ui_menu m
                  JOIN ir_act_window a ON m.action = 'ir.actions.act_window,' || a.id
                 WHERE m.active
                """
            )
        )
        return {model for (model,) in rows}


# People type, and clients ask after each letter.
@functools.lru_cache(maxsize=128)
def _ranked(catalog: bytes, query: str, category: str | None, custom_only: bool) -> tuple[dict, ...]:
    """Return the entries of a catalog that are looked for, the best first. Not to be changed."""
    entries = json.loads(catalog)
    if custom_only:
        entries = [item for item in entries if item.get("custom")]
    if category:
        wanted = category.lower().split()
        entries = [item for item in entries if all(word in _place(item) for word in wanted)]
    if not query:
        if not custom_only and not category:
            entries = [item for item in entries if item.get("menu") or model_names.is_listed(item["model"])]
        return tuple(sorted(entries, key=_business_order))
    wanted = model_names.normalized(query)
    scored = [(_score(wanted, item), item) for item in entries]
    good = [(score, item) for score, item in scored if score >= _GOOD_MATCH]
    if not good:
        by_name = {item["model"]: item for item in entries}
        labels = {name: item["label"] for name, item in by_name.items()}
        return tuple(by_name[name] for name in nearest(query, labels, 10))
    good.sort(key=lambda pair: (-_weighted(*pair), _business_order(pair[1])))
    return tuple(item for _score, item in good)


@functools.lru_cache(maxsize=128)
def _begun(catalog: bytes, start: str) -> tuple[str, ...]:
    names = {item["model"] for item in json.loads(catalog)}
    begun = sorted(name for name in names if name.startswith(start))
    meant = (
        name for name, words in model_names.BUSINESS_MODELS.items() if any(word.startswith(start) for word in words)
    )
    return (*begun, *(name for name in meant if name in names))


def _score(wanted: str, item: dict) -> float:
    return model_names.match(wanted, item["model"], item["label"], item.get("source", ""))


def _weighted(score: float, item: dict) -> float:
    """Between models that answer alike, the one people open wins over lines, stages and reports."""
    return score + 6 * model_names.is_listed(item["model"]) + 4 * bool(item.get("menu"))


def _business_order(item: dict) -> tuple:
    name = item["model"]
    return model_names.importance(name), not item.get("menu"), name.startswith(("ir.", "res.", "mail.")), name


def _place(item: dict) -> str:
    return f"{item.get('app', '')} {item.get('category', '')}".lower()


def _shown(call, item: dict) -> dict:
    shown = {"model": item["model"], "label": item["label"]}
    # Labels such as “Journal Entry” hide what most people come for.
    label = model_names.normalized(item["label"])
    if words := [word for word in model_names.usual_words(item["model"]) if model_names.normalized(word) != label]:
        shown["also"] = words
    if item.get("app"):
        shown["app"] = item["app"]
    shown["operations"] = [operation for operation in OPERATIONS if call.allows_model(item["model"], operation)]
    if item.get("custom"):
        shown["custom"] = True
    return shown


def _note(call, query: str | None, found: list[dict]) -> str | None:
    """Say what became of an old name, and which model a word usually means when it is not among the results."""
    if not query:
        return None if found else "No model here is open to this connection."
    if not found and query in call.env.registry:
        return f"{query} exists, but is not open to this connection."
    meant = model_names.suggest(query)
    open_to_caller = [name for name in meant if call.allows_model(name)]
    if model_names.is_old(query) and open_to_caller:
        return f"{query} is an old name; here it is {', '.join(open_to_caller)}."
    if meant and not open_to_caller:
        return f"“{query}” usually means {', '.join(meant[:2])}: not installed, or not open to this user."
    return None if found else "Nothing found. Try another word, or call without query for the main models."


def _as_text(facts: dict) -> str:
    rows = [
        {**item, "also": ", ".join(item.get("also", ())), "operations": ",".join(item["operations"])}
        for item in facts["models"]
    ]
    lines = [table_text(rows, _COLUMNS)] if rows else []
    if "note" in facts:
        lines.append(facts["note"])
    if "next_cursor" in facts:
        lines.append(f"{len(rows)} of {facts['total']} models; cursor for more: {facts['next_cursor']}")
    return "\n".join(lines)
