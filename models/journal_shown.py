"""Journalled values as people read them: labels, local times, and names of linked records that the reader may see."""

from odoo.api import Environment
from odoo.fields import Datetime, Field
from odoo.tools import format_date, format_datetime, html2plaintext

LONGEST = 2_000
MOST_LINKED = 20


def shown(env: Environment, field: Field, value: object) -> str:
    """Return a value of `mcp.change` as text in the reader's language and time zone."""
    if field.type == "boolean":
        return env._("Yes") if value else env._("No")
    if value in (None, False, "", []):
        return "–"
    match field.type:
        case "many2one":
            return _names(env, field.comodel_name, [value])
        case "many2many" | "one2many":
            return _names(env, field.comodel_name, value)
        case "selection":
            return str(dict(field._description_selection(env)).get(value, value))
        case "datetime":
            return format_datetime(env, Datetime.to_datetime(value))
        case "date":
            return format_date(env, value)
        case "binary":
            return env._("a file")
        case "html":
            value = html2plaintext(value)
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,})"


def _names(env: Environment, model: str, ids: list[int]) -> str:
    readable = {}
    if model in env and env[model].has_access("read"):
        records = env[model].browse(ids[:MOST_LINKED]).exists()._filtered_access("read")
        readable = {record.id: record.display_name for record in records}
    named = [readable.get(each) or f"#{each}" for each in ids[:MOST_LINKED]]
    more = f" +{len(ids) - MOST_LINKED}" if len(ids) > MOST_LINKED else ""
    return ", ".join(named) + more
