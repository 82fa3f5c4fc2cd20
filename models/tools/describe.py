from odoo import models

from ...services import description_text as wording
from ...services.errors import ToolError
from ...services.nearest import nearest
from ...services.schema import IDS, MODEL, choice, names, params, text
from ...services.tool import ToolResult, tool
from ..model_actions import model_actions
from ..model_schema import model_schema
from ..model_usage import creation, filtering, writable
from ..schema_cache import cached

OPERATIONS = ("read", "create", "write", "delete")
BRIEF_FIELDS = 40
BRIEF_BUDGET = 8_000
FULL_FIELDS = 500
FULL_BUDGET = 20_000
# Room that the general facts leave to the fields, at least.
LEAST_BUDGET = 1_500
MOST_PER_COMPANY = 6
_MOST = {"brief": BRIEF_FIELDS, "full": FULL_FIELDS}
_HOW = {
    "brief": "Name them in fields, look with field_query, or ask for detail full.",
    "full": "Name them in fields, or look with field_query.",
}


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_describe_model",
        access="read",
        scoped=False,
        toolset="core",
        schema=params(
            model=MODEL,
            purpose=choice("What for (default read).", "read", "filter", "create", "write", "actions"),
            fields=names("Only these; dotted paths allowed.", max_items=50, example=["partner_id"]),
            field_query=text("Word in name or label.", example="discount", max_length=100),
            detail=choice("brief (default) or full.", "brief", "full"),
            ids=IDS,
        ),
    )
    def _tool_describe_model(self, call, *, model, purpose="read", fields=(), field_query=None, detail="brief", ids=()):
        """A model's fields with types and choices, its states and allowed operations; by purpose also required fields
        and defaults, an example filter, or the buttons offered on ids.
        """
        call.check_model(model, "create" if purpose == "create" else "write" if purpose == "write" else "read")
        if purpose == "read" and not fields and not field_query and (known := _known(call, model, detail)):
            return known
        schema = model_schema(call.env, model)
        allowed = call.fields(model)
        opened = [item for item in schema["fields"] if item["name"] in allowed]
        facts = _general(call, model, schema, opened)
        if purpose == "actions":
            facts |= model_actions(call, model, list(ids))
            return ToolResult(facts, text=wording.as_text(facts))
        if fields:
            facts["fields"] = [_named(call, model, path) for path in fields]
            return ToolResult(facts, text=wording.as_text(facts))
        chosen = _for_purpose(call, model, purpose, schema, opened, facts)
        if field_query:
            chosen = _matching(chosen, model, field_query)
        _add_fields(call, model, facts, chosen, detail)
        return ToolResult(facts, text=wording.as_text(facts))


def _known(call, model: str, detail: str) -> ToolResult | None:
    """Return the whole answer to the commonest question, None where it may be another for the next caller."""

    def build() -> list | None:
        schema = model_schema(call.env, model)
        allowed = call.fields(model)
        opened = [item for item in schema["fields"] if item["name"] in allowed]
        if any(item.get("dynamic_selection") for item in [*opened[: _MOST[detail]], *_state_fields(opened)]):
            return None
        facts = _general(call, model, schema, opened)
        _add_fields(call, model, facts, opened, detail)
        return [facts, wording.as_text(facts)]

    # Rights are asked for each time: a model may give them by other means than groups.
    variant = (detail, _operations(call, model), call.policy.key)
    known = cached(call.env, f"fields:{model}", build, by=variant)
    return known and ToolResult(known[0], text=known[1])


def _operations(call, model: str) -> tuple[str, ...]:
    return tuple(operation for operation in OPERATIONS if call.allows_model(model, operation))


def _general(call, model: str, schema: dict, opened: list[dict]) -> dict:
    """Return what is true of the model as a whole, for this caller."""
    names = {item["name"] for item in opened}
    facts = {
        "model": model,
        "label": schema["label"],
        "operations": list(_operations(call, model)),
        "record_name": schema.get("record_name"),
        "order": schema.get("order"),
        "archive": schema.get("archive") if schema.get("archive") in names else None,
        "chatter": schema.get("chatter"),
        "activities": schema.get("activities"),
        "company": _company(schema, opened),
        "state": _state(call, model, opened),
    }
    return {key: value for key, value in facts.items() if value or key == "operations"}


