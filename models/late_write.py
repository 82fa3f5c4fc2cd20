"""Small notes such as "last used", written after the transaction that they are about.

Written inside it, they would turn every read into a write and make parallel calls of one client wait for each other
and fail with serialization errors.
"""

import psycopg2
from odoo.api import Environment
from odoo.tools import SQL


def after_commit(env: Environment, query: SQL, *, tries: int = 1) -> None:
    """Run one statement on a cursor of its own once this transaction is committed.

    :param tries: how often, while other workers change the same row; 1 where losing it does no harm, as they have
        most likely noted the same
    """
    registry = env.registry

    @env.cr.postcommit.add
    def write():
        for _try in range(tries):
            try:
                with registry.cursor() as cr:
                    # A conflict is no error, and must not be logged as one.
                    cr.execute(query, log_exceptions=False)
            except psycopg2.errors.SerializationFailure:
                # Raised further, Odoo would run the committed request again.
                continue
            return
