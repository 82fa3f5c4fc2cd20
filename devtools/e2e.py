"""End-to-end tests: tests/e2e/test_*.py with real clients against a real server on the demo database.

They are plain unittest and run in the venv of the official SDK. What they get in the environment:
MCP_URL, MCP_BASE, MCP_GEVENT_URL, MCP_DB, MCP_TOKEN (user `demo`), MCP_ADMIN_TOKEN, MCP_LEGACY_PYTHON,
MCP_SERVER_LOG; `devtools` is importable (devtools.clients.node() gives Node, fetched when first asked for).
"""

import json
import re
import subprocess
import time
from pathlib import Path

from . import clients, databases, demo_user, odoo_log, paths, results, server, tokens, venvs
from .console import say, step
from .results import Result

FOLDER = paths.ROOT / "tests" / "e2e"
RUNNER = Path(__file__).parent / "scripts" / "run_unittest.py"
PORT = 18069
# Browsers open connections ahead of need. Odoo's workers give them two seconds, and werkzeug calls that an error.
SILENT_CONNECTION = re.compile(r" werkzeug: .*Request timed out")


def run(patterns=None):
    """Run them (those whose name contains one of `patterns`) on a fresh copy of the demo database."""
    if not list(FOLDER.glob("test_*.py")):
        say("  no end-to-end tests in tests/e2e")
        return Result()
    python, legacy = clients.python_sdk(), clients.legacy_sdk()
    with databases.temporary("full", "e2e") as database:
        with step("end-to-end server"):
            databases.lift_limits(database)
            token, admin = tokens.issue(
                database, tokens.Wanted(demo_user.LOGIN), tokens.Wanted("admin"), before=demo_user.PREPARE,
            )
            # Scheduled jobs would write, and conflict with writes, at times no test can know.
            started = server.start(database, port=PORT, options=("--max-cron-threads=0",))
        try:
            return _run_against(started, patterns or (), python, {
                "MCP_TOKEN": token, "MCP_ADMIN_TOKEN": admin, "MCP_LEGACY_PYTHON": legacy,
            })
        finally:
            server.stop(started)


def _run_against(started, patterns, python, variables):
    start = time.monotonic()
    counts = paths.STATE / f"e2e-{started.port}.json"
    counts.unlink(missing_ok=True)
    environment = {
        **venvs.environment(), **variables, "PYTHONPATH": str(paths.ROOT), "MCP_DEV_STATE": str(paths.STATE),
        "MCP_URL": started.url, "MCP_BASE": started.base, "MCP_DB": started.database,
        "MCP_GEVENT_URL": f"http://127.0.0.1:{started.gevent_port}/mcp", "MCP_SERVER_LOG": started.log,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    say("… end-to-end tests")
    subprocess.run([python, "-P", str(RUNNER), str(FOLDER), str(counts), *patterns], env=environment)
    ended = Result(failed=1, failures=("end-to-end: the run ended without counts",))
    result = Result(**json.loads(counts.read_text())) if counts.exists() else ended
    with open(started.log, errors="replace") as file:
        errors = [record for record in odoo_log.error_records(file.read()) if not SILENT_CONNECTION.search(record)]
    if errors:
        say("The server logged errors:\n" + "\n".join(errors[:10]))
        told = tuple(f"end-to-end server: {odoo_log.told(error)}" for error in errors)
        result = results.add([result, Result(failed=1, failures=told)])
    say(f"  end-to-end: {result.line()} ({time.monotonic() - start:.1f} s; server log: {started.log})")
    return result
