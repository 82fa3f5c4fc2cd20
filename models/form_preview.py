"""What a form would show for values that are not saved: defaults, onchanges, and the state of its fields.

The same code path as the web client's: the user's own form view, and Odoo's `onchange` with a specification built of
it. Conditions of the view are evaluated as far as they are simple (`services.view_condition`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from lxml import etree
from odoo.fields import Command, Date, Datetime
from odoo.models import BaseModel

from ..services.shaping import wire_value
from ..services.view_condition import evaluate
from .values_guard import ValuesCheck

X2MANY = ("one2many", "many2many")
# Never shown, and costly to compute.
_LEFT_OUT = ("binary", "json")
MOST_LINES = 5


@dataclass
class FormPreview:
    """The outcome. `values` has the fields that differ from what was given or stored; see `shown`."""

    values: dict[str, object] = field(default_factory=dict)
    state: dict[str, object] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=dict)
    unclear: dict[str, list[str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


class FormReader:
    """The form of one model as this user gets it, with the fields that this caller may read."""

    def __init__(self, call, model: str) -> None:
        self.call = call
        self.records = call.env[model]
        self.open = call.fields(model)
        self.arch = etree.fromstring(self.records.get_view(view_type="form")["arch"])
        self.nodes: dict[str, list[etree._Element]] = {}
        for node in self.arch.xpath("//field[@name][not(ancestor::field)]"):
            if self.open.get(node.get("name")) and self.open[node.get("name")].type not in _LEFT_OUT:
                self.nodes.setdefault(node.get("name"), []).append(node)

    def preview(self, record: BaseModel, given: Mapping[str, object], changed: Sequence[str]) -> FormPreview:
        """:param record: the existing record, or an empty recordset for a new one"""
        model, check = self.records._name, ValuesCheck(self.call)
        values = check.record(model, given, "write" if record else "create", record or None)
        values = {name: _numbered(value) for name, value in values.items()}
        spec = self._specification(values)
        result = FormPreview()
        given_state = {name: self._client_value(name, value) for name, value in values.items()}
        edited = [name for name in values if not changed or name in changed]
        if record:
            result.state = self._stored(record, spec) | given_state
        elif len(edited) == len(values):
            # A new record in one go: defaults for what is not given, then all consequences, complete lines included.
            result.state = given_state
            self._take(result, self.records.onchange(dict(values), [], spec), values)
            edited = []
        else:
            self._take(result, self.records.onchange({}, [], spec), {})
            result.state |= given_state
        if edited:
            sent = {**({} if record else self._sendable(result.state)), **values}
            self._take(result, (record or self.records).onchange(sent, edited, spec), values)
        self._add_field_states(result)
        required = {*result.fields["required"], *check.missing.get(model, ())}
        hidden = set(result.fields["hidden"])
        result.missing = sorted(name for name in required - hidden if self._is_empty(name, result.state.get(name)))
        return result

    def _specification(self, values: Mapping[str, object]) -> dict[str, dict]:
        return {name: self._sub_specification(name) for name in dict.fromkeys([*self.nodes, *values])}

    def _sub_specification(self, name: str) -> dict:
        definition = self.records._fields[name]
        if definition.type == "many2one":
            return {"fields": {"display_name": {}}}
        if definition.type not in X2MANY:
            return {}
        names = ["display_name"]
        if definition.type == "one2many" and self.call.allows_model(definition.comodel_name):
            open_fields = self.call.fields(definition.comodel_name)
            names = [line for line in self._line_fields(definition) if line in open_fields] or names
            names = [line for line in names if open_fields[line].type not in (*_LEFT_OUT, *X2MANY)]
        lines = self.records.env[definition.comodel_name]._fields
        many2one = {"fields": {"display_name": {}}}
        return {"fields": {line: many2one if lines[line].type == "many2one" else {} for line in names}}

    def _line_fields(self, definition) -> list[str]:
        """Return the columns of a one2many, from the form itself or from the list view of its model."""
        path = "./list//field/@name | ./form//field/@name | ./kanban//field/@name"
        for node in self.nodes.get(definition.name, ()):
            if inline := node.xpath(path):
                return list(dict.fromkeys(map(str, inline)))
        arch = self.records.env[definition.comodel_name].get_view(view_type="list")["arch"]
        return list(dict.fromkeys(map(str, etree.fromstring(arch).xpath("//field/@name"))))

    def _stored(self, record: BaseModel, spec: Mapping[str, dict]) -> dict[str, object]:
        row = self.call.read(record, list(spec))[0]
        return {name: self._client_value(name, row[name]) for name in spec}

    def _take(self, result: FormPreview, answer: Mapping, given: Mapping[str, object]) -> None:
        """Add what an onchange returned. Of a field that was given only a different value counts."""
        for name, value in answer.get("value", {}).items():
            before = result.state.get(name)
            now = self._client_value(name, value, before)
            result.state[name] = now
            if name in self.open and (name not in given or now != before or _has_lines(value)):
                result.values[name] = self._shown(name, value, now)
        if warning := answer.get("warning"):
            text = ": ".join(part for part in (warning.get("title"), warning.get("message")) if part)
            result.warnings.append(text)

    def _client_value(self, name: str, value: object, before: object = ()) -> object:
        """Return a value as the client's conditions see it: ids for links, text for dates."""
        definition = self.records._fields[name]
        if definition.type == "many2one":
            value = value.get("id") if isinstance(value, Mapping) else value
            return (value[0] if isinstance(value, tuple | list) else value) or False
        if definition.type in X2MANY:
            return _line_ids(value, before if isinstance(before, list | tuple) else ())
        if isinstance(value, datetime):
            return Datetime.to_string(value)
        return Date.to_string(value) if isinstance(value, date) else value

    def _sendable(self, state: Mapping[str, object]) -> dict[str, object]:
        """Return default values as `onchange` takes them; lines cannot be sent by id, their defaults come again."""
        types = {name: self.records._fields[name].type for name in state}
        return {
            name: [Command.set([each for each in value if each])] if types[name] == "many2many" else value
            for name, value in state.items()
            if types[name] not in ("one2many", "properties", "properties_definition")
        }

    def _shown(self, name: str, value: object, now: object) -> object:
        definition = self.records._fields[name]
        if definition.type == "many2one":
            return self._linked(definition, value) if value else None
        if definition.type in X2MANY:
            lines = [
                self._plain_line(definition, command[2])
                for command in value
                if command[0] in (Command.CREATE, Command.UPDATE) and isinstance(command[2], Mapping)
            ]
            return {"count": len(now), **({"lines": lines[:MOST_LINES]} if lines else {})}
        if definition.type == "monetary":
            return now or 0
        return wire_value(
            now if definition.type == "date" else value, {"type": definition.type}, tz=self.call.env.context["tz"]
        )

    def _linked(self, definition, value: Mapping) -> dict[str, object]:
        """Return a link as id and name, without the name where records of its model may not be shown by it."""
        is_named = self.call.policy.allows_name(definition.comodel_name)
        return {"id": value.get("id"), **({"name": value.get("display_name")} if is_named else {})}

    def _plain_line(self, definition, values: Mapping[str, object]) -> dict[str, object]:
        """Return a line's values that are set, links as id and name."""
        fields = self.records.env[definition.comodel_name]._fields
        line = {}
        for name, value in values.items():
            if isinstance(value, Mapping):
                value = self._linked(fields[name], value)
            elif isinstance(value, date):
                value = str(value)
            if value not in (False, None, ""):
                line[name] = value
        return line

    # The state of the fields

    def _add_field_states(self, result: FormPreview) -> None:
        result.fields = {"hidden": [], "readonly": [], "required": []}
        values = {"id": False, **result.state}
        described = self.call.describe_fields(self.records._name, list(self.nodes), ["required", "readonly"])
        for name, nodes in self.nodes.items():
            facts = described.get(name, {})
            hidden = _all_of([self._is_hidden(node, values) for node in nodes])
            shown = [node for node in nodes if self._is_hidden(node, values) is not True] or nodes
            readonly = _all_of([_condition(node, "readonly", values, facts.get("readonly")) for node in shown])
            required = _all_of([_condition(node, "required", values, facts.get("required")) for node in shown])
            for kind, answer in (("hidden", hidden), ("readonly", readonly), ("required", required)):
                if answer:
                    result.fields[kind].append(name)
                elif answer is None:
                    result.unclear.setdefault(name, []).append(kind)

    def _is_hidden(self, node: etree._Element, values: Mapping[str, object]) -> bool | None:
        """Say whether a field or anything around it is hidden, None when that cannot be told."""
        answers = [_condition(each, "invisible", values) for each in (node, *node.iterancestors())]
        return True if True in answers else None if None in answers else False

    def _is_empty(self, name: str, value: object) -> bool:
        kind = self.records._fields[name].type
        return kind not in ("boolean", "integer", "float", "monetary") and not value


