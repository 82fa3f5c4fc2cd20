from collections.abc import Collection
from datetime import timedelta

from odoo import api, fields, models, tools
from odoo.tools import SQL
from odoo.tools.sql import table_exists

# Where a change of it is a change of the resource, too.
CHATTER_MODELS = ("mail.message", "mail.activity")
# How stale `needed_at` may get, and after how long without need a model is not watched any more.
NOTED_EVERY = timedelta(hours=1)
KEPT_FOR = timedelta(days=2)


class McpWatchedModel(models.Model):
    """A model whose changes are told to other processes, as somebody subscribes to its records.

    Asked at every write, so every worker has the whole table in its cache. It only grows, a day's purge aside: were it
    to follow the subscriptions, a worker could have read it at a moment when there was none.
    """

    _name = "mcp.watched.model"
    _description = "MCP Watched Model"

    name = fields.Char(required=True, readonly=True)
    needed_at = fields.Datetime(required=True, readonly=True)

    _name_unique = models.Constraint("UNIQUE(name)", "A model is watched once.")

    @api.model
    @tools.ormcache(cache="assets")
    def _names(self) -> frozenset[str]:
        """Return the models of which a change may concern somebody."""
        if not table_exists(self.env.cr, self._table):
            # This addon is being removed, by code that goes on writing.
            return frozenset()
        self.env.cr.execute("SELECT name FROM mcp_watched_model")
        found = {name for (name,) in self.env.cr.fetchall()}
        return frozenset({*found, *CHATTER_MODELS, *self._lines_of(found)} if found else found)

    @api.model
    @tools.ormcache(cache="assets")
    def _lines(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Return the models whose records are shown as a part of watched ones: column and model of what they are in."""
        return self._lines_of(self._names())

    def _lines_of(self, names: Collection[str]) -> dict[str, tuple[tuple[str, str], ...]]:
        found: dict[str, set[tuple[str, str]]] = {}
        for name in names:
            for field in self.env[name]._fields.values() if name in self.env else ():
                if field.type == "one2many" and field.inverse_name and field.comodel_name in self.env:
                    inverse = self.env[field.comodel_name]._fields.get(field.inverse_name)
                    # Lines are what goes with its record; other one2many fields are just the other side of a link.
                    if inverse is not None and inverse.store and getattr(inverse, "ondelete", None) == "cascade":
                        found.setdefault(field.comodel_name, set()).add((field.inverse_name, name))
        return {name: tuple(sorted(places)) for name, places in found.items()}

    @api.model
    def _need(self, names: Collection[str]) -> None:
        """Watch these models from now on, in every worker."""
        now = fields.Datetime.now()
        for name in sorted(names):
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO mcp_watched_model (name, needed_at) VALUES (%(name)s, %(now)s)
                    ON CONFLICT (name) DO UPDATE SET needed_at = %(now)s WHERE mcp_watched_model.needed_at < %(old)s
                    RETURNING xmax = 0
                    """,
                    name=name,
                    now=now,
                    old=now - NOTED_EVERY,
                )
            )
            if (row := self.env.cr.fetchone()) and row[0]:
                self.env.registry.clear_cache("assets")

    @api.autovacuum
    def _gc_watched_models(self):
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM mcp_watched_model
                 WHERE needed_at < %s AND name NOT IN (SELECT model FROM mcp_subscription WHERE model IS NOT NULL)
                """,
                fields.Datetime.now() - KEPT_FOR,
            )
        )
        if self.env.cr.rowcount:
            self.env.registry.clear_cache("assets")
