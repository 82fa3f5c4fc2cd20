"""Event streams without any SDK between: opened, read line by line, closed."""

import contextlib
import http.client
import json
import queue
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from endpoint import META, MODERN, Endpoint

PATIENCE = 20
LISTEN = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "subscriptions/listen"}


class Stream:
    """An open event stream; a thread reads it."""

    def __init__(self, base, method, path, headers, body=None):
        parts = urlsplit(base)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
        self.connection.request(method, path, body, {"Accept": "application/json, text/event-stream", **headers})
        # The answer takes it over.
        self.socket = self.connection.sock
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.last_id, self.heartbeats, self.ended = None, 0, threading.Event()
        self.retry = None
        self._events = queue.Queue()
        if self.status == 200:
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        event, data = "message", None
        try:
            while line := self.answer.readline():
                name, _colon, value = line.decode().rstrip("\n").partition(":")
                value = value.removeprefix(" ")
                if not line.strip():
                    if data:
                        self._events.put((event, data))
                    event, data = "message", None
                elif line.startswith(b":"):
                    self.heartbeats += 1
                elif name == "data":
                    data = value
                elif name == "event":
                    event = value
                elif name == "id":
                    self.last_id = value
                elif name == "retry":
                    self.retry = int(value)
        except (OSError, AttributeError, http.client.HTTPException):
            pass
        finally:
            self.ended.set()

    def event(self, patience=PATIENCE):
        """The next event's (name, data)."""
        return self._events.get(timeout=patience)

    def message(self, patience=PATIENCE):
        """The next event's message."""
        return json.loads(self.event(patience)[1])

    def methods(self, seconds=1.0):
        """The methods of the messages that come within so many seconds, or are there."""
        found, deadline = [], time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = self.message(left)
            except queue.Empty:
                break
            found.append(message.get("method", "result"))
        return found

    def close(self):
        """Hang up. Not by closing anything, which would wait for the reader."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


class Client:
    """One person's client of a server, in either era."""

    def __init__(self, base, token):
        self.endpoint = Endpoint(base, token)
        self.headers = {"Authorization": f"Bearer {token}"}

    def session(self, version="2025-11-25"):
        """The headers of a new session."""
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "streams", "version": "1"}}
        answer = self.endpoint.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return {"Mcp-Session-Id": headers["mcp-session-id"], "MCP-Protocol-Version": version}

    def get(self, headers=None, path="/mcp"):
        """The stream of a GET."""
        return Stream(self.endpoint.base, "GET", path, {**self.headers, **(headers or {})})

    def listen(self, meta=META, **wished):
        """The stream of a `subscriptions/listen`."""
        params = {"notifications": wished, "_meta": meta}
        body = {"jsonrpc": "2.0", "id": "listen-1", "method": "subscriptions/listen", "params": params}
        headers = {**self.headers, **LISTEN, "Content-Type": "application/json"}
        return Stream(self.endpoint.base, "POST", "/mcp", headers, json.dumps(body))

    def ask(self, method, params=None, headers=None):
        """The answer to a request of the handshake era."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        return self.endpoint.post(body, headers)


def evented_pid(server):
    """The id of the evented process of a running `devtools.server.Server`."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"gevent" in words and f"--gevent-port={server.gevent_port}".encode() in words:
                return int(folder.name)
    raise AssertionError("There is no evented process.")
