"""One HTTP/1.1 exchange over a connected socket, with one deadline for all of it and a limit of bytes.

A socket's own timeout is per read: a server that sends a byte now and then holds a reader for as long as it likes.
What is asked for and whether the answer is acceptable is the caller's business.
"""

from __future__ import annotations

import http.client
import io
import socket
import time


def left(until: float) -> float:
    """Return the seconds left until a time of `time.monotonic`.

    :raises TimeoutError: none are
    """
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def send(connection: socket.socket, lines: list[str], until: float) -> None:
    """Send a request without body: its first line and its headers."""
    connection.settimeout(left(until))
    connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))


def answer_of(connection: socket.socket, method: str, limit: int, until: float) -> http.client.HTTPResponse:
    """Return the answer, its head read, its body to be read.

    :param limit: most bytes to take from the connection, head included
    :raises http.client.HTTPException: the answer is not HTTP
    :raises ValueError: it exceeds the limit
    """
    answer = http.client.HTTPResponse(_Incoming(connection, limit, until), method=method)
    answer.begin()
    return answer


class _Incoming(io.RawIOBase):
    """What a connection sends, until the deadline and up to `limit` bytes."""

    def __init__(self, connection: socket.socket, limit: int, until: float) -> None:
        super().__init__()
        self._connection = connection
        self._limit = limit
        self._until = until

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Give `http.client` the file that it asks a socket for."""
        # Nothing may be read ahead: after a proxy's answer the same connection speaks TLS.
        return io.BufferedReader(self, buffer_size=1)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        if self._limit <= 0:
            raise ValueError("too much data")
        self._connection.settimeout(left(self._until))
        size = self._connection.recv_into(buffer, min(len(buffer), self._limit))
        self._limit -= size
        return size
