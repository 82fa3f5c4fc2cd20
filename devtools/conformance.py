"""run the official conformance suite against the addon

Every scenario of the suite is either run, for each revision it belongs to, or left out for a reason
that is stated in this file. The test tools it asks for come from the fixture addon.
"""

import json
import re
import subprocess
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import clients, conformance_login, fixture_server, setup, token_proxy
from .console import Failure, say

REVISIONS = ("2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
PARALLEL = 2
PATIENCE = 120
LISTED = re.compile(r"^\s+- (\S+) \[(\S+)\]$", re.MULTILINE)

_STREAM = "needs a stream, which the endpoint does not open"
_LIVE = "needs a question to the client inside a call, which the endpoint puts as preview and confirmation instead"
_SUBSCRIBE = "subscriptions to resources are not served"
_TASKS = "the tasks extension is not served"
_SKILLS = "the skills extension is not served"

# The scenarios of the authorization server, which depend on each other.
LOGIN = ("authorization-server-metadata-endpoint", "authorization-code-grant")

# The scenarios that are not run (a name ending in * stands for all that begin so), each with its reason.
LEFT_OUT = {
    "resources-subscribe": _SUBSCRIBE,
    "resources-unsubscribe": _SUBSCRIBE,
    "tools-call-with-logging": _STREAM,
    "tools-call-with-progress": _STREAM,
    "server-sse-polling": _STREAM,
    "server-stateless": _STREAM,
    "tools-call-sampling": _LIVE,
    "tools-call-elicitation": _LIVE,
    "elicitation-*": _LIVE,
    "input-required-result-*": _LIVE,
    "tasks-*": _TASKS,
    "sep-2640-*": _SKILLS,
}


@dataclass(frozen=True)
class Outcome:
    """One scenario at one revision: how often each status came, and what failed."""

    scenario: str
    revision: str
    counts: dict
    problems: tuple = ()

    @property
    def failed(self):
        """Whether it failed, or checked nothing at all."""
        return bool(self.problems) or not self.counts.get("SUCCESS")


def add_arguments(parser):
    """What to run."""
    parser.add_argument("--requirements", choices=REVISIONS, help="only the scenarios of this revision")
    parser.add_argument("--scenario", help="only this one, even if it is left out; those of the login run together")


def run(arguments):
    """Run, print one line per scenario, then the total; 0 when nothing failed."""
    setup.ready()
    with fixture_server.running("conformance") as fixture:
        outcomes = run_against(
            fixture.server.base, fixture.token, revision=arguments.requirements, scenario=arguments.scenario,
        )
        if not arguments.scenario or arguments.scenario in LOGIN:
            outcomes += run_login(fixture.server, arguments.requirements)
    print(summary(outcomes), flush=True)
    return 1 if not outcomes or any(outcome.failed for outcome in outcomes) else 0


def run_against(base, token, *, revision=None, scenario=None):
    """The outcomes of the suite against a server that has the fixture addon."""
    node = clients.node()
    listed = scenarios(node)
    chosen = [
        (name, of) for name, revisions in listed.items() for of in revisions
        if revision in (None, of) and (name == scenario if scenario else not reason_to_leave_out(name))
    ]
    with token_proxy.running(base, token) as proxied, ThreadPoolExecutor(PARALLEL) as pool:
        outcomes = list(pool.map(lambda one: _run_one(node, f"{proxied}/mcp", *one), chosen))
    for outcome in outcomes:
        _show(outcome)
    return outcomes


def run_login(server, revision=None):
    """The outcomes of the authorization scenarios; a person in a real browser logs in and allows."""
    listed = scenarios(clients.node(), "--authorization")
    if set(listed) != set(LOGIN):
        raise Failure(f"The suite has other authorization scenarios than {', '.join(LOGIN)}: {', '.join(listed)}")
    chosen = (revision,) if revision else REVISIONS
    outcomes = [
        _judged(name, of, checks, code, said)
        for name, of, checks, code, said in conformance_login.run_against(server, chosen)
    ]
    for outcome in outcomes:
        _show(outcome)
    return outcomes


def scenarios(node, which="--server"):
    """{scenario: revisions} of the suite."""
    done = subprocess.run(
        node.command("conformance", "list", which), env=node.environment(), capture_output=True, text=True,
    )
    found = {name: _revisions(text) for name, text in LISTED.findall(done.stdout)}
    if not found:
        raise Failure(f"The conformance suite lists no scenarios: {(done.stdout + done.stderr)[-500:]}")
    return found


def reason_to_leave_out(name):
    """Why a scenario is not run; None when it is."""
    for pattern, reason in LEFT_OUT.items():
        if name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1])):
            return reason
    return None


def summary(outcomes):
    """One line for all outcomes."""
    total = Counter()
    for outcome in outcomes:
        total.update(outcome.counts)
    failed = sum(outcome.failed for outcome in outcomes)
    statuses = ", ".join(f"{count} {status.lower()}" for status, count in sorted(total.items()))
    return f"conformance: {len(outcomes) - failed} scenarios passed, {failed} failed ({statuses})"


def _revisions(text):
    # An extension belongs to the newest revision.
    return (REVISIONS[-1],) if text == "extension" else tuple(text.split(","))


def _run_one(node, url, scenario, revision):
    with tempfile.TemporaryDirectory() as folder:
        command = node.command(
            "conformance", "server", "--url", url, "--scenario", scenario, "--spec-version", revision, "-o", folder,
        )
        try:
            done = subprocess.run(
                command, env=node.environment(), capture_output=True, text=True, timeout=PATIENCE, cwd=folder,
            )
        except subprocess.TimeoutExpired:
            return Outcome(scenario, revision, {}, (f"no end after {PATIENCE} s",))
        files = list(Path(folder).rglob("checks.json"))
        if not files:
            return Outcome(scenario, revision, {}, ((done.stdout + done.stderr).strip()[-500:],))
        checks = json.loads(files[0].read_text())
    return _judged(scenario, revision, checks, done.returncode, done.stdout + done.stderr)


def _judged(scenario, revision, checks, code, said):
    problems = [
        f"{check['id']}: {check.get('errorMessage') or check.get('description')}"
        for check in checks if check["status"] == "FAILURE"
    ]
    if code and not problems:
        problems = [f"exit code {code}: {said.strip()[-500:]}"]
    return Outcome(scenario, revision, dict(Counter(check["status"] for check in checks)), tuple(problems))


def _show(outcome):
    statuses = ", ".join(f"{count} {status.lower()}" for status, count in sorted(outcome.counts.items()))
    say(f"{'✗' if outcome.failed else '✓'} {outcome.scenario} [{outcome.revision}] {statuses}")
    for problem in outcome.problems:
        say(f"    {problem}")
