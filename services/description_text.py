"""The description of a model as text for an assistant, and how it is fitted into a budget of characters.

One line per field: `partner_id* many2one→res.partner "Customer"`. Only writes down; what is in it was decided before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

HELP_LENGTH = 80
CONDITION_LENGTH = 200
MOST_CHOICES = 20
# Choices shown when there is no room for all.
FEWER_CHOICES = 6
_FLAGS = ("required", "readonly", "computed", "per_company")
_MARKS = {"required": "*", "readonly": " (read-only)", "per_company": " (per company)"}

Facts = Mapping[str, object]


def shown(item: Facts, *, is_full: bool) -> dict[str, object]:
    """Return the entry of one field: name, type, label, and what else one has to know to use it."""
    entry = {key: item[key] for key in ("name", "type", "label", "relation", "currency") if key in item}
    entry.update({flag: True for flag in _FLAGS if item.get(flag)})
    if choices := item.get("selection"):
        entry["selection"] = choices[:MOST_CHOICES]
        if len(choices) > MOST_CHOICES:
            entry["selection_omitted"] = len(choices) - MOST_CHOICES
    if text := item.get("help"):
        entry["help"] = text if is_full else _cut(str(text), HELP_LENGTH)
    if is_full:
        entry.update({key: True for key in ("searchable", "sortable", "groupable") if item.get(key)})
        entry.update({key: item[key] for key in ("aggregator", "inverse") if key in item})
    return entry


def fitted(entries: Sequence[Mapping[str, object]], most: int, budget: int) -> list[dict[str, object]]:
    """Return as many of the entries as fit: first shorter choices, then no help texts, then fewer fields.

    :param most: no more than these, whatever the room
    :param budget: characters of JSON
    """
    kept = [dict(entry) for entry in entries[:most]]
    for shorten in (_with_fewer_choices, _without_help):
        if size(kept) <= budget:
            return kept
        kept = [shorten(entry) for entry in kept]
    total = 2
    for index, entry in enumerate(kept):
        total += size(entry) + 1
        if total > budget and index:
            return kept[:index]
    return kept


def size(value: object) -> int:
    """Return how many characters a value takes as JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str))


def as_text(facts: Facts) -> str:
    """Return the whole description, the general facts first."""
    head = f"{facts['model']} “{facts['label']}”, you may {', '.join(facts['operations']) or 'nothing'}."
    lines = [head, *_general_lines(facts)]
    for name in ("required", "fields"):
        if name in facts:
            lines.append(f"{_TITLES[name]}:" if facts[name] else f"{_TITLES[name]}: none")
            lines += [field_line(entry) for entry in facts[name]]
    if "buttons" in facts:
        lines.append("Buttons:" if facts["buttons"] else "Buttons: none")
        lines += [_button_line(button) for button in facts["buttons"]]
    for name in (
        "required_computed",
        "defaults",
        "lines",
        "group_by",
        "measures",
        "example",
        "server_actions",
        "reports",
    ):
        if name in facts:
            lines.append(f"{name.replace('_', ' ').capitalize()}: {_compact(facts[name])}")
    if omitted := facts.get("omitted"):
        lines.append(f"{omitted['fields']} more fields. {omitted['how']}")
    return "\n".join(lines)


def field_line(entry: Facts) -> str:
    """Return one field as a line; `*` marks a required one."""
    relation = f"→{entry['relation']}" if "relation" in entry else ""
    name = f"{entry['name']}{_MARKS['required'] if entry.get('required') else ''}"
    marks = "".join(mark for flag, mark in _MARKS.items() if flag != "required" and entry.get(flag))
    line = f'- {name} {entry["type"]}{relation} "{entry["label"]}"{marks}'
    if choices := entry.get("selection"):
        listed = ", ".join(f"{value}={label}" for value, label in choices)
        more = f", and {entry['selection_omitted']} more" if "selection_omitted" in entry else ""
        line += f" [{listed}{more}]"
    facts = [f"{key} {entry[key]}" for key in ("aggregator", "inverse", "currency") if key in entry]
    facts += [key for key in ("computed", "searchable", "sortable", "groupable") if entry.get(key)]
    if facts:
        line += f" {{{', '.join(facts)}}}"
    return f"{line} {entry['help']}" if "help" in entry else line


_TITLES = {
    "required": "Required, without default",
    "fields": "Fields (* required; computed: filled by Odoo, may be set unless read-only)",
}


def _button_line(button: Facts) -> str:
    line = f'- {button["name"]} {button["type"]} "{button["label"]}"'
    if "offered_on" in button:
        line += f" offered on {_compact(button['offered_on'])}"
        if "unclear_on" in button:
            line += f", unclear on {_compact(button['unclear_on'])}"
    if condition := button.get("hidden_if"):
        line += f"; hidden if {_cut(str(condition), CONDITION_LENGTH)}"
    return f"{line}; asks: {button['asks']}" if "asks" in button else line


def _general_lines(facts: Facts) -> list[str]:
    parts = [f"{key.replace('_', ' ')}: {facts[key]}" for key in ("record_name", "order", "archive") if key in facts]
    if "company" in facts:
        parts.append(f"company: {_compact(facts['company'])}")
    parts += [name for name in ("chatter", "activities") if facts.get(name)]
    lines = ["; ".join(parts)] if parts else []
    if state := facts.get("state"):
        values = ", ".join(f"{value}={label}" for value, label in state.get("values", ()))
        lines.append(f"state: {state['field']} [{values}]" if values else f"state: {state['field']} → {state['model']}")
    return lines


def _with_fewer_choices(entry: dict[str, object]) -> dict[str, object]:
    choices = entry.get("selection")
    if not choices or len(choices) <= FEWER_CHOICES:
        return entry
    omitted = len(choices) - FEWER_CHOICES + int(entry.get("selection_omitted", 0))
    return {**entry, "selection": choices[:FEWER_CHOICES], "selection_omitted": omitted}


def _without_help(entry: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in entry.items() if key != "help"}


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
