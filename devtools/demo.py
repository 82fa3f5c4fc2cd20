"""set up all, start Odoo with demo data, and hold a conversation with an MCP client

Afterwards the server keeps running until Ctrl-C, with what is needed to connect a client of your own;
--once ends it, and exits 0 only if every step of the conversation worked.
"""

import json
import subprocess
import time
from pathlib import Path

from . import clients, databases, demo_user, serve, server, setup, tokens, venvs
from .console import say, step

CONVERSATION = Path(__file__).parent / "conversation.py"
DATABASE = "demo"


def add_arguments(parser):
    """Once or until interrupted."""
    parser.add_argument("--once", action="store_true", help="stop after the conversation")
    parser.add_argument("--port", type=int, default=8069, help="the next free one is taken when it is in use")


def run(arguments):
    """Set up, serve, talk, and keep serving."""
    begin = time.monotonic()
    setup.ready()
    python = clients.python_sdk()
    name = f"{DATABASE}_once" if arguments.once else DATABASE
    serve.refuse_served(name)
    with step(f"database {name} with demo data"):
        databases.create(name, "full")
    with step("access token for Marc Demo"):
        wanted = tokens.Wanted(demo_user.LOGIN, profile="write", name="Demo conversation")
        (token,) = tokens.issue(name, wanted, before=demo_user.PREPARE)
    with step("start Odoo"):
        started = server.start(name, port=arguments.port)
    try:
        say(f"  ready after {time.monotonic() - begin:.0f} s")
        code = talk(python, started, token)
        if arguments.once:
            return code
        print_connection(started, token)
        return serve.until_interrupted(started) or code
    finally:
        server.stop(started)
        if arguments.once:
            databases.drop(name)


def talk(python, started, token):
    """Hold the conversation in the client's venv; its exit code."""
    environment = {**venvs.environment(), "MCP_URL": started.url, "MCP_TOKEN": token}
    return subprocess.run([python, "-P", "-u", str(CONVERSATION)], env=environment).returncode


def print_connection(started, token):
    """What a person needs to go on with a client of their own."""
    snippet = {"mcpServers": {"odoo": {
        "type": "http", "url": started.url, "headers": {"Authorization": f"Bearer {token}"},
    }}}
    print(f"""
Odoo:      {started.base}  (log in as {demo_user.LOGIN} / {demo_user.PASSWORD}, or admin / admin)
Endpoint:  {started.url}
Log:       {started.log}

Connect Claude Code:
  claude mcp add --transport http odoo {started.url} --header "Authorization: Bearer {token}"

Or in the configuration of another client:
{json.dumps(snippet, indent=2)}

Ctrl-C stops the server.""", flush=True)
