"""What goes on while something breaks: clients that write and read, and one that listens.

A client does what a careful one does: a write that was not answered is sent again with its idempotency key, until it
is. So afterwards it is known what must be in the database: each write that was begun, once.
"""

import http.client
import json
import threading
import time

from . import bench_wire
from .stream_client import EventStream

WRITERS = 3
READERS = 1
PATIENCE = 45
PAUSE = 0.03
JOB_ROWS = 1500


class Load:
    """Clients against one server, for the time of a block."""

    def __init__(self, fixture, mark):
        self.fixture, self.mark = fixture, mark
        self.answered = 0
        self.retries = 0
        self.written = []
        self.abandoned = []
        self.gaps = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [
            *(threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)),
            *(threading.Thread(target=self._read) for _number in range(READERS)),
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def outage(self):
        """The longest time in which a client that asked all the while got no answer."""
        return max(self.gaps, default=0.0)

    def _write(self, number):
        count = 0
        while not self._stop.is_set():
            count += 1
            name = f"{self.mark} write {number}.{count}"
            arguments = {"model": "res.partner", "records": [{"name": name}], "idempotency_key": name}
            if self._until_answered("odoo_create_records", arguments):
                self.written.append(name)
            else:
                self.abandoned.append(name)
            time.sleep(PAUSE)

    def _read(self):
        arguments = {"model": "res.partner", "fields": ["name"], "limit": 5}
        while not self._stop.is_set():
            self._until_answered("odoo_search_records", arguments)
            time.sleep(PAUSE)

    def _until_answered(self, tool, arguments):
        started = time.monotonic()
        while time.monotonic() < started + PATIENCE:
            if called(self.fixture, tool, arguments) is not None:
                with self._lock:
                    self.answered += 1
                    self.gaps.append(time.monotonic() - started)
                return True
            with self._lock:
                self.retries += 1
            time.sleep(0.1)
        return False


def submitted(fixture, mark):
    """Queue a job that works while it breaks: an import in parts. Its id, and the names of what it has to make."""
    names = [f"{mark} job {number}" for number in range(JOB_ROWS)]
    rows = [{"id": name.replace(" ", "_"), "name": name} for name in names]
    arguments = {"model": "res.partner", "rows": rows}
    call = {"tool": "odoo_import_records", "arguments": arguments, "in_parts": True}
    return called(fixture, "odoo_run_job", call)["id"], names


def called(fixture, tool, arguments, timeout=30):
    """A call's structured content; None when it was not answered, or with an error that is no answer."""
    method, path, body, headers = bench_wire.rpc("tools/call", fixture.token, name=tool, arguments=arguments)
    connection = http.client.HTTPConnection("127.0.0.1", fixture.proxy.port, timeout=timeout)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = json.loads(answer.read())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    result = data.get("result") or {}
    return None if result.get("isError", True) else result.get("structuredContent")


def listening(fixture, **wanted):
    """An open `subscriptions/listen` stream that was acknowledged."""
    method, path, body, headers = bench_wire.rpc("subscriptions/listen", fixture.token, notifications=wanted)
    stream = EventStream(fixture.base + path, fixture.token, method, json.loads(body), headers)
    if stream.status != 200:
        stream.close()
        raise ConnectionError(f"subscriptions/listen answers {stream.status}")
    try:
        stream.wait_for(lambda message: message.get("method") == "notifications/subscriptions/acknowledged", 5)
    except (OSError, TimeoutError) as error:
        stream.close()
        raise ConnectionError("subscriptions/listen is not acknowledged") from error
    return stream
