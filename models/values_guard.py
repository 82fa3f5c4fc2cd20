"""Values from outside, checked and turned into what `create` and `write` take. Nothing reaches them unchecked.

For every field, at every depth of nested x2many commands: the field exists and is open for writing (guardrails,
profiles, field groups), it is not one that Odoo keeps itself, its value has the right type, and what it links to exists
and may be read. The caller's input is never changed.

Fields that Odoo keeps itself. `readonly` binds Odoo's screens only; `write` ignores it, and setting `state` past the
button that belongs to it leaves an order without deliveries. So refused are: computed fields without an inverse; every
read-only field in `write`; and in `create` those read-only fields that a copy would not take over (states, sequence
numbers, dates of confirmation). Other read-only fields, like `account.move.move_type`, say what a record is and are
part of creating it.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import psycopg2
from odoo.exceptions import AccessError, UserError
from odoo.fields import Field
from odoo.models import BaseModel

from ..services.errors import PolicyDenied, ToolError
from ..services.plain_json import checked_text
from . import link_guard, property_values, value_conversion, x2many_guard

# Commands inside commands inside a record; nobody writes deeper by hand.
MAX_DEPTH = 4
MAX_FIELDS = 300
# Records and lines in one call. Odoo makes some two hundred a second, and a request lasts two minutes at most.
MAX_RECORDS = 5_000


class ValuesCheck:
    """One pass over the values of a call; remembers fields and links that it has checked.

    :ivar missing: by model, required fields that new records lack and that, as far as can be seen, nothing fills in
    """

    def __init__(self, call) -> None:
        self.call = call
        self.links = link_guard.LinkCheck(call)
        self.missing: dict[str, list[str]] = {}
        self.depth = 0
        self._fields: dict[tuple[str, str, str], Field] = {}

    def record(
        self,
        model: str,
        values: Mapping[str, object],
        operation: str,
        records: BaseModel | None = None,
        given: Sequence[str] = (),
    ) -> dict[str, object]:
        """Return one record's values as the ORM takes them.

        :param operation: `create` or `write`
        :param records: what is to be written, needed for values that are stored together (properties)
        :param given: fields that its parent fills in, for the lines of an x2many
        :raises ToolError: naming the field at fault, and what it takes
        """
        self.call.check_model(model, operation)
        if not isinstance(values, Mapping):
            raise ToolError(
                "invalid_value", f'Values for {model} must be an object, e.g. {{"name": "Acme"}}.', model=model
            )
        if len(values) > MAX_FIELDS or self.depth >= MAX_DEPTH:
            raise ToolError(
                "invalid_value",
                f"At most {MAX_FIELDS} fields and {MAX_DEPTH} levels of lines fit in one record.",
                fix="Write the lines in a second call.",
                model=model,
            )
        self.call.values_checked += 1
        if self.call.values_checked > MAX_RECORDS:
            raise ToolError(
                "invalid_value",
                f"At most {MAX_RECORDS:,} records and lines can be written in one call.",
                fix="Split the call; nothing was written.",
                model=model,
            )
        self.depth += 1
        try:
            result = {name: self._value(model, name, value, operation, values) for name, value in values.items()}
            self._merge_properties(model, result, values, records)
            if operation == "create":
                for name in self._lacking(model, {**result, **dict.fromkeys(given, True)}):
                    names = self.missing.setdefault(model, [])
                    names.extend({name} - set(names))
        finally:
            self.depth -= 1
        return result

    def _value(self, model: str, name: str, value: object, operation: str, values: Mapping[str, object]) -> object:
        field = self._field(model, name, operation)
        if field.company_dependent:
            company = self.call.env.company
            self.call.note(
                f"{model}.{name} holds one value per company: this was for {company.name} (id {company.id})."
            )
        try:
            if field.type in ("one2many", "many2many"):
                return x2many_guard.commands(self, field, value, operation)
            if field.type == "properties":
                return value
            if field.type in link_guard.KINDS:
                result = self.links.linked(field, value, values)
            else:
                result = value_conversion.converted(self.call.env, field, value)
        except ValueError as error:
            raise ToolError(
                "invalid_value",
                f"{model}.{name}: expected {error}, got {_short(value)}.",
                fix="Correct this value and call again; nothing was written.",
                model=model,
                field=name,
            ) from error
        if field.required and field.type != "boolean" and (result is False or result == ""):
            raise ToolError("required", f"{model}.{name} is required and cannot be empty.", model=model, field=name)
        return result

    def _field(self, model: str, name: object, operation: str) -> Field:
        key = (model, name, operation)
        if key not in self._fields:
            try:
                checked_text(name if isinstance(name, str) else "", 200)
            except ValueError:
                name = "?"
            field = self.call.field(model, str(name), operation)
            self._refuse_kept(field, operation)
            self._check_target(field)
            self._fields[key] = field
        return self._fields[key]

    def _refuse_kept(self, field: Field, operation: str) -> None:
        """Refuse a field that Odoo keeps itself; see the module's docstring."""
        target = _inherited_target(field)
        computed = target.compute and not target.inverse
        kept = computed and (target.readonly or not target.store)
        if not kept and target.readonly and not target.company_dependent:
            kept = operation == "write" or not target.copy
        if not kept:
            return
        raise ToolError(
            "readonly_field",
            f"{field.model_name}.{field.name} is kept by Odoo and cannot be written directly.",
            fix=(
                "Odoo computes it: change what it depends on."
                if computed
                else "Use the button that changes it: odoo_run_action (odoo_describe_model lists the buttons)."
            ),
            model=field.model_name,
            field=field.name,
        )

    def _check_target(self, field: Field) -> None:
        """Refuse a field that stands for one of another model which is closed, e.g. one of the alias of a project."""
        if not field.related:
            return
        model = field.model_name
        for name in field.related.split(".")[:-1]:
            model = self.call.env[model]._fields[name].comodel_name
        last = field.related.split(".")[-1]
        try:
            self.call.policy.check_model(model, "write")
            self.call.policy.check_field(model, last, "write")
        except PolicyDenied as error:
            raise PolicyDenied(
                error.rule,
                f"{field.model_name}.{field.name} is {model}.{last}: {error.message}",
                model=field.model_name,
                field=field.name,
            ) from error
        self._check_target(self.call.env[model]._fields[last])

    def _merge_properties(
        self, model: str, result: dict[str, object], values: Mapping[str, object], records: BaseModel | None
    ) -> None:
        for name in values:
            field = self.call.env[model]._fields[name]
            if field.type == "properties":
                result[name] = property_values.merged(self, field, result, records)

    def _lacking(self, model: str, values: Mapping[str, object]) -> list[str]:
        """Return the required fields that are not in `values` and have no default and no computation."""
        records = self.call.env[model]
        asked = [
            name
            for name, field in records._fields.items()
            if field.required
            and field.type not in ("boolean", "one2many", "many2many")
            and not _is_given(values.get(name), field)
            and not _inherited_target(field).compute
            and name not in records._inherits.values()
            and (not field.related or (field.inherited and not values.get(field.related.split(".")[0])))
            and self._can_be_given(field)
        ]
        defaults = records.default_get(asked) if asked else {}
        return [name for name in asked if name in values or not _is_given(defaults.get(name), records._fields[name])]

    def _can_be_given(self, field: Field) -> bool:
        """Say whether the caller could fill the field in; what nobody may write is for Odoo to fill in."""
        try:
            self._field(field.model_name, field.name, "create")
        except ToolError:
            return False
        return True

    @contextlib.contextmanager
    def explaining(self) -> Iterator[None]:
        """Run the create or write; if it fails and required fields are missing, name them all, with labels.

        Only then, because some models fill in required fields in `create` itself.

        :raises ToolError: `missing_required`
        """
        if not self.missing:
            yield
            return
        try:
            with self.call.env.cr.savepoint():
                yield
        except AccessError:
            raise
        except (psycopg2.IntegrityError, UserError, KeyError) as error:
            model, names = next(iter(self.missing.items()))
            labels = self.call.describe_fields(model, names, ["string"])
            listed = ", ".join(f"{name} ({labels[name]['string']})" if name in labels else name for name in names)
            raise ToolError(
                "missing_required",
                f"{model} cannot be created without: {listed}.",
                fix="Add all of them. odoo_describe_model tells what each takes; ask the user what you do not know.",
                model=model,
                field=names[0],
                details={"missing": names, **({"odoo_says": str(error)} if isinstance(error, UserError) else {})},
            ) from error


def _is_given(value: object, field: Field) -> bool:
    return bool(value) or (value == 0 and value is not False and field.type in ("integer", "float", "monetary"))


def _inherited_target(field: Field) -> Field:
    """Return the field that an inherited one (`_inherits`) stands for; any other field itself."""
    while field.inherited and field.inherited_field is not None:
        field = field.inherited_field
    return field


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
