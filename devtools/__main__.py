"""The command line of ./dev: one module of this package per command."""

import argparse
import importlib
import signal
import sys
from pathlib import Path

from .console import Failure, say

# The order in which --help shows commands; those that are not named here follow.
FIRST = ("demo", "test", "serve", "stop", "shell", "logs", "token", "package", "bench", "conformance", "faults")

ENVIRONMENT = """\
environment:
  MCP_DEV_STATE    folder for all state (default: .dev in the repository)
  MCP_DEV_ODOO     an Odoo 19 of your own: a source checkout (with odoo-bin) or a launcher file
  MCP_DEV_PYTHON   the interpreter that runs it (default: python3)
  MCP_DEV_FSYNC    off: the private PostgreSQL, when it is started, does not wait for the disk (default: on)
  PGHOST, PGPORT, PGUSER, PGPASSWORD …
                   a PostgreSQL server of your own, used when PGHOST is set; the role must be
                   able to create databases
"""


def main(argv=None):
    """Parse the command line, run the command, give its exit code."""
    parser = argparse.ArgumentParser(
        prog="./dev", description="Set up, run and test the MCP Server addon. Nothing has to be installed first.",
        epilog=ENVIRONMENT, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="command", required=True)
    for name in command_names():
        module = importlib.import_module(f"devtools.{name}")
        command = commands.add_parser(
            name, help=module.__doc__.strip().splitlines()[0], description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    arguments = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)  # so that what a command started ends with it
    try:
        return arguments.run(arguments) or 0
    except Failure as failure:
        say(f"./dev: {failure}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


def _interrupt(_number, _frame):
    raise KeyboardInterrupt


def command_names():
    """The modules of this package that are commands: those that define `add_arguments(parser)`.

    Such a module has a docstring whose first line is its help, and `run(arguments)` giving the exit code.
    """
    files = Path(__file__).parent.glob("*.py")
    names = {file.stem for file in files if "\ndef add_arguments(" in file.read_text()}
    return [name for name in FIRST if name in names] + sorted(names - set(FIRST))


if __name__ == "__main__":
    sys.exit(main())
