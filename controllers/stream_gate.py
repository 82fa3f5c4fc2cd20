"""Requests of many clients at once, in the process of streams: they wait there for a database connection.

Each request there has a greenlet of its own, so hundreds of clients that come back after a restart would all want a
connection at the same moment, and Odoo's pool refuses those over its size: an error page instead of a stream.

Streams are cut off there when the process is killed. Clients have to take that for an end of theirs, not for a failure.
"""

import functools
import os
import signal
import threading
import time

import odoo
from odoo.http import Application
from odoo.sql_db import ConnectionPool
from psycopg2.pool import PoolError

from ..models import stream_hub
from ..services import sse

# Connections of Odoo's own, and the second one that some requests need, have to find room in the pool as well.
AT_ONCE = 24
PATIENCE = 10.0
PAUSE = 0.02
# Seconds that the last bytes of streams have.
FAREWELL = 0.5


def install() -> None:
    """Make requests wait, for the rest of this process, if it is the one of streams; and streams end when it does."""
    if not odoo.evented:
        return
    # Only here: it is not there on every system.
    from gevent.pywsgi import WSGIHandler

    signal.signal(signal.SIGTERM, _leave)
    for owner, name, wrapper in (
        (Application, "__call__", _gated),
        (ConnectionPool, "borrow", _patient),
        (WSGIHandler, "finalize_headers", _unframed),
    ):
        replaced = getattr(owner, name)
        setattr(owner, name, functools.wraps(replaced)(wrapper(replaced)))


def _leave(_number, _frame):
    """End the streams as clients expect it, then the process, as it would have by itself."""
    stream_hub.end_all()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Timer(FAREWELL, os.kill, (os.getpid(), signal.SIGTERM)).start()


def _gated(serve):
    places = threading.BoundedSemaphore(AT_ONCE)

    def gated(self, environ, start_response):
        if not environ["PATH_INFO"].startswith("/mcp"):
            return serve(self, environ, start_response)
        # Until the answer begins: a stream itself needs no place.
        with places:
            return serve(self, environ, start_response)

    return gated


def _patient(borrow):
    """For those that were let in before there was a gate, while this addon was being loaded."""

    def patient(self, connection_info):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return borrow(self, connection_info)
            except PoolError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE)

    return patient


def _unframed(finalize):
    """Let the end of the connection be the end of an event stream (RFC 9112, 6.3), which has no chunks then.

    In chunks, a stream without the last of them has failed: the official Python clients then come back once, after the
    time that they were told first, and give up. After an end they take what the stream has told them, and come back
    twice. Events are whole or nothing by themselves.
    """

    def unframed(self):
        finalize(self)
        if self.response_use_chunked and (b"Content-Type", sse.CONTENT_TYPE.encode()) in self.response_headers:
            self.response_headers.remove((b"Transfer-Encoding", b"chunked"))
            self.response_headers.append((b"Connection", b"close"))
            self.response_use_chunked = False
            self.close_connection = True

    return unframed
