"""What a rollback does not take back by itself, kept from being done in a rehearsal: numbers, files, other commits."""

import functools

from odoo import api, models
from odoo.orm.registry import Registry

from ..services import outgoing
from .rehearsal import EXTERNAL_IDS_MADE


class IrSequence(models.Model):
    _inherit = "ir.sequence"

    def _next_do(self):
        if outgoing.current() is None or self.implementation != "standard":
            return super()._next_do()
        return self.get_next_char(_foretold(self, self.number_increment))


class IrSequenceDateRange(models.Model):
    _inherit = "ir.sequence.date_range"

    def _next(self):
        sequence = self.sequence_id
        if outgoing.current() is None or sequence.implementation != "standard":
            return super()._next()
        return sequence.get_next_char(_foretold(self, sequence.number_increment))


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    @api.model
    def _storage(self):
        # Into the table, so that contents go with the rollback. A file written and removed again could be one that
        # another call has found there meanwhile and refers to.
        return "db" if outgoing.current() is not None else super()._storage()

    @api.model
    def _file_delete(self, fname):
        return super()._file_delete(fname) if outgoing.current() is None else None


class IrModelData(models.Model):
    _inherit = "ir.model.data"

    @api.model_create_multi
    def create(self, vals_list):
        self.env.cr.postrollback.data[EXTERNAL_IDS_MADE] = True
        return super().create(vals_list)

    @api.model
    def _update_xmlids(self, data_list, update=False):
        self.env.cr.postrollback.data[EXTERNAL_IDS_MADE] = True
        return super()._update_xmlids(data_list, update=update)


def _foretold(sequence: models.BaseModel, increment: int) -> int:
    """Return the number that a sequence of PostgreSQL would give now, without drawing it.

    Drawing and setting the sequence back would be unsafe: between the two another transaction may draw, and its number
    would be given out twice. Odoo's `no_gap` sequences are rows, which a rollback restores.
    """
    drawn = outgoing.current().numbers
    key = (sequence._name, sequence.id)
    # Computed without dependencies, so it is kept although the sequence goes on.
    sequence.invalidate_recordset(["number_next_actual"])
    number = sequence.number_next_actual + drawn.get(key, 0) * increment
    drawn[key] = drawn.get(key, 0) + 1
    return number


def _keep_nothing(registry: type[Registry]) -> None:
    """Make cursors that are opened during a rehearsal roll back where they would commit."""
    original = registry.cursor

    @functools.wraps(original)
    def cursor(self, /, readonly=False):
        cr = original(self, readonly=readonly)
        if outgoing.current() is not None:
            cr.commit = cr.rollback
        return cr

    registry.cursor = cursor


_keep_nothing(Registry)
