"""Personal access tokens, minted in the database as the user's own preferences page would."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from . import databases
from .console import Failure

SCRIPT = Path(__file__).parent / "scripts" / "mint_tokens.py"


@dataclass(frozen=True)
class Wanted:
    """A token to mint; `profile` is the name of an access profile, None for the user's first."""

    login: str
    profile: str | None = None
    days: int = 30
    name: str = "./dev"


def issue(database, *wanted, before=""):
    """New tokens in clear, in the order asked for; `before` is a script to run first."""
    # Values go by environment, so that no quoting can turn them into code.
    asked = json.dumps([asdict(one) for one in wanted])
    output = databases.shell(database, before + SCRIPT.read_text(), capture=True, MCP_DEV_TOKENS=asked)
    lines = [line.partition(":") for line in output.splitlines()]
    for kind, _colon, text in lines:
        if kind == "MCP_ERROR":
            raise Failure(text)
    tokens = [text for kind, _colon, text in lines if kind == "MCP_TOKEN"]
    if len(tokens) != len(wanted):
        raise Failure("Odoo's shell gave no token.")
    return tokens
