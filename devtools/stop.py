"""end what ./dev started: servers, the resident test process, the private PostgreSQL"""

from . import postgres, processes
from .console import say


def add_arguments(parser):
    """All, or one server."""
    parser.add_argument("--port", type=int, help="only the server on this port")


def run(arguments):
    """Stop by recorded process id; never by name."""
    for name, record in processes.records().items():
        if arguments.port in (None, record.get("port")) and processes.stop(name):
            say(f"stopped {name} (pid {record['pid']})")
    if arguments.port is None and postgres.stop():
        say("stopped PostgreSQL")
    return 0
