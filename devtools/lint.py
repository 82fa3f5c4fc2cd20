"""The linters: ruff over all Python, pylint with pylint-odoo over the addon. Each is one check."""

import subprocess
import time
from pathlib import Path

from . import addon_source, paths, venvs
from .console import say
from .results import Result


def run():
    """Run both; the Result counts two checks."""
    programs = Path(venvs.interpreter("lint")).parent
    commands = {
        "ruff": [str(programs / "ruff"), "check", "--quiet", "."],
        "pylint": [str(programs / "pylint"), "--rcfile=pyproject.toml", *_addon_files()],
    }
    failures = tuple(name for name, command in commands.items() if not _is_clean(name, command))
    return Result(len(commands) - len(failures), len(failures), failures=failures)


def _is_clean(name, command):
    start = time.monotonic()
    done = subprocess.run(
        command, cwd=paths.ROOT, env=venvs.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    say(f"{'✗' if done.returncode else '✓'} {name} ({time.monotonic() - start:.1f} s)")
    if done.returncode:
        say(done.stdout.strip())
    return not done.returncode


def _addon_files():
    """The addon's own Python files: what pylint-odoo knows about is models and manifests, not tests."""
    return [str(path.relative_to(paths.ROOT)) for path in addon_source.files() if path.suffix == ".py"]
