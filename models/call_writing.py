"""The part of `ToolCall` that changes records: values are checked, what changes is journalled, access is Odoo's own."""

from collections.abc import Mapping, Sequence

from odoo.models import BaseModel
from odoo.service.model import get_public_method

from ..services.errors import PolicyDenied
from .values_guard import ValuesCheck


class CallWriting:
    """Mixed into `ToolCall`, which brings the policy, the journal and the checked model."""

    def create(self, model: str, values_list: Sequence[Mapping[str, object]]) -> BaseModel:
        """Create records of checked values and journal them. :raises ToolError: naming the field at fault"""
        records = self._model(model, "create")
        check = ValuesCheck(self)
        checked = [check.record(model, values, "create") for values in values_list]
        with check.explaining():
            # Copies: overrides add to the values they are given, and the journal must not see that.
            created = records.create([dict(values) for values in checked])
        self.journal.created(created, checked)
        self.touch(model, created.ids)
        return created

    def write(self, records: BaseModel, values: Mapping[str, object]) -> None:
        """Change records with checked values and journal what was there before."""
        check = ValuesCheck(self)
        checked = check.record(records._name, values, "write", records)
        with self.journal.changing(records, checked), check.explaining():
            records.write(dict(checked))
            self._check_still_inside(records)

    def _check_still_inside(self, records: BaseModel) -> None:
        """Check that a change has not put records where the profile's condition hides them; Odoo asks before it only.

        :raises PolicyDenied: it has
        """
        if not self.policy.domains(records._name):
            return
        if len(records.with_context(active_test=False)._filtered_access("read")) < len(records):
            message = f"With these values {records._name} records would leave what this token may work on."
            raise PolicyDenied("profile:domain", message, model=records._name)

    def archive(self, records: BaseModel) -> None:
        """Archive records and journal it. :raises ToolError: the model has no archive"""
        self.policy.check_model(records._name, "write")
        with self.journal.changing(records, [records._active_name]):
            records.action_archive()

    def delete(self, records: BaseModel) -> None:
        """Delete records and journal what they held."""
        self.policy.check_model(records._name, "delete")
        self.journal.deleting(records)
        records.unlink()

    def press(self, records: BaseModel, method: str, *args: object) -> object:
        """Run a button's method and return the action it answers with. :raises PolicyDenied: it is never open"""
        self.policy.check_method(records._name, method)
        return get_public_method(records, method)(records, *args)
