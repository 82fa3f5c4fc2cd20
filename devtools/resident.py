"""Odoo tests in a resident process: the registry stays loaded, a run is a fork of it."""

import json
import os
import socket
import time
from pathlib import Path

from . import addon_source, addon_tests, databases, odoo, paths, processes, stamps
from .console import Failure, say, step
from .odoo_tests import log_file, report

SCRIPT = Path(__file__).parent / "scripts" / "resident.py"
PATIENCE = 120


def run(spec, size):
    """Run tests in the resident process of a database size, started anew when it is stale."""
    name = f"resident-{size}"
    with stamps.lock(name):
        _ensure(name, size)
        start = time.monotonic()
        log = log_file()
        counts = log.with_suffix(".json")
        code = _ask(name, {
            "spec": spec, "modules": addon_tests.modules(), "log": str(log), "counts": str(counts),
        })
        found = json.loads(counts.read_text()) if counts.exists() else {"failed": 0, "total": 0, "skipped": 0}
        counts.unlink(missing_ok=True)
    code = code or min(1, found["failed"])
    return report(f"{spec} in the resident process", log, code, time.monotonic() - start, **found)


def _ensure(name, size):
    key = stamps.digest(
        addon_source.installed_digest(), addon_source.fixtures_digest(), odoo.get().version, SCRIPT.read_bytes(),
    )
    record = processes.records().get(name)
    if record and record["key"] == key:
        return
    if record:
        say("  the addon's data or fields changed: the resident process starts anew")
        processes.stop(name)
    database = f"fast_{size}"
    with step(f"resident test process ({size} database)"):
        databases.create(database, size)
        if addon_source.fixtures():
            databases.run_odoo(database, "-i", ",".join(addon_source.fixtures()), "--stop-after-init", fixtures=True)
        _start(name, database, key)


def _start(name, database, key):
    address = _socket(name)
    address.unlink(missing_ok=True)
    chosen = odoo.get()
    log = paths.LOGS / f"{name}.log"
    child = processes.start(
        name,
        chosen.command("shell", "-d", database, "--no-http", "--max-cron-threads=0", "--workers=0", fixtures=True),
        {**chosen.environment(), "MCP_DEV_RESIDENT_SOCKET": str(address)},
        log, stdin=SCRIPT, key=key, database=database,
    )
    deadline = time.monotonic() + PATIENCE
    while not address.exists():
        if child.poll() is not None or time.monotonic() > deadline:
            raise Failure(f"The resident process does not start: see {log}")
        time.sleep(0.05)


def _ask(name, request):
    """Send a run, wait for its end, give the exit code."""
    folder = os.open(_socket(name).parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            # By way of the folder's descriptor: a socket's path has a length limit.
            connection.connect(f"/proc/self/fd/{folder}/{_socket(name).name}")
            with connection.makefile("rw") as stream:
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                return int(stream.readline() or 1)
    except OSError as error:
        processes.stop(name)
        raise Failure(f"The resident process does not answer ({error}): stopped it, try again.") from error
    finally:
        os.close(folder)


def _socket(name):
    return paths.RUN / f"{name}.sock"
