"""The part of `ToolCall` that opens models and fields: what exists, what the policy leaves, what the user may use."""

from collections.abc import Iterable, Sequence

from odoo.exceptions import AccessError
from odoo.fields import Field
from odoo.models import BaseModel

from ..services.errors import PolicyDenied, ToolError
from ..services.model_names import suggest
from ..services.nearest import nearest

# Operations of ours, as Odoo names them.
ODOO_OPERATIONS = {"read": "read", "write": "write", "create": "create", "delete": "unlink", "call": "read"}


class CallFields:
    """Mixed into `ToolCall`, which has `env`, `policy`, `spec` and what this call has opened."""

    def check_model(self, model: str, operation: str = "read") -> None:
        """:raises ToolError: the model does not exist, the policy closes it, or the user has no access right"""
        self._model(model, operation)

    def allows_model(self, model: str, operation: str = "read") -> bool:
        """Say whether policy and access rights open a model; unlike `check_model` without an error."""
        return (
            model in self.env
            and self.policy.allows_model(model, operation)
            and self.env[model].has_access(ODOO_OPERATIONS[operation])
        )

    def field(self, model: str, name: str, operation: str = "read") -> Field:
        """Return a field's definition.

        :raises ToolError: unknown field (with the nearest names), or closed by policy or its groups
        """
        records = self._model(model, operation)
        field = records._fields.get(name)
        if field is None:
            names = nearest(name, self._labels(model))
            raise ToolError(
                "unknown_field",
                f"{model} has no field {name!r}.",
                fix=f"Did you mean {', '.join(names)}?" if names else "See odoo_describe_model for its fields.",
                model=model,
                field=name,
                details={"nearest": names},
            )
        self.policy.check_field(model, name, operation)
        self._check_source(field)
        odoo_operation = "read" if operation == "read" else "write"
        if not records._has_field_access(field, odoo_operation):
            raise ToolError(
                "access_denied",
                f"The field {name} of {model} is not open to this user.",
                fix="Leave the field out, or ask an administrator which group may use it.",
                model=model,
                field=name,
            )
        return field

    def allows_field(self, model: str, name: str) -> bool:
        """Say whether a field of an open model may be read; unlike `field` without an error."""
        records = self.env[model]
        field = records._fields[name]
        is_open = self.policy.allows_field(model, name) and self._has_open_source(field)
        return is_open and records._has_field_access(field, "read")

    def fields(self, model: str, operation: str = "read") -> dict[str, Field]:
        """Return the fields of a model that this caller may read (or write), by name."""
        records = self._model(model, operation)
        odoo_operation = "read" if operation == "read" else "write"
        return {
            name: field
            for name, field in records._fields.items()
            if self.policy.allows_field(model, name, operation)
            and self._has_open_source(field)
            and records._has_field_access(field, odoo_operation)
        }

    def describe_fields(self, model: str, names: Iterable[str] | None, attributes: Sequence[str]) -> dict[str, dict]:
        """Return `fields_get` for those of `names` (None: all) that may be read, in the caller's language."""
        records = self._model(model, "read")
        allowed = [
            name
            for name in self.policy.readable_fields(model, names if names is not None else records._fields)
            if name not in records._fields or self._has_open_source(records._fields[name])
        ]
        return records.fields_get(allowed, attributes=list(attributes)) if allowed else {}

    def _model(self, model: str, operation: str) -> BaseModel:
        if model in self._opened and operation == "read":
            return self.env[model]
        if model not in self.env or self.env[model]._abstract:
            # The registry, not ir.model: names of models are no secret, and a guess is answered with real ones.
            names = [name for name in suggest(model) if self.allows_model(name)]
            names = names or nearest(model, [name for name in self.env.registry if self.allows_model(name)])
            raise ToolError(
                "unknown_model",
                f"There is no model {model!r} in this database.",
                fix=f"Did you mean {', '.join(names)}?" if names else "Look it up with odoo_find_models.",
                model=model,
                details={"nearest": names},
            )
        self.model = self.model or model
        self.policy.check_model(model, operation)
        records = self.env[model]
        try:
            records.check_access(ODOO_OPERATIONS[operation])
        except AccessError as error:
            raise ToolError(
                "access_denied",
                str(error),
                fix="Use a model this user may use, or ask an administrator for the group named here.",
                model=model,
            ) from error
        if self.spec.access == "read":
            # Nothing that this call does can change the answer, and it is asked for every field and path.
            self._opened.add(model)
        return records

    def _has_open_source(self, field: Field) -> bool:
        """Say whether a field that shows one of another model shows nothing that profiles close there."""
        return self._closed_source(field) is None

    def _check_source(self, field: Field) -> None:
        """:raises PolicyDenied: the field shows one of another model that a profile closes"""
        if closed := self._closed_source(field):
            name = f"{field.model_name}.{field.name}"
            raise PolicyDenied(
                "profile:field",
                f"{name} shows {closed}, which is closed to this token.",
                model=field.model_name,
                field=field.name,
            )

    def _closed_source(self, field: Field) -> str | None:
        """Return the closed model or field that a field shows: lines, or what a related one leads through.

        Without rules no profile closes any.
        """
        if not self.policy.has_rules:
            return None
        if field.type in ("one2many", "many2many") and not self.policy.allows_model(field.comodel_name):
            return field.comodel_name
        if not field.related:
            return None
        model = field.model_name
        for name in field.related.split("."):
            # A model that inherits from another (`_inherits`) has the other's fields as its own.
            is_open = model == field.model_name or field.inherited or self.policy.allows_model(model)
            if not is_open or not self.policy.allows_field(model, name):
                return f"{model}.{name}"
            last = self.env[model]._fields[name]
            model = last.comodel_name
        return self._closed_source(last)

    def _labels(self, model: str) -> dict[str, str]:
        return {name: facts["string"] for name, facts in self.describe_fields(model, None, ["string"]).items()}
