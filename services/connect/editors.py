"""Editors with an assistant in them."""

# There is no environment here; the page translates.  pylint: disable=prefer-env-translation

from __future__ import annotations

from .guide import BEARER, URL, Guide, Link, Snippet, Way
from .pieces import AGREE, HEADERS, HTTP, SECRET, _, file, servers

_WINDSURF_STEP = _("Add this to Windsurf's settings, and press *Refresh* in its list of MCP servers.")
_WINDSURF_FILE = "~/.codeium/windsurf/mcp_config.json"

# Source: "Model Context Protocol (MCP)" and "MCP Install Links", Cursor documentation.
CURSOR = Guide(
    "cursor",
    "Cursor",
    "editor",
    _("Editor and terminal"),
    login=Way(
        (_("Press the button, then *Install* in Cursor; or add this to its settings by hand."), AGREE),
        (file("~/.cursor/mcp.json", servers({"url": URL})),),
        Link("cursor", _("Add to Cursor"), {"url": URL}),
    ),
    token=Way(
        (_("Add this to Cursor's settings."),),
        (file("~/.cursor/mcp.json", servers({"url": URL, "headers": HEADERS})),),
    ),
)

# Source: "MCP configuration reference" and "MCP developer guide", Visual Studio Code documentation.
VSCODE = Guide(
    "vscode",
    "VS Code",
    "editor",
    _("With GitHub Copilot"),
    login=Way(
        (_("Press the button, then *Install*; or run *MCP: Open User Configuration* and add this by hand."), AGREE),
        (file("mcp.json", {"servers": {"odoo": HTTP}}),),
        Link("vscode", _("Add to VS Code"), {"name": "odoo", **HTTP}),
    ),
    token=Way(
        (
            _("Run *MCP: Open User Configuration* from the Command Palette and add this."),
            _("Press *Start* above the entry. VS Code asks for the token once and keeps it safe."),
        ),
        (
            file(
                "mcp.json",
                {
                    "inputs": [{"type": "promptString", "id": "odoo", "description": "Odoo token", "password": True}],
                    "servers": {"odoo": {**HTTP, "headers": {"Authorization": "Bearer ${input:odoo}"}}},
                },
            ),
            SECRET,
        ),
    ),
)

# Source: "Cascade MCP Integration" (sections Remote HTTP MCPs and mcp_config.json), Windsurf documentation.
WINDSURF = Guide(
    "windsurf",
    "Windsurf",
    "editor",
    _("Also called Devin Desktop"),
    login=Way((_WINDSURF_STEP, AGREE), (file(_WINDSURF_FILE, servers({"serverUrl": URL})),)),
    token=Way((_WINDSURF_STEP,), (file(_WINDSURF_FILE, servers({"serverUrl": URL, "headers": HEADERS})),)),
)

# Source: "How to Set Up Model Context Protocol (MCP) in Continue", Continue documentation.
CONTINUE = Guide(
    "continue",
    "Continue",
    "editor",
    _("In VS Code and JetBrains, agent mode"),
    token=Way(
        (_("Save this in the folder of your project. Keep the file out of version control: it holds your token."),),
        (
            Snippet(
                "yaml",
                ".continue/mcpServers/odoo.yaml",
                "name: Odoo\nversion: 0.0.1\nschema: v1\nmcpServers:\n  - name: Odoo\n    type: streamable-http\n"
                f'    url: "{URL}"\n    requestOptions:\n      headers:\n        Authorization: "{BEARER}"\n',
            ),
        ),
    ),
)
