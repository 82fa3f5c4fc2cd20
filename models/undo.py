"""Taking back what calls have changed, from the journal (`mcp.change`), through the same gate as any other change.

Rows are taken from the last to the first. A field is put back only where it still holds what the change left; a record
that was created is removed only if nobody else has changed it since; a deleted record comes back under a new id, and
what the same request deleted with it is linked to that id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from odoo.models import BaseModel

from ..services.errors import ToolError
from ..services.questions import Question
from .attempt import attempt
from .call_environment import open_companies
from .journal_values import raw_value
from .odoo_errors import CALLER_ERRORS, translated
from .tool_call import ToolCall
from .values_guard import ValuesCheck

MOST_NAMED = 5


@dataclass
class Undone:
    """What an undo has done: a dict per record, and old ids of deleted records with their new ones."""

    rows: list[dict[str, object]] = field(default_factory=list)
    new_ids: dict[tuple[str, int], int] = field(default_factory=dict)


class Undo:
    """One undo of some rows of the journal.

    :param changes: rows of `own_changes`, in sudo
    """

    def __init__(self, call: ToolCall, changes: BaseModel) -> None:
        self.call = call
        self.changes = changes.sorted("id", reverse=True)
        self.undone = Undone()

    def run(self) -> Undone:
        """:raises ToolError: `already_undone`, `conflict`, `cannot_undo`, or a refusal; nothing is kept then"""
        if done := self.changes.filtered("reverted_at"):
            raise ToolError(
                "already_undone",
                f"Change {done[0].id} was undone at {done[0].reverted_at} UTC.",
                fix="List the changes with odoo_undo to see what can be undone.",
            )
        created = self.changes.filtered(lambda change: change.operation == "create")
        for change in created:
            self._check_untouched(change)
        self._confirm_deletion(created)
        for done, change in enumerate(self.changes, 1):
            getattr(self, f"_undo_{change.operation}")(change, self._call_of(change))
            self.call.progress(done, len(self.changes), "Undoing changes")
        self.changes.write({"reverted_at": self.call.env.cr.now()})
        return self.undone

    def _call_of(self, change: BaseModel) -> ToolCall:
        """Return a call in the company and language in which the values were written, with the same journal."""
        env = self.call.env
        companies = list(open_companies(env, self.call.policy))
        company_id = change.company_id.id
        if company_id and company_id not in companies:
            raise ToolError(
                "cannot_undo",
                f"Change {change.id} was made in a company that this user no longer works in.",
                fix="Somebody of that company can undo it in Odoo: MCP Server, Changes.",
            )
        companies.sort(key=lambda each: each != company_id)
        env = env(context={**env.context, "allowed_company_ids": companies, "lang": change.lang or env.lang})
        call = ToolCall(
            env,
            self.call.exchange,
            self.call.spec,
            self.call.policy,
            self.call.arguments,
            rehearsing=self.call.rehearsing,
            answers=self.call.answers,
        )
        call.journal, call.boundary = self.call.journal, self.call.boundary
        call.notes = self.call.notes
        return call

    def _check_untouched(self, change: BaseModel) -> None:
        """Refuse to remove a record that was changed after it was created, other than by changes undone meanwhile."""
        record = self.call.env[change.model].browse(change.res_id).exists() if change.model in self.call.env else None
        if not record or not record._log_access or not record._filtered_access("read"):
            return
        # Anybody's changes of this record count.
        journal = change.search([("model", "=", change.model), ("res_id", "=", change.res_id)])
        accounted = journal.filtered(
            lambda row: row.reverted_at or row in self.changes or row.tool == self.call.spec.name
        )
        later = (journal - accounted).filtered(lambda each: each.id > change.id)
        latest = max(accounted.mapped("date") + [each for each in accounted.mapped("reverted_at") if each])
        row = record.read(["write_date", "write_uid"])[0]
        is_newer = isinstance(row["write_date"], datetime) and row["write_date"].replace(microsecond=0) > latest
        if later or is_newer:
            names = sorted({name for each in later for name in each.before or ()}) or ["write_date"]
            raise self._conflict(change, names[0], row["write_uid"][1] if row["write_uid"] else None)

    def _confirm_deletion(self, created: BaseModel) -> None:
        # Where deleting is closed records are archived, which is no loss.
        created = created.filtered(lambda change: self.call.policy.allows_model(change.model, "delete"))
        if created and self.call.policy.confirmation != "never":
            names = ", ".join(
                f"{change.res_name or change.model} (id {change.res_id})" for change in created[:MOST_NAMED]
            )
            more = f" and {len(created) - MOST_NAMED} more" if len(created) > MOST_NAMED else ""
            self.call.need(
                "confirm", Question(f"Undo removes {len(created)} created record(s): {names}{more}. Go ahead?")
            )

    def _undo_create(self, change: BaseModel, call: ToolCall) -> None:
        record = self._existing(change, call, "read")
        if record is None:
            self._done(change, "was gone or hidden already")
            return
        try:
            with attempt(call):
                call.policy.check_model(record._name, "delete")
                call.records(record._name, "delete", record.ids)
                call.delete(record)
                call.env.flush_all()
            self._done(change, "deleted")
            return
        except (ToolError, *CALLER_ERRORS) as raised:
            reason = raised if isinstance(raised, ToolError) else translated(raised, call.env)
            if reason is None:
                raise
        if not record._active_name:
            raise reason
        call.records(record._name, "write", record.ids)
        call.field(record._name, record._active_name, "write")
        call.archive(record)
        self._done(change, "archived", note=f"It could not be deleted: {reason.message}")

    def _undo_write(self, change: BaseModel, call: ToolCall) -> None:
        record = self._existing(change, call, "write")
        if record is None:
            raise ToolError(
                "cannot_undo",
                f"{change.model} {change.res_id} no longer exists or is hidden from this user.",
                fix="Undo its deletion first, if an assistant deleted it.",
                model=change.model,
                record=change.res_id,
            )
        before = self._restorable(change, record)
        if not before and len(self.changes) > 1:
            self._done(change, "follows from the others")
            return
        if not before:
            raise ToolError(
                "cannot_undo",
                f"Change {change.id} holds nothing that can be put back.",
                fix="Files and lines are not put back by undo; lines have changes of their own.",
                model=change.model,
                record=change.res_id,
            )
        self._check_still(change, call, record, list(before))
        call.write(record, {name: self._written(record, name, value) for name, value in before.items()})
        self._done(change, "restored", fields=list(before))

    _undo_archive = _undo_write

    def _undo_delete(self, change: BaseModel, call: ToolCall) -> None:
        call.check_model(change.model, "create")
        if self._existing(change, call, "write") is not None:
            # Some models archive in `unlink`.
            record = call.env[change.model].browse(change.res_id)
            name = record._active_name
            if name and (change.before or {}).get(name):
                call.write(record, {name: True})
            self._done(change, "restored")
            return
        values, left_out = self._creatable(change, call)
        record = call.create(change.model, [values])
        self.undone.new_ids[change.model, change.res_id] = record.id
        note = f"It has a new id, {record.id} instead of {change.res_id}; links from other records are not restored."
        if left_out:
            note += f" Not restored: {', '.join(left_out)}."
        self._done(change, "created again", new_id=record.id, note=note)

    def _existing(self, change: BaseModel, call: ToolCall, operation: str) -> BaseModel | None:
        """Return the record that a row is about, None when it is gone or hidden; checked for the operation."""
        call.check_model(change.model, operation)
        record_id = self.undone.new_ids.get((change.model, change.res_id), change.res_id)
        record = call.env[change.model].browse(record_id).exists()._filtered_access("read")
        return call.records(change.model, operation, record.ids) if record else None

    def _restorable(self, change: BaseModel, record: BaseModel) -> dict[str, object]:
        """Return the values before a change that can be written; lines have rows of their own."""
        values: dict[str, object] = {}
        for name, value in (change.before or {}).items():
            definition = record._fields.get(name)
            if definition is None or definition.type == "one2many":
                continue
            if definition.type == "binary":
                self.call.note(f"{record._name}.{name} is a file and was not put back.")
                continue
            values[name] = value
        return values

    def _check_still(self, change: BaseModel, call: ToolCall, record: BaseModel, names: Sequence[str]) -> None:
        """Refuse when a field no longer holds what the change has left in it."""
        row = call.read(record.with_context(active_test=False), names)[0]
        for name in names:
            now = raw_value(record._fields[name], row[name])
            left = self._mapped(record, name, (change.after or {}).get(name))
            if name in (change.after or {}) and not _equal(now, left):
                raise self._conflict(change, name)

    def _conflict(self, change: BaseModel, name: str, who: str | None = None) -> ToolError:
        by = f" by {who}" if who else ""
        return ToolError(
            "conflict",
            f"{change.res_name or change.model} (id {change.res_id}) was changed since{by}: {name} is no longer what "
            f"change {change.id} left. Nothing was undone.",
            fix="Undo later changes first, or set the value you want with odoo_update_records.",
            model=change.model,
            field=name,
            record=change.res_id,
        )

    def _creatable(self, change: BaseModel, call: ToolCall) -> tuple[dict[str, object], list[str]]:
        """Return the values with which a deleted record can be made again, and the fields that cannot be set."""
        records = call.env[change.model]
        check = ValuesCheck(call)
        values: dict[str, object] = {}
        left_out = []
        for name, value in (change.before or {}).items():
            definition = records._fields.get(name)
            if definition is None or definition.type == "one2many" or not (definition.store or definition.inherited):
                continue
            if value in (None, "", []) or (value is False and definition.type != "boolean"):
                continue
            if definition.type == "binary":
                left_out.append(name)
                continue
            written = self._written(records, name, value)
            probe = {name: written}
            if definition.type == "many2one_reference":
                probe[definition.model_field] = change.before.get(definition.model_field)
            try:
                check.record(change.model, probe, "create")
            except ToolError as error:
                # What Odoo keeps itself comes back by itself; the rest is told.
                if error.code != "readonly_field":
                    left_out.append(name)
                continue
            values[name] = written
        return values, left_out

    def _written(self, records: BaseModel, name: str, value: object) -> object:
        """Return a journalled value in the form that `ToolCall.write` takes."""
        value = self._mapped(records, name, value)
        if records._fields[name].type == "many2many":
            return {"set": value or []}
        if records._fields[name].type == "datetime" and isinstance(value, str):
            # The journal's text is UTC; a text without offset would be read as the user's time.
            return f"{value.replace(' ', 'T')}Z"
        return value

    def _mapped(self, records: BaseModel, name: str, value: object) -> object:
        """Return a value with ids of records that this undo has made again replaced by their new ids."""
        model = records._fields[name].comodel_name if records._fields[name].relational else None
        if not model or not self.undone.new_ids:
            return value
        if isinstance(value, list):
            return [self.undone.new_ids.get((model, each), each) for each in value]
        return self.undone.new_ids.get((model, value), value)

    def _done(self, change: BaseModel, what: str, *, note: str | None = None, **facts: object) -> None:
        row = {
            "change_id": change.id,
            "model": change.model,
            "id": change.res_id,
            "name": change.res_name,
            "done": what,
            **facts,
        }
        self.undone.rows.append({**row, "note": note} if note else row)
        if note:
            self.call.note(f"{change.res_name or change.model}: {note}")
        self.call.touch(change.model, [facts.get("new_id") or change.res_id])


def _equal(now: object, left: object) -> bool:
    if isinstance(now, list) and isinstance(left, list):
        return sorted(map(str, now)) == sorted(map(str, left))
    if isinstance(now, float) or isinstance(left, float):
        return abs(float(now or 0) - float(left or 0)) < 1e-9
    return (now or None) == (left or None)
