r"""Rows as a compact text table: one header line, one line per row, cells separated by tabs.

Tabs hardly occur in values, so almost nothing is escaped; `\`, tab and line breaks are written `\\`, `\t`, `\n`,
which keeps the table unambiguous. Cells: `#7 Acme` for a many2one, `12: #1 #2 …` for an x2many, `12.50 EUR` for money,
nothing for null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": None})


def table_text(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> str:
    """Return wire rows (`services.shaping`) as a table of these columns."""
    lines = [[cell_text(row.get(column)) for column in columns] for row in rows]
    return join_table(columns, lines)


def join_table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return header and lines of finished cells as one text."""
    return "\n".join("\t".join(cells) for cells in (columns, *lines))


def cell_text(value: object) -> str:
    """Return one wire value as a table cell."""
    if isinstance(value, str):
        return value.translate(_ESCAPES) if "\n" in value or "\t" in value or "\\" in value or "\r" in value else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return _object_text(value).translate(_ESCAPES)
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return str(value)


def amount_text(amount: object, currency: object) -> str:
    """Return `12.50 EUR`; more decimals where the amount has them."""
    if isinstance(amount, float):
        two = f"{amount:.2f}"
        amount = two if float(two) == amount else amount
    return f"{amount} {currency or ''}".strip()


def _object_text(value: Mapping[str, object]) -> str:
    if "id" in value and value.keys() <= {"id", "name"}:
        return f"#{value['id']} {value.get('name') or ''}".rstrip()
    if value.keys() == {"amount", "currency"}:
        return amount_text(value["amount"], value["currency"])
    if "count" in value and value.keys() <= {"count", "ids", "names"}:
        return _x2many_text(value)
    if "size" in value and value.keys() <= {"size", "link"}:
        return f"{value['size']} bytes {value.get('link', '')}".rstrip()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _x2many_text(value: Mapping[str, object]) -> str:
    ids = value.get("ids") or []
    names = value.get("names") or [None] * len(ids)
    shown = [f"#{record_id} {name}" if name else f"#{record_id}" for record_id, name in zip(ids, names, strict=False)]
    more = ["…"] if len(ids) < value["count"] else []
    separator = ", " if any(names) else " "
    return f"{value['count']}: {separator.join([*shown, *more])}" if shown else str(value["count"])
