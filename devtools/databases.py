"""Databases: prepared templates (with and without our addon), and quick copies of them.

A template's stamp is the comment on its database, so it lives and dies with it.
"""

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import addon_source, assets, odoo, odoo_log, paths, postgres, stamps
from .console import Failure, step

# At the end of what changes something in `odoo shell`: it does not tell the workers of a running server by itself.
COMMIT = "\nenv.cr.commit()\nenv.registry.signal_changes()\n"
PREPARE = Path(__file__).parent / "scripts" / "prepare_database.py"


@dataclass(frozen=True)
class Template:
    """A prepared database without our addon: its modules, and whether it has demo data."""

    name: str
    modules: tuple
    options: tuple = ()
    about: str = ""


SMALL = Template(
    name="tpl_small",
    modules=("base", "web", "mail", "bus", "portal", "contacts", "web_tour", "base_import"),
    options=("--skip-auto-install",),
    about="about 15 s",
)
FULL = Template(
    name="tpl_full",
    modules=(
        "sale_management", "crm", "account", "stock", "project", "hr", "purchase", "contacts",
        "hr_holidays", "hr_attendance", "base_import", "web_tour",
    ),
    options=("--with-demo",),
    about="about 90 s",
)
TEMPLATES = {"small": SMALL, "full": FULL}


@contextmanager
def _prepared(size):
    """The prepared database `size` without our addon; nobody rebuilds it during the block."""
    chosen = TEMPLATES[size]
    key = stamps.digest(odoo.get().version, chosen.modules, chosen.options, PREPARE.read_bytes())

    def build(name):
        run_odoo(name, "-i", ",".join(chosen.modules), *chosen.options, "--stop-after-init")
        shell(name, PREPARE.read_text())

    with _ensured(chosen.name, key, f"database {chosen.name} ({chosen.about})", build):
        assets.ensure(chosen.name, key)
        yield chosen.name


@contextmanager
def _prepared_with_addon(size):
    with _prepared(size) as base:
        name = f"{base}_mcp"
        key = stamps.digest(comment(base), addon_source.installed_digest())

        def build(fresh):
            copy(base, fresh)
            run_odoo(fresh, "-i", paths.ADDON, "--stop-after-init")

        with _ensured(name, key, f"database {name} ({paths.ADDON} installed)", build):
            yield name


def template_with_addon(size):
    """The name of the prepared database with our addon, as its source is now."""
    with _prepared_with_addon(size) as name:
        return name


def create(name, size, *, addon=True):
    """Make `name` a copy of a prepared database, with our addon in it or without."""
    with (_prepared_with_addon if addon else _prepared)(size) as source:
        copy(source, name)


def copy(source, name):
    """Make database `name` a copy of `source`, filestore included."""
    drop(name)
    postgres.query(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    copy_files(source, name)


def copy_files(source, name):
    """Give database `name` the stored files of `source`."""
    # Links instead of copies: Odoo never changes a stored file, it adds and removes.
    if filestore(source).is_dir():
        shutil.copytree(filestore(source), filestore(name), copy_function=_link, dirs_exist_ok=True)


def drop(name):
    """Remove a database and its filestore; nothing happens when there is none."""
    postgres.query(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    shutil.rmtree(filestore(name), ignore_errors=True)


def exists(name):
    """Whether there is a database of that name."""
    return bool(postgres.query(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))


@contextmanager
def temporary(size, purpose, *, addon=True):
    """A copy of a prepared database for the time of a block, fast rather than durable."""
    _drop_abandoned()
    name = f"run_{purpose}_{os.getpid()}"
    create(name, size, addon=addon)
    postgres.query(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    try:
        yield name
    finally:
        drop(name)


def set_limits(name, **limits):
    """Set system parameters of the addon, before its server starts: `calls=1000` and the like."""
    values = ", ".join(f"('mcp_endpoint.{parameter}', '{value}')" for parameter, value in limits.items())
    postgres.query(
        f"INSERT INTO ir_config_parameter (key, value) VALUES {values}"
        " ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value", name,
    )


def lift_limits(name):
    """Let tests and measurements call as fast as they can, on all workers. Calls go on being counted."""
    set_limits(
        name, calls=10**6, user_calls=10**6, writes=10**6, heavy=10**6, connects=10**6, concurrent=100,
        concurrent_token=60, streams_token=100, streams_user=1000,
    )


def filestore(name):
    """The folder where Odoo keeps the files of a database."""
    return paths.DATA / "filestore" / name


def run_odoo(database, *arguments, fixtures=False):
    """Run Odoo on a database until it ends; Failure with the log's last lines."""
    chosen = odoo.get()
    log = paths.LOGS / f"{database}.log"
    with open(log, "w") as file:
        done = subprocess.run(
            chosen.command("-d", database, "--no-http", "--max-cron-threads=0", *arguments, fixtures=fixtures),
            env=chosen.environment(), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
        )
    if done.returncode:
        raise Failure(f"Odoo failed on {database} (whole log: {log}):\n{odoo_log.reason(log)}")


def shell(database, script, *, capture=False, fixtures=False, **variables):
    """Run a script in `odoo shell`; its standard output when `capture`."""
    chosen = odoo.get()
    log = paths.LOGS / f"{database}-shell.log"
    done = subprocess.run(
        chosen.command(
            "shell", "-d", database, "--no-http", "--max-cron-threads=0", f"--logfile={log}", fixtures=fixtures,
        ),
        env={**chosen.environment(), **variables}, input=script, text=True, capture_output=True,
    )
    if done.returncode:
        raise Failure(f"The script failed on {database}:\n{done.stderr.strip()[-1500:]}")
    return done.stdout if capture else None


def change(database, script):
    """Run a script in `odoo shell` and keep what it changes; all workers hear of it."""
    shell(database, script + COMMIT)


@contextmanager
def _ensured(name, key, title, build):
    """Build database `name` unless it was built from `key`; locked during the block."""
    with stamps.lock(f"database-{name}"):
        if comment(name) != key:
            fresh = f"{name}_new"
            with step(title):
                drop(fresh)
                build(fresh)
                drop(name)
                _rename(fresh, name)
            postgres.query(f"COMMENT ON DATABASE \"{name}\" IS '{key}'")
        yield


def _link(source, target):
    if not os.path.exists(target):
        os.link(source, target)


def _rename(old, new):
    postgres.query(f'ALTER DATABASE "{old}" RENAME TO "{new}"')
    if filestore(old).is_dir():
        filestore(old).rename(filestore(new))


def comment(name):
    """The stamp of a prepared database: what it was built from. None if there is no such database."""
    rows = postgres.query(
        f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{name}'"
    )
    return rows[0][0] if rows else None


def _drop_abandoned():
    """Drop temporary copies whose ./dev is gone (it was killed before it could)."""
    if postgres.is_own():
        return  # they may be those of another machine
    for (name,) in postgres.query("SELECT datname FROM pg_database WHERE datname ~ '^run_.*_[0-9]+$'"):
        if not Path(f"/proc/{name.rsplit('_', 1)[1]}").exists():
            drop(name)
