"""An event stream read on a thread of its own, with nothing but the standard library between."""

import http.client
import json
import queue
import socket
import threading
import time
from urllib.parse import urlsplit


class EventStream:
    """One open stream. Messages wait in a queue until somebody asks for them."""

    def __init__(self, url, token, method="GET", body=None, headers=None, timeout=60):
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        sent = {
            "Accept": "text/event-stream" if method == "GET" else "application/json, text/event-stream",
            "Authorization": f"Bearer {token}", "Content-Type": "application/json", **(headers or {}),
        }
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._connection.request(method, path, None if body is None else json.dumps(body).encode(), sent)
        # Kept by itself: the connection lets go of it when the answer has no length.
        self._socket = self._connection.sock
        self._answer = self._connection.getresponse()
        self.status, self.headers = self._answer.status, dict(self._answer.getheaders())
        self.last_event_id = None
        self.retry = None
        self.events = []
        self._queue = queue.Queue()
        self._ended = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def has_ended(self):
        """Whether the other side has closed it."""
        return self._ended.is_set()

    def next(self, seconds=10):
        """The next message: (event name, data as text), None at the end. TimeoutError when nothing came."""
        try:
            return self._queue.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"No event within {seconds} s; so far: {self.events}") from None

    def wait_for(self, fits, seconds=10):
        """The next JSON-RPC message for which `fits` is true. ConnectionError when the stream ends before."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.next(max(deadline - time.monotonic(), 0.001))
            if found is None:
                raise ConnectionError(f"The stream has ended; it held {self.events}")
            message = json.loads(found[1])
            if fits(message):
                return message

    def close(self):
        """Leave, as a client does that is killed."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already
        self._socket.close()

    def _read(self):
        name, data = "message", []
        try:
            for raw in self._answer:
                line = raw.decode().rstrip("\r\n")
                if not line:
                    self._deliver(name, data)
                    name, data = "message", []
                    continue
                field, _colon, value = line.partition(":")
                name, data = self._take(field, value.removeprefix(" "), name, data)
        except (OSError, ValueError, http.client.HTTPException):
            pass  # however it ends, it has ended
        self._ended.set()
        self._queue.put(None)

    def _take(self, field, value, name, data):
        match field:
            case "event":
                name = value
            case "data":
                data = [*data, value]
            case "id":
                self.last_event_id = value
            case "retry":
                self.retry = int(value)
        return name, data

    def _deliver(self, name, data):
        text = "\n".join(data)
        if text:  # an event without data only carries an id
            self.events.append(text)
            self._queue.put((name, text))
