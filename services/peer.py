"""Whether the other end of a connection is still there, without reading from it and without waiting."""

from __future__ import annotations

import os
import socket

# The plain one: where the server runs on greenlets, `socket.socket` waits for what is not there.
from _socket import socket as PlainSocket


def is_gone(connection: socket.socket) -> bool:
    """Say whether the client has closed its connection."""
    try:
        duplicate = PlainSocket(fileno=os.dup(connection.fileno()))
    except OSError:
        return True
    try:
        return duplicate.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        duplicate.close()
