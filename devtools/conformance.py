"""run the official conformance suite against the addon

The current suite, at every revision that it knows, and the last one of 2025. Each scenario is either run or left out
for a reason that is stated in this file, and so is each single check that the suite skips. The way is the one of real
clients: nginx with the README's recipe, 2 HTTP workers, the evented process, cron workers. The test tools that the
suite asks for come from the fixture addon.
"""

import json
import re
import subprocess
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import clients, conformance_login, fixture_server, setup, token_proxy, versions
from .console import Failure, say

REVISIONS = ("2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
# In place of a revision, for scenarios of extensions: they choose it themselves, and run with the newest.
EXTENSION = "extension"
# Name of the package's folder, by the name under which --suite takes it.
SUITES = {"current": "@modelcontextprotocol/conformance", "2025": "conformance-of-2025"}
PARALLEL = 2
PATIENCE = 120
LISTED = re.compile(r"^\s+- (\S+) \[(\S+)\]$", re.MULTILINE)

# The scenarios of the authorization server, which depend on each other.
LOGIN = ("authorization-server-metadata-endpoint", "authorization-code-grant")

# The scenarios that are not run (a name ending in * stands for all that begin so), each with its reason.
LEFT_OUT = {
    "server-sse-polling": "its tool leaves its stream for no reason; we do so for questions only, whose answers real "
    "clients fetch in the same way (tests/e2e/test_lasting_clients.py)",
}
# Why the suite skips checks, by scenario. A skip of any other scenario is a failure.
SKIPS = {
    "sep-2640-*": "the skills extension is optional and not served; the suite skips what is not declared",
    "tasks-status-notifications": "the suite itself has nothing to run here yet",
}


@dataclass(frozen=True)
class Outcome:
    """One scenario at one revision: how often each status came, and what failed."""

    scenario: str
    revision: str
    counts: dict
    problems: tuple = ()
    warnings: tuple = ()
    suite: str = "current"

    @property
    def failed(self):
        """Whether a check failed, was skipped for a reason we do not know, or nothing was checked at all."""
        if self.counts.get("SKIPPED") and not reason(SKIPS, self.scenario):
            return True
        return bool(self.problems) or not (self.counts.get("SUCCESS") or self.counts.get("SKIPPED"))


def add_arguments(parser):
    """What to run."""
    parser.add_argument("--requirements", choices=REVISIONS, help="only the scenarios of this revision")
    parser.add_argument("--scenario", help="only this one, even if it is left out; those of the login run together")
    parser.add_argument("--suite", choices=SUITES, help="only this suite (default: both)")


def run(arguments):
    """Run, print one line per scenario, then the totals; 0 when nothing failed."""
    setup.ready()
    with fixture_server.running("conformance") as fixture:
        outcomes = run_against(
            fixture.base, fixture.token, revision=arguments.requirements, scenario=arguments.scenario,
            suites=[arguments.suite] if arguments.suite else SUITES,
        )
        if (not arguments.scenario or arguments.scenario in LOGIN) and arguments.suite != "2025":
            outcomes += run_login(fixture, arguments.requirements)
    print(summary(outcomes), flush=True)
    return 1 if not outcomes or any(outcome.failed for outcome in outcomes) else 0


def run_against(base, token, *, revision=None, scenario=None, suites=SUITES):
    """The outcomes of the suites against a server that has the fixture addon."""
    node = clients.node()
    chosen = [
        (suite, name, of)
        for suite in suites for name, revisions in scenarios(node, suite=suite).items()
        # The client of 2025 has one revision whatever it is told to test.
        for of in (revisions if suite == "current" else revisions[-1:])
        if revision in (None, REVISIONS[-1] if of == EXTENSION else of)
        and (name == scenario if scenario else not reason(LEFT_OUT, name))
    ]
    with token_proxy.running(base, token) as proxied, ThreadPoolExecutor(PARALLEL) as pool:
        outcomes = list(pool.map(lambda one: _run_one(node, f"{proxied}/mcp", *one), chosen))
    for outcome in outcomes:
        _show(outcome)
    return outcomes


def run_login(fixture, revision=None):
    """The outcomes of the authorization scenarios; a person in a real browser logs in and allows."""
    listed = scenarios(clients.node(), "--authorization")
    if set(listed) != set(LOGIN):
        raise Failure(f"The suite has other authorization scenarios than {', '.join(LOGIN)}: {', '.join(listed)}")
    chosen = (revision,) if revision else REVISIONS
    outcomes = [
        _judged(name, of, checks, code, said)
        for name, of, checks, code, said in conformance_login.run_against(fixture, chosen)
    ]
    for outcome in outcomes:
        _show(outcome)
    return outcomes


def scenarios(node, which="--server", suite="current"):
    """{scenario: revisions} of a suite."""
    done = subprocess.run(
        program(node, suite, "list", which), env=node.environment(), capture_output=True, text=True,
    )
    found = {name: tuple(text.split(",")) for name, text in LISTED.findall(done.stdout)}
    if not found:
        raise Failure(f"The conformance suite lists no scenarios: {(done.stdout + done.stderr)[-500:]}")
    return found


def program(node, suite, *arguments):
    """The command line of a suite."""
    return node.script(f"{SUITES[suite]}/dist/index.js", *arguments)


def reason(reasons, name):
    """What `reasons` says of a scenario; None when it says nothing."""
    for pattern, text in reasons.items():
        if name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1])):
            return text
    return None


