"""Which lines an x2many command touches, so that the journal can give each of them a row of its own."""

from collections.abc import Mapping, Sequence

from odoo.fields import Command, Field
from odoo.models import BaseModel

X2MANY = ("one2many", "many2many")


def x2many_commands(records: BaseModel, values: Mapping[str, object]) -> list[tuple[Field, Sequence]]:
    """Return the x2many fields among `values` with their commands."""
    fields = ((records._fields[name], commands) for name, commands in values.items())
    return [(field, commands) for field, commands in fields if field.type in X2MANY]


def existing_lines(records: BaseModel, values: Mapping[str, object]) -> list[BaseModel]:
    """Return the records that commands in `values` change or may delete, a recordset per field, at every depth."""
    found = []
    for field, commands in x2many_commands(records, values):
        comodel = records.env[field.comodel_name]
        owned = field.type == "one2many"
        ids: set[int] = set()
        for operation, line_id, content in commands:
            if operation == Command.UPDATE:
                found.extend(existing_lines(comodel.browse(line_id), content))
            if operation in (Command.UPDATE, Command.DELETE, *((Command.LINK, Command.UNLINK) if owned else ())):
                ids.add(line_id)
            elif owned and operation in (Command.SET, Command.CLEAR):
                ids.update(content or (), lines_of(records, field).ids)
        if ids:
            found.append(comodel.browse(sorted(ids)))
    return found


def new_lines(record: BaseModel, field: Field, commands: Sequence, before: Sequence[int]) -> BaseModel:
    """Return the lines of `record` that commands have created: those it has now, less old and linked ones."""
    known = set(before)
    for operation, line_id, content in commands:
        if operation == Command.LINK:
            known.add(line_id)
        elif operation == Command.SET:
            known.update(content)
    lines = lines_of(record, field)
    return lines.browse(line_id for line_id in lines.ids if line_id not in known)


def creates(commands: Sequence) -> bool:
    """Say whether there is a command that creates a record."""
    return any(operation == Command.CREATE for operation, _line_id, _content in commands)


def cascades(records: BaseModel, field: Field) -> bool:
    """Say whether the database deletes the lines with their record."""
    inverse = records.env[field.comodel_name]._fields.get(field.inverse_name or "")
    return inverse is not None and getattr(inverse, "ondelete", None) == "cascade"


def lines_of(records: BaseModel, field: Field) -> BaseModel:
    """Return the lines of all `records`, archived ones included."""
    return records.with_context(active_test=False)[field.name]
