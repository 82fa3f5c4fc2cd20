"""Deleting what has outlived its time: in batches, so that no purge holds up the people who work."""

from datetime import timedelta

from odoo import fields
from odoo.models import BaseModel
from odoo.tools import SQL

PURGE_BATCH = 10_000


def purge_old(records: BaseModel, parameter: str, default_days: int) -> tuple[int, bool]:
    """Delete a batch of the model's rows whose `date` is past the retention time.

    :param parameter: system parameter that holds the days
    :return: how many went, and whether more may be left, as `@api.autovacuum` wants it
    """
    # sudo: a system parameter that users may not read in general.
    days = records.env["ir.config_parameter"].sudo().get_param(parameter, default_days)
    return purge(records, SQL("date < %s", fields.Datetime.now() - timedelta(days=int(days))))


def purge(records: BaseModel, condition: SQL) -> tuple[int, bool]:
    """Delete a batch of the model's rows that meet a condition; see `purge_old` for what it returns."""
    table = SQL.identifier(records._table)
    records.env.cr.execute(
        SQL("DELETE FROM %s WHERE id IN (SELECT id FROM %s WHERE %s LIMIT %s)", table, table, condition, PURGE_BATCH)
    )
    done = records.env.cr.rowcount
    return done, done == PURGE_BATCH