def summary(outcomes):
    """One line for each suite and revision, one for all."""
    lines = []
    for suite, package in SUITES.items():
        version = versions.NODE_PACKAGES[package].rpartition("@")[2]
        lines += [
            _total(f"conformance {version}, {revision}", chosen) for revision in (*REVISIONS, EXTENSION)
            if (chosen := [item for item in outcomes if (item.suite, item.revision) == (suite, revision)])
        ]
    skipped = {text for item in outcomes if item.counts.get("SKIPPED") and (text := reason(SKIPS, item.scenario))}
    lines += [f"left out: {name} ({text})" for name, text in LEFT_OUT.items()]
    return "\n".join([*lines, *(f"skipped: {text}" for text in sorted(skipped)), _total("conformance", outcomes)])


def _total(title, outcomes):
    total = Counter()
    for outcome in outcomes:
        total.update(outcome.counts)
    failed = sum(outcome.failed for outcome in outcomes)
    statuses = ", ".join(f"{count} {status.lower()}" for status, count in sorted(total.items()))
    return f"{title}: {len(outcomes) - failed} scenarios passed, {failed} failed ({statuses})"


def _run_one(node, url, suite, scenario, revision):
    with tempfile.TemporaryDirectory() as folder:
        command = program(
            node, suite, "server", "--url", url, "--scenario", scenario, "-o", folder,
            *(() if revision == EXTENSION else ("--spec-version", revision)),
        )
        try:
            done = subprocess.run(
                command, env=node.environment(), capture_output=True, text=True, timeout=PATIENCE, cwd=folder,
            )
        except subprocess.TimeoutExpired:
            return Outcome(scenario, revision, {}, (f"no end after {PATIENCE} s",), suite=suite)
        files = list(Path(folder).rglob("checks.json"))
        if not files:
            return Outcome(scenario, revision, {}, ((done.stdout + done.stderr).strip()[-500:],), suite=suite)
        checks = json.loads(files[0].read_text())
    return _judged(scenario, revision, checks, done.returncode, done.stdout + done.stderr, suite)


def _judged(scenario, revision, checks, code, said, suite="current"):
    problems, warnings = (
        [
            f"{check['id']}: {check.get('errorMessage') or check.get('description')}"
            for check in checks if check["status"] == status
        ]
        for status in ("FAILURE", "WARNING")
    )
    if code and not problems:
        problems = [f"exit code {code}: {said.strip()[-500:]}"]
    counts = dict(Counter(check["status"] for check in checks))
    return Outcome(scenario, revision, counts, tuple(problems), tuple(warnings), suite)


def _show(outcome):
    statuses = ", ".join(f"{count} {status.lower()}" for status, count in sorted(outcome.counts.items()))
    of = outcome.revision if outcome.suite == "current" else f"suite of 2025, {outcome.revision}"
    say(f"{'✗' if outcome.failed else '✓'} {outcome.scenario} [{of}] {statuses}")
    for problem in (*outcome.problems, *outcome.warnings):
        say(f"    {problem}")
