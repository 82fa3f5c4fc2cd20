"""Refusals under a flood, held back for a while without a worker.

A client that calls again the moment it is refused would keep every worker busy with refusing it, and the queue of the
port full. So once a worker has refused several requests within a second, it lays further refusals aside: the answer is
ready, its connection stays open, and a thread sends it a second later or more, a few each second. The worker goes on
to the next request at once. A client refused now and then gets its answer now.
"""

import heapq
import logging
import os
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from odoo.http import Response

_logger = logging.getLogger(__name__)

HELD_SECONDS = 1.0
# Those who wait come back at this pace, whatever their number: it is how much of a worker refusing may take.
PACE = 0.12
# Well within what clients wait for an answer.
LONGEST_HOLD = 12.0
# So many refusals of one worker in one second are a flood.
FREE_REFUSALS = 5
# Of the open files that a process may have.
MOST_HELD = 200


@dataclass(order=True)
class _Held:
    due: float
    connection: socket.socket = field(compare=False)
    stand_in: socket.socket = field(compare=False)
    data: bytes = field(compare=False)


class HeldAnswers:
    """The answers that this process holds back."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._held: list[_Held] = []
        self._recent: deque[float] = deque(maxlen=FREE_REFUSALS)
        self._owner = 0
        self._last_due = 0.0

    def is_flooded(self) -> bool:
        """Note a refusal, and say whether there have been too many within a second."""
        now = time.monotonic()
        with self._condition:
            flooded = len(self._recent) == FREE_REFUSALS and now - self._recent[0] < 1.0
            self._recent.append(now)
            return flooded and len(self._held) < MOST_HELD

    def hold(self, connection: socket.socket, data: bytes) -> None:
        """Send `data` over the connection in a while. What the server writes to it from now on goes nowhere."""
        stand_in, other_end = socket.socketpair()
        # The server finds the end of the request at once, and writes its answer where nobody reads it.
        other_end.shutdown(socket.SHUT_WR)
        kept = socket.socket(fileno=os.dup(connection.fileno()))
        with stand_in:
            os.dup2(stand_in.fileno(), connection.fileno(), inheritable=False)
        with self._condition:
            now = time.monotonic()
            self._last_due = min(max(now + HELD_SECONDS, self._last_due + PACE), now + LONGEST_HOLD)
            heapq.heappush(self._held, _Held(self._last_due, kept, other_end, data))
            if self._owner != os.getpid():
                # Threads do not survive a fork.
                self._owner = os.getpid()
                threading.Thread(target=self._send_due, name="mcp.held_answers", daemon=True).start()
            self._condition.notify()

    def _send_due(self) -> None:
        while True:
            with self._condition:
                while not self._held or (wait := self._held[0].due - time.monotonic()) > 0:
                    self._condition.wait(wait if self._held else None)
                item = heapq.heappop(self._held)
            with item.connection, item.stand_in:
                try:
                    # Smaller than any send buffer: this never waits for the client.
                    item.connection.setblocking(False)
                    item.connection.send(item.data)
                    item.connection.shutdown(socket.SHUT_WR)
                except OSError:
                    _logger.debug("A refused client has gone.")


_answers = HeldAnswers()


class RefusalResponse(Response):
    """A refusal for now: sent at once, or under a flood a second later."""

    def __call__(self, environ, start_response):
        connection = environ.get("werkzeug.socket")
        if connection is not None and _answers.is_flooded():
            _answers.hold(connection, _as_bytes(super().__call__, environ))
        return super().__call__(environ, start_response)


def _as_bytes(application, environ) -> bytes:
    """Return what the server would send for this WSGI application."""
    lines = []

    def start(status, headers, _exc_info=None):
        lines.append(f"HTTP/1.1 {status}")
        lines.extend(f"{name}: {value}" for name, value in headers)

    body = b"".join(application(environ, start))
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body
