"""The authorization scenarios of the conformance suite: a client logs in, a real Chromium plays the person."""

import json
import re
import subprocess
import tempfile
import threading
from pathlib import Path

from . import chromium, clients, databases, paths, ports, venvs

PATIENCE = 90
PORT = 18600
LOGIN = PASSWORD = "admin"
ADDRESS = re.compile(r"^https?://\S+/oauth/authorize\?\S+$", re.MULTILINE)
FOLDER = re.compile(r"authorization-server-(.+?)-\d{4}-\d\d-\d\dT[\dTZ-]+")
# A public client: of one with a secret the suite does not use the secret where a server takes public ones too. The
# suite warns where documents are not taken as client ids, which depends on whether this machine reaches the internet.
PREPARE = """
env["mcp.oauth.server"]._note_egress("ok")
client = env["mcp.oauth.client"].create({"name": "Conformance suite", "redirect_uris": "%(redirect)s"})
env.cr.commit()
print("CLIENT:" + client.client_id)
"""


def run_against(fixture, revisions):
    """Yield (scenario, revision, checks, exit code, output) for each scenario at each revision, on a FixtureServer.

    Each comes twice: as older clients ask, and with the resource named (RFC 8707).
    """
    node = clients.node()
    chromium.program()
    port = ports.free(PORT)
    script = PREPARE % {"redirect": f"http://127.0.0.1:{port}/callback"}
    output = databases.shell(fixture.database, script, capture=True)
    client = next(line.partition(":")[2] for line in output.splitlines() if line.startswith("CLIENT:"))
    for revision in revisions:
        settings = {"url": fixture.base, "clientId": client, "port": port}
        yield from _run_one(node, settings, revision, "")
        yield from _run_one(node, {**settings, "resource": fixture.url}, revision, ", resource named")


def _run_one(node, settings, revision, note):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "settings.json"
        file.write_text(json.dumps(settings))
        # Of the port in the file it takes no notice.
        command = node.command(
            "conformance", "authorization", "--file", str(file), "--port", str(settings["port"]),
            "--spec-version", revision, "-o", folder,
        )
        said, code = _watched(command, node.environment(), folder)
        for found in sorted(Path(folder).rglob("checks.json")):
            name = FOLDER.fullmatch(found.parent.name)[1]
            yield name + note, revision, json.loads(found.read_text()), code, said


def _watched(command, environment, folder):
    """Run the suite; when it prints the address that it wants opened, open it. Gives all that was said, and its end."""
    said = []
    suite = subprocess.Popen(
        command, env=environment, cwd=folder, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    timer = threading.Timer(PATIENCE, suite.kill)
    timer.start()
    try:
        for line in suite.stdout:
            said.append(line)
            if ADDRESS.match(line.strip()):
                person = _play_person(line.strip())
                said.append(person.stdout)
                if person.returncode:
                    suite.kill()  # it would wait for minutes
        code = suite.wait()
    finally:
        timer.cancel()
        suite.kill()
    return "".join(said), code


def _play_person(address):
    command = [clients.python_sdk(), "-P", "-m", "devtools.consent", address, LOGIN, PASSWORD]
    environment = {**venvs.environment(), "PYTHONPATH": str(paths.ROOT)}
    return subprocess.run(
        command, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