def _company(schema: dict, opened: list[dict]) -> dict:
    by_name = {item["name"]: item for item in opened}
    facts: dict[str, object] = {}
    if "company_id" in by_name:
        facts["field"] = "company_id"
        if by_name["company_id"].get("required"):
            facts["required"] = True
    if schema.get("checks_company"):
        facts["links_must_match"] = True
    if per_company := [item["name"] for item in opened if item.get("per_company")]:
        facts["values_per_company"] = per_company[:MOST_PER_COMPANY]
    return facts


def _state(call, model: str, opened: list[dict]) -> dict | None:
    """Return the field that says how far a record has come, with its values."""
    for item in _state_fields(opened):
        if item["type"] == "selection":
            return {"field": item["name"], "values": _choices(call, model, item)[: wording.MOST_CHOICES]}
        return {"field": item["name"], "model": item["relation"]}
    return None


def _state_fields(opened: list[dict]) -> list[dict]:
    by_name = {item["name"]: item for item in opened}
    candidates = (by_name.get(name) for name in ("state", "stage_id", "status", "kanban_state"))
    return [item for item in candidates if item and item["type"] in ("selection", "many2one")]


def _for_purpose(call, model: str, purpose: str, schema: dict, opened: list[dict], facts: dict) -> list[dict]:
    """Add what a purpose needs to the facts; return the fields to list with it."""
    if purpose == "filter":
        facts |= filtering(call, opened)
        return [item for item in opened if item.get("searchable")]
    if purpose == "write":
        return writable(call, model, opened)
    if purpose == "create":
        usage = creation(call, model, schema, opened)
        required = usage.pop("required")
        facts["required"] = [wording.shown(_complete(call, model, item), is_full=False) for item in required]
        facts |= usage
        missing = {item["name"] for item in required}
        return [item for item in writable(call, model, opened) if item["name"] not in missing]
    return opened


def _add_fields(call, model: str, facts: dict, chosen: list[dict], detail: str) -> None:
    is_full = detail == "full"
    most, budget = _MOST[detail], FULL_BUDGET if is_full else BRIEF_BUDGET
    entries = [wording.shown(_complete(call, model, item), is_full=is_full) for item in chosen[:most]]
    room = max(LEAST_BUDGET, budget - wording.size(facts) - len(_HOW[detail]) - 60)
    facts["fields"] = wording.fitted(entries, most, room)
    if omitted := len(chosen) - len(facts["fields"]):
        facts["omitted"] = {"fields": omitted, "how": _HOW[detail]}


def _named(call, model: str, path: str) -> dict:
    """Return one field in full, following a dotted path.

    :raises ToolError: for an element that does not exist or is closed, with the nearest names
    """
    *parents, name = path.split(".")
    for parent in parents:
        relation = call.field(model, parent).comodel_name if call.field(model, parent).relational else None
        if relation is None:
            raise ToolError(
                "unknown_field", f"{parent} of {model} links to no other model.",
                fix=f"End the path at {parent}.", model=model, field=path,
            )  # fmt: skip
        model = relation
    call.field(model, name)
    item = next(item for item in model_schema(call.env, model)["fields"] if item["name"] == name)
    return {**wording.shown(_complete(call, model, item), is_full=True), "name": path}


def _matching(chosen: list[dict], model: str, query: str) -> list[dict]:
    words = query.lower().split()
    found = [
        item
        for item in chosen
        if all(word in f"{item['name']} {item['label']} {item.get('help', '')}".lower() for word in words)
    ]
    if found:
        in_name = [item for item in found if all(word in f"{item['name']} {item['label']}".lower() for word in words)]
        return [*in_name, *(item for item in found if item not in in_name)]
    near = nearest(query, {item["name"]: item["label"] for item in chosen}, 5)
    by_name = {item["name"]: item for item in chosen}
    if near:
        return [by_name[name] for name in near]
    raise ToolError(
        "not_found",
        f"No field of {model} that fits this purpose has {query!r} in its name, label or help.",
        fix="Try another word, or leave field_query out.",
        model=model,
    )


def _complete(call, model: str, item: dict) -> dict:
    """Return the field with its choices, also where a method gives them."""
    return {**item, "selection": _choices(call, model, item)} if item.get("dynamic_selection") else item


def _choices(call, model: str, item: dict) -> list:
    if not item.get("dynamic_selection"):
        return item.get("selection", [])
    # These may depend on the user or the company, and are asked each time.
    described = call.describe_fields(model, [item["name"]], ["selection"]).get(item["name"], {})
    return [list(pair) for pair in described.get("selection") or ()]
