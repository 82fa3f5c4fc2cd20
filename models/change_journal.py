"""The journal of one call: what its records held before and after, for undo and for previews.

Values are read with the caller's own rights and policy, so that the journal never holds what the user may not see.
Nested one2many and many2many commands are followed: their records get rows of their own.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from odoo.fields import Field
from odoo.models import BaseModel

from .journal_values import Held, differences, held
from .line_changes import cascades, creates, existing_lines, lines_of, new_lines, x2many_commands
from .provenance import outside_ids

# Beyond so many records at once only the written fields are compared, not what follows from them.
MOST_COMPARED = 50
# Lines that go with a deleted record and get a row each.
MOST_LINES = 500
_MARKED = ("name", "before", "after")


@dataclass(frozen=True)
class Entry:
    """One change of one record. `before` and `after` are raw and restorable, `shown` is for people and models."""

    model: str
    id: int
    name: str
    operation: str
    before: Mapping[str, object]
    after: Mapping[str, object]
    shown: Sequence[Mapping[str, object]] = ()


@dataclass(frozen=True)
class _Watched:
    """Records about to change and what they hold; `written` are the fields that the call sets itself."""

    records: BaseModel
    names: Sequence[str]
    written: Collection[str]
    before: Mapping[int, Held]


class Journal:
    """Collects the changes of one `ToolCall` and writes them to `mcp.change` in its transaction.

    :ivar ids: ids of the rows written so far
    """

    def __init__(self, call) -> None:
        self.call = call
        self.entries: list[Entry] = []
        self.ids: list[int] = []
        self._readable: dict[str, list[str]] = {}
        # What outsiders have written: marked where a difference shows it.
        self._outside: set[tuple[str, int]] = set()

    def created(self, records: BaseModel, values_list: Sequence[Mapping[str, object]] = ()) -> None:
        """Note new records. :param values_list: the checked values they were made of, in the same order"""
        given = dict(zip(records.ids, values_list, strict=False))
        names = [name for name in self._names(records) if any(name in values for values in given.values())]
        entries = []
        for record_id, now in held(records, names).items():
            own = [name for name in names if name in given.get(record_id, ())]
            raw = {name: now.raw[name] for name in own}
            entries.append(Entry(records._name, record_id, now.name, "create", {}, raw, differences(own, None, now)))
        for record in records:
            entries.extend(self._lines_of_new(record, given.get(record.id, {})))
        self._add(records, entries)

    @contextlib.contextmanager
    def changing(self, records: BaseModel, values: Mapping[str, object] | Collection[str]) -> Iterator[None]:
        """Note what the block changes on `records`.

        :param values: the checked values that are about to be written, or only the names of the fields
        """
        commands = values if isinstance(values, Mapping) else {}
        lines = existing_lines(records, commands)
        watched = [self._watch(records, values), *(self._watch(each, self._names(each)) for each in lines)]
        yield
        for each in watched:
            self._add(each.records, self._compared(each))
        self._add(records, self._created_lines(watched[0], commands))

    def deleting(self, records: BaseModel) -> None:
        """Note records that are about to be deleted with all they hold, and the lines that go with them."""
        for name in self._names(records):
            relation = records._fields[name]
            if relation.type == "one2many" and cascades(records, relation):
                self._add_deleted(lines_of(records, relation)[:MOST_LINES])
        self._add_deleted(records)

    def difference(self) -> list[dict]:
        """Return what has changed so far, a row per field: `model`, `id`, `name`, `operation`, `field`, `before`,
        `after`, and `computed` where Odoo derived it. A deleted or empty new record has one row without `field`.
        """
        rows = []
        for entry in self.entries:
            facts = {"model": entry.model, "id": entry.id, "name": entry.name, "operation": entry.operation}
            found = [{**facts, **shown} for shown in entry.shown] or [facts]
            if (entry.model, entry.id) in self._outside:
                for row in found:
                    row.update({key: self.call.boundary.all_of(row[key]) for key in _MARKED if key in row})
            rows.extend(found)
        return rows

    def _watch(self, records: BaseModel, names: Collection[str]) -> _Watched:
        readable = self._names(records)
        compared = [name for name in readable if name in names]
        if len(records) <= MOST_COMPARED:
            compared += [name for name in readable if name not in names and self._is_cheap(records, name)]
        return _Watched(records, compared, names, held(records, compared))

    def _compared(self, watched: _Watched) -> list[Entry]:
        """Return the entries of watched records that were changed or are gone."""
        records = watched.records
        remaining = records.exists()
        now = held(remaining, watched.names)
        entries = []
        for record_id, before in watched.before.items():
            after = now.get(record_id)
            if record_id not in remaining._ids:
                entries.append(Entry(records._name, record_id, before.name, "delete", before.raw, {}))
            elif after is None:
                self.call.note(f"{records._name} {record_id} is no longer visible to this user after the change.")
                raw = {name: before.raw[name] for name in watched.names if name in watched.written}
                entries.append(Entry(records._name, record_id, before.name, "write", raw, {}))
            elif entry := self._changed(watched, record_id, before, after):
                entries.append(entry)
        return entries

    def _changed(self, watched: _Watched, record_id: int, before: Held, after: Held) -> Entry | None:
        fields = watched.records._fields
        changed = [
            name
            for name in watched.names
            # Of a file only its presence is known, so that writing one always counts.
            if before.raw[name] != after.raw[name] or (fields[name].type == "binary" and name in watched.written)
        ]
        if not changed:
            return None
        computed = [name for name in changed if fields[name].compute and name not in watched.written]
        # What Odoo computes follows by itself when the rest is restored, and could not be written; but a value that
        # somebody may have typed over (the price of a line) would not come back.
        kept = [
            name
            for name in changed
            if not (fields[name].compute and fields[name].readonly) and not (fields[name].related and name in computed)
        ]
        old, new = ({name: each.raw[name] for name in kept} for each in (before, after))
        archived = new.get(watched.records._active_name) is False
        operation = "archive" if archived else "write"
        shown = differences(changed, before, after, computed)
        return Entry(watched.records._name, record_id, after.name, operation, old, new, shown)

    def _created_lines(self, watched: _Watched, values: Mapping[str, object]) -> list[Entry]:
        """Return the entries of the records that x2many commands have created."""
        entries = []
        for field, commands in x2many_commands(watched.records, values):
            if not creates(commands):
                continue
            for record in watched.records.exists()._filtered_access("read"):
                before = watched.before.get(record.id)
                if before and field.name in before.raw:
                    lines = new_lines(record, field, commands, before.raw[field.name] or ())
                    entries.extend(self._new_entries(lines))
        return entries

    def _lines_of_new(self, record: BaseModel, values: Mapping[str, object]) -> list[Entry]:
        """Return the entries of lines made together with a new record that would outlive it."""
        entries = []
        for field, commands in x2many_commands(record, values):
            if creates(commands) and not cascades(record, field):
                entries.extend(self._new_entries(new_lines(record, field, commands, ())))
        return entries

    def _new_entries(self, lines: BaseModel) -> list[Entry]:
        return [Entry(lines._name, line_id, now.name, "create", {}, {}) for line_id, now in held(lines, []).items()]

    def _add_deleted(self, records: BaseModel) -> None:
        found = held(records, self._names(records))
        self._add(
            records,
            [Entry(records._name, record_id, was.name, "delete", was.raw, {}) for record_id, was in found.items()],
        )

    def _names(self, records: BaseModel) -> list[str]:
        """Return the stored fields of a model that the caller may read, without what Odoo keeps itself."""
        model = records._name
        if model not in self._readable:
            fields = self.call.fields(model) if self.call.allows_model(model) else {}
            self._readable[model] = [
                name
                for name, field in fields.items()
                if self.call.policy.allows_field(model, name, "write")
                and (field.store or field.inverse)
                and self._may_follow(field)
            ]
        return self._readable[model]

    def _may_follow(self, field: Field) -> bool:
        """Say whether what a field links to can be read, and for lines whether they could be restored."""
        if not field.relational:
            return True
        if field.type == "one2many" and not self.call.policy.allows_model(field.comodel_name, "create"):
            return False
        return self.call.allows_model(field.comodel_name)

    def _is_cheap(self, records: BaseModel, name: str) -> bool:
        field = records._fields[name]
        return bool(field.store and field.column_type and field.type not in ("binary", "json", "properties"))

    def _add(self, records: BaseModel, entries: Sequence[Entry]) -> None:
        """Write the rows of new entries in one statement."""
        if not entries:
            return
        self.entries.extend(entries)
        for model in {entry.model for entry in entries}:
            noted = records.env[model].browse(entry.id for entry in entries if entry.model == model).exists()
            self._outside |= {(model, record_id) for record_id in outside_ids(self.call, noted)}
        exchange = self.call.exchange
        shared = {
            "date": records.env.cr.now(),
            "user_id": exchange.credential.user_id,
            "token_id": exchange.credential.token_id,
            "request_id": exchange.request_id,
            "tool": self.call.spec.name,
            "company_id": records.env.company.id,
            "lang": records.env.lang,
        }
        rows = [
            {
                **shared,
                "model": entry.model,
                "res_id": entry.id,
                "res_name": entry.name,
                "operation": entry.operation,
                "before": dict(entry.before) or False,
                "after": dict(entry.after) or False,
            }
            for entry in entries
        ]
        # sudo: nobody may write the journal but the journal; the values were read with the caller's own rights.
        self.ids.extend(records.env["mcp.change"].sudo().create(rows).ids)
