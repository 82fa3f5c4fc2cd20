"""measure speed against Odoo's own API and two other servers, and judge the budgets

One run on one machine: a fresh copy of the demo database, 2 HTTP workers, audit on. What is compared
is measured in turns (A B A B …), so that a machine that gets slower or faster bends no ratio.
"""

import json
import os
import platform
import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path

from . import (
    bench_peers,
    bench_report,
    bench_streams,
    bench_token,
    chromium,
    clients,
    databases,
    demo_user,
    oauth_tokens,
    paths,
    postgres,
    server,
    setup,
    tokens,
    venvs,
)
from .console import Failure, say, step

AUDIT_ROWS = 1_000_000
PORT = 18269
API_KEY = """
from datetime import timedelta
own = env(user=env["res.users"].search([("login", "=", "demo")]).id, su=True)
key = own["res.users.apikeys"]._generate("rpc", "bench", env.cr.now() + timedelta(days=1))
env.cr.commit()
print("API_KEY:" + key)
"""
FILL_AUDIT_LOG = """
INSERT INTO mcp_audit_log
    (date, user_id, token_id, client, protocol, transport, ip, method, tool, model, record_count, outcome,
     duration_ms, request_size, response_size, request_id)
SELECT now() - make_interval(secs => n * 7), (SELECT id FROM res_users WHERE login = 'demo'),
       (SELECT max(id) FROM mcp_token), 'bench', '2025-11-25', 'http', '127.0.0.1', 'tools/call',
       'odoo_search_records', 'res.partner', 20, 'ok', 7.5, 300, 1800, md5(n::text)
  FROM generate_series(1, %d) AS n;
"""


def add_arguments(parser):
    """How much, and where the figures go."""
    parser.add_argument("--json", metavar="FILE", help="write all figures to FILE")
    parser.add_argument("--calls", type=int, default=300, help="measured calls per row, at least 200 (default: 300)")
    parser.add_argument("--only", choices=("speed", "streams"), help="only these budgets")


def run(arguments):
    """Measure, print the table and the verdict; 0 when every budget is met."""
    if arguments.calls < 200:
        raise Failure("Percentiles of fewer than 200 calls say little.")
    setup.ready()
    report = {"machine": f"{platform.machine()}, {os.cpu_count()} cores", "load_before": round(os.getloadavg()[0], 2)}
    if arguments.only != "streams":
        report |= bench_report.judged(_speed(arguments.calls))
    if arguments.only != "speed":
        with step("streams (a few minutes)"):
            report |= bench_report.judged_streams(bench_streams.measured())
    print(bench_report.as_text(report), flush=True)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n")
    return 0 if bench_report.is_met(report) else 1


def _speed(calls):
    """What is measured of requests."""
    python = clients.python_sdk()
    chromium.program()
    with ExitStack() as stack:
        plan = _prepare(stack, calls)
        with step("measurements (a few minutes)"):
            measured = _measure(python, plan)
            secrets = {"a personal token": plan["token"], "an access token": plan["access_token"]}
            measured["rows"] |= bench_token.rows(plan["database"], calls, secrets)
    return measured


def _prepare(stack, calls):
    """Databases, tokens, servers and peers; gives what the measuring process needs to know."""
    plain = stack.enter_context(databases.temporary("full", "bench"))
    databases.lift_limits(plain)
    (token,) = tokens.issue(plain, tokens.Wanted(demo_user.LOGIN, "full"), before=demo_user.PREPARE)
    key = _api_key(plain)
    logged = stack.enter_context(_with_audit_rows(plain))
    for database in (plain, logged):
        # What is measured has to wait for the disk as it does in production.
        postgres.query(f'ALTER DATABASE "{database}" RESET synchronous_commit')
    with step("servers"):
        # Without scheduled jobs: they would hit one row or the other by chance.
        options = ("--max-cron-threads=0",)
        served = stack.enter_context(server.running(plain, port=PORT, options=options))
        served_logged = stack.enter_context(server.running(logged, port=PORT + 10, options=options))
    account = bench_peers.Account(served.base, plain, demo_user.LOGIN, demo_user.PASSWORD, key)
    return {
        "calls": calls, "base": served.base, "base_logged": served_logged.base, "token": token, "api_key": key,
        # It is for the address that a server gives its database when it starts.
        "access_token": oauth_tokens.issue(plain, demo_user.LOGIN),
        "database": plain, "postgres": postgres.environment() or dict(os.environ),
        "peers": stack.enter_context(bench_peers.running(account)),
    }


def _api_key(database):
    output = databases.shell(database, API_KEY, capture=True)
    return next(line.partition(":")[2] for line in output.splitlines() if line.startswith("API_KEY:"))


@contextmanager
def _with_audit_rows(plain):
    """A copy of the database, tokens included, whose audit log has a million rows."""
    with databases.temporary("small", "benchlog", addon=False) as name:
        with step(f"a second database with {AUDIT_ROWS:,} audit rows"):
            databases.copy(plain, name)
            postgres.query(FILL_AUDIT_LOG % AUDIT_ROWS, name)
            postgres.query("VACUUM ANALYZE mcp_audit_log", name)
        yield name


def _measure(python, plan):
    environment = {
        **venvs.environment(), "PYTHONPATH": str(paths.ROOT), "PYTHONDONTWRITEBYTECODE": "1",
        "MCP_DEV_STATE": str(paths.STATE),
    }
    done = subprocess.run(
        [python, "-P", "-m", "devtools.bench_measure"], input=json.dumps(plan), text=True, env=environment,
        stdout=subprocess.PIPE,
    )
    if done.returncode:
        raise Failure("The measuring process failed: see above.")
    say()
    return json.loads(done.stdout)
