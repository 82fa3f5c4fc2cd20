"""Rows from outside become records: created, updated or left alone, found again by external id or by key fields.

External ids live in the namespace of Odoo's own import, `__import__`, and no other is read or written: the ids of
other modules name records that their data files own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from odoo.fields import Command

from ..services.errors import Cancelled, NeedsInput, ToolError
from .attempt import attempt
from .external_names import NAMESPACE, external_name, row_error
from .journal_values import raw_value
from .odoo_errors import CALLER_ERRORS, translated
from .values_guard import ValuesCheck

CHUNK = 100
KEY_TYPES = ("char", "integer", "many2one", "selection", "date", "datetime")


@dataclass
class Row:
    """One row on its way. `status` is `created`, `updated`, `unchanged` or `error` in the end."""

    number: int
    values: dict[str, object]
    xmlid: str | None = None
    record_id: int | None = None
    status: str | None = None
    error: ToolError | None = None
    checked: dict[str, object] = field(default_factory=dict)

    def fail(self, error: ToolError) -> None:
        self.status, self.error = "error", error


class RowImport:
    """One import of rows into one model."""

    def __init__(self, call, model: str, key_fields: Sequence[str]) -> None:
        call.check_model(model, "create")
        call.check_model(model, "write")
        self.call = call
        self.model = model
        self.records = call.env[model]
        self.key_fields = list(dict.fromkeys(key_fields))
        self.check = ValuesCheck(call)
        for name in self.key_fields:
            self._check_key(name)

    def run(self, raw_rows: Sequence[Mapping[str, object]]) -> list[Row]:
        """Write all rows that can be written, each good row kept whatever becomes of the others."""
        first = self.call.exchange.part_start + 1
        rows = [self._row(number, dict(values)) for number, values in enumerate(raw_rows, first)]
        self._match(rows)
        self._tell(rows)
        self._update([row for row in rows if row.record_id and not row.status])
        new = [row for row in rows if not row.record_id and not row.status]
        for start in range(0, len(new), CHUNK):
            self._create(new[start : start + CHUNK])
            self._tell(rows)
        return rows

    def _tell(self, rows: Sequence[Row]) -> None:
        if self.call.is_heard:
            self.call.progress(sum(bool(row.status) for row in rows), len(rows), f"Importing {self.model}")

    def _check_key(self, name: str) -> None:
        definition = self.call.field(self.model, name, "write")
        if not definition.store or definition.type not in KEY_TYPES:
            raise ToolError(
                "invalid_arguments",
                f"{self.model}.{name} cannot be a key: it must be a stored field of type {', '.join(KEY_TYPES)}.",
                fix='Use a field that identifies records, e.g. key_fields ["email"], or external ids in "id".',
                model=self.model,
                field=name,
            )

    def _row(self, number: int, values: dict[str, object]) -> Row:
        xmlid = values.pop("id", None)
        row = Row(number, values)
        try:
            if xmlid not in (None, ""):
                row.xmlid = external_name(xmlid)
            self._refuse_lines(values)
        except ToolError as error:
            row.fail(error)
        return row

    def _refuse_lines(self, values: Mapping[str, object]) -> None:
        for name in values:
            known = self.records._fields.get(name)
            if known is not None and known.type == "one2many":
                raise ToolError(
                    "invalid_value",
                    f"{self.model}.{name} holds lines, which a second run would add again.",
                    fix=f"Import them as rows of {known.comodel_name}, with their link to this record.",
                    field=name,
                )

    # Finding the records that rows stand for

    def _match(self, rows: Sequence[Row]) -> None:
        seen: dict[object, int] = {}
        known = self._known_xmlids([row.xmlid for row in rows if row.xmlid])
        keys = {} if not self.key_fields else {row.number: self._key(row) for row in rows if not row.status}
        found = self._by_key(list(dict.fromkeys(key for key in keys.values() if key)))
        for row in rows:
            if row.status:
                continue
            identity = row.xmlid or keys.get(row.number)
            if identity is None:
                row.fail(row_error('It has no external id in "id" and no key fields are named.'))
            elif identity in seen:
                row.fail(row_error(f"It has the same key as row {seen[identity]}."))
            elif row.xmlid:
                row.record_id = known.get(row.xmlid)
                seen[identity] = row.number
            else:
                seen[identity] = row.number
                matches = found.get(identity, [])
                row.record_id = matches[0] if matches else None
                if len(matches) > 1:
                    listed = ", ".join(map(str, matches[:5]))
                    row.fail(row_error(f"Several records have this key: ids {listed}.", code="ambiguous_key"))
        # A hidden record and one that is gone look the same.
        existing = self.records.browse(row.record_id for row in rows if row.record_id).exists()
        visible = set(existing._filtered_access("read")._ids)
        for row in rows:
            if row.record_id and row.xmlid and row.record_id not in visible and row.record_id in existing._ids:
                row.fail(row_error("The record with this external id is not open to this user.", code="not_found"))
            elif row.record_id and row.record_id not in existing._ids:
                row.record_id = None

    def _known_xmlids(self, names: Sequence[str]) -> dict[str, int]:
        """Return the record ids of external ids of the import namespace."""
        # sudo: users may not read external ids; only those of the import namespace are looked up, each by its name.
        data = self.call.env["ir.model.data"].sudo()
        found = data.search_read([("module", "=", NAMESPACE), ("name", "in", list(names))], ["name", "model", "res_id"])
        return {item["name"]: item["res_id"] for item in found if item["model"] == self.model}

    def _key(self, row: Row) -> tuple | None:
        """Return the row's key as the database holds it; a key field that is empty is an error of the row."""
        if row.xmlid:
            return None
        given = {name: row.values.get(name) for name in self.key_fields}
        if empty := [name for name, value in given.items() if value in (None, "", False)]:
            row.fail(row_error(f"The key field {empty[0]} is empty.", field=empty[0]))
            return None
        try:
            checked = self.check.record(self.model, given, "write")
        except ToolError as error:
            row.fail(error)
            return None
        return tuple(checked[name] for name in self.key_fields)

    def _by_key(self, keys: Sequence[tuple]) -> dict[tuple, list[int]]:
        if not keys:
            return {}
        terms = [
            [name, "in", list(dict.fromkeys(key[position] for key in keys))]
            for position, name in enumerate(self.key_fields)
        ]
        domain = self.call.domain(self.model, terms, archived=bool(self.records._active_name))
        limit = 10 * len(keys) + 1000
        records = self.call.search(domain, order="id", limit=limit + 1)
        if len(records) > limit:
            raise ToolError(
                "invalid_arguments",
                f"{', '.join(self.key_fields)} do not identify {self.model} records: too many share one value.",
                fix="Name more key_fields, or use external ids.",
                model=self.model,
            )
        found: dict[tuple, list[int]] = {}
        for item in self.call.read(records, self.key_fields):
            key = tuple(raw_value(self.records._fields[name], item[name]) for name in self.key_fields)
            found.setdefault(key, []).append(item["id"])
        return found

    # Writing

    def _update(self, rows: Sequence[Row]) -> None:
        records = self.records.browse(row.record_id for row in rows)
        writable = set(records._filtered_access("write")._ids)
        for row in rows:
            try:
                if row.record_id not in writable:
                    raise row_error("This user may not change the record it stands for.", code="access_denied")
                row.checked = self.check.record(self.model, row.values, "write", self.records.browse(row.record_id))
                self._refuse_new_records(row.checked)
            except (Cancelled, NeedsInput):
                raise
            except ToolError as error:
                row.fail(error)
        good = [row for row in rows if not row.status]
        names = sorted({name for row in good for name in row.checked})
        held = self.call.read(records.browse(row.record_id for row in good), names) if names else []
        now = {item["id"]: item for item in held}
        for row in good:
            if all(self._is_same(name, value, now[row.record_id][name]) for name, value in row.checked.items()):
                row.status = "unchanged"
            elif self._attempt(row, lambda row=row: self.call.write(self.records.browse(row.record_id), row.values)):
                row.status = "updated"
            self._tell(rows)
        self.call.touch(self.model, [row.record_id for row in good])

    def _refuse_new_records(self, checked: Mapping[str, object]) -> None:
        for name, value in checked.items():
            if self.records._fields[name].type == "many2many" and any(command[0] in (0, 1) for command in value):
                raise row_error(f"{name}: link records by id or name; a second run would create others.", field=name)

    def _is_same(self, name: str, checked: object, held: object) -> bool:
        definition = self.records._fields[name]
        if definition.type == "many2many":
            return _linked(checked, held) == set(held)
        if definition.type in ("binary", "properties", "json"):
            return False
        current = raw_value(definition, held)
        if definition.type in ("float", "monetary"):
            return abs(float(checked or 0) - float(current or 0)) < 1e-9
        if definition.type == "integer":
            return int(checked or 0) == int(current or 0)
        return (checked or None) == (current or None)

    def _create(self, rows: Sequence[Row]) -> None:
        """Create a chunk at once; where that fails, row by row to learn which is at fault."""
        if self._attempt(None, lambda: self._create_now(rows)):
            return
        for row in rows:
            self._attempt(row, lambda row=row: self._create_now([row]))

    def _create_now(self, rows: Sequence[Row]) -> None:
        records = self.call.create(self.model, [row.values for row in rows])
        named = [
            {"xml_id": f"{NAMESPACE}.{row.xmlid}", "record": record, "noupdate": False}
            for row, record in zip(rows, records, strict=True)
            if row.xmlid
        ]
        if named:
            # sudo: users may not write external ids; these name the records that this call has just created.
            self.call.env["ir.model.data"].sudo()._update_xmlids(named)
        self.call.env.flush_all()
        for row, record in zip(rows, records, strict=True):
            row.record_id, row.status = record.id, "created"

    def _attempt(self, row: Row | None, work) -> bool:
        """Run `work` in a savepoint and say whether it succeeded; the error becomes the row's."""
        try:
            with attempt(self.call):
                work()
            return True
        except (Cancelled, NeedsInput):
            raise
        except (ToolError, *CALLER_ERRORS) as raised:
            error = raised if isinstance(raised, ToolError) else translated(raised, self.call.env)
            if error is None:
                raise
        if row is not None:
            row.record_id = row.record_id if row.checked else None
            row.fail(error)
        return False


def _linked(commands: Sequence, held: Sequence[int]) -> set[int]:
    """Return what a many2many holds after `commands`."""
    ids = set(held)
    for operation, record_id, content in commands:
        match operation:
            case Command.SET:
                ids = set(content)
            case Command.LINK:
                ids.add(record_id)
            case Command.UNLINK | Command.DELETE:
                ids.discard(record_id)
    return ids
