"""One open event stream, as the process that holds it keeps it: what it waits for, and the bytes still to be sent.

It is the body of a WSGI answer: the server takes its chunks and sends them. It keeps no request, no environment and no
cursor, because there may be hundreds.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import time
from collections.abc import Callable, Mapping

from . import sse
from .exchange import Credential

# Of what a client has not taken yet. One that reads slower than this loses the stream, and can resume.
MOST_WAITING = 2 * 1024 * 1024
# Seconds that a client has for what was waiting when its stream was ended.
LONGEST_FAREWELL = 30.0
_END = None


class HeldStream:
    """An open stream. The hub puts chunks in, the server takes them out.

    :param kind: `session` (GET with a session), `legacy` (HTTP+SSE), `resumed` (GET with `Last-Event-ID`), `listen`
    :param place: what was reserved for it, see `stream_index`
    :param name: of its events: those of the outbox, or of the session's standalone stream
    :param last: the event after which it goes on; in the outbox, or for `session` on the bus
    :param version: name of the protocol revision
    :param tag: members of `_meta` that every notification carries
    :param farewell: what is sent last when the server ends the stream
    """

    __slots__ = (
        "_close", "_first", "_waiting", "bytes_waiting", "connection", "credential", "ended_at", "farewell", "is_over",
        "kind", "last", "lists", "name", "place", "session_id", "tag", "tasks", "told", "topics", "uris", "version",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        credential: Credential,
        *,
        place: str = "",
        name: str = "",
        last: int = 0,
        session_id: int | None = None,
        version: str = "",
        first: bytes = sse.COMMENT,
        tag: Mapping[str, object] | None = None,
        farewell: bytes = b"",
    ) -> None:
        self.kind, self.credential, self.place, self.name, self.last = kind, credential, place, name, last
        self.session_id, self.version, self.tag, self.farewell = session_id, version, tag, farewell
        self.lists: tuple[str, ...] = ()
        self.uris: Mapping[str, tuple[str, ...]] = {}
        # Ids of tasks by the topics on which they may have come further, and what was told of each last.
        self.tasks: Mapping[str, str] = {}
        self.told: dict[str, object] = {}
        # What the hub has filed it under.
        self.topics: frozenset[str] = frozenset()
        self.connection: socket.socket | None = None
        self.is_over = False
        # On the monotonic clock; what is still to be sent may take longer.
        self.ended_at = 0.0
        self.bytes_waiting = 0
        self._first: bytes | None = first
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._close: Callable[[HeldStream], None] | None = None

    def on_close(self, close: Callable[[HeldStream], None]) -> None:
        """Set what is called once when the connection is done with the stream."""
        self._close = close

    def push(self, chunk: bytes) -> None:
        """Send a chunk as soon as the client takes it. Never waits."""
        if self.is_over:
            return
        self.bytes_waiting += len(chunk)
        if self.bytes_waiting > MOST_WAITING:
            self.end(farewell=b"")
        else:
            self._waiting.put(chunk)

    def end(self, farewell: bytes | None = None) -> None:
        """End the stream after what is waiting; with its own farewell unless another is given."""
        if not self.is_over:
            self.ended_at = time.monotonic()
            self.is_over = True
            last = self.farewell if farewell is None else farewell
            if last:
                self._waiting.put(last)
            self._waiting.put(_END)

    def cut(self) -> None:
        """Close the connection of a client that does not take the end of its stream: only that frees its place."""
        connection = self.connection
        if connection is not None and self.is_over and time.monotonic() - self.ended_at > LONGEST_FAREWELL:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __iter__(self) -> HeldStream:
        return self

    def __next__(self) -> bytes:
        # At once, so that the client gets its headers whatever the hub is doing.
        chunk, self._first = self._first, None
        if chunk is None:
            chunk = self._waiting.get()
            if chunk is _END:
                raise StopIteration
            self.bytes_waiting -= len(chunk)
        return chunk

    def close(self) -> None:
        """Called by the server when the client has gone or the stream is at its end."""
        # First: what comes after the stream on this connection is not ours to cut.
        self.connection = None
        self.is_over = True
        close, self._close = self._close, None
        if close is not None:
            close(self)
