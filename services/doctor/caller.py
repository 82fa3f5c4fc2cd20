"""Requests of the server to its own public address, as a client would send them.

Each has 5 seconds, all together have a deadline: the check runs in a web request and must not hold its worker. No
redirect is followed, because clients do not. The addresses come from the settings, never from who runs the check.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .. import deadline_http

HOP_SECONDS = 5.0
LARGEST_ANSWER = 512 * 1024
USER_AGENT = "Odoo-MCP-Doctor/1"


class NoAnswer(Exception):
    """There was no HTTP answer. `kind` is `name`, `refused`, `certificate`, `timeout`, `late` or `broken`."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's first value."""
        return next(iter(self.all_of(name)), None)

    def all_of(self, name: str) -> list[str]:
        """Return the values of all headers of this name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self) -> dict | None:
        """Return the JSON object that the body is, None where it is none."""
        try:
            data = json.loads(self.body)
        except ValueError:
            return None
        return data if isinstance(data, dict) else None

    @property
    def location(self) -> str:
        """Where a redirect leads, without what it carries; empty for another answer."""
        return (self.header("Location") or "").partition("?")[0][:200] if 300 <= self.status < 400 else ""

    def __str__(self) -> str:
        kind = (self.header("Content-Type") or "no content type").partition(";")[0]
        return f"HTTP {self.status} ({f'to {self.location}' if self.location else kind})"


class Caller:
    """Sends requests until its time is up.

    :param until: a time of `time.monotonic`
    """

    def __init__(self, until: float) -> None:
        self._until = until

    def is_late(self) -> bool:
        """Say whether there is no time left."""
        return time.monotonic() >= self._until

    def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
        """Send a request and return the answer, whatever its status.

        :raises NoAnswer: there is none
        """
        until = min(time.monotonic() + HOP_SECONDS, self._until)
        parts = urlsplit(url)
        try:
            with self._connected(parts.scheme, parts.hostname or "", parts.port, until) as connection:
                path = parts.path + (f"?{parts.query}" if parts.query else "")
                sent = {"User-Agent": USER_AGENT, **(headers or {}), "Connection": "close"}
                if body or method == "POST":
                    sent["Content-Length"] = str(len(body))
                lines = [f"{name}: {value}" for name, value in {"Host": parts.netloc, **sent}.items()]
                deadline_http.send(connection, [f"{method} {path or '/'} HTTP/1.1", *lines], until)
                _send_body(connection, body)
                answer = deadline_http.answer_of(connection, method, LARGEST_ANSWER, until)
                return Reply(answer.status, tuple(answer.getheaders()), answer.read())
        except TimeoutError:
            kind = "late" if self.is_late() else "timeout"
            raise NoAnswer(kind, f"no answer within {HOP_SECONDS:g} seconds") from None
        except ssl.SSLCertVerificationError as error:
            raise NoAnswer("certificate", error.verify_message) from None
        except socket.gaierror:
            raise NoAnswer("name", f"this server cannot look up the name {parts.hostname}") from None
        except ConnectionRefusedError:
            raise NoAnswer("refused", f"nobody listens at {parts.netloc}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise NoAnswer("broken", f"the connection broke ({type(error).__name__})") from None

    def _connected(self, scheme: str, host: str, port: int | None, until: float) -> socket.socket:
        default = 443 if scheme == "https" else 80
        plain = socket.create_connection((host, port or default), timeout=deadline_http.left(until))
        if scheme != "https":
            return plain
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise


def _send_body(connection: socket.socket, body: bytes) -> None:
    try:
        connection.sendall(body)
    except (BrokenPipeError, ConnectionResetError):
        # A proxy that refuses a long body answers first and hangs up: its answer can often still be read.
        return
