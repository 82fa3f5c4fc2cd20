"""Rows of which there is one: made by whoever is first."""

import psycopg2
from odoo.exceptions import ConcurrencyError
from odoo.models import BaseModel


def create_single(records: BaseModel, values: dict) -> BaseModel:
    """Create a row that a unique index allows once.

    :raises ConcurrencyError: another worker has just made it, unseen by this transaction. Odoo then runs the request
        again, which finds it.
    """
    try:
        with records.env.cr.savepoint():
            return records.create(values)
    except psycopg2.errors.UniqueViolation as error:
        raise ConcurrencyError(f"{records._name}: made at the same moment") from error
