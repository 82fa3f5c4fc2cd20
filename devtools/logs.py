"""show the log of the running server (or the last one)"""

import os
import shutil

from . import paths
from .console import Failure


def add_arguments(parser):
    """Which log and how much of it."""
    parser.add_argument("name", nargs="?", help="a file of .dev/logs without .log, such as server-8069")
    parser.add_argument("-n", "--lines", type=int, default=100)
    parser.add_argument("-f", "--follow", action="store_true")


def run(arguments):
    """Show the end of a log with tail."""
    found = sorted(paths.LOGS.glob(f"{arguments.name or 'server-*'}.log"), key=lambda file: file.stat().st_mtime)
    if not found:
        names = ", ".join(sorted(file.stem for file in paths.LOGS.glob("*.log"))) or "none yet"
        raise Failure(f"No such log. There are: {names}")
    command = [shutil.which("tail"), "-n", str(arguments.lines), *(["-F"] if arguments.follow else []), str(found[-1])]
    os.execv(command[0], command)
