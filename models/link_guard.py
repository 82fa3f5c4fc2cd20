"""Links to other records in values: by id, or by a name that means exactly one record. What is linked must be visible.

ValueErrors carry what was expected, for the end of "expected ..."; `values_guard` names the field.
"""

from collections.abc import Mapping, Sequence

from odoo.fields import Field

from ..services.errors import ToolError
from ..services.plain_json import checked_text, to_integer

KINDS = ("many2one", "many2one_reference", "reference")
MAX_NAME = 500
CANDIDATES = 5


class LinkCheck:
    """Checks links for one pass over a call's values; each record is looked up once."""

    def __init__(self, call) -> None:
        self.call = call
        self._known: dict[tuple[str, str], set[int]] = {}
        self._named: dict[tuple[str, str], int] = {}

    def linked(self, field: Field, value: object, values: Mapping[str, object]) -> int | str | bool:
        """Return the value of a field that links to one record, False for none.

        :param values: all values of the record; another of them may name the model
        """
        if value is None or value is False or value == "":
            return False
        if field.type == "many2one":
            return self.one(field.comodel_name, value)
        if field.type == "reference":
            return self._reference(field, value)
        model = values.get(field.model_field)
        if not isinstance(model, str) or model not in self.call.env:
            raise ValueError(f"an id together with the field {field.model_field}, which names its model")
        return self.many(model, "read", [to_integer(value)])[0]

    def one(self, model: str, value: object) -> int:
        """Return the id of the one visible record of `model` that a value stands for: an id, `{"id": 7}`,
        `[7, "Name"]`, or an exact name.

        :raises ToolError: `not_found` or `ambiguous_name`, with the nearest candidates
        """
        if isinstance(value, Mapping):
            value = value.get("id", value.get("name"))
        elif isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[1], str):
            value = value[0]
        if isinstance(value, str) and not value.strip().isdecimal():
            return self._by_name(model, checked_text(value, MAX_NAME).strip())
        try:
            record_id = to_integer(value)
        except ValueError as error:
            raise ValueError(f"the id of a {model} record, or its exact name") from error
        return self.many(model, "read", [record_id])[0]

    def many(self, model: str, operation: str, ids: Sequence[int]) -> Sequence[int]:
        """Return the ids if the user may do the operation on all of them.

        :raises ToolError: `not_found`, `access_denied` or a refusal by policy
        """
        known = self._known.setdefault((model, operation), set())
        new = [record_id for record_id in dict.fromkeys(ids) if record_id not in known]
        if any(not 0 < record_id <= 2**31 - 1 for record_id in new):
            raise ValueError(f"ids of {model} records")
        if new or not ids:
            self.call.check_model(model, operation)
        if new:
            self.call.records(model, operation, new)
            known.update(new)
        return ids

    def _reference(self, field: Field, value: object) -> str:
        """Return `"model,id"` from this form or from `{"model": ..., "id": ...}`."""
        if isinstance(value, Mapping):
            value = f"{value.get('model')},{value.get('id')}"
        model, _comma, number = value.partition(",") if isinstance(value, str) else ("", "", "")
        allowed = [key for key, _label in field._description_selection(self.call.env)]
        if model not in allowed or not number.strip().isdecimal():
            raise ValueError(f'"model,id" with one of the models {", ".join(allowed[:20])}')
        return f"{model},{self.many(model, 'read', [int(number)])[0]}"

    def _by_name(self, model: str, name: str) -> int:
        key = (model, name)
        if key not in self._named:
            self._named[key] = self._find(model, name)
        return self._named[key]

    def _find(self, model: str, name: str) -> int:
        found = self._candidates(model, "=", name)
        exact = [row for row in found if (row["display_name"] or "").casefold() == name.casefold()]
        matches = exact or found
        if len(matches) == 1:
            return matches[0]["id"]
        near = matches or self._candidates(model, "ilike", name)
        listed = "; ".join(f"{row['display_name']} (id {row['id']})" for row in near[:CANDIDATES])
        if matches:
            raise ToolError(
                "ambiguous_name",
                f"Several {model} records are named {name!r}: {listed}.",
                fix="Give the id of the right one; ask the user if you cannot tell.",
                model=model,
            )
        raise ToolError(
            "not_found",
            f"No {model} record that this user can see is named {name!r}.",
            fix=f"Nearest: {listed}. Give an id." if listed else "Look it up with odoo_search_records and give its id.",
            model=model,
        )

    def _candidates(self, model: str, operator: str, name: str) -> list[dict]:
        records = self.call.search(self.call.domain(model, [["display_name", operator, name]]), limit=CANDIDATES + 1)
        return self.call.read(records, ["display_name"])
