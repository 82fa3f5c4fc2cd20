"""A wizard's form without a browser: defaults, onchanges, answers, and its buttons, as the web client drives them."""

from collections.abc import Mapping

from lxml import etree
from odoo.models import BaseModel

from ..services.errors import ToolError
from ..services.nearest import nearest
from .form_buttons import Button, buttons_in, form_of, hiding_conditions
from .journal_values import raw_value
from .values_guard import ValuesCheck
from .view_values import any_says, namespace, says
from .wizard_lines import Lines

X2MANY = ("one2many", "many2many")


class WizardForm:
    """One opened wizard, not saved until a button is pressed.

    :param action: the window action that opens it, as a dict
    :param context: what the web client would open it with
    :param active: the records it is about
    :raises PolicyDenied: the wizard's model is closed
    """

    def __init__(self, call, action: Mapping, context: Mapping[str, object], active: BaseModel) -> None:
        self.call = call
        self.title = action.get("name") or action.get("display_name") or action["res_model"]
        call.check_model(action["res_model"], "create")
        model = call.env[action["res_model"]].with_context(**context)
        self.record = model.browse(action.get("res_id") or [])
        self.active = active
        self.form = form_of(model, _form_view(action))
        self.nodes: dict[str, list[etree._Element]] = {}
        for node in self.form.xpath(".//field[@name][not(ancestor::field)]"):
            if node.get("name") in model._fields:
                self.nodes.setdefault(node.get("name"), []).append(node)
        self.spec = {name: self._spec(name) for name in self.nodes if name != "id"}
        self.values: dict[str, object] = {}
        self.changed: set[str] = set()
        self._load()

    # What it shows

    def names(self) -> dict[str, object]:
        """Return what the expressions of its view may use."""
        values = {name: self._in_client(name, value) for name, value in self.values.items()}
        return namespace(self.record.env, {**values, "id": self.record.id or False}, self.active)

    def is_visible(self, name: str, names: Mapping[str, object]) -> bool:
        conditions = [hiding_conditions(node) for node in self.nodes[name]]
        return any(each is not None and any_says(each, names) is not True for each in conditions)

    def is_readonly(self, name: str, names: Mapping[str, object]) -> bool:
        return all(self._modifier(node, "readonly", names) for node in self.nodes[name])

    def is_required(self, name: str, names: Mapping[str, object]) -> bool:
        return any(self._modifier(node, "required", names) for node in self.nodes[name])

    def buttons(self) -> list[Button]:
        """Return the buttons that are shown now, those at the foot of the form first."""
        names = self.names()
        shown = [button for button in buttons_in(self.form) if any_says(button.hidden_if, names) is False]
        footer = self._at_the_foot()
        return sorted(shown, key=lambda button: (button not in footer, not button.is_primary))

    def is_last_page(self) -> bool:
        """Say whether nothing is left to press but to close it."""
        return not self._at_the_foot() & set(self.buttons())

    def lines(self, name: str) -> Lines:
        return self.values[name]

    # Filling in and pressing

    def answer(self, answers: Mapping[str, object]) -> None:
        """Fill in fields as a user would: only those shown and open, each followed by its onchange.

        :raises ToolError: naming the field at fault and what is open
        """
        waiting = dict(answers)
        for name in waiting:
            if name not in self.nodes or name not in self.call.fields(self.record._name, "write"):
                raise self._no_such_field(name)
        while waiting:
            names = self.names()
            is_open = [name for name in waiting if self.is_visible(name, names) and not self.is_readonly(name, names)]
            if not is_open:
                raise self._no_such_field(next(iter(waiting)))
            self._set(is_open[0], waiting.pop(is_open[0]))

    def choose(self, wanted: object) -> Button:
        """Return the button called so, by label or method; None stands for the main one."""
        buttons = self.buttons()
        if wanted is None and buttons:
            return buttons[0]
        word = str(wanted or "").strip().casefold()
        for button in buttons:
            if word in (button.label.casefold(), button.name.casefold()):
                return button
        listed = ", ".join(f"{button.label} ({button.name})" for button in buttons[:20])
        raise ToolError(
            "unknown_action",
            f"The wizard “{self.title}” has no button {str(wanted)[:80]!r} now." if wanted else "It has no button.",
            fix=f'Set "button" to one of: {listed}.' if listed else "Use Odoo's own screen for this.",
            model=self.record._name,
        )

    def missing(self) -> list[str]:
        """Return the fields that have to be filled in and are empty."""
        names = self.names()
        return [name for name in self.nodes if name in self.values and self._lacks(name, names)]

    def save(self) -> BaseModel:
        """Create the wizard's record, or write what was changed on the one it was opened with.

        :raises ToolError: `missing_required`, naming all fields that are still empty
        """
        names = self.names()
        self._check_required()
        values = {
            name: value.commands() if isinstance(value, Lines) else value
            for name, value in self.values.items()
            if not self.is_readonly(name, names) or any(node.get("force_save") for node in self.nodes[name])
        }
        if not self.record:
            return self.record.create(values)
        self.record.write({name: value for name, value in values.items() if name in self.changed})
        return self.record

    def _at_the_foot(self) -> set[Button]:
        return {button for foot in self.form.xpath("//footer") for button in buttons_in(foot)}

    def _load(self) -> None:
        if not self.record:
            self._merge(self.record.onchange({}, [], self.spec))
            return
        [row] = self.record.web_read(self.spec)
        for name in self.spec:
            value = row[name]
            if self.record._fields[name].type in X2MANY:
                value = Lines((4, line["id"], line) for line in value)
            self.values[name] = value

    def _set(self, name: str, value: object) -> None:
        check = ValuesCheck(self.call)
        if self.record._fields[name].type not in X2MANY:
            self.values |= check.record(self.record._name, {name: value}, "write")
        elif _numbered(value):
            self._edit_lines(check, name, value)
        else:
            self.lines(name).apply(check.record(self.record._name, {name: value}, "write")[name])
        self.changed.add(name)
        values = {key: each.commands() if isinstance(each, Lines) else each for key, each in self.values.items()}
        self._merge(self.record.onchange(values, [name], self.spec))

    def _edit_lines(self, check: ValuesCheck, name: str, items: list) -> None:
        lines = list(self.lines(name).lines.values())
        for item in items:
            number = item["line"]
            if not isinstance(number, int) or not 1 <= number <= len(lines):
                raise ToolError(
                    "invalid_value",
                    f"{name} has {len(lines)} line(s), no line {str(number)[:20]}.",
                    fix="Number lines as the wizard listed them.",
                    field=name,
                )
            edits = {key: value for key, value in item.items() if key != "line"}
            model = self.record._fields[name].comodel_name
            lines[number - 1].edits |= check.record(model, edits, "write")

    def _merge(self, result: Mapping) -> None:
        for name, value in (result.get("value") or {}).items():
            if name not in self.spec:
                continue
            if self.record._fields[name].type not in X2MANY:
                self.values[name] = value
            elif isinstance(self.values.get(name), Lines):
                self.lines(name).apply(value)
            else:
                self.values[name] = Lines(value or ())
            self.changed.add(name)
        for name in self.spec:
            if self.record._fields[name].type in X2MANY:
                self.values.setdefault(name, Lines())
        if warning := result.get("warning"):
            self.call.note(f"{warning.get('title') or 'Warning'}: {warning.get('message') or ''}")

    def _check_required(self) -> None:
        if missing := self.missing():
            labels = self.call.describe_fields(self.record._name, missing, ["string"])
            listed = ", ".join(f"{name} ({labels[name]['string']})" if name in labels else name for name in missing)
            raise ToolError(
                "missing_required",
                f"The wizard “{self.title}” still needs: {listed}.",
                fix="Add them to answers. Without answers the wizard lists its fields and what they take.",
                model=self.record._name,
                field=missing[0],
                details={"missing": missing},
            )

    def _lacks(self, name: str, names: Mapping[str, object]) -> bool:
        field, value = self.record._fields[name], self.values[name]
        if field.type in ("boolean", "integer", "float", "monetary") or not self.is_visible(name, names):
            return False
        is_empty = not value.lines if isinstance(value, Lines) else not value
        return is_empty and self.is_required(name, names) and not self.is_readonly(name, names)

    def _modifier(self, node: etree._Element, kind: str, names: Mapping[str, object]) -> bool:
        condition = node.get(kind)
        if condition is None:
            return bool(getattr(self.record._fields[node.get("name")], kind))
        return says(condition, names) is True

    def _spec(self, name: str) -> dict:
        field = self.record._fields[name]
        if field.type not in X2MANY:
            return {}
        lines = self.record.env[field.comodel_name]
        shown = self.nodes[name][0].xpath("(./list|./kanban)//field/@name")
        return {"fields": {key: {} for key in dict.fromkeys(shown or ["display_name"]) if key in lines._fields}}

    def _in_client(self, name: str, value: object) -> object:
        if isinstance(value, Lines):
            return list(value.lines)
        field = self.record._fields[name]
        plain = bool(value) if field.type == "boolean" else raw_value(field, value)
        return False if plain is None else plain

    def _no_such_field(self, name: str) -> ToolError:
        names = self.names()
        mine = self.call.fields(self.record._name, "write")
        is_open = [
            each
            for each in self.nodes
            if each in mine and self.is_visible(each, names) and not self.is_readonly(each, names)
        ]
        near = nearest(str(name), is_open)
        return ToolError(
            "unknown_field",
            f"The wizard “{self.title}” has no field {str(name)[:80]!r} that is open now.",
            fix=f"Did you mean {', '.join(near)}?" if near else f"Open: {', '.join(is_open[:30]) or 'none'}.",
            model=self.record._name,
            field=str(name)[:80],
            details={"nearest": near},
        )


def _form_view(action: Mapping) -> int | None:
    """Return the id of the form view that an action names, None for the model's own."""
    for view in action.get("views") or ():
        if view[1] == "form" and view[0]:
            return view[0]
    view = action.get("view_id")
    return view[0] if isinstance(view, list | tuple) and view else view or None


def _numbered(value: object) -> bool:
    items = value if isinstance(value, list) else []
    return bool(items) and all(isinstance(item, Mapping) and "line" in item for item in items)
