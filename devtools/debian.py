"""Debian packages: installed with apt on the machine, or unpacked into the state folder."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from . import paths
from .console import Failure, step

SOURCES = Path("/etc/apt")


def run_retrying(command, attempts=3, **options):
    """Run a command that needs the network, a bounded number of times; Failure with its last lines."""
    for attempt in range(1, attempts + 1):
        try:
            done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        except FileNotFoundError as error:
            raise Failure(
                f"There is no {command[0]} here. ./dev sets up Debian; elsewhere bring Odoo and PostgreSQL of your "
                "own (see ./dev --help)."
            ) from error
        if done.returncode == 0:
            return done.stdout
        if attempt < attempts:
            time.sleep(5 * attempt)
    tail = "\n".join(done.stdout.strip().splitlines()[-6:])
    raise Failure(f"`{' '.join(map(str, command))[:160]}` failed {attempts} times. Its last lines:\n{tail}")


def as_root(why):
    """The command prefix that gives root rights; Failure where there is none."""
    if os.getuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    if shutil.which("sudo") and os.isatty(0):
        return ["sudo"]
    raise Failure(f"{why}: install it as root (apt-get install), or let this user use sudo.")


def install(packages, what):
    """Install Debian packages on the machine; `what` says what they are for."""
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        raise Failure(f"{names} is missing ({what}). ./dev installs packages on Debian only: install it yourself.")
    root = as_root(f"The Debian package {names} is missing ({what})")
    with step(f"install Debian package {names} ({what})"), _apt_lock():
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run_retrying([*root, "apt-get", "-q", "update"], env=environment)
        # `env` because sudo does not hand on the caller's environment.
        run_retrying(
            [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "install",
             "--no-install-recommends", *packages],
            env=environment,
        )


def need(program, package, what, search=()):
    """The path of a program, installing its Debian package when it is missing."""
    for _attempt in range(2):
        found = shutil.which(program) or next((str(p) for p in search if Path(p).exists()), None)
        if found:
            return found
        install([package], what)
    raise Failure(f"The Debian package {package} does not bring the program {program} ({what}).")


def unpack(packages, suite, target):
    """Download packages (name or name=version) of a suite and unpack them over `target`.

    Uses an apt state of its own, so it needs no root rights and changes nothing on the machine.
    `suite` None stands for the machine's own suite.
    """
    state = paths.STATE / "apt" / (suite or "own")
    shutil.rmtree(state, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial", "parts", "debs"):
        (state / folder).mkdir(parents=True)
    (state / "parts" / "debian.sources").write_text(_entry(suite))
    config = state / "apt.conf"
    config.write_text(
        f'Dir::State::lists "{state}/lists";\nDir::Cache "{state}/cache";\n'
        f'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{state}/parts";\n'
        'APT::Sandbox::User "root";\n'
    )
    environment = {**os.environ, "APT_CONFIG": str(config)}
    run_retrying(["apt-get", "-q", "update"], env=environment)
    run_retrying(["apt-get", "-q", "download", *packages], env=environment, cwd=state / "debs")
    target.mkdir(parents=True, exist_ok=True)
    for deb in sorted((state / "debs").glob("*.deb")):
        run_retrying(["dpkg-deb", "-x", str(deb), str(target)], attempts=1)
    shutil.rmtree(state)


def _apt_lock():
    from .stamps import lock

    return lock("apt")


def _entry(suite):
    """A sources entry like the machine's own Debian archive, with the suite replaced."""
    codename = _codename()
    for fields in [*_deb822_entries(), *_one_line_entries()]:
        suites = fields["Suites"].split()
        if "deb" in fields["Types"].split() and codename in suites and "/debian" in fields["URIs"]:
            chosen = {**fields, "Types": "deb", "Suites": suite or codename, "Components": "main"}
            return "".join(f"{key}: {value}\n" for key, value in chosen.items())
    raise Failure(
        f"No Debian archive entry for {codename} in /etc/apt: Odoo comes from Debian. "
        "On another system, set MCP_DEV_ODOO to an Odoo 19 of your own (see ./dev --help)."
    )


def _codename():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    return "stable"


def _deb822_entries():
    for file in sorted((SOURCES / "sources.list.d").glob("*.sources")):
        for block in file.read_text().split("\n\n"):
            fields, last = {}, None
            for line in block.splitlines():
                if line.startswith("#") or not line.strip():
                    continue
                if line[0].isspace() and last:  # a continued value, such as an embedded key
                    fields[last] += "\n" + line
                elif ":" in line:
                    last, value = line.split(":", 1)
                    fields[last] = value.strip()
            if {"Types", "URIs", "Suites"} <= fields.keys() and fields.get("Enabled") != "no":
                yield fields


def _one_line_entries():
    files = [SOURCES / "sources.list", *sorted((SOURCES / "sources.list.d").glob("*.list"))]
    for line in (line for file in files if file.exists() for line in file.read_text().splitlines()):
        line = line.split("#")[0].strip()
        if not line.startswith("deb "):
            continue
        options = line[line.index("[") + 1:line.index("]")].split() if "[" in line else []
        words = (line[line.index("]") + 1:] if options else line[4:]).split()
        if len(words) < 3:
            continue
        fields = {"Types": "deb", "URIs": words[0], "Suites": words[1]}
        signed = [option.split("=", 1)[1] for option in options if option.startswith("signed-by=")]
        yield {**fields, "Signed-By": signed[0]} if signed else fields
