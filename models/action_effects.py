"""What came of an action besides the change of its own records: new records, and what was sent."""

from odoo.models import BaseModel

from ..services.outgoing import Outgoing
from . import side_effects
from .write_results import linked

MOST_CREATED = 30


class EffectWatch:
    """Remembers where the tables stood before an action, and tells afterwards what has come since."""

    def __init__(self, call, records: BaseModel) -> None:
        self.call = call
        self.records = records
        self.before = side_effects.newest_ids(call.env)

    def created(self, opened: BaseModel | None) -> list[dict[str, object]]:
        """Return model, id, name and link of records made meanwhile that the user can see.

        Found by what documents leave behind when they are made (a message), and among the records that the action
        opens; new is what carries this transaction's own time.
        """
        found: dict[str, set[int]] = {}
        # sudo: only where the messages stand; what stands there is read with the user's own rights below.
        messages = self.call.env["mail.message"].sudo().search_fetch(
            [("id", ">", self.before["mail_message"]), ("model", "!=", False), ("res_id", "!=", 0)],
            ["model", "res_id"],
            limit=1000,
        )  # fmt: skip
        for message in messages:
            found.setdefault(message.model, set()).add(message.res_id)
        if opened:
            found.setdefault(opened._name, set()).update(opened.ids)
        rows = []
        for model, ids in found.items():
            own = set(self.records.ids) if model == self.records._name else set()
            rows += self._new(model, sorted(ids - own))
        rows = rows[:MOST_CREATED]
        self._journal(rows)
        return rows

    def _journal(self, rows: list[dict[str, object]]) -> None:
        """Note what the action has made, so that undo removes it, or says why Odoo no longer lets it go."""
        noted = {(entry.model, entry.id) for entry in self.call.journal.entries}
        ids: dict[str, list[int]] = {}
        for row in rows:
            # What this caller could not have made is not theirs to remove.
            if (row["model"], row["id"]) not in noted and self.call.policy.allows_model(row["model"], "create"):
                ids.setdefault(row["model"], []).append(row["id"])
        for model, made in ids.items():
            self.call.journal.created(self.call.env[model].browse(made))

    def _new(self, model: str, ids: list[int]) -> list[dict[str, object]]:
        if model not in self.call.env or not self.call.allows_model(model):
            return []
        records = self.call.env[model].browse(ids).exists()._filtered_access("read")
        if not records or "create_date" not in records._fields:
            return []
        now = self.call.env.cr.now()
        # Not by a domain: that would compare whole seconds, and take what a call just before has made for new.
        new = records.filtered(lambda record: record.create_date and record.create_date >= now)
        return [{"model": model, **row} for row in linked(self.call, new[:MOST_CREATED])]

    def sent(self) -> dict[str, object]:
        """Return what the action has sent or planned; messages on documents only as a number."""
        effects = side_effects.since(self.call.env, self.before, Outgoing())
        if messages := effects.pop("messages", None):
            effects["messages"] = effects.pop("messages_count", len(messages))
        return effects
