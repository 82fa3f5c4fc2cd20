"""A Redis of our own: on loopback, without a file on disk, started only by what needs it."""

import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass

from . import debian, paths, ports, processes, stamps
from .console import Failure

PORT = 16379
PATIENCE = 60


@dataclass(frozen=True)
class Redis:
    """A Redis that can be taken away and brought back, empty, at the same address."""

    name: str
    port: int

    @property
    def url(self):
        """What clients connect to."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        """Start it and wait until it answers."""
        program = debian.need("redis-server", "redis-server", "tests of rate limits")
        log = paths.LOGS / f"{self.name}.log"
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        processes.start(self.name, command, None, log, port=self.port)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if time.monotonic() > deadline:
                raise Failure(f"Redis does not start: see {log}")
            time.sleep(0.02)

    def stop(self):
        """End it; what it has counted is gone."""
        processes.stop(self.name)

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
        except OSError:
            return False


@contextmanager
def running():
    """A Redis for the time of a block."""
    with stamps.lock("ports"):
        port = ports.free(PORT)
        redis = Redis(f"redis-{port}", port)
        redis.start()
    try:
        yield redis
    finally:
        redis.stop()
