"""Other MCP servers for Odoo, installed from PyPI in venvs of their own and run as their users do."""

import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import paths, ports, processes, server, venvs
from .console import Failure, step

PORT = 18369
PATIENCE = 60
# Its defaults show no model of a stock Odoo to somebody who is not an administrator.
GATEWAY_ACCESS = """
custom_models:
  full_crud:
    - res.partner
"""


@dataclass(frozen=True)
class Account:
    """The Odoo and the user that a peer works for."""

    base: str
    database: str
    login: str
    password: str
    api_key: str


@contextmanager
def running(account):
    """Start what has to run by itself; gives how to reach each peer, by name."""
    with (
        _server_odoo(account, "json2") as json2,
        _server_odoo(account, "xmlrpc") as xmlrpc,
        tempfile.TemporaryDirectory() as folder,
    ):
        yield {
            "mcp-server-odoo (XML-RPC)": {"url": xmlrpc},
            "mcp-server-odoo (JSON-2)": {"url": json2},
            "odoo-mcp-gateway": _gateway(account, folder),
        }


@contextmanager
def _server_odoo(account, transport):
    """`mcp-server-odoo` over streamable HTTP, with the API key, in its mode for an Odoo without its module."""
    python = venvs.interpreter("peer-mcp-server-odoo")
    port = ports.free(PORT)
    name = f"peer-{port}"
    environment = {
        **venvs.environment(), "ODOO_URL": account.base, "ODOO_DB": account.database, "ODOO_USER": account.login,
        "ODOO_API_KEY": account.api_key, "ODOO_YOLO": "read", "ODOO_RPC_TRANSPORT": transport,
        "ODOO_MCP_LOG_LEVEL": "WARNING",
    }
    command = [
        str(Path(python).with_name("mcp-server-odoo")), "--transport", "streamable-http", "--host", "127.0.0.1",
        "--port", str(port),
    ]
    log = paths.LOGS / f"{name}.log"
    with step(f"mcp-server-odoo over {transport}"):
        child = processes.start(name, command, environment, log, port=port)
        url = f"http://127.0.0.1:{port}/mcp"
        deadline = time.monotonic() + PATIENCE
        while server.status(url, b"{}") is None:
            if child.poll() is not None or time.monotonic() > deadline:
                processes.stop(name)
                raise Failure(f"mcp-server-odoo does not start: see {log}")
            time.sleep(0.1)
    try:
        yield url
    finally:
        processes.stop(name)


def _gateway(account, folder):
    """`odoo-mcp-gateway` over stdio (the client starts it), its rate limits out of the way."""
    (Path(folder) / "model_access.yaml").write_text(GATEWAY_ACCESS)
    return {
        "command": venvs.interpreter("peer-odoo-mcp-gateway"),
        "args": ["-m", "odoo_mcp_gateway"],
        "env": {
            "ODOO_URL": account.base, "ODOO_DB": account.database, "CONFIG_DIR": folder,
            "RATE_LIMIT_GLOBAL": "1000000", "RATE_LIMIT_WRITE": "1000000", "MCP_LOG_LEVEL": "ERROR",
        },
        "login": {
            "method": "password", "username": account.login, "credential": account.password,
            "database": account.database,
        },
    }
