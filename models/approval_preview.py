"""A parked call's preview: as a page for the person who decides, and as a fingerprint that tells whether it still
holds.

Everything in it comes from records and from an assistant: it is escaped, never trusted as HTML.
"""

import json
import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup
from odoo.api import Environment

from ..services import canonical
from ..services.tool import ToolResult

MOST_SHOWN = 2000
MOST_NAMED = 3
_TAGS = re.compile(r"</?untrusted id=[0-9a-f]{12}>\n?")
# Numbers drawn from sequences, moments, tokens: other ones at each try.
_VARYING = re.compile(r"\d+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_EFFECTS = ("emails", "activities", "messages", "sms", "letters", "webhooks", "outside_services")


def rendered(env: Environment, preview: Mapping) -> Markup:
    """Return the preview as HTML: what changes on which record, and what would leave Odoo."""
    rows: dict[tuple, list[Mapping]] = {}
    for row in preview.get("changes") or ():
        rows.setdefault((row.get("model"), row.get("id"), row.get("operation")), []).append(row)
    parts = [_record(env, *key, found) for key, found in rows.items()]
    if (more := preview.get("changes_count", 0) - len(preview.get("changes") or ())) > 0:
        parts.append(_paragraph(env._("%s further changes are not shown.", more)))
    if preview.get("fingerprint", "") is None:
        # It could not be tried.
        parts.append(_paragraph(_shown(preview.get("text"))))
    return Markup("").join([*parts, _effects(env, preview.get("side_effects") or {})])


def grouped(env: Environment, preview: Mapping) -> dict[str, object]:
    """Return the preview as plain texts by record, for a page that has its own form for them."""
    records: dict[tuple, dict] = {}
    for row in preview.get("changes") or ():
        operation = row.get("operation")
        label, _color = _operations(env).get(operation, (operation, ""))
        title = env[row["model"]]._description if row["model"] in env else row["model"]
        which = title if operation == "create" else f"{title} {row.get('id')}"
        facts = {"operation": operation, "label": label, "name": _shown(row.get("name")), "which": which, "fields": []}
        facts = records.setdefault((row["model"], row.get("id"), operation), facts)
        if row.get("field"):
            before = _shown(row["before"]) if row.get("before") not in (None, False, "") else ""
            label = _field_label(env, row)
            facts["fields"].append({"label": label, "before": before, "after": _shown(row.get("after"))})
    more = max((preview.get("changes_count") or 0) - len(preview.get("changes") or ()), 0)
    return {"records": list(records.values()), "more": more, "effects": _effect_lines(env, preview)}


def rendered_arguments(tool: str, arguments: Mapping) -> Markup:
    """Return the call as it will be made: its tool, and each argument as JSON."""
    rows = [
        Markup('<tr><th class="pe-3 align-top">%s</th><td><code style="white-space: pre-wrap">%s</code></td></tr>')
        % (name, _shown(value))
        for name, value in arguments.items()
    ]
    return Markup('<p><code>%s</code></p><table class="table table-sm">%s</table>') % (tool, Markup("").join(rows))


def impact(env: Environment, preview: Mapping) -> str:
    """Return the preview in a few words."""
    records = {(row.get("model"), row.get("id")) for row in preview.get("changes") or ()}
    effects = preview.get("side_effects") or {}
    words = [env._("%s records", len(records)) if len(records) != 1 else env._("1 record")] if records else []
    if emails := effects.get("emails_count") or len(effects.get("emails") or ()):
        words.append(env._("%s e-mails", emails) if emails != 1 else env._("1 e-mail"))
    return " · ".join(words)


def headline(env: Environment, title: str, preview: Mapping) -> str:
    """Return what a call is about, where its tool has not said so in a question: `Create records: Contact Acme`."""
    names = {
        (
            row["model"],
            row["id"],
        ): f"{env[row['model']]._description if row['model'] in env else row['model']} {row['name']}"
        for row in preview.get("changes") or ()
    }
    listed = list(names.values())[:MOST_NAMED]
    more = f" +{len(names) - MOST_NAMED}" if len(names) > MOST_NAMED else ""
    return f"{title}: {', '.join(listed)}{more}" if listed else title


def subject(env: Environment, title: str, preview: Mapping) -> str:
    """Return what a call is about without naming a record: `Create records: Contact`."""
    models = dict.fromkeys(row["model"] for row in preview.get("changes") or ())
    listed = [env[model]._description if model in env else model for model in models][:MOST_NAMED]
    return f"{title}: {', '.join(listed)}" if listed else title


def rehearsed_facts(call, result: ToolResult) -> dict[str, object]:
    """Return what a rehearsed call would do, as people are shown it, with the fingerprint of all of it.

    :param result: of `_rehearse`
    """
    shown = {name: result.structured[name] for name in ("changes", "changes_count", "side_effects")}
    whole = {"changes": call.journal.difference(), "side_effects": shown["side_effects"]}
    return {**shown, "fingerprint": fingerprint(whole)}


def fingerprint(preview: Mapping) -> str:
    """Return a digest of what a person decides on, the same as long as the call would do the same.

    Ids and numbers of records that do not exist yet, and moments, differ from one try to the next and do not count.
    """
    changes = [_steady(row, row.get("operation") == "create") for row in preview.get("changes") or ()]
    effects = preview.get("side_effects") or {}
    steady = {kind: sorted(_text(_steady(each, True)) for each in effects.get(kind) or ()) for kind in _EFFECTS}
    counts = {name: count for name, count in effects.items() if name.endswith("_count")}
    return canonical.digest("preview", {"changes": sorted(map(_text, changes)), "effects": steady, "counts": counts})


def _steady(value: object, is_new: bool) -> object:
    match value:
        case Mapping():
            return {key: _steady(each, is_new) for key, each in value.items() if not (is_new and key == "id")}
        case str():
            value = _TAGS.sub("", value)
            if _MOMENT.fullmatch(value):
                return "moment"
            return _VARYING.sub("#", value) if is_new else value
        case list() | tuple():
            return [_steady(each, is_new) for each in value]
    return value


def _record(env: Environment, model: str, record_id: int, operation: str, rows: Sequence[Mapping]) -> Markup:
    title = env[model]._description if model in env else model
    label, color = _operations(env).get(operation, (operation, "secondary"))
    lines = [
        Markup(
            '<tr><th class="pe-3">%s</th><td class="text-muted text-decoration-line-through">%s</td><td>%s</td></tr>'
        )
        % (
            _field_label(env, row),
            _shown(row.get("before")),
            _shown(row.get("after")),
        )
        for row in rows
        if row.get("field")
    ]
    head = Markup(
        '<p class="mb-1"><span class="badge text-bg-%s">%s</span> <b>%s</b> <span class="text-muted">%s</span></p>'
    )
    table = Markup('<table class="table table-sm mb-3">%s</table>') % Markup("").join(lines) if lines else ""
    which = title if operation == "create" else f"{title} {record_id}"
    return head % (color, label, _shown(rows[0].get("name")), which) + table


def _operations(env: Environment) -> dict[str, tuple[str, str]]:
    """Return what is done to a record, in words and with a colour."""
    return {
        "create": (env._("Create"), "success"),
        "write": (env._("Change"), "info"),
        "archive": (env._("Archive"), "warning"),
        "delete": (env._("Delete"), "danger"),
    }


def _field_label(env: Environment, row: Mapping) -> str:
    fields = env[row["model"]]._fields if row["model"] in env else {}
    return fields[row["field"]]._description_string(env) if row["field"] in fields else row["field"]


def _effects(env: Environment, effects: Mapping) -> Markup:
    lines = [Markup("<li>%s</li>") % line for line in _effect_lines(env, {"side_effects": effects})]
    return Markup("<ul>%s</ul>") % Markup("").join(lines) if lines else Markup("")


def _effect_lines(env: Environment, preview: Mapping) -> list[str]:
    effects = preview.get("side_effects") or {}
    labels = {
        "emails": env._("E-mail to"),
        "activities": env._("Activity for"),
        "messages": env._("Message on"),
        "sms": env._("Text message to"),
        "letters": env._("Letter from"),
        "webhooks": env._("Calls the webhook"),
        "outside_services": env._("Contacts the server"),
    }
    lines = []
    for kind in _EFFECTS:
        found = effects.get(kind) or ()
        lines += [f"{labels[kind]} {_effect(env, kind, each)}" for each in found]
        if (more := effects.get(f"{kind}_count", 0) - len(found)) > 0:
            lines.append(env._("and %s more", more))
    return lines


def _effect(env: Environment, kind: str, each: object) -> str:
    if kind == "emails":
        return f"{', '.join(each['to'])}: {each['subject']}"
    if kind == "activities":
        return f"{each['assigned_to']}: {each['type']} {each['summary']} ({each['deadline']})"
    if kind == "messages":
        title = env[each["model"]]._description if each["model"] in env else each["model"]
        return f"{title} {each['id']}: {each['kind']}"
    return str(each)


def _paragraph(text: str) -> Markup:
    return Markup('<p class="text-muted">%s</p>') % text


def _shown(value: object) -> str:
    """Return a value as text for people: without our marks for models, and not endless."""
    if value is None or value is False or value == "":
        return "–"
    if isinstance(value, Mapping) and value.get("name"):
        value = value["name"]
    text = value if isinstance(value, str) else _text(value)
    text = _TAGS.sub("", text)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]} … ({len(text):,})"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str, sort_keys=True)


def plain(text: str) -> str:
    """Return a text for people, without the marks that tell a model whose words it quotes."""
    return _TAGS.sub("", text)
