"""stop everything and remove the state folder (--databases: only the databases)"""

import shutil

from . import databases, paths, postgres, processes
from .console import say, step


def add_arguments(parser):
    """How much to remove."""
    parser.add_argument("--databases", action="store_true", help="only the databases, templates included")


def run(arguments):
    """Remove what ./dev made."""
    for name in processes.records():
        processes.stop(name)
    if arguments.databases:
        postgres.start()
        _drop_databases()
        return 0
    if postgres.is_own():
        _drop_databases()
    postgres.stop()
    with step(f"remove {paths.STATE}"):
        for folder in {postgres.folder(), paths.short_folder(), paths.STATE}:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _drop_databases():
    for (name,) in postgres.query("SELECT datname FROM pg_database WHERE NOT datistemplate"):
        if databases.filestore(name).is_dir():  # no other tells our databases from theirs
            databases.drop(name)
            say(f"dropped {name}")
