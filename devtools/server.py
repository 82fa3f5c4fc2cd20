"""A running Odoo: HTTP workers plus the evented process, waited for until it answers."""

import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import odoo, odoo_log, paths, ports, postgres, processes, stamps
from .console import Failure, say
from .listener import Listener

PATIENCE = 300


@dataclass(frozen=True)
class Server(Listener):
    """Where a started server is."""

    name: str
    port: int
    gevent_port: int
    database: str
    pid: int
    log: str


def start(database, *, workers=2, port=8069, fixtures=False, options=(), path="/mcp", public=None):
    """Start Odoo on `database` and wait until it answers at `path`; gives the Server.

    `public` is the address that people use, where that is a proxy's and not its own.
    """
    chosen = odoo.get()
    with stamps.lock("ports"):
        http = ports.free(port)
        if http != port:
            say(f"  port {port} is taken: using {http}")
        gevent = ports.free(http + 3)
        name = f"server-{http}"
        log = paths.LOGS / f"{name}.log"
        log.write_bytes(b"")
        # Links in answers, and the origins the endpoint accepts, follow from the base URL.
        base = public or f"http://127.0.0.1:{http}"
        postgres.query(f"UPDATE ir_config_parameter SET value = '{base}' WHERE key = 'web.base.url'", database)
        # Without workers there is no evented process, and the option would be ignored.
        command = chosen.command(
            "-d", database, f"--http-port={http}", f"--gevent-port={gevent}", f"--workers={workers}",
            "--max-cron-threads=1", *options, fixtures=fixtures,
        )
        child = processes.start(
            name, command, chosen.environment(), log, port=http, gevent_port=gevent, database=database,
        )
        server = Server(name, http, gevent, database, child.pid, str(log))
        try:
            _wait(server, child, path)  # under the lock: until then the ports look free to another ./dev
        except BaseException:
            stop(server)
            raise
    return server


def stop(server):
    """End a started server."""
    processes.stop(server.name)


def is_running(server):
    """Whether a started server has not ended."""
    return server.name in processes.records()


@contextmanager
def running(database, **options):
    """A server for the time of a block."""
    server = start(database, **options)
    try:
        yield server
    finally:
        stop(server)


def status(url, data=None):
    """The HTTP status of a request; None when nobody answers."""
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def _wait(server, child, path):
    deadline = time.monotonic() + PATIENCE
    while status(f"{server.base}/web/health") != 200:
        if child.poll() is not None:
            raise _failure(server, "ended while starting")
        if time.monotonic() > deadline:
            raise _failure(server, f"does not answer after {PATIENCE} s")
        time.sleep(0.1)
    # Without a token the answer is a refusal, but one of ours.
    code = status(server.base + path, b"{}")
    if code in (None, 404) or code >= 500:
        raise _failure(server, f"runs, but {server.base}{path} answers {code or 'nothing'}")


def _failure(server, what):
    return Failure(f"Odoo {what} (log: {server.log}):\n{odoo_log.reason(Path(server.log))}")
