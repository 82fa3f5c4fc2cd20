"""The addon's Odoo tests: run by Odoo on a copy of a prepared database, counted from its log."""

import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from . import addon_tests, chromium, databases, odoo, odoo_log, paths
from .console import say
from .results import Result

SUMMARY = re.compile(r"odoo\.tests\.result: (\d+) failed, (\d+) error\(s\) of (\d+) tests")
# Odoo runs tests one after the other. Parts on databases of their own run side by side.
PARTS = 3
AT_ONCE = 2
SHOWN = 40  # error records printed of a run; the log has all
REPORTED = re.compile(r"^[^\n]*: (FAIL|ERROR): |^[^\n]* odoo\.tests\.result: ")
SKIPPED = re.compile(r" INFO \S+ odoo\.addons\.\S+: skipped ")


def run_all():
    """All Odoo tests: in parts on the small database, and those that ask for the full demo database."""
    need_browser()
    parts = [
        (f"{spec},-{addon_tests.FULL_TAG}", "small", f"part {number} of {PARTS}")
        for number, spec in enumerate(addon_tests.parts(PARTS), 1)
    ]
    if addon_tests.any_full():
        parts.insert(0, (addon_tests.FULL_TAG, "full", addon_tests.FULL_TAG))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda part: run(*part), parts))


def run_chosen(tags, *, size=None, fast=False):
    """The tests of `tags` (None: all), on the database that they ask for."""
    need_browser()
    spec = addon_tests.spec(tags)
    chosen = size or addon_tests.size(spec)
    if fast:
        from . import resident

        return [resident.run(spec, chosen)]
    return [run(spec, chosen)]


def need_browser():
    """Install Chromium when tests open pages and it is missing."""
    if addon_tests.need_browser():
        chromium.program()


def run(spec, size, title=None):
    """Run the tests of an Odoo test-tags specification on a copy of a prepared database."""
    start = time.monotonic()
    title = f"{title or spec} on the {size} database"
    say(f"… Odoo tests, {title}")
    log = log_file()
    # The addon is installed on the way: that is itself a test, and at_install tests run too.
    with databases.temporary(size, log.stem.replace("-", "_"), addon=False) as database:
        code = _run_odoo(database, spec, log)
    text = log.read_text(errors="replace")
    failed = total = 0
    for match in SUMMARY.finditer(text):
        failed, total = int(match[1]) + int(match[2]), int(match[3])
    return report(title, log, code, time.monotonic() - start, failed, total, len(SKIPPED.findall(text)))


def report(title, log, code, seconds, failed, total, skipped):
    """Print what a run's log says about failures; the Result, from Odoo's counts and exit code."""
    errors = odoo_log.error_records(log.read_text(errors="replace"))
    for record in errors[:SHOWN]:
        say(record)
    passed = max(0, total - failed - skipped)
    failures = tuple(f"{title}: {odoo_log.told(record)}" for record in errors if SUMMARY.search(record) is None)
    # An error that the server logged counts as one failure; so does a failure outside of any test.
    if any(not REPORTED.search(record) for record in errors) or (code and not failed):
        failed += 1
    result = Result(passed, failed, skipped, failures)
    say(f"  Odoo, {title}: {result.line()} ({seconds:.1f} s; log: {log})")
    return result


def log_file():
    """A log for one run; those of the last runs are kept."""
    for pattern in ("test-*.log", "run_*.log"):
        for old in sorted(paths.LOGS.glob(pattern), key=os.path.getmtime)[:-30]:
            old.unlink(missing_ok=True)
    return paths.LOGS / f"test-{os.getpid()}-{time.time_ns() // 1000 % 10**9}.log"


def _run_odoo(database, spec, log):
    chosen = odoo.get()
    with open(log, "w") as file:
        return subprocess.run(
            chosen.command(
                "-d", database, "-i", ",".join(addon_tests.modules()), "--test-tags", spec, "--stop-after-init",
                "--workers=0", "--max-cron-threads=0", "--http-port=0", f"--screenshots={paths.STATE / 'screenshots'}",
                fixtures=True,
            ),
            env=chosen.environment(), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
        ).returncode
