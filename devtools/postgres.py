"""PostgreSQL: a private cluster in the state folder, or the developer's own server (PG* variables)."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from . import debian, paths, stamps, venvs
from .console import Failure, step

ROLE = "odoo"
PORT = "5432"  # only part of the socket's name: the private cluster does not listen on TCP
SOCKET_LIMIT = 107

SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "300",
    "shared_buffers": "512MB",
    "effective_cache_size": "4GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "random_page_cost": "1.1",
    "log_min_duration_statement": "-1",
    "timezone": "'UTC'",
}


def is_own():
    """Whether the developer points to a server of their own."""
    return bool(os.environ.get("PGHOST") or os.environ.get("PGSERVICE"))


def environment():
    """PG* variables that reach the server."""
    if is_own():
        return {}
    return {"PGHOST": str(_socket_folder()), "PGPORT": PORT, "PGUSER": ROLE}


def odoo_options():
    """The same, as options of Odoo's configuration file."""
    if not is_own():
        return {"db_host": _socket_folder(), "db_port": PORT, "db_user": ROLE}
    names = {"PGHOST": "db_host", "PGPORT": "db_port", "PGUSER": "db_user", "PGPASSWORD": "db_password"}
    return {option: os.environ[name] for name, option in names.items() if os.environ.get(name)}


def start():
    """Start the private cluster, created when needed. Nothing to do for an own server."""
    if is_own():
        debian.need("psql", "postgresql-client", "talks to PostgreSQL")
        return
    paths.prepare()
    with stamps.lock("postgres"):
        binaries = _binaries()
        if _control(binaries, "status").returncode == 0:
            return
        if not (folder() / "data" / "PG_VERSION").exists():
            with step("PostgreSQL cluster"):
                _create(binaries)
        with step("start PostgreSQL"):
            _write_settings()
            _make_socket_folder()
            done = _control(binaries, "-w", "-t", "60", "-l", str(folder() / "log"), "start")
            if done.returncode:
                raise Failure(f"PostgreSQL does not start: see {folder() / 'log'}")


def stop():
    """Stop the private cluster; True if it was running."""
    if is_own() or not (folder() / "data" / "PG_VERSION").exists():
        return False
    return _control(_binaries(), "-m", "fast", "-w", "stop").returncode == 0


def restart():
    """Restart the private cluster, which ends all connections; Failure for an own server, which is not ours to stop."""
    if is_own():
        raise Failure("PostgreSQL is not ours to restart (PGHOST is set).")
    done = _control(_binaries(), "-m", "fast", "-w", "-t", "60", "-l", str(folder() / "log"), "restart")
    if done.returncode:
        raise Failure(f"PostgreSQL does not start again: see {folder() / 'log'}")


def query(sql, database="postgres"):
    """Run SQL with psql; rows as lists of strings."""
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql],
        capture_output=True, text=True, env={**venvs.environment(), **environment()},
    )
    if done.returncode:
        raise Failure(f"PostgreSQL refuses `{sql[:120]}`: {done.stderr.strip()}")
    return [line.split("\x1f") for line in done.stdout.splitlines()]


def _binaries():
    for _attempt in range(2):
        versions = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin/initdb"), key=lambda p: int(p.parts[4]))
        if versions:
            return versions[-1].parent
        debian.install(["postgresql"], "the database server")
    raise Failure("The Debian package postgresql brings no /usr/lib/postgresql/*/bin/initdb.")


def folder():
    """The cluster's folder: in the state folder, unless the `postgres` user cannot reach it there."""
    inside = paths.STATE / "postgres"
    if os.getuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in paths.STATE.parents):
        return inside
    return Path("/var/tmp") / paths.short_folder().name


def _socket_folder():
    inside = folder() / "socket"
    return inside if len(f"{inside}/.s.PGSQL.{PORT}") <= SOCKET_LIMIT else paths.short_folder()


def _server_user():
    """(uid, gid) the server runs as: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    entry = pwd.getpwnam("postgres")
    return entry.pw_uid, entry.pw_gid


def _as_server(command):
    user, group = _server_user()
    options = {"user": user, "group": group, "extra_groups": []} if os.getuid() == 0 else {}
    return subprocess.run(
        command, cwd="/", env=venvs.environment(), text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options,
    )


def _control(binaries, *arguments):
    command = [str(binaries / "pg_ctl"), "-D", str(folder() / "data"), *arguments]
    if not {"start", "restart"} & set(arguments):
        return _as_server(command)
    # The server keeps its starter's stdout open, so reading it to the end would wait for ever.
    command = ["sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh", *command]
    return _as_server(command)


def _own_folder(folder):
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in (os.getuid(), _server_user()[0]):
        raise Failure(f"{folder} belongs to somebody else.")
    os.chown(folder, *_server_user())


def _create(binaries):
    _own_folder(folder())
    shutil.rmtree(folder() / "data", ignore_errors=True)
    # Access is by the socket alone, whose folder only this user and root can enter.
    done = _as_server([
        str(binaries / "initdb"), "-D", str(folder() / "data"), "-U", ROLE, "-A", "trust",
        "-E", "UTF8", "--locale=C",
    ])
    if done.returncode:
        raise Failure(f"initdb failed: {done.stdout.strip()[-400:]}")


def _write_settings():
    # Durable by default, as what we measure has to be; tests switch it off per database.
    fsync = os.environ.get("MCP_DEV_FSYNC", "on")
    if fsync not in ("on", "off"):
        raise Failure("MCP_DEV_FSYNC is neither on nor off.")
    settings = {**SETTINGS, "fsync": fsync, "port": PORT, "unix_socket_directories": f"'{_socket_folder()}'"}
    file = folder() / "data" / "postgresql.auto.conf"
    file.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    os.chown(file, *_server_user())


def _make_socket_folder():
    _own_folder(_socket_folder())
