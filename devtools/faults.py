"""break one thing after the other under load, and say what became of it

HTTP worker, evented process, cron worker, PostgreSQL, Redis, client: each is killed, restarted or taken away while
clients write, read and listen, and a job runs. Afterwards no write is lost or doubled, no job and no stream is stuck,
the next request works, and the audit log says what is in the database.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass

from . import databases, fault_actions, fault_checks, fault_load, fixture_server, postgres, redis, setup
from .console import say

LEAD = 1.5  # seconds of load before the fault, and after recovery


@dataclass(frozen=True)
class Outcome:
    """What became of one fault."""

    fault: str
    requests: int
    retries: int
    recovered_in: float
    problems: tuple = ()

    @property
    def failed(self):
        """Whether anything did not hold."""
        return bool(self.problems)


def add_arguments(parser):
    """Which faults."""
    parser.add_argument("--only", choices=FAULTS, help="only this one")


def run(arguments):
    """Break, check, print the table; 0 when everything held."""
    setup.ready()
    with fixture_server.running("faults") as fixture:
        outcomes = run_against(fixture, [arguments.only] if arguments.only else FAULTS)
    print(as_text(outcomes), flush=True)
    return 1 if any(outcome.failed for outcome in outcomes) else 0


def run_against(fixture, chosen=None):
    """The outcomes of faults on a running fixture server."""
    outcomes = []
    with ExitStack() as stack:
        cache = stack.enter_context(redis.running())
        databases.change(
            fixture.database, f"env['ir.config_parameter'].set_param('mcp_endpoint.redis_url', '{cache.url}')",
        )
        for name in chosen or FAULTS:
            if name == "PostgreSQL restarted" and postgres.is_own():
                say(f"  {name}: not here, the server is not ours to stop")
                continue
            outcomes.append(_one(fixture, cache, name))
            _show(outcomes[-1])
    return outcomes


def as_text(outcomes):
    """The table."""
    lines = [f"{'fault':26} {'requests':>9} {'retries':>8} {'longest wait':>13}  result"]
    lines += [
        f"{item.fault:26} {item.requests:9} {item.retries:8} {item.recovered_in:11.1f} s  "
        + ("; ".join(item.problems) or "recovered")
        for item in outcomes
    ]
    recovered = sum(not item.failed for item in outcomes)
    requests = sum(item.requests for item in outcomes)
    return "\n".join([*lines, f"{requests} requests, {len(outcomes)} faults, {recovered} recoveries"])


def _one(fixture, cache, name):
    mark = f"Fault {time.time_ns() % 10**9}"
    stream = fault_load.listening(fixture, toolsListChanged=True)
    job, names = fault_load.submitted(fixture, mark)
    try:
        with fault_load.Load(fixture, mark) as load:
            load.written += names
            time.sleep(LEAD)
            FAULTS[name](fixture, cache, mark)
            time.sleep(LEAD)
            problems = fault_checks.stream_problems(fixture, stream)
        problems += fault_checks.job_problems(fixture, job)
        problems += fault_checks.problems(fixture, load)
    finally:
        stream.close()
    return Outcome(name, load.answered, load.retries, load.outage, tuple(problems))


def _without_redis(_fixture, cache, _mark):
    cache.stop()
    time.sleep(LEAD)
    cache.start()


# What is broken, by name: function of the fixture server, the Redis and the mark of this round's records.
FAULTS = {
    "HTTP worker killed": lambda fixture, cache, mark: fault_actions.kill_http_worker(fixture),
    "evented process killed": lambda fixture, cache, mark: fault_actions.kill_evented(fixture),
    "cron worker killed": lambda fixture, cache, mark: fault_actions.kill_cron_worker(fixture),
    "PostgreSQL restarted": lambda fixture, cache, mark: fault_actions.restart_postgresql(fixture),
    "Redis stopped": _without_redis,
    "clients leave": lambda fixture, cache, mark: fault_actions.leave(fixture, mark),
}


def _show(outcome):
    say(f"{'✗' if outcome.failed else '✓'} {outcome.fault}: {outcome.requests} requests, {outcome.retries} retries")
    for problem in outcome.problems:
        say(f"    {problem}")
