"""External ids as a row of an import may give them: names of its own namespace."""

import re

from ..services.errors import ToolError

NAMESPACE = "__import__"
_XMLID = re.compile(r"[A-Za-z0-9_.\-]{1,120}")


def external_name(value: object) -> str:
    """Return the name of an external id in the import namespace."""
    name = value.removeprefix(f"{NAMESPACE}.") if isinstance(value, str) else ""
    if not _XMLID.fullmatch(name) or name.isdecimal():
        raise row_error(
            '"id" is an external id of letters, digits, _ and -, e.g. "supplier_17"; to change records by database id '
            "use odoo_update_records.",
            field="id",
        )
    if "." in name:
        raise row_error(
            f'"id": only external ids of earlier imports are open ({NAMESPACE}.name), not those of modules; '
            f"write {name.replace('.', '_')}.",
            field="id",
        )
    return name


def row_error(message: str, *, code: str = "invalid_row", field: str | None = None) -> ToolError:
    """Return the error of one row."""
    return ToolError(code, message, field=field)
