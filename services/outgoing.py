"""What leaves Odoo while a call runs: in a rehearsal nothing may, and what would have left is written down.

A rehearsal belongs to the thread (or greenlet) that runs it, so that code which opens a cursor or a session of its own
is silenced too. E-mail is silenced where Odoo sends it (`models/mail_mute.py`), what a rollback does not reach where it
is stored (`models/storage_mute.py`). Other servers are silenced here: `requests`, which Odoo's IAP, SMS, payment, EDI
and webhook code all go through, and `socket.create_connection`, by which the standard library reaches a host (urllib,
XML-RPC, SMTP, FTP, IMAP).
"""

from __future__ import annotations

import contextlib
import functools
import socket
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

# What is listed of one rehearsal; the rest is counted.
MOST_LISTED = 20


class OutgoingMuted(requests.exceptions.ConnectionError):
    """A request to another server that a rehearsal did not make. Code that handles a lost connection handles this."""

    def __init__(self, host: str) -> None:
        super().__init__(f"A dry run does not contact {host}.")
        self.host = host


@dataclass
class Outgoing:
    """What would have left Odoo during one rehearsal, and how many numbers it would have drawn from each sequence."""

    emails: list[dict[str, object]] = field(default_factory=list)
    webhooks: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    numbers: dict[tuple[str, int], int] = field(default_factory=dict)

    def refuse(self, host: str) -> None:
        """Note a request to another server. :raises OutgoingMuted: always"""
        if host not in self.hosts:
            self.hosts.append(host)
        raise OutgoingMuted(host)


_current: ContextVar[Outgoing | None] = ContextVar("mcp_rehearsal", default=None)


def current() -> Outgoing | None:
    """Return the notes of the rehearsal that runs here, None when what runs is real."""
    return _current.get()


@contextlib.contextmanager
def muted() -> Iterator[Outgoing]:
    """Silence what leaves Odoo from here. A rehearsal inside a rehearsal adds to the notes of the outer one."""
    notes = _current.get() or Outgoing()
    token = _current.set(notes)
    try:
        yield notes
    finally:
        _current.reset(token)


def _silence(session: type[requests.Session]) -> None:
    """Make `requests` ask whether a rehearsal runs. Outside one it behaves as before, for every database."""
    original = session.send
    if getattr(original, "_mcp_asks", False):
        return

    @functools.wraps(original)
    def send(self: requests.Session, request: requests.PreparedRequest, **options: object) -> requests.Response:
        notes = current()
        if notes is not None:
            notes.refuse(urlsplit(request.url or "").hostname or "another server")
        return original(self, request, **options)

    send._mcp_asks = True
    session.send = send


def _silence_sockets() -> None:
    original = socket.create_connection
    if getattr(original, "_mcp_asks", False):
        return

    @functools.wraps(original)
    def create_connection(address: tuple[str, int], *args: object, **options: object) -> socket.socket:
        notes = current()
        if notes is not None:
            notes.refuse(str(address[0]))
        return original(address, *args, **options)

    create_connection._mcp_asks = True
    socket.create_connection = create_connection


_silence(requests.Session)
_silence_sockets()
