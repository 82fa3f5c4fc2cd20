"""build the release ZIP and install it in a stock Odoo to see that it works

The ZIP holds the folder mcp_endpoint with the addon's files and nothing else: unzip it into an addons path.
"""

import shutil
import subprocess
import zipfile
from pathlib import Path

from . import addon_source, databases, odoo, paths, postgres, setup
from .console import Failure, say, step

# Where ZIP dates start; a fixed date makes the same source give the same file.
EPOCH = (1980, 1, 1, 0, 0, 0)


def add_arguments(parser):
    """Where to, and whether to try it."""
    parser.add_argument("--output", type=Path, default=paths.STATE / "dist", help="folder (default: .dev/dist)")
    parser.add_argument("--no-check", action="store_true", help="do not install it in a copy of the small database")


def run(arguments):
    """Build, check, and print where the file is."""
    paths.prepare()
    arguments.output.mkdir(parents=True, exist_ok=True)
    file = (arguments.output / f"{paths.ADDON}-{addon_source.version()}.zip").absolute()
    with step(f"package {file.name}"):
        build(file)
    if not arguments.no_check:
        setup.ready()
        check(file)
    say(f"  {len(zipfile.ZipFile(file).namelist())} files, {file.stat().st_size / 1024:.0f} KB")
    print(file)
    return 0


def build(file):
    """Write the ZIP."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in addon_source.released_files():
            entry = zipfile.ZipInfo(f"{paths.ADDON}/{source.relative_to(paths.ROOT)}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, source.read_bytes())


def check(file):
    """Unzip into an addons path of its own and install in a copy of the small database."""
    folder = paths.STATE / "package-check"
    with step("install the package in a stock Odoo"), databases.temporary("small", "package", addon=False) as name:
        shutil.rmtree(folder, ignore_errors=True)
        with zipfile.ZipFile(file) as archive:
            archive.extractall(folder)
        chosen = odoo.get()
        command = chosen.command("-d", name, "-i", paths.ADDON, "--stop-after-init", "--no-http", addons=folder)
        done = subprocess.run(
            command, env=chosen.environment(), text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        if done.returncode or " ERROR " in done.stdout:
            raise Failure(f"The package does not install:\n{done.stdout[-2500:]}")
        state = postgres.query(f"SELECT state FROM ir_module_module WHERE name = '{paths.ADDON}'", name)
        if state != [["installed"]]:
            raise Failure(f"The package does not install: Odoo did not find the addon in {folder}.")
