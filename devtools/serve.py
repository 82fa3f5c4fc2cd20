"""start Odoo with the addon (2 HTTP workers and the evented process) and keep it running

The database is kept between runs and updated when the addon's source changed. It is made from the
prepared demo database when it does not exist.
"""

import time

from . import addon_source, databases, paths, processes, server, setup, stamps
from .console import Failure, say, step


def add_arguments(parser):
    """Where and what to serve."""
    parser.add_argument("--workers", type=int, default=2, help="HTTP workers; 0: one threaded process")
    parser.add_argument("--port", type=int, default=8069, help="the next free one is taken when it is in use")
    parser.add_argument("--db", default="dev", help="database (default: dev)")
    parser.add_argument("--size", choices=databases.TEMPLATES, default="full", help="made from, when new")
    parser.add_argument("--fresh", action="store_true", help="make the database anew")
    parser.add_argument("--fixtures", action="store_true", help="add tests/addons to the addons path")
    parser.add_argument("--detach", action="store_true", help="return when ready; ./dev stop ends it")


def run(arguments):
    """Serve until Ctrl-C, or until ./dev stop when detached."""
    setup.ready()
    prepare(arguments.db, arguments.size, fresh=arguments.fresh)
    started = server.start(
        arguments.db, workers=arguments.workers, port=arguments.port, fixtures=arguments.fixtures,
    )
    print(f"ready {started.url}", flush=True)
    say(f"  database {started.database}, log {started.log}, evented process on port {started.gevent_port}")
    say("  log in as admin / admin" + (" or demo / demo" if arguments.size == "full" else ""))
    if arguments.detach:
        say(f"  ./dev stop --port {started.port} ends it")
        return 0
    return until_interrupted(started)


def until_interrupted(started):
    """Wait for Ctrl-C or for the server's end, then stop it."""
    try:
        while started.name in processes.records():
            time.sleep(1)
        say(f"Odoo ended: see {started.log}")
        return 1
    except KeyboardInterrupt:
        say("stopping")
        return 0
    finally:
        server.stop(started)


def refuse_served(database):
    """Failure when a server that ./dev started uses the database."""
    for record in processes.records().values():
        if record.get("database") == database and "port" in record:
            raise Failure(f"{database} is being served already: ./dev stop --port {record['port']} ends it.")


def prepare(database, size, *, fresh=False):
    """Make sure that `database` exists and has the addon as its source is now."""
    key = addon_source.installed_digest()
    if fresh or not databases.exists(database):
        refuse_served(database)
        with step(f"database {database} from the prepared {size} one"):
            databases.create(database, size)
    elif not stamps.is_done(f"served-{database}", key):
        refuse_served(database)
        with step(f"update {paths.ADDON} in database {database}"):
            databases.run_odoo(database, "-u", paths.ADDON, "--stop-after-init")
    stamps.mark_done(f"served-{database}", key)
