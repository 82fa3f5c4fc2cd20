"""Raw ORM `read()` values to wire values, by field metadata.

    many2one            {"id": 7, "name": "Acme"}
    one2many, many2many {"count": 12, "ids": [first ten], "names": [of these, where given]}
    date, datetime      "2025-07-01", "2025-07-01T14:30:00+02:00" in the user's zone
    float, monetary     12.5 rounded to the field's digits; {"amount": 12.5, "currency": "EUR"}
    selection           the technical value, which filters and writes take; labels once, see `selection_labels`
    html                Markdown
    binary, image       {"size": bytes, "link": where one is made}; contents are never inline
    empty               null, for every type but boolean and numbers, where Odoo says False

No field is read here and no access decided: the caller passes what the user may see.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from .html_text import html_to_markdown
from .times import to_wire

# Ids of an x2many in a list of records; all of them cost more than they say.
X2MANY_SHOWN = 10

Row = Mapping[str, object]
# (record id, field name) -> URL
LinkMaker = Callable[[int, str], str]

# Types whose values are text, but go out as something else.
_SHAPED_TEXTS = frozenset({"boolean", "html", "binary", "image"})
_HUMAN_SIZE = re.compile(r"([\d.]+)\s*(bytes|[KMGT]b)", re.IGNORECASE)
_UNITS = {"bytes": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}


def wire_rows(
    rows: Sequence[Row],
    fields: Mapping[str, Mapping[str, object]],
    *,
    tz: str | None = None,
    names: Mapping[str, Mapping[int, str]] | None = None,
    link: LinkMaker | None = None,
) -> list[dict[str, object]]:
    """Return the rows with wire values; fields without metadata are made JSON as they are.

    :param rows: as `read()` gives them, `id` in each
    :param fields: by field name: `type`, and where they apply `digits` (total, decimals), `currency` (code) or
        `currency_field` (a many2one in the row), `selection` as (value, label) pairs
    :param tz: name of the user's time zone
    :param names: by relational field, display names by id
    :param link: makes the download link of a binary field
    """
    names = names or {}
    shaped = {name for name, field in fields.items() if field.get("type") in _SHAPED_TEXTS}
    return [
        {
            # Most values by far, and they are what they are.
            name: value
            if type(value) is str and name not in shaped
            else wire_value(value, fields.get(name) or {}, row=row, name=name, tz=tz, names=names.get(name), link=link)
            for name, value in row.items()
        }
        for row in rows
    ]


def wire_value(
    value: object,
    field: Mapping[str, object],
    *,
    row: Row | None = None,
    name: str = "",
    tz: str | None = None,
    names: Mapping[int, str] | None = None,
    link: LinkMaker | None = None,
) -> object:
    """Return one value as it goes on the wire; parameters as in `wire_rows`."""
    kind = field.get("type")
    row = row or {}
    if kind == "boolean":
        return bool(value)
    if value is None or value is False:
        return _empty(kind)
    if kind == "many2one":
        return _many2one(value, names or {})
    if kind in ("one2many", "many2many"):
        return _x2many(value, names or {})
    if kind == "float":
        return _rounded(value, field)
    if kind == "monetary":
        return {"amount": _rounded(value, field), "currency": _currency(field, row)}
    if kind == "html":
        return html_to_markdown(str(value)) or None
    if kind in ("binary", "image"):
        return _binary(value, row, name, link)
    return _plain(value, tz)


def selection_labels(rows: Sequence[Row], fields: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, str]]:
    """Return, by field, the labels of the selection values in these rows that say more than the value does."""
    labels: dict[str, dict[str, str]] = {}
    for name, field in fields.items():
        if field.get("type") != "selection":
            continue
        used = {row.get(name) for row in rows}
        told = {
            str(value): str(label)
            for value, label in field.get("selection") or ()
            if value in used and _bare(str(value)) != _bare(str(label))
        }
        if told:
            labels[name] = told
    return labels


def _empty(kind: object) -> object:
    return {"count": 0, "ids": []} if kind in ("one2many", "many2many") else None


def _bare(text: str) -> str:
    return text.lower().replace("_", " ").strip()


def _many2one(value: object, names: Mapping[int, str]) -> object:
    if isinstance(value, list | tuple) and len(value) == 2:
        return {"id": value[0], "name": _text(value[1])}
    if isinstance(value, int):
        return {"id": value, "name": names[value]} if value in names else {"id": value}
    return _plain(value, None)


def _x2many(value: object, names: Mapping[int, str]) -> object:
    if not isinstance(value, list | tuple):
        return _plain(value, None)
    shown = list(value[:X2MANY_SHOWN])
    shape: dict[str, object] = {"count": len(value), "ids": shown}
    if names and shown:
        shape["names"] = [names.get(record_id) for record_id in shown]
    return shape


def _rounded(value: object, field: Mapping[str, object]) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _plain(value, None)
    if not math.isfinite(value):
        return None
    digits = field.get("digits")
    # Without digits, twelve significant ones drop the noise of binary fractions (0.1 + 0.2).
    return round(value, digits[1]) if digits else float(f"{value:.12g}")


def _currency(field: Mapping[str, object], row: Row) -> object:
    value = row.get(str(field.get("currency_field"))) or field.get("currency")
    return value[1] if isinstance(value, list | tuple) and len(value) == 2 else value


def _binary(value: object, row: Row, name: str, link: LinkMaker | None) -> dict[str, object]:
    """Tell the size of a binary: `read()` gives base64, its readable size with `bin_size`, or a number."""
    shape: dict[str, object] = {"size": _binary_size(value)}
    if link and isinstance(row.get("id"), int):
        shape["link"] = link(row["id"], name)
    return shape


def _binary_size(value: object) -> int | None:
    if isinstance(value, int):
        return value
    if not isinstance(value, str | bytes):
        return None
    if isinstance(value, str) and len(value) < 24 and (match := _HUMAN_SIZE.fullmatch(value.strip())):
        return round(float(match[1]) * _UNITS[match[2].lower()])
    padding = len(value) - len(value.rstrip("=" if isinstance(value, str) else b"="))
    return len(value) * 3 // 4 - padding


def _text(value: object) -> str | None:
    return None if value is None or value is False else str(value)


def _plain(value: object, tz: str | None) -> object:
    """Return any other value as JSON: containers recursively, dates as on the wire, the rest as text."""
    if value is None or isinstance(value, str | bool | int):
        # Markup and other subclasses of str become plain text.
        return str(value) if isinstance(value, str) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date):
        return to_wire(value, tz)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, tz) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, tz) for item in value]
    if isinstance(value, bytes):
        return {"size": len(value)}
    return str(value)
