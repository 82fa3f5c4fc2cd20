"""The arguments of a prompt as a client sent them, checked by their kind and made into text for the model."""

import re
from collections.abc import Mapping
from datetime import date, timedelta

from odoo import fields
from odoo.models import BaseModel

from ..services.errors import ToolError
from ..services.model_names import suggest
from ..services.uri import MAX_ID
from .field_paths import resolve
from .provenance import marked_names

MAX_TEXT = 10_000
NOT_GIVEN = "(not given)"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_REFERENCE = re.compile(r"(?:.*\[)?(\d{1,10})\]?", re.DOTALL | re.ASCII)
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
MOST_NAMED = 5


def checked(call, prompt, given: Mapping[str, object]) -> dict[str, str]:
    """Return the text for each argument of a prompt.

    :param given: by name, as the client sent them; numbers are taken for their text
    :raises ToolError: `invalid_arguments`, naming the argument and what it may be
    """
    arguments = {argument.name: argument for argument in prompt.argument_ids}
    if unknown := sorted(set(given) - set(arguments)):
        known = ", ".join(arguments) or "none"
        raise _invalid(f"{prompt.name} has no argument {unknown[0][:64]!r}.", fix=f"Its arguments: {known}.")
    raw = {name: _text(argument, given.get(name)) for name, argument in arguments.items()}
    if missing := [name for name, argument in arguments.items() if argument.is_required and not raw[name]]:
        raise _invalid(f"{prompt.name} needs {', '.join(missing)}.", fix=f"Give {missing[0]} in arguments.")
    # Models first: records and fields may refer to them.
    ordered = sorted(arguments.values(), key=lambda argument: argument.kind != "model")
    values: dict[str, str] = {}
    for argument in ordered:
        text = raw[argument.name]
        values[argument.name] = _READERS[argument.kind](call, argument, text, values) if text else NOT_GIVEN
    return values


def model_of(call, argument, values: Mapping[str, str]) -> str:
    """Return the model that a record or a field belongs to: the argument's own, or the one in the argument `model`.

    :raises ToolError: neither is there
    """
    model = argument.model_name or values.get("model")
    if not model or model == NOT_GIVEN:
        raise _invalid(f"{argument.name} belongs to a model.", fix="Give model too.")
    return model


def read_date(call, name: str, text: str) -> str:
    """Return the ISO date of a text: one itself, or yesterday, today, tomorrow for the caller.

    :raises ToolError: `invalid_arguments`, naming the argument
    """
    if text.lower() in _DAYS:
        today = fields.Date.context_today(call.env.user)
        return (today + timedelta(days=_DAYS[text.lower()])).isoformat()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise _invalid(f"{name}: {text[:40]!r} is no date.", fix="Write YYYY-MM-DD, or today.") from None


def read_record(call, name: str, model: str, text: str) -> BaseModel:
    """Return the one record that an id, a reference ending in `[id]`, or a name stands for.

    :raises ToolError: naming the argument, and the records there are if several fit
    """
    call.check_model(model)
    match = _REFERENCE.fullmatch(text)
    if match and 1 <= int(match[1]) <= MAX_ID:
        return call.records(model, "read", [int(match[1])])
    return _by_name(call, name, model, text)


def _text(argument, value: object) -> str:
    if value is None or value == "":
        return argument.default_value or ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _invalid(f"{argument.name} must be a text.", fix="Prompt arguments are strings.")
    text = _CONTROL.sub("", str(value)).strip()
    if len(text) > MAX_TEXT:
        raise _invalid(f"{argument.name} has more than {MAX_TEXT:,} characters.", fix="Shorten it.")
    return text or argument.default_value or ""


def _read_text(call, argument, text: str, values: Mapping[str, str]) -> str:
    return text


def _read_date(call, argument, text: str, values: Mapping[str, str]) -> str:
    return read_date(call, argument.name, text)


def _read_model(call, argument, text: str, values: Mapping[str, str]) -> str:
    if text not in call.env:
        text = next((name for name in suggest(text) if call.allows_model(name)), text)
    call.check_model(text)
    return text


def _read_field(call, argument, text: str, values: Mapping[str, str]) -> str:
    return resolve(call, model_of(call, argument, values), text).name


def _read_record(call, argument, text: str, values: Mapping[str, str]) -> str:
    model = model_of(call, argument, values)
    record = read_record(call, argument.name, model, text)
    names = marked_names(call, model, {record.id: call.read(record, ["display_name"])[0]["display_name"]})
    return f"{names[record.id]} ({model} {record.id})"


def _by_name(call, name: str, model: str, text: str):
    found = call.search(call.domain(model, query=text), limit=MOST_NAMED + 1)
    names = {row["id"]: row["display_name"] for row in call.read(found, ["display_name"])}
    exact = [record_id for record_id, name in names.items() if str(name).casefold() == text.casefold()]
    if len(exact) == 1 or len(names) == 1:
        return found.browse(exact or list(names))
    if not names:
        raise _invalid(f"{name}: no record of {model} is called {text[:80]!r}.", fix="Give its id.")
    marked = marked_names(call, model, names)
    listed = "; ".join(f"{label} [{record_id}]" for record_id, label in list(marked.items())[:MOST_NAMED])
    raise _invalid(f"{name}: several records of {model} fit {text[:80]!r}: {listed}.", fix="Give the id.")


def _read_selection(call, argument, text: str, values: Mapping[str, str]) -> str:
    choices = argument._choices()
    found = next((choice for choice in choices if choice.casefold() == text.casefold()), None)
    if found is None:
        raise _invalid(f"{argument.name}: {text[:40]!r} is not offered.", fix=f"One of: {', '.join(choices)}.")
    return found


_READERS = {
    "text": _read_text,
    "date": _read_date,
    "model": _read_model,
    "field": _read_field,
    "record": _read_record,
    "selection": _read_selection,
}


def _invalid(message: str, *, fix: str) -> ToolError:
    return ToolError("invalid_arguments", message, fix=fix)
