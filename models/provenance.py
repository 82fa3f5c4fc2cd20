"""Whose words a record holds: those of an employee, or of an outsider, which are marked wherever they are shown.

From outside are records that a portal user or a visitor has made or changed last, and those that Odoo itself has made
of a mail or a web form: made by OdooBot, of a kind that has conversations, and not brought along by a module.
"""

from collections.abc import Mapping, Sequence

from odoo.api import SUPERUSER_ID
from odoo.fields import Field
from odoo.models import BaseModel
from odoo.tools import SQL

_WRITERS = ("create_uid", "write_uid")
_TEXTS = ("char", "text", "html", "properties", "reference", "json")
# Records whose names are looked for in an error.
MOST_QUOTED = 20
# An order is named after its customer, who is named after the company they work for.
_DEPTH = 2


def with_writers(records: BaseModel, names: Sequence[str]) -> list[str]:
    """Return those of the fields that a search brings along, and those that tell whose words its records hold."""
    fields = records._fields
    found = [
        name for name in names if name == "display_name" or (fields[name].store and fields[name].column_type)
    ]
    return [*found, *(_WRITERS if records._log_access else ()), *_people(records)]


def outside_ids(call, records: BaseModel) -> set[int]:
    """Return the ids of those records whose text may be an outsider's."""
    if not records or not records._log_access or records._transient:
        return set()
    known = call.provenance.setdefault(records._name, {})
    new = records.browse(record_id for record_id in records._ids if record_id not in known)
    if new:
        known.update(dict.fromkeys(new._ids, False))
        known.update(dict.fromkeys(_outside(call, new), True))
    return {record_id for record_id in records._ids if known[record_id]}


def naming_outsiders(call, records: BaseModel, depth: int = _DEPTH) -> set[int]:
    """Return the ids of those records whose display name and other derived texts may hold an outsider's words."""
    found = outside_ids(call, records)
    names = _people(records)
    if not names or not depth:
        return found
    # sudo: whom a record concerns only decides whether its name is marked.
    rows = records.sudo()
    rows.fetch(names)
    linked = {row.id: {row[name].id for name in names if row[name]} - {row.id} for row in rows}
    people = call.env["res.partner"].browse(set().union(*linked.values())).exists()
    outsiders = naming_outsiders(call, people, depth - 1)
    return found | {record_id for record_id, ids in linked.items() if ids & outsiders}


def marked_names(call, model: str, names: Mapping[int, str]) -> dict[int, str]:
    """Return display names by id, those of outsiders' records inside the boundary."""
    outside = naming_outsiders(call, call.env[model].browse(names))
    return {key: call.boundary.cell(name) if key in outside and name else name for key, name in names.items()}


def mark_rows(call, records: BaseModel, rows: Sequence[dict], fields: Mapping[str, Field]) -> None:
    """Put what outsiders wrote inside the boundary, in wire rows of these records: texts, and names behind links."""
    texts = [name for name, field in fields.items() if field.type in _TEXTS]
    derived = [name for name in texts if fields[name].compute or name == "display_name"]
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


def _outside(call, records: BaseModel) -> set[int]:
    # sudo: who made a record only decides whether its text is marked.
    rows = records.sudo()
    rows.fetch(_WRITERS)
    made = {row.id: (row.create_uid.id, row.write_uid.id) for row in rows}
    people = {uid for pair in made.values() for uid in pair if uid and uid != SUPERUSER_ID}
    outsiders = {uid for uid in people if not call.env["res.users"].browse(uid)._is_internal()}
    found = {record_id for record_id, pair in made.items() if outsiders.intersection(pair)}
    robots = {record_id for record_id, (maker, _last) in made.items() if maker == SUPERUSER_ID} - found
    if robots and ("message_ids" in records._fields or records._name == "ir.attachment"):
        found |= robots - _of_modules(records, robots)
    return found


def _people(records: BaseModel) -> list[str]:
    """Return the fields by which a record is called after somebody."""
    return [
        name
        for name, field in records._fields.items()
        if field.type == "many2one" and field.comodel_name == "res.partner" and field.store and field.column_type
    ]


def _of_modules(records: BaseModel, ids: set[int]) -> set[int]:
    """Return those records that have an external id: a module's data, or an import's."""
    query = SQL("SELECT res_id FROM ir_model_data WHERE model = %s AND res_id IN %s", records._name, tuple(ids))
    return {record_id for (record_id,) in records.env.execute_query(query)}
