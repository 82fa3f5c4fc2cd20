"""Whose words a record holds: those of an employee, or of an outsider, which are marked wherever they are shown.

From outside are records that a portal user or a visitor has made or changed last, and those that Odoo itself has made
of a mail or a web form: made by OdooBot, of a kind that has conversations, and not brought along by a module.
"""

from collections.abc import Mapping, Sequence

from odoo.api import SUPERUSER_ID
from odoo.fields import Field
from odoo.models import BaseModel
from odoo.tools import SQL

_MAKERS = ("create_uid", "write_uid")
_TEXTS = ("char", "text", "html", "properties", "reference", "json")
# Records whose names are looked for in an error.
MOST_QUOTED = 20
# Records of one model that are known to have an external id.
_MOST_SHIPPED = 20_000
# An order is named after its customer, who is named after the company they work for.
_DEPTH = 2


def telling_fields(records: BaseModel, shown: Sequence[str]) -> list[str]:
    """Return the fields that tell whose words a record holds; a search brings them along in its own query.

    :param shown: what will be read of the records
    """
    if not records._log_access or records._transient:
        return []
    if not any(_is_derived(name, records._fields[name]) for name in shown):
        return list(_MAKERS)
    return [*_MAKERS, *(name for name in _people(records) if records._has_field_access(records._fields[name], "read"))]


def outside_ids(call, records: BaseModel) -> set[int]:
    """Return the ids of those records whose text may be an outsider's."""
    if not records or not records._log_access or records._transient:
        return set()
    known = call.provenance.setdefault(records._name, {})
    new = records.browse(record_id for record_id in records._ids if record_id not in known)
    if new:
        known.update(dict.fromkeys(new._ids, False))
        known.update(dict.fromkeys(_outside(new), True))
    return {record_id for record_id in records._ids if known[record_id]}


def naming_outsiders(call, records: BaseModel, depth: int = _DEPTH) -> set[int]:
    """Return the ids of those records whose display name and other derived texts may hold an outsider's words."""
    found = outside_ids(call, records)
    names = _people(records)
    if not names or not depth:
        return found
    values = _columns(records, names)
    linked = {record_id: {each for each in ids if each} - {record_id} for record_id, ids in values.items()}
    people = call.env["res.partner"].browse(set().union(*linked.values()))
    outsiders = naming_outsiders(call, people, depth - 1)
    return found | {record_id for record_id, ids in linked.items() if ids & outsiders}


def marked_names(call, model: str, names: Mapping[int, str]) -> dict[int, str]:
    """Return display names by id, those of outsiders' records inside the boundary."""
    outside = naming_outsiders(call, call.env[model].browse(names))
    return {key: call.boundary.cell(name) if key in outside and name else name for key, name in names.items()}


def mark_rows(call, records: BaseModel, rows: Sequence[dict], fields: Mapping[str, Field]) -> None:
    """Put what outsiders wrote inside the boundary, in wire rows of these records: texts, and names behind links."""
    texts = [name for name, field in fields.items() if field.type in _TEXTS]
    derived = [name for name in texts if _is_derived(name, fields[name])]
    outside = outside_ids(call, records) if texts else set()
    naming = naming_outsiders(call, records) if derived else set()
    for row in rows:
        for name in texts if row["id"] in outside else derived if row["id"] in naming else ():
            row[name] = call.boundary.all_of(row.get(name))
    for name, field in fields.items():
        if field.type in ("many2one", "one2many", "many2many"):
            _mark_links(call, field.comodel_name, [row[name] for row in rows if isinstance(row.get(name), dict)])


def mark_groups(call, rows: Sequence[dict], fields: Mapping[str, Field]) -> None:
    """Put what outsiders wrote inside the boundary, in rows of groups by these fields."""
    for term, field in fields.items():
        if field.type in ("many2one", "many2many") or field.name == "id":
            model = field.model_name if field.name == "id" else field.comodel_name
            _mark_links(call, model, [row[term] for row in rows if isinstance(row[term], dict)])
        elif field.type in _TEXTS and "message_ids" in call.env[field.model_name]._fields:
            # One value of many records: whose word it is cannot be told.
            for row in rows:
                row[term] = call.boundary.all_of(row[term])


