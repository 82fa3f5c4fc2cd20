"""One2many and many2many values as checked Odoo commands, from the forms that people and models write.

    [1, 2]                              link exactly these
    [{"name": "A"}, {"id": 3, "qty": 2}]  create a line, change a line
    {"add": [4], "remove": [5], "create": [{...}], "update": [{"id": 3, ...}], "set": [1], "delete": [6]}
    [[0, 0, {...}], [4, 7], [6, 0, [1, 2]]]  Odoo's own commands

Each command is checked as what it does to the other model: linking in a one2many changes the line's record, taking a
line out of one deletes it where the database cascades. ValueErrors carry what was expected.
"""

from collections.abc import Mapping, Sequence

from odoo.fields import Command, Field

from ..services.errors import PolicyDenied
from ..services.plain_json import to_integer
from ..services.questions import Question

MAX_COMMANDS = 1000
_FORMS = {
    "add": Command.LINK,
    "remove": Command.UNLINK,
    "create": Command.CREATE,
    "update": Command.UPDATE,
    "set": Command.SET,
    "delete": Command.DELETE,
}
_EXPECTED = (
    'a list of ids, a list of objects, or an object like {"add": [1], "remove": [2], "create": [{...}], '
    '"update": [{"id": 3, ...}], "set": [4], "delete": [5]}'
)

Triple = tuple[int, int, object]


def commands(check, field: Field, value: object, operation: str) -> list[Triple]:
    """Return a value as checked commands.

    :param check: the `ValuesCheck` that is running, for nested values
    :param operation: what is done to the record that has the field: `create` or `write`
    :raises ValueError: for a form that is not understood
    """
    triples = _triples(field, value, operation)
    if len(triples) > MAX_COMMANDS:
        raise ValueError(f"at most {MAX_COMMANDS} lines; split the call")
    _check_mirror(check, field)
    return [_checked(check, field, triple, operation) for triple in triples]


def _triples(field: Field, value: object, operation: str) -> list[Triple]:
    if value is None or value is False or value == []:
        if operation == "create":
            return []
        if field.type == "one2many" and value == []:
            raise ValueError('lines; to take all lines out write {"set": []}')
        return [(Command.SET, 0, [])]
    if isinstance(value, Mapping):
        return _of_object(value)
    if not isinstance(value, list | tuple):
        raise ValueError(_EXPECTED)
    if all(isinstance(item, list | tuple) for item in value):
        return [_of_command(item) for item in value]
    if not any(isinstance(item, Mapping | list | tuple) for item in value):
        return [(Command.SET, 0, list(value))]
    return [_of_item(item) for item in value]


def _of_object(value: Mapping) -> list[Triple]:
    unknown = [key for key in value if key not in _FORMS]
    if unknown:
        raise ValueError(f"{_EXPECTED}; to create one line, put its object in a list")
    triples: list[Triple] = []
    for key, items in value.items():
        operation = _FORMS[key]
        items = items if isinstance(items, list | tuple) else [items]
        if operation == Command.SET:
            triples.insert(0, (Command.SET, 0, list(items)))
        elif operation == Command.CREATE:
            triples.extend((Command.CREATE, 0, item) for item in items)
        elif operation == Command.UPDATE:
            triples.extend(_update(item) for item in items)
        else:
            triples.extend((operation, item, 0) for item in items)
    return triples


def _of_item(item: object) -> Triple:
    if not isinstance(item, Mapping):
        return (Command.LINK, item, 0)
    if "id" not in item:
        return (Command.CREATE, 0, item)
    return _update(item) if len(item) > 1 else (Command.LINK, item["id"], 0)


def _update(item: object) -> Triple:
    if not isinstance(item, Mapping) or "id" not in item:
        raise ValueError('objects with an "id" in "update"')
    return (Command.UPDATE, item["id"], {key: value for key, value in item.items() if key != "id"})


def _of_command(item: Sequence) -> Triple:
    expected = "Odoo commands: [0,0,{...}], [1,id,{...}], [2,id], [3,id], [4,id], [5], [6,0,[ids]]"
    try:
        operation = Command(item[0])
    except (IndexError, ValueError, TypeError) as error:
        raise ValueError(expected) from error
    if isinstance(item[0], bool) or len(item) > 3:
        raise ValueError(expected)
    line = item[1] if len(item) > 1 else 0
    content = item[2] if len(item) > 2 else 0
    if operation == Command.CLEAR:
        return (Command.SET, 0, [])
    if operation == Command.SET and not isinstance(content, list | tuple):
        raise ValueError(expected)
    return (operation, line, content)


def _checked(check, field: Field, triple: Triple, operation: str) -> Triple:
    kind, line, content = triple
    model = field.comodel_name
    if kind == Command.CREATE:
        given = [field.inverse_name] if field.type == "one2many" and field.inverse_name else []
        if isinstance(content, Mapping):
            # The line's link to its parent is Odoo's to fill in.
            content = {key: value for key, value in content.items() if key not in given}
        return Command.create(check.record(model, content, "create", given=given))
    if kind == Command.SET:
        return _checked_set(check, field, content, operation)
    if kind == Command.LINK:
        line = check.links.one(model, line)
        return Command.link(check.links.many(model, _link_operation(field), [line])[0])
    line = to_integer(line)
    if kind == Command.UPDATE:
        check.links.many(model, "write", [line])
        return Command.update(line, check.record(model, content, "write", check.call.env[model].browse(line)))
    if kind == Command.DELETE or (kind == Command.UNLINK and _takes_along(check, field)):
        check.links.many(model, "delete", [line])
        _confirm(check, model)
        return Command.delete(line) if kind == Command.DELETE else Command.unlink(line)
    check.links.many(model, _link_operation(field), [line])
    return Command.unlink(line)


def _checked_set(check, field: Field, content: Sequence, operation: str) -> Triple:
    model = field.comodel_name
    ids = [check.links.one(model, item) for item in content]
    check.links.many(model, _link_operation(field), ids)
    if operation == "write" and _takes_along(check, field):
        check.call.check_model(model, "delete")
        _confirm(check, model)
    return Command.set(list(ids))


def _link_operation(field: Field) -> str:
    return "write" if field.type == "one2many" else "read"


def _takes_along(check, field: Field) -> bool:
    """Say whether taking a line out deletes it."""
    inverse = check.call.env[field.comodel_name]._fields.get(field.inverse_name) if field.type == "one2many" else None
    return inverse is not None and getattr(inverse, "ondelete", None) == "cascade"


def _confirm(check, model: str) -> None:
    if check.call.policy.confirmation != "never":
        name = check.call.env["ir.model"]._get(model).name
        check.call.need("confirm", Question(f"This deletes lines ({name}). Go ahead? This cannot be undone."))


def _check_mirror(check, field: Field) -> None:
    """Refuse a many2many that is the other side of a closed field, e.g. of the groups of a user."""
    call = check.call
    mirrors = call.env[field.model_name].pool.field_inverses[field] if field.type == "many2many" else ()
    for mirror in mirrors:
        if mirror.type == "many2many" and not call.policy.allows_field(mirror.model_name, mirror.name, "write"):
            raise PolicyDenied(
                "guardrail:field",
                f"{field.model_name}.{field.name} is the other side of {mirror.model_name}.{mirror.name}, "
                "which assistants cannot write.",
                model=field.model_name,
                field=field.name,
            )
