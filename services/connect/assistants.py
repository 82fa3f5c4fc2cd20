"""Assistants one talks to, on the web, as an app, or in a terminal."""

# There is no environment here; the page translates.  pylint: disable=prefer-env-translation

from __future__ import annotations

from .guide import URL, Guide, Snippet, Way
from .pieces import (
    ADDRESS,
    AGREE,
    BRIDGE_LOGIN,
    BRIDGE_TOKEN,
    EXPORT,
    HEADERS,
    NEEDS_NODE,
    VARIABLE,
    _,
    file,
    run,
    servers,
)

_JAN_AND_MSTY = _("Jan: *Settings → MCP Servers → +*, transport *STDIO*. Msty: *Toolbox → Add New Tool*, type *JSON*.")
_CLAUDE_CONFIG = _("In Claude Desktop open *Settings → Developer → Edit Config* and add this.")
_CLAUDE_RESTART = _("Quit Claude Desktop and start it again.")

# Source: "Get started with custom connectors using remote MCP" and "Building custom connectors via remote MCP
# servers", Claude Help Center.
CLAUDE = Guide(
    "claude",
    "Claude",
    "assistant",
    _("Web, desktop and mobile"),
    login=Way(
        (
            _("In Claude open *Customize → Connectors*, press *+*, then *Add custom connector*."),
            _("Name it `Odoo`, paste the address, press *Add*, then *Connect*."),
            AGREE,
            _("On Team and Enterprise an owner adds it first, in *Organization settings → Connectors*."),
        ),
        (ADDRESS,),
        is_cloud=True,
    ),
)

# Source: "ChatGPT Developer mode", OpenAI developer documentation.
CHATGPT = Guide(
    "chatgpt",
    "ChatGPT",
    "assistant",
    _("On the web, with a paid plan"),
    login=Way(
        (
            _("In ChatGPT open *Settings → Apps → Advanced settings* and switch *Developer mode* on."),
            _("Back in *Apps* press *Create app*. Name it `Odoo`, paste the address, choose *OAuth*, press *Create*."),
            AGREE,
            _("In a chat press *+*, then *More*, and choose the app."),
        ),
        (ADDRESS,),
        is_cloud=True,
    ),
)

# Source: "mcp-remote" (README, sections Custom Headers and Claude Desktop).
CLAUDE_DESKTOP = Guide(
    "claude-desktop",
    "Claude Desktop",
    "assistant",
    _("Where Claude's servers cannot reach Odoo, or with a token"),
    login=Way(
        (NEEDS_NODE, _CLAUDE_CONFIG, _CLAUDE_RESTART, AGREE),
        (file("claude_desktop_config.json", BRIDGE_LOGIN),),
    ),
    token=Way(
        (NEEDS_NODE, _CLAUDE_CONFIG, _CLAUDE_RESTART),
        (file("claude_desktop_config.json", BRIDGE_TOKEN),),
    ),
)

# Source: "Connectors" and "MCP Servers" (Grok Build), xAI documentation.
GROK = Guide(
    "grok",
    "Grok",
    "assistant",
    _("Web and terminal"),
    login=Way(
        (
            _("Open grok.com/connectors, press *New Connector*, and add a custom MCP server."),
            _("Name it `Odoo` and paste the address."),
            AGREE,
        ),
        (ADDRESS,),
        is_cloud=True,
    ),
    token=Way(
        (_("For Grok in the terminal (Grok Build) run this. `grok mcp doctor odoo` tells whether it works."),),
        (run("grok mcp add --transport http odoo {url} --header {header}"),),
    ),
)

# Source: "MCP Servers", Jan documentation; "mcp-remote" (README).
BRIDGE = Guide(
    "bridge",
    "Jan, Msty",
    "assistant",
    _("And other apps that only start local servers"),
    login=Way(
        (NEEDS_NODE, _JAN_AND_MSTY, _("Take command and arguments from here."), AGREE),
        (file(_("Configuration"), BRIDGE_LOGIN),),
    ),
    token=Way(
        (NEEDS_NODE, _JAN_AND_MSTY, _("Take command, arguments and environment variable from here.")),
        (file(_("Configuration"), BRIDGE_TOKEN),),
    ),
)

# Source: "Connect Claude Code to tools via MCP", Claude Code documentation, and `claude mcp add --help` of 2.1.
CLAUDE_CODE = Guide(
    "claude-code",
    "Claude Code",
    "terminal",
    _("Terminal and editor extensions"),
    login=Way(
        (_("Run both commands. The second opens Odoo in your browser; `/mcp` in Claude Code does the same."), AGREE),
        (run("claude mcp add --scope user --transport http odoo {url}", "claude mcp login odoo"),),
    ),
    token=Way(
        (_("Run this. Then `claude mcp list` says *Connected*."),),
        (run("claude mcp add --scope user --transport http odoo {url} --header {header}"),),
    ),
)

# Source: "Model Context Protocol", Codex documentation, and its reference of `codex mcp`.
CODEX = Guide(
    "codex",
    "Codex",
    "terminal",
    _("Terminal, editor extension and desktop app"),
    login=Way(
        (_("Run this. Codex opens Odoo in your browser; `codex mcp login odoo` does it again later."), AGREE),
        (run("codex mcp add odoo --url {url}"),),
    ),
    token=Way(
        (VARIABLE, _("Add this to Codex's settings and start it again.")),
        (
            EXPORT,
            Snippet(
                "toml",
                "~/.codex/config.toml",
                f'[mcp_servers.odoo]\nurl = "{URL}"\nbearer_token_env_var = "ODOO_MCP_TOKEN"\n',
            ),
        ),
    ),
)

# Source: "MCP servers with Gemini CLI", Gemini CLI documentation.
GEMINI_CLI = Guide(
    "gemini-cli",
    "Gemini CLI",
    "terminal",
    _("Terminal"),
    login=Way(
        (_("Run this, start `gemini`, and type `/mcp auth odoo`."), AGREE),
        (run("gemini mcp add --scope user --transport http odoo {url}"),),
    ),
    token=Way(
        (_("Add this to Gemini's settings, start `gemini`, and type `/mcp`."),),
        (file("~/.gemini/settings.json", servers({"httpUrl": URL, "headers": HEADERS})),),
    ),
)
