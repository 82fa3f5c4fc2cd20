"""What changes in the database, told to those who hold streams. Only what somebody wants to hear of costs anything."""

from collections.abc import Iterable

from odoo import api, models
from odoo.tools import SQL

from ..services import topics

# Rows of these are what lists are made of, or what decides on them.
OWN = {
    "mcp.tool": "tools",
    "mcp.tool.argument": "tools",
    "mcp.prompt": "prompts",
    "mcp.prompt.argument": "prompts",
    "mcp.resource": "resources",
    "mcp.profile": "policy",
    "mcp.profile.rule": "policy",
    "mcp.model.tier": "policy",
    "ir.model": "schema",
    "ir.model.fields": "schema",
    "ir.model.fields.selection": "schema",
    "ir.module.module": "modules",
}
# Of a user's row, what changes the lists that they get.
OF_USER = {"group_ids", "active", "company_id", "company_ids"}


# The lowest level, which every change passes, computed and stored fields included.
class Base(models.AbstractModel):
    _inherit = "base"

    def _write_multi(self, vals_list):
        result = super()._write_multi(vals_list)
        if self._mcp_is_watched():
            self._mcp_note_change()
        return result

    @api.model
    def _create(self, data_list):
        records = super()._create(data_list)
        # A new record is nobody's resource yet; it may be part of one.
        if self._mcp_is_watched():
            records._mcp_note_change()
        return records

    def unlink(self):
        if self and self._mcp_is_watched():
            self._mcp_note_change()
            self.env["mcp.subscription"]._note_gone(self._name, self.ids)
        return super().unlink()

    def _mcp_is_watched(self) -> bool:
        # While modules are loaded the tables may not be there; that the registry is another is told by itself.
        return self.pool.ready and (self._name in OWN or self._name in self.env["mcp.watched.model"]._names())

    def _mcp_note_change(self) -> None:
        """Add to this transaction's notice that these records are new, changed or gone."""
        self.env["mcp.notice"]._send(self._mcp_topics())

    def _mcp_topics(self) -> Iterable[str]:
        if topic := OWN.get(self._name):
            return [topic]
        found = topics.of_records("record", self._name, self.ids)
        for column, model in self.env["mcp.watched.model"]._lines().get(self._name, ()):
            # From the table: this runs in the middle of a flush, where the cache is not to be touched.
            self.env.cr.execute(
                SQL(
                    "SELECT DISTINCT %s FROM %s WHERE id = ANY(%s) AND %s IS NOT NULL",
                    SQL.identifier(column),
                    SQL.identifier(self._table),
                    list(self.ids),
                    SQL.identifier(column),
                )
            )
            found += topics.of_records("record", model, (row[0] for row in self.env.cr.fetchall()))
        return found


class ResUsers(models.Model):
    _inherit = "res.users"

    def write(self, vals):
        if OF_USER.intersection(vals) and self.pool.ready:
            self.env["mcp.notice"]._send([f"user:{user_id}" for user_id in self.ids])
        return super().write(vals)


class MailMessage(models.Model):
    _inherit = "mail.message"

    def _mcp_topics(self) -> Iterable[str]:
        # sudo: where the messages are, told to nobody; who hears of it is checked when it is delivered.
        places = [(message.model, message.res_id) for message in self.sudo()]
        return [*super()._mcp_topics(), *_chatter_topics(self.env, places)]


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def _mcp_topics(self) -> Iterable[str]:
        # sudo: as above.
        places = [(activity.res_model, activity.res_id) for activity in self.sudo()]
        return [*super()._mcp_topics(), *_chatter_topics(self.env, places)]


def _chatter_topics(env, places: Iterable[tuple[str, int]]) -> list[str]:
    found: dict[str, set[int]] = {}
    watched = env["mcp.watched.model"]._names()
    for model, record_id in places:
        if model in watched and record_id:
            found.setdefault(model, set()).add(record_id)
    return [topic for model, ids in found.items() for topic in topics.of_records("chatter", model, ids)]
