"""What a button answered, told as facts: records it opens, messages, reports and links; never a client's dictionary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from odoo.models import BaseModel

from ..services.guardrails import field_is_secret
from ..services.html_text import html_to_markdown
from .view_values import literal, namespace
from .write_results import linked

MOST_RECORDS = 20


@dataclass
class Outcome:
    """Facts gathered while the answers of buttons are followed."""

    messages: list[str] = field(default_factory=list)
    reports: list[dict[str, object]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    opened: dict[str, object] = field(default_factory=dict)
    records: BaseModel | None = None

    def as_dict(self) -> dict[str, object]:
        facts = {"messages": self.messages, "reports": self.reports, "links": self.links, "opened": self.opened}
        return {key: value for key, value in facts.items() if value}

    def lines(self) -> list[str]:
        lines = [f"Odoo says: {message}" for message in self.messages]
        lines += [f"It offers the report {report['name']}." for report in self.reports]
        lines += [f"It opens {link}" for link in self.links]
        if rows := self.opened.get("records"):
            listed = ", ".join(f"{row['name']} (id {row['id']})" for row in rows[:10])
            lines.append(f"It opens {self.opened['model']}: {listed}.")
        elif self.opened:
            lines.append(f"It opens a screen: {self.opened.get('title') or self.opened['model']}.")
        return lines

    def note_message(self, text: object) -> None:
        if text and (plain := html_to_markdown(str(text)).strip()):
            self.messages.append(plain[:500])

    def note_report(self, action: Mapping) -> None:
        report = {"name": action.get("name") or action.get("report_name"), "report": action.get("report_name")}
        self.reports.append({key: value for key, value in report.items() if value})

    def note_link(self, base_url: str, url: object) -> None:
        """Note a link without what in it opens a document to whoever holds it."""
        parts = urlsplit(str(url))
        query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if not field_is_secret(key)])
        link = urlunsplit(parts._replace(query=query, fragment=""))
        if not parts.scheme:
            link = f"{base_url.rstrip('/')}/{link.lstrip('/')}"
        self.links.append(link)

    def note_records(self, call, action: Mapping, active: BaseModel) -> None:
        """Note the records that a window action shows, as far as the caller may see them."""
        model = action.get("res_model")
        self.opened = {"model": model, "title": action.get("name")}
        if model not in call.env or not call.allows_model(model):
            return
        if action.get("res_id"):
            records = call.env[model].browse(action["res_id"]).exists()
        else:
            try:
                names = namespace(call.env, {}, active)
                domain = literal(action.get("domain"), names)
                context = literal(action.get("context"), names) or {}
            except ValueError:
                return
            if not domain:
                # A whole list of everything says nothing about this record.
                return
            # The domain comes from the action; what it finds is read under the caller's own rules.
            records = call.env[model].with_context(active_test=context.get("active_test", True)).search(
                domain, limit=MOST_RECORDS + 1
            )  # fmt: skip
        self.records = records.with_context(active_test=True)._filtered_access("read")
        self.opened["records"] = linked(call, self.records[:MOST_RECORDS])
        if len(self.records) > MOST_RECORDS:
            self.opened["more"] = True
