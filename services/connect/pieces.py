"""What the guides have in common: sentences, snippets and short ways to write them."""

# There is no environment here; the page translates.  pylint: disable=prefer-env-translation

from __future__ import annotations

from .guide import BEARER, TOKEN, URL, Snippet

# Marks a text for translation: the export of terms looks for calls of this name.
_ = str

AGREE = _("Odoo opens: log in, choose what the assistant may do, press *Allow*.")
NEEDS_NODE = _("This needs Node.js (nodejs.org) on your computer.")
VARIABLE = _("Set the variable where the program starts (on Windows: `setx ODOO_MCP_TOKEN`, a space, the token).")

HTTP = {"type": "http", "url": URL}
HEADERS = {"Authorization": BEARER}
HEADER = f"Authorization: {BEARER}"
ADDRESS = Snippet("text", _("Address"), URL)
SECRET = Snippet("text", _("Token"), TOKEN)
EXPORT = Snippet("shell", _("Terminal (Linux, macOS)"), (("export", f"ODOO_MCP_TOKEN={TOKEN}"),))


def run(*lines: str) -> Snippet:
    """Return commands for a terminal, their words separated by spaces; `{url}` and `{header}` are one word each."""
    words = {"{url}": URL, "{header}": HEADER}
    return Snippet(
        "shell", _("Terminal"), tuple(tuple(words.get(word, word) for word in line.split()) for line in lines)
    )


def file(name: str, content: dict) -> Snippet:
    """Return what belongs in a JSON file."""
    return Snippet("json", name, content)


def servers(entry: dict) -> dict:
    """Return the list of servers, with this one entry, as most clients keep it."""
    return {"mcpServers": {"odoo": entry}}


def bridge(*options: str, **extra: dict) -> dict:
    """Return a server that runs on the user's computer and passes everything on to the address."""
    return servers({"command": "npx", "args": ["-y", "mcp-remote", URL, *options], **extra})


BRIDGE_LOGIN = bridge()
# "Authorization:" without a space: on Windows some clients do not quote arguments with spaces.
BRIDGE_TOKEN = bridge("--header", "Authorization:${ODOO_MCP_AUTH}", env={"ODOO_MCP_AUTH": BEARER})
