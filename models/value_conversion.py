"""Plain values of a call as the ORM takes them: dates, numbers, texts, selections, files.

Each function returns the value, or raises ValueError with what was expected, for the end of "expected ...". Text that
PostgreSQL cannot store is refused in `services.plain_json`.
"""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import date

from odoo.api import Environment
from odoo.fields import Date, Datetime, Field
from odoo.tools import html_sanitize, plaintext2html

from ..services.nearest import nearest
from ..services.plain_json import plain, to_boolean, to_integer, to_number, to_string
from ..services.times import from_wire

MAX_FILE = 5 * 1024 * 1024
# What PostgreSQL's integer column holds.
MAX_INTEGER = 2**31 - 1

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def converted(env: Environment, field: Field, value: object) -> object:
    """Return the value of a field without relations; None and an empty text empty it.

    :raises ValueError: with what was expected
    """
    if value is None or (isinstance(value, str) and not value and field.type not in ("char", "text", "html")):
        return False
    if value is False and field.type != "boolean":
        return False
    convert = _CONVERTERS.get(field.type)
    if convert is None:
        raise ValueError(f"no value: fields of type {field.type} are set in Odoo's own screens")
    return convert(env, field, value)


def _char(env: Environment, field: Field, value: object) -> str:
    text = to_string(value)
    if field.type == "char" and field.size and len(text) > field.size:
        raise ValueError(f"a text of at most {field.size} characters")
    return text


def _html(env: Environment, field: Field, value: object) -> str:
    text = to_string(value)
    if not _TAG.search(text):
        return plaintext2html(text) if text else ""
    if field.sanitize and not field.sanitize_overridable:
        return text
    # Odoo trusts the author here (or those in a group); the author is a model that reads mail from strangers.
    return html_sanitize(text, sanitize_attributes=True, strip_style=False)


def _boolean(env: Environment, field: Field, value: object) -> bool:
    return bool(value) if value in (0, 1) and not isinstance(value, str) else to_boolean(value)


def _integer(env: Environment, field: Field, value: object) -> int:
    number = to_integer(value)
    if abs(number) > MAX_INTEGER:
        raise ValueError(f"a whole number between -{MAX_INTEGER} and {MAX_INTEGER}")
    return number


def _float(env: Environment, field: Field, value: object) -> float:
    return float(to_number(value))


def _date(env: Environment, field: Field, value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    try:
        if _DATE.fullmatch(text):
            return Date.to_string(date.fromisoformat(text))
        # A moment is the day that it falls on where the user is.
        moment = Datetime.context_timestamp(env.user, from_wire(text, env.context.get("tz")))
    except ValueError as error:
        raise ValueError("a date, e.g. 2025-07-01") from error
    return Date.to_string(moment.date())


def _datetime(env: Environment, field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("an ISO 8601 date and time, e.g. 2025-07-01T14:30:00+02:00")
    return Datetime.to_string(from_wire(value, env.context.get("tz")))


def _selection(env: Environment, field: Field, value: object) -> object:
    options = field._description_selection(env)
    wanted = str(value).strip().lower()
    for match in (
        lambda key, label: str(key) == str(value),
        lambda key, label: wanted in (str(key).lower(), label.lower()),
    ):
        found = [key for key, label in options if match(key, str(label))]
        if len(found) == 1:
            return found[0]
    keys = [str(key) for key, _label in options]
    listed = keys if len(keys) <= 20 else nearest(str(value), keys) or keys[:20]
    raise ValueError(f"one of {', '.join(listed)}")


def _binary(env: Environment, field: Field, value: object) -> str:
    text = to_string(value, MAX_FILE * 2)
    text = text[match.end() :] if (match := _DATA_URL.match(text)) else text
    try:
        size = len(base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError) as error:
        raise ValueError("a file as base64 text (odoo_upload_file takes plain text and large files)") from error
    if size > MAX_FILE:
        raise ValueError(f"a file of at most {MAX_FILE // 1024 // 1024} MB; use odoo_upload_file")
    return "".join(text.split())


def _json(env: Environment, field: Field, value: object) -> object:
    return plain(value)


_CONVERTERS: dict[str, Callable[[Environment, Field, object], object]] = {
    "char": _char,
    "text": _char,
    "html": _html,
    "boolean": _boolean,
    "integer": _integer,
    "float": _float,
    "monetary": _float,
    "date": _date,
    "datetime": _datetime,
    "selection": _selection,
    "binary": _binary,
    "json": _json,
}
