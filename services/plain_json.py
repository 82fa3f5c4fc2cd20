"""Single values of a call: text to numbers and truth values, JSON in strings, and what no value may contain.

Sizes and depth are capped here so that nothing behind validation has to ask again. NUL and lone surrogates are
refused because PostgreSQL cannot store them, NaN and infinity because JSON does not have them.
"""

from __future__ import annotations

import ast
import json
import math
import re

MAX_STRING = 200_000
MAX_JSON_TEXT = 1_000_000
MAX_PYTHON_TEXT = 20_000
MAX_ITEMS = 10_000
MAX_DEPTH = 12
# Whole numbers beyond this lose digits in JavaScript clients.
MAX_INTEGER = 2**53 - 1
MAX_PLAIN_INTEGER = 2**63 - 1

_INTEGER = re.compile(r"[+-]?\d{1,20}(\.0{1,20})?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})([eE][+-]?\d{1,3})?", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def is_storable(value: object) -> bool:
    """Say whether PostgreSQL can keep all text of a JSON value. What spells a NUL as an escape is refused with it."""
    text = json.dumps(value, ensure_ascii=False)
    return "\\u0000" not in text and not _UNSTORABLE.search(text)


def to_integer(value: object) -> int:
    """Return a whole number from an int, a whole float, or their text. A truth value is never one.

    :raises ValueError: saying what was expected
    """
    number = value
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        number = int(value.strip().partition(".")[0])
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError("a whole number")
    if abs(number) > MAX_INTEGER:
        raise ValueError(f"a whole number between -{MAX_INTEGER} and {MAX_INTEGER}")
    return number


def to_number(value: object) -> int | float:
    """Return a finite number from a number or its text.

    :raises ValueError: saying what was expected
    """
    number = value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = float(value)
        if _INTEGER.fullmatch(value.strip()):
            return to_integer(value)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError("a number")
    if isinstance(number, int):
        return to_integer(number)
    if not math.isfinite(number):
        raise ValueError("a finite number")
    return number


def to_boolean(value: object) -> bool:
    """Return a truth value from one, or from the text `true` or `false`.

    :raises ValueError: saying what was expected
    """
    if isinstance(value, bool):
        return value
    known = {"true": True, "false": False}
    if isinstance(value, str) and value.strip().lower() in known:
        return known[value.strip().lower()]
    raise ValueError("true or false")


def to_string(value: object, max_length: int | None = None) -> str:
    """Return text from text, a number or a truth value.

    :raises ValueError: saying what was expected
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(to_integer(value))
    if isinstance(value, float):
        return str(to_number(value))
    if not isinstance(value, str):
        raise ValueError("one string")
    return checked_text(value, max_length or MAX_STRING)


def checked_text(value: str, max_length: int = MAX_STRING) -> str:
    """Return the text if it can be stored.

    :raises ValueError: saying what was expected
    """
    if len(value) > max_length:
        raise ValueError(f"a string of at most {max_length:,} characters (this has {len(value):,})")
    if _UNSTORABLE.search(value):
        raise ValueError("text without NUL characters and lone surrogates")
    return value


def from_json_text(text: str, kind: type) -> object:
    """Return the list or dict (`kind`) that a string holds, written as JSON or as a Python literal.

    :raises ValueError: saying what was expected, with the position where reading stopped
    """
    expected = "a JSON list" if kind is list else "a JSON object"
    if len(text) > MAX_JSON_TEXT:
        raise ValueError(f"{expected} of at most {MAX_JSON_TEXT:,} characters")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        value = _from_python_text(text)
        if not isinstance(value, kind):
            raise ValueError(f"{expected} (unreadable at character {error.pos + 1}: {error.msg})") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{expected} nested at most {MAX_DEPTH} deep") from error
    if not isinstance(value, kind):
        raise ValueError(expected)
    return value


def plain(value: object, depth: int = 0) -> object:
    """Return a copy of free-form JSON, tuples as lists.

    :raises ValueError: saying what was expected, when it is too deep, too large or not JSON
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return checked_text(value)
    if isinstance(value, int):
        if abs(value) > MAX_PLAIN_INTEGER:
            raise ValueError("numbers of at most 64 bits")
        return value
    if isinstance(value, float):
        return to_number(value)
    if not isinstance(value, dict | list | tuple):
        raise ValueError("plain JSON")
    if depth >= MAX_DEPTH:
        raise ValueError(f"JSON nested at most {MAX_DEPTH} deep")
    if len(value) > MAX_ITEMS:
        raise ValueError(f"at most {MAX_ITEMS:,} items")
    if not isinstance(value, dict):
        return [plain(item, depth + 1) for item in value]
    if not all(isinstance(key, str) for key in value):
        raise ValueError("plain JSON with text as keys")
    return {checked_text(key, 1000): plain(item, depth + 1) for key, item in value.items()}


def _from_python_text(text: str) -> object:
    """Return what a Python literal says (models often write domains so), None when it is none."""
    if len(text) > MAX_PYTHON_TEXT:
        return None
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
