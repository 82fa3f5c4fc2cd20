"""Fits rows into the response budget: first fewer columns, then fewer rows, then shorter texts, always said.

Sizes are characters (about four to a token). Only as many rows are measured as could fit, so ten thousand rows cost
no more than the first few hundred.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .tables import cell_text, join_table
from .untrusted import closed

DEFAULT_BUDGET = 20_000
MAX_BUDGET = 80_000
MIN_BUDGET = 500
# Shorter texts say too little to be worth their row.
SHORTEST_TEXT = 40
# Columns kept when the caller does not name the ones that were asked for.
KEPT_COLUMNS = 3
# Rendered all at once: looking after each row whether that was enough would cost more than the rest.
FEW_CELLS = 500

Row = Mapping[str, object]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Fitted:
    """What is sent, and what is not.

    :param rows: the rows that fit, with the columns that fit
    :param text: the same, as a table or as JSON
    :param notes: sentences saying what was cut and how to get it
    :param columns_dropped: left out for size, first dropped first
    :param rows_dropped: how many of the given rows are not in `rows`; they follow the last one shown
    :param texts_cut: columns in which a text was shortened
    """

    rows: list[dict[str, object]]
    columns: tuple[str, ...]
    text: str
    notes: tuple[str, ...] = ()
    columns_dropped: tuple[str, ...] = ()
    rows_dropped: int = 0
    texts_cut: tuple[str, ...] = ()

    @property
    def truncated(self) -> bool:
        return bool(self.columns_dropped or self.rows_dropped or self.texts_cut)


def clamp_budget(characters: int | None) -> int:
    """Return a budget within the limits, the default one for none."""
    return DEFAULT_BUDGET if characters is None else max(MIN_BUDGET, min(characters, MAX_BUDGET))


def shorten(text: str, limit: int) -> str:
    """Return the text, or its beginning and how much is missing, in at most `limit` characters (40 or more).

    A boundary that is cut through is closed again, beyond the limit: open, it would swallow what follows.
    """
    if len(text) <= limit:
        return text
    mark = f"… [{len(text):,} characters]"
    return closed(text[: max(0, limit - len(mark))].rstrip() + mark)


def first_that_fit(items: Sequence[Item], size: Callable[[Item], int], limit: int) -> list[Item]:
    """Return the first items whose sizes together keep within the limit, at least one."""
    found: list[Item] = []
    for item in items:
        limit -= size(item)
        if found and limit < 0:
            break
        found.append(item)
    return found


def fit(
    rows: Sequence[Row],
    columns: Sequence[str],
    *,
    budget: int | None = None,
    keep: Collection[str] | None = None,
    style: str = "table",
) -> Fitted:
    """Return as much of the rows as the budget holds; at least one row, if there is one.

    :param rows: wire rows (`services.shaping`)
    :param columns: names in the order they are shown, the most important first
    :param budget: characters for all rows, clamped to 500..80,000
    :param keep: columns that may not be dropped, for instance those the caller named; default the first three
    :param style: `table` or `json`, the form that is measured and written
    """
    sheet = _Sheet(style)
    limit = clamp_budget(budget)
    keep = set(columns[:KEPT_COLUMNS] if keep is None else keep)
    measured = sheet.measure(rows, columns, [column for column in columns if column in keep], limit)
    shown, dropped, total = _choose_columns(sheet, columns, keep, measured, limit)
    count = measured if total <= limit else sheet.count_that_fit(shown, measured, limit)
    fitting = [{column: row.get(column) for column in shown} for row in rows[:count]]
    cells = [list(line) for line in zip(*(sheet.cells[column][:count] for column in shown), strict=True)]
    cut: list[str] = []
    if count == 1 and total > limit:
        cut = _shorten_row(sheet, fitting[0], cells[0], shown, limit)
    missing = len(rows) - count
    notes = _notes(limit, dropped, count, missing, cut)
    text = sheet.write(shown, cells)
    return Fitted(fitting, tuple(shown), text, notes, tuple(dropped), missing, tuple(cut))


class _Sheet:
    """The cells of the measured rows, each rendered once, by column."""

    def __init__(self, style: str) -> None:
        self.is_json = style == "json"
        self.render = _json_text if self.is_json else cell_text
        self.cells: dict[str, list[str]] = {}

    def overhead(self, column: str) -> int:
        """Characters around each cell: a tab, or quotes, colon, comma and the key."""
        return len(column) + 4 if self.is_json else 1

    def header(self, columns: Sequence[str]) -> int:
        return 2 if self.is_json else sum(len(column) + 1 for column in columns)

    def measure(self, rows: Sequence[Row], columns: Sequence[str], kept: Sequence[str], limit: int) -> int:
        """Render the rows that could fit if only the kept columns stayed; return how many these are."""
        if len(rows) * len(columns) <= FEW_CELLS:
            self.cells = {column: [self.render(row.get(column)) for row in rows] for column in columns}
            return len(rows)
        size, count = 0, 0
        for column in columns:
            self.cells[column] = []
        sheet = [(column, self.cells[column], self.overhead(column)) for column in kept]
        for row in rows:
            for column, cells, overhead in sheet:
                cell = self.render(row.get(column))
                cells.append(cell)
                size += len(cell) + overhead
            count += 1
            if size > limit or (not kept and count * len(columns) > limit):
                break
        for column in columns:
            if column not in kept:
                self.cells[column] = [self.render(row.get(column)) for row in rows[:count]]
        return count

    def column_size(self, column: str, count: int) -> int:
        return sum(map(len, self.cells[column][:count])) + count * self.overhead(column)

    def total(self, columns: Sequence[str], count: int) -> int:
        return self.header(columns) + 2 * self.is_json * count + sum(self.column_size(name, count) for name in columns)

    def count_that_fit(self, columns: Sequence[str], measured: int, limit: int) -> int:
        size = self.header(columns)
        for index in range(measured):
            size += sum(len(self.cells[name][index]) + self.overhead(name) for name in columns) + 2 * self.is_json
            if size > limit:
                return max(1, index)
        return measured

    def write(self, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
        if not self.is_json:
            return join_table(columns, cells)
        keys = [f"{json.dumps(column)}:" for column in columns]
        written = ("{" + ",".join(map("".join, zip(keys, line, strict=True))) + "}" for line in cells)
        return f"[{','.join(written)}]"


def _json_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _choose_columns(
    sheet: _Sheet, columns: Sequence[str], keep: Collection[str], measured: int, limit: int
) -> tuple[list[str], list[str], int]:
    """Return the columns that stay, those dropped (the last of the droppable first, until the rows fit), and the size
    of the rows.
    """
    shown, dropped = list(columns), []
    total = sheet.total(shown, measured)
    for column in reversed(columns):
        if total <= limit:
            break
        if column in keep or len(shown) == 1:
            continue
        shown.remove(column)
        dropped.append(column)
        total = sheet.total(shown, measured)
    return shown, dropped, total


def _shorten_row(sheet: _Sheet, row: dict[str, object], cells: list[str], columns: Sequence[str], limit: int) -> list:
    """Cut the longest texts of the only row, in place, to one common length; return their columns."""
    cut: list[str] = []
    room = limit - sheet.header(columns) - sum(map(sheet.overhead, columns)) - 2 * sheet.is_json
    length = _common_length([len(cell) for cell in cells], room)
    for index, column in enumerate(columns):
        if len(cells[index]) <= length:
            continue
        value = row[column]
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        # Escapes make a cell longer than its text: cut until the cell fits.
        allowed = min(len(text), length)
        while len(cell := sheet.render(shorten(text, allowed))) > length and allowed > SHORTEST_TEXT:
            allowed = max(SHORTEST_TEXT, min(allowed - 1, allowed * length // len(cell)))
        row[column], cells[index] = shorten(text, allowed), cell
        cut.append(column)
    return cut


def _common_length(lengths: Sequence[int], room: int) -> int:
    """Return the length to which the longest must be cut so that all fit into the room."""
    ordered = sorted(lengths)
    for index, length in enumerate(ordered):
        share = room // (len(ordered) - index)
        if length > share:
            return max(SHORTEST_TEXT, share)
        room -= length
    return max(ordered, default=SHORTEST_TEXT)


def _notes(limit: int, dropped: Sequence[str], count: int, missing: int, cut: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if dropped:
        names = ", ".join(dropped[:20]) + (f" and {len(dropped) - 20} more" if len(dropped) > 20 else "")
        notes.append(f"Fields left out to fit {limit:,} characters: {names}. Name them in `fields` for fewer records.")
    if missing:
        notes.append(f"{count:,} of {count + missing:,} rows fit; go on with the cursor, or ask for fewer fields.")
    if cut:
        notes.append(f"Texts cut: {', '.join(cut)}. Read this record with only that field to see more.")
    return tuple(notes)
