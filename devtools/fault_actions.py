"""Breaking one thing of a running fixture server, as it breaks in production."""

import http.client
import os
import re
import signal
import time
from pathlib import Path

from . import bench_wire, postgres
from .console import Failure

LEAVERS = 12
ENDING = 3


def kill_http_worker(fixture):
    """End an HTTP worker at once, with what it does at this moment."""
    os.kill(_workers(fixture, "WorkerHTTP")[0], signal.SIGKILL)


def kill_cron_worker(fixture):
    """End a cron worker at once: the one that works, where one does."""
    busy = _backends_of_cron(fixture)
    pids = _workers(fixture, "WorkerCron")
    os.kill(next((pid for pid in pids if pid in busy), pids[0]), signal.SIGKILL)


def kill_evented(fixture):
    """End the evented process at once, with all streams it holds."""
    os.kill(evented_process(fixture), signal.SIGKILL)


def restart_postgresql(fixture):
    """Restart the database server, which ends every connection, and Odoo where it ends with it."""
    # So that it is away for as long as by a restart, not for as long as this disk takes.
    postgres.query("CHECKPOINT")
    postgres.restart()
    # Odoo that has noticed takes a while to end.
    time.sleep(ENDING)
    fixture.revive()


def leave(fixture, mark):
    """Clients that ask for a write and are gone before it is answered, some before it is begun."""
    for number in range(LEAVERS):
        arguments = {"model": "res.partner", "records": [{"name": f"{mark} write left {number}"}]}
        request = bench_wire.rpc("tools/call", fixture.token, name="odoo_create_records", arguments=arguments)
        connection = http.client.HTTPConnection("127.0.0.1", fixture.proxy.port, timeout=30)
        try:
            connection.request(*request)
            time.sleep(0.004 * number)
        except OSError:
            pass  # a client that cannot even ask has gone as well
        finally:
            connection.close()


def evented_process(fixture):
    """The pid of the evented process. Failure when there is none within seconds."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for pid in _children(fixture.server.pid):
            if b"gevent" in _read(f"/proc/{pid}/cmdline").split(b"\0"):
                return pid
        time.sleep(0.1)
    raise Failure("The evented process does not run.")


def http_workers(fixture):
    """The pids of the HTTP workers."""
    return _workers(fixture, "WorkerHTTP")


def _workers(fixture, kind):
    log = Path(fixture.server.log).read_text(errors="replace")
    started = {int(pid) for pid in re.findall(rf"Worker {kind} \((\d+)\) alive", log)}
    alive = sorted(started & set(_children(fixture.server.pid)))
    if not alive:
        raise Failure(f"No {kind} runs.")
    return alive


def _backends_of_cron(fixture):
    """Pids of Odoo processes that hold a transaction open, as the application name tells."""
    rows = postgres.query(
        f"SELECT application_name FROM pg_stat_activity WHERE datname = '{fixture.database}'"
        " AND state IN ('active', 'idle in transaction') AND pid <> pg_backend_pid()"
    )
    return {int(found[1]) for (name,) in rows if (found := re.search(r"odoo-(\d+)", name))}


def _children(parent):
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            fields = _read(folder / "stat").rpartition(b")")[2].split()
            if len(fields) > 1 and int(fields[1]) == parent and fields[0] != b"Z":
                yield int(folder.name)


def _read(path):
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""  # it has ended meanwhile
