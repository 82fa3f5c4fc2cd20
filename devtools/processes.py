"""Long-running children: started detached, recorded by pid and start time, ended by the record."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from . import paths


def start(name, command, environment, log, *, stdin=os.devnull, **facts):
    """Start a process of its own session, record it as `name`, give its Popen."""
    with open(log, "ab") as output, open(stdin, "rb") as given:
        child = subprocess.Popen(
            command, env=environment, stdin=given, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )
    record = {"pid": child.pid, "started": _started(child.pid), "log": str(log), **facts}
    # Written aside first: another ./dev may be reading the records.
    draft = paths.RUN / f"{name}.draft"
    draft.write_text(json.dumps(record))
    draft.replace(paths.RUN / f"{name}.json")
    return child


def records():
    """{name: record} of the processes that still run; forgets the others."""
    alive = {}
    for file in sorted(paths.RUN.glob("*.json")):
        try:
            record = json.loads(file.read_text())
        except FileNotFoundError:
            continue  # another ./dev forgot it meanwhile
        # A pid alone may have been given to somebody else since.
        if _started(record["pid"]) == record["started"] is not None:
            alive[file.stem] = record
        else:
            file.unlink(missing_ok=True)
    return alive


def stop(name, patience=15):
    """End a recorded process and its children; True if it ran."""
    record = records().get(name)
    if not record:
        return False
    _signal(record["pid"], signal.SIGTERM)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and _started(record["pid"]) == record["started"]:
        _reap(record["pid"])
        time.sleep(0.1)
    if _started(record["pid"]) == record["started"]:
        os.killpg(record["pid"], signal.SIGKILL)
        _reap(record["pid"])
    (paths.RUN / f"{name}.json").unlink(missing_ok=True)
    return True


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _reap(pid):
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass  # somebody else's child: its parent reaps it


def _started(pid):
    """Start time of a process in clock ticks since boot, with the boot's id; None if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[0] == "Z":
        return None
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}:{fields[19]}"
