"""The time that one call may take, looked at before each of its queries."""

import contextlib
import time
from collections.abc import Iterator

import psycopg2
from odoo.api import Environment

from ..services.errors import ToolError

# What takes back or ends a part of the work must always run.
_ENDING = ("ROLLBACK", "RELEASE")
# PostgreSQL's clock and ours start at different moments.
_NEARLY = 0.9


@contextlib.contextmanager
def limited(env: Environment) -> Iterator[None]:
    """Let no query of the block start after the call's time is up, and say so when PostgreSQL stops one.

    :raises ToolError: `timeout`
    """
    limits = env["mcp.limits"]._settings()
    cr = env.cr
    plain = cr.execute
    deadline = time.monotonic() + limits.call_seconds if limits.call_seconds else float("inf")
    shortest = _NEARLY * limits.read_seconds if limits.read_seconds else float("inf")

    def execute(query, params=None, log_exceptions=True):
        started = time.monotonic()
        if started > deadline and not (isinstance(query, str) and query.startswith(_ENDING)):
            raise _timeout(f"The call took longer than {limits.call_seconds} s and was stopped.")
        try:
            return plain(query, params, log_exceptions)
        except psycopg2.errors.QueryCanceled as error:
            # Also what an administrator's pg_cancel_backend raises. That one passes through.
            if time.monotonic() - started < shortest:
                raise
            raise _timeout(f"A query took longer than {limits.read_seconds} s and was stopped.") from error

    replaced = cr.__dict__.get("execute")
    cr.execute = execute
    try:
        yield
    finally:
        if replaced is None:
            del cr.execute
        else:
            cr.execute = replaced


def _timeout(message: str) -> ToolError:
    return ToolError(
        "timeout",
        f"{message} Nothing was changed.",
        fix="Ask for less: a narrower domain (dates, ids), fewer fields, a smaller limit, fewer records at once.",
        retryable=False,
    )
