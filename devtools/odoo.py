"""The Odoo to run: Debian's package unpacked in the state folder, or the developer's own."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from . import debian, paths, postgres, stamps, venvs, versions
from .console import Failure, say, step


@dataclass(frozen=True)
class Odoo:
    """How to start Odoo: interpreter, launcher, PYTHONPATH entries, its own addons folders."""

    python: str
    launcher: str
    packages: tuple = ()
    addons: tuple = ()
    version: str = ""

    def command(self, *arguments, fixtures=False, addons=None):
        """The command line of `odoo`; `fixtures` adds the test addons, `addons` replaces our addons folder."""
        folders = [*self.addons, str(addons or paths.ADDONS)]
        if fixtures and paths.FIXTURES.is_dir():
            folders.append(str(paths.FIXTURES))
        # A sub-command such as `shell` has to come before every option.
        sub = [arguments[0]] if arguments and not arguments[0].startswith("-") else []
        return [
            self.python, self.launcher, *sub, "-c", str(_config()), f"--addons-path={','.join(folders)}",
            *arguments[len(sub):],
        ]

    def environment(self):
        """Environment variables for `command`."""
        variables = {**venvs.environment(), **postgres.environment()}
        variables.pop("ODOO_RC", None)
        if self.packages:
            variables["PYTHONPATH"] = os.pathsep.join(self.packages)
        # Bytecode in the state folder: the repository stays clean and starts stay fast.
        variables["PYTHONPYCACHEPREFIX"] = str(paths.STATE / "pycache")
        return variables


def get():
    """The Odoo to run, fetched when needed."""
    paths.prepare()
    return _own(os.environ["MCP_DEV_ODOO"]) if os.environ.get("MCP_DEV_ODOO") else _packaged()


def _own(given):
    path = Path(given).expanduser().absolute()
    python = os.environ.get("MCP_DEV_PYTHON") or sys.executable
    if path.is_file():
        return Odoo(python, str(path), version=f"own:{path}")
    if (path / "odoo-bin").is_file():
        addons = tuple(str(folder) for folder in (path / "odoo" / "addons", path / "addons") if folder.is_dir())
        return Odoo(python, str(path / "odoo-bin"), addons=addons, version=f"own:{path}")
    raise Failure(f"MCP_DEV_ODOO={given}: neither a launcher file nor a folder with odoo-bin.")


def _packaged():
    root = paths.STATE / "odoo"
    key = stamps.digest(versions.ODOO_VERSION, versions.ODOO_STATIC_PACKAGES, versions.ODOO_LEFT_OUT)
    with stamps.lock("odoo"):
        if not stamps.is_done("odoo", key):
            with step(f"Odoo {versions.ODOO_SERIES} (Debian package {versions.ODOO_PACKAGE}, about 125 MB)"):
                _unpack(root)
            stamps.mark_done("odoo", key)
    packages = root / "usr/lib/python3/dist-packages"
    return Odoo(
        python=venvs.interpreter("odoo"),
        launcher=str(root / "usr/bin/odoo"),
        packages=(str(packages),),
        addons=(str(packages / "odoo" / "addons"),),
        version=versions.ODOO_VERSION,
    )


def _unpack(root):
    try:
        debian.unpack([f"{versions.ODOO_PACKAGE}={versions.ODOO_VERSION}"], "sid", root)
    except Failure as failure:
        if "was not found" not in str(failure):
            raise
        # The suite moves on; a newer build of the same series still serves.
        say(f"  version {versions.ODOO_VERSION} is no longer in the archive: taking the newest of the series")
        debian.unpack([versions.ODOO_PACKAGE], "sid", root)
    debian.unpack(versions.ODOO_STATIC_PACKAGES, None, root)
    # Debian leaves this file out, and an asset bundle names it: without it every page with the
    # backend's scripts logs an error, which fails tests and tours.
    missing = root / "usr/lib/python3/dist-packages/odoo/addons" / versions.ODOO_LEFT_OUT
    missing.parent.mkdir(parents=True, exist_ok=True)
    missing.touch()


def _config():
    """Odoo's configuration file: what is the same for every way of starting it."""
    file = paths.STATE / "odoo.conf"
    options = {
        "data_dir": paths.DATA,
        "admin_passwd": "admin",
        "list_db": False,
        "http_interface": "127.0.0.1",
        "without_demo": True,
        # A port where nothing listens: demo data has addresses of real-looking people.
        "smtp_server": "127.0.0.1",
        "smtp_port": 9,
        "limit_time_cpu": 600,
        "limit_time_real": 1200,
        "limit_memory_soft": 4 << 30,
        "limit_memory_hard": 6 << 30,
        **postgres.odoo_options(),
    }
    text = "[options]\n" + "".join(f"{key} = {value}\n" for key, value in options.items())
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
    return file
