"""What ends a call before its time, looked at before each of its queries: its time is up, or it was cancelled."""

import contextlib
import logging
import time
from collections.abc import Iterator

import psycopg2
from odoo.api import Environment
from odoo.exceptions import UserError

from ..services.errors import ToolError
from ..services.policy import JOB_TOOL
from ..services.running_calls import RunningCall
from .cursor_methods import replaced

_sql_logger = logging.getLogger("odoo.sql_db")
# What takes back or ends a part of the work must always run.
_ENDING = ("ROLLBACK", "RELEASE")
# PostgreSQL's clock and ours start at different moments.
_NEARLY = 0.9


@contextlib.contextmanager
def limited_call(call) -> Iterator[None]:
    """Limit the time of a call, or of the part of a job that it is. :raises ToolError: as `limited`"""
    jobs = call.env["mcp.job"]
    try:
        with limited(call.env, call.exchange.running, call.seconds):
            yield
    except ToolError as error:
        if error.code == "timeout" and jobs._may_run(call):
            error.fix = f"{error.fix} Or run it as a job: {JOB_TOOL} with tool={call.spec.name} and these arguments."
        raise


@contextlib.contextmanager
def limited(env: Environment, running: RunningCall | None = None, seconds: int | None = None) -> Iterator[None]:
    """Let no query of the block start after the call's time is up, and say so when PostgreSQL stops one.

    :param running: ends the block too, even in the middle of a query
    :param seconds: for the block and for one statement of it; None: as the settings say
    :raises ToolError: `timeout`, or `Cancelled`
    """
    limits = env["mcp.limits"]._settings()
    cr = env.cr
    plain = cr.execute
    running = running or RunningCall()
    interrupt = cr.connection.cancel
    longest = limits.call_seconds if seconds is None else seconds
    longest_query = limits.read_seconds if seconds is None else seconds
    deadline = time.monotonic() + longest if longest else float("inf")
    shortest = _NEARLY * longest_query if longest_query else float("inf")

    def execute(query, params=None, log_exceptions=True):
        if isinstance(query, str) and query.startswith(_ENDING):
            return plain(query, params, log_exceptions)
        started = time.monotonic()
        if started > deadline:
            raise _timeout(f"The call took longer than {longest} s and was stopped.")
        running.interrupt = interrupt
        try:
            running.check()
            return plain(query, params, False)
        except psycopg2.Error as error:
            ended = isinstance(error, psycopg2.errors.QueryCanceled)
            if ended and running.cancelled:
                raise running.stop() from error
            if log_exceptions:
                # As Odoo does, which would also log what clients cancel.
                _sql_logger.error("bad query: %s\nERROR: %s", cr.query or query, error)
            # Also what an administrator's pg_cancel_backend raises. That one passes through.
            if not ended or time.monotonic() - started < shortest:
                raise
            raise _timeout(f"A query took longer than {longest_query} s and was stopped.") from error
        finally:
            running.between_queries()

    try:
        with replaced(cr, execute=execute):
            yield
    except (ToolError, UserError) as error:
        # What a row or a step made of it, or Odoo's own code: the call was cancelled all the same.
        if running.cancelled:
            raise running.stop() from error
        raise


def _timeout(message: str) -> ToolError:
    return ToolError(
        "timeout",
        f"{message} Nothing was changed.",
        fix="Ask for less: a narrower domain (dates, ids), fewer fields, a smaller limit, fewer records at once.",
        retryable=False,
    )
