"""Odoo's shell on a database; with a script on standard input it runs that

Example: echo 'print(env["res.partner"].search_count([]))' | ./dev shell --db dev
"""

import os
import subprocess
import sys

from . import databases, odoo, paths, serve, setup


def add_arguments(parser):
    """Which database."""
    parser.add_argument("--db", default="dev", help="database (default: dev, made when missing)")
    parser.add_argument("--size", choices=databases.TEMPLATES, default="full", help="made from, when new")


def run(arguments):
    """Open the shell, or run the script given on standard input."""
    setup.ready()
    if not databases.exists(arguments.db):
        serve.prepare(arguments.db, arguments.size)
    chosen = odoo.get()
    log = paths.LOGS / f"{arguments.db}-shell.log"
    command = chosen.command("shell", "-d", arguments.db, "--no-http", "--max-cron-threads=0", f"--logfile={log}")
    if sys.stdin.isatty():
        os.execve(command[0], command, chosen.environment())
    return subprocess.run(command, env=chosen.environment()).returncode
