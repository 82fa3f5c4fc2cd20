"""Odoo's and PostgreSQL's exceptions as `ToolError`s, in Odoo's own words where it has words for a user."""

import contextlib
from collections.abc import Iterator

import psycopg2
from odoo.api import Environment
from odoo.exceptions import AccessError, ConcurrencyError, MissingError, RedirectWarning, UserError, ValidationError
from psycopg2 import errorcodes

from ..services.errors import ToolError

# What may be raised by a call that is wrong; everything else is a fault of ours and is logged as such.
CALLER_ERRORS = (UserError, RedirectWarning, psycopg2.IntegrityError, psycopg2.DataError, psycopg2.InternalError)

CONCURRENCY_ERRORS = (psycopg2.OperationalError, ConcurrencyError)


@contextlib.contextmanager
def translating(env: Environment) -> Iterator[None]:
    """Let the caller's mistakes leave the block as `ToolError`s, and faults of ours as they are."""
    try:
        yield
    except CALLER_ERRORS as error:
        known = translated(error, env)
        if known is None:
            raise
        raise known from error


def translated(error: Exception, env: Environment) -> ToolError | None:
    """Return the `ToolError` that says what `error` means for the caller, None when it is not the caller's mistake.

    :param error: one of `CALLER_ERRORS`; the savepoint it was raised in has been rolled back
    """
    match error:
        case AccessError():
            return ToolError(
                "access_denied",
                str(error),
                fix="The user lacks this right in Odoo. Ask an administrator, or do without.",
            )
        case MissingError():
            return ToolError("not_found", str(error), fix="Search again: the record may have been deleted meanwhile.")
        case ValidationError():
            return ToolError("invalid_value", str(error), fix="Correct the values and call again.")
        case RedirectWarning():
            return ToolError("business_rule", str(error.args[0]), fix="This must be set up in Odoo first.")
        case UserError():
            return ToolError("business_rule", str(error), fix="Do what the message says, then call again.")
        case psycopg2.IntegrityError():
            return ToolError("invalid_value", _constraint_message(error, env), fix="Correct the values and call again.")
        case psycopg2.DataError():
            return ToolError("invalid_value", "A value does not fit its field.", fix="Check numbers and dates.")
    if getattr(error, "pgcode", None) == errorcodes.READ_ONLY_SQL_TRANSACTION:
        return ToolError(
            "read_only",
            "This would change data, and reading tools cannot.",
            fix="Ask for other fields: one of these is computed by a write.",
        )
    return None


def _constraint_message(error: psycopg2.IntegrityError, env: Environment) -> str:
    table = error.diag.table_name
    model = next((env[name] for name, cls in env.registry.items() if cls._table == table), env["base"])
    return model._sql_error_to_message(error)