def mark_preview(call, record: BaseModel, preview) -> None:
    """Mark the values and warnings of a form's preview: of an outsider's record, or taken over from one."""
    fields = call.env[record._name]._fields
    values = {name: value for name, value in preview.state.items() if isinstance(value, int) and value}
    linked = {fields[name].comodel_name: value for name, value in values.items() if fields[name].type == "many2one"}
    if outside_ids(call, record) or any(
        naming_outsiders(call, call.env[model].browse(record_id).exists()) for model, record_id in linked.items()
    ):
        preview.values = call.boundary.all_of(preview.values)
        preview.warnings = call.boundary.all_of(preview.warnings)


def mark_quotes(call, message: str) -> str:
    """Return a message of Odoo's with the names in it that outsiders gave to the records of this call marked."""
    if not (call.record_ids and call.allows_model(call.model)):
        return message
    records = call.env[call.model].browse(call.record_ids[:MOST_QUOTED]).exists()._filtered_access("read")
    outside = records.browse(naming_outsiders(call, records))
    for row in outside.read(["display_name"]):
        if row["display_name"] and row["display_name"] in message:
            message = message.replace(row["display_name"], call.boundary.cell(row["display_name"]))
    return message


def _is_derived(name: str, field: Field) -> bool:
    """Say whether a field may repeat words of another record."""
    return bool(field.compute) or name == "display_name"


def _mark_links(call, model: str, cells: Sequence[dict]) -> None:
    linked = {cell["id"] for cell in cells if cell.get("name")}
    linked |= {record_id for cell in cells if "names" in cell for record_id in cell["ids"]}
    if not (outside := naming_outsiders(call, call.env[model].browse(linked).exists())):
        return
    for cell in cells:
        if cell.get("id") in outside:
            cell["name"] = call.boundary.cell(cell["name"])
        elif "names" in cell:
            cell["names"] = [
                call.boundary.cell(name) if name and record_id in outside else name
                for record_id, name in zip(cell["ids"], cell["names"], strict=True)
            ]


def _outside(records: BaseModel) -> set[int]:
    """Return which records are an outsider's."""
    makers = _columns(records, _MAKERS)
    users = records.env["res.users"]
    people = {user for found in makers.values() for user in found if user}
    outsiders = {user for user in people if not users._mcp_standing(user).is_internal}
    by_outsiders = {record_id for record_id, found in makers.items() if outsiders.intersection(found)}
    by_odoo = {record_id for record_id, (maker, _changer) in makers.items() if maker == SUPERUSER_ID}
    if "message_ids" not in records._fields and records._name != "ir.attachment":
        return by_outsiders
    return by_outsiders | by_odoo - _shipped(records.browse(by_odoo))


def _shipped(records: BaseModel) -> set[int]:
    """Return which records have an external id: they are a module's data, or an import's.

    Not of an export's: Odoo gives one to whatever an employee exports to import it again, such as leads made of mails.
    """
    known = records.env["ir.model.data"]._mcp_shipped(records._name)
    new = records.browse(record_id for record_id in records._ids if record_id not in known)
    query = SQL(
        "SELECT res_id FROM ir_model_data WHERE model = %s AND res_id IN %s AND module <> '__export__'",
        new._name,
        new._ids,
    )
    found = {record_id for (record_id,) in _asked(new, query)}
    if len(known) < _MOST_SHIPPED:
        known |= found
    return found | set(records._ids).difference(new._ids)


def _columns(records: BaseModel, names: Sequence[str]) -> dict[int, tuple]:
    """Return the values of columns by record: from the cache, where a search has brought them along, or in SQL.

    Not by reading: each row that is shown is asked about, and whose it is only decides whether its text is marked.
    """
    caches = [records._fields[name]._get_cache(records.env) for name in names]
    if all(record_id in cache for cache in caches for record_id in records._ids):
        return {record_id: tuple(cache[record_id] for cache in caches) for record_id in records._ids}
    columns = SQL(", ").join(SQL.identifier("r", name, to_flush=records._fields[name]) for name in names)
    query = SQL("SELECT r.id, %s FROM %s r WHERE r.id IN %s", columns, SQL.identifier(records._table), records._ids)
    return {record_id: tuple(values) for record_id, *values in _asked(records, query)}


def _asked(records: BaseModel, query: SQL) -> list[tuple]:
    return records.env.execute_query(query) if records else []


def _people(records: BaseModel) -> list[str]:
    """Return the fields by which a record is called after somebody."""
    return [
        name
        for name, field in records._fields.items()
        if field.type == "many2one" and field.comodel_name == "res.partner" and field.store and field.column_type
    ]
