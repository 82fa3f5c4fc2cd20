"""Virtual environments in the state folder, each from one file of exact versions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import debian, paths, stamps
from .console import Failure, step

# A child that itself runs in one of the venvs has to name the same interpreter, or it would build them all anew.
BASE = os.environ.get("MCP_DEV_BASE_PYTHON") or sys.executable


def interpreter(name):
    """The python of venv `name`, created from requirements/<name>.txt when needed."""
    requirements = paths.REQUIREMENTS / f"{name}.txt"
    folder = paths.STATE / "venvs" / name
    python = folder / "bin" / "python"
    key = stamps.digest(requirements.read_bytes(), BASE, sys.version)
    with stamps.lock(f"venv-{name}"):
        if not (stamps.is_done(f"venv-{name}", key) and python.exists()):
            with step(f"Python packages: {name}"):
                _create(folder, requirements)
            stamps.mark_done(f"venv-{name}", key)
    return str(python)


def environment():
    """The environment for children: ours without what ./dev set for its own start."""
    variables = {**os.environ, "MCP_DEV_BASE_PYTHON": BASE}
    given = variables.pop("MCP_DEV_PYTHONPATH", None)
    if given is not None:
        variables["PYTHONPATH"] = given
    if variables.get("PYTHONPATH", "") in ("", str(paths.ROOT)):
        variables.pop("PYTHONPATH", None)
    return variables


def _create(folder, requirements):
    if Path(BASE).is_relative_to(paths.STATE):
        # It would delete the interpreter that it runs on, and make one on top of nothing.
        raise Failure(f"./dev runs on the system's python3, not on {BASE}: leave its virtual environment first.")
    shutil.rmtree(folder, ignore_errors=True)
    if subprocess.run([BASE, "-c", "import ensurepip, venv"], capture_output=True).returncode:
        debian.install(["python3-venv"], "virtual environments")
    debian.run_retrying([BASE, "-m", "venv", str(folder)], attempts=1, env=environment())
    debian.run_retrying(
        [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check",
         "--retries", "3", "-r", str(requirements)],
        env=environment(),
    )
