"""Free ports on loopback."""

import socket

from .console import Failure


def free(wanted, span=200):
    """`wanted` or the next port after it that nobody listens on."""
    for port in range(wanted, min(wanted + span, 65535)):
        if _is_free(port):
            return port
    raise Failure(f"No free port between {wanted} and {wanted + span}.")


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