def _condition(node: etree._Element, kind: str, values: Mapping[str, object], otherwise: object = False) -> bool | None:
    expression = node.get(kind)
    return bool(otherwise) if expression is None else evaluate(expression, values)


def _all_of(answers: Sequence[bool | None]) -> bool | None:
    """Return whether something holds wherever a field stands in the form."""
    return False if False in answers else None if None in answers else True


def _line_ids(value: object, before: Sequence[int]) -> list[int]:
    """Return the ids of lines after commands, 0 for each new one; a list of ids as it is."""
    if not isinstance(value, list | tuple):
        return []
    ids = list(before)
    for command in value:
        if not isinstance(command, list | tuple):
            ids = [each for each in value if isinstance(each, int)]
            break
        match command[0]:
            case Command.CREATE:
                ids.append(command[1] or 0)
            case Command.LINK | Command.UPDATE:
                ids += [command[1]] if command[1] not in ids else []
            case Command.UNLINK | Command.DELETE:
                ids = [each for each in ids if each != command[1]]
            case Command.CLEAR:
                ids = []
            case Command.SET:
                ids = list(command[2])
    return ids


def _numbered(value: object) -> object:
    """Return commands with an id for each new line, as the web client gives them, so that answers can name lines."""
    if not isinstance(value, list):
        return value
    return [
        (Command.CREATE, f"virtual_{number}", command[2]) if command[0] == Command.CREATE else command
        for number, command in enumerate(value, 1)
    ]


def _has_lines(value: object) -> bool:
    """Say whether a value is commands of which one brings values of a line."""
    return isinstance(value, list) and any(len(command) > 2 and isinstance(command[2], Mapping) for command in value)
