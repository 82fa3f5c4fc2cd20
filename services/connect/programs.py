"""Workflows, libraries and tools for developers, and what holds for any client."""

# There is no environment here; the page translates.  pylint: disable=prefer-env-translation

from __future__ import annotations

from .guide import URL, Guide, Snippet, Way
from .pieces import ADDRESS, AGREE, EXPORT, HEADER, HEADERS, HTTP, SECRET, VARIABLE, _, file, run, servers

_N8N_NODE = _("Add the node *MCP Client Tool*, transport *HTTP Streamable*, and paste the address.")
_INSPECTOR = _("This needs Node.js 22 (nodejs.org). Run this, open the address it prints, and connect.")
_TRANSPORT = _("Choose the transport *HTTP*, also called *Streamable HTTP*, and paste the address.")

_LANGCHAIN = f"""\
import asyncio
import os

from langchain_mcp_adapters.client import MultiServerMCPClient


async def main():
    headers = {{"Authorization": "Bearer " + os.environ["ODOO_MCP_TOKEN"]}}
    client = MultiServerMCPClient({{"odoo": {{"transport": "http", "url": "{URL}", "headers": headers}}}})
    tools = await client.get_tools()
    print([tool.name for tool in tools])


asyncio.run(main())
"""

_AI_SDK = f"""\
import {{ createMCPClient }} from "@ai-sdk/mcp";

const client = await createMCPClient({{
  transport: {{
    type: "http",
    url: "{URL}",
    headers: {{ Authorization: `Bearer ${{process.env.ODOO_MCP_TOKEN}}` }},
  }},
}});
const tools = await client.tools();
console.log(Object.keys(tools));
await client.close();
"""

# Source: "MCP Client Tool" and "MCP Client node", n8n documentation.
N8N = Guide(
    "n8n",
    "n8n",
    "program",
    _("Workflows and agents"),
    login=Way(
        (_N8N_NODE, _("Authentication: *MCP OAuth2*. Make a credential and press *Connect my account*."), AGREE),
        (ADDRESS,),
    ),
    token=Way(
        (_N8N_NODE, _("Authentication: *Bearer Auth*. Make a credential with the token alone, without `Bearer`.")),
        (ADDRESS, SECRET),
    ),
)

# Source: "Model Context Protocol (MCP)", LangChain documentation.
LANGCHAIN = Guide(
    "langchain",
    "LangChain",
    "program",
    _("Python, also for LangGraph"),
    token=Way(
        (_("Install the adapters, and give your agent the tools."), VARIABLE),
        (run("pip install langchain-mcp-adapters"), EXPORT, Snippet("python", "odoo_tools.py", _LANGCHAIN)),
    ),
)

# Source: "Model Context Protocol (MCP)", AI SDK documentation.
AI_SDK = Guide(
    "ai-sdk",
    "Vercel AI SDK",
    "program",
    _("JavaScript and TypeScript"),
    token=Way(
        (_("Install the client, and pass `tools` to `generateText` or `streamText`."), VARIABLE),
        (run("npm install ai @ai-sdk/mcp"), EXPORT, Snippet("javascript", "odoo-tools.mjs", _AI_SDK)),
    ),
)

# Source: "MCP Inspector", Model Context Protocol documentation, and `mcp-inspector --web --help` of 2.12.
INSPECTOR = Guide(
    "inspector",
    "MCP Inspector",
    "program",
    _("Look at tools, requests and answers"),
    login=Way(
        (_INSPECTOR, AGREE),
        (run("npx -y @modelcontextprotocol/inspector --transport http --server-url {url}"),),
    ),
    token=Way(
        (_INSPECTOR,),
        (run("npx -y @modelcontextprotocol/inspector --transport http --server-url {url} --header {header}"),),
    ),
)

# Source: "Transports" and "Authorization", Model Context Protocol specification.
OTHER = Guide(
    "other",
    _("Any other client"),
    "program",
    _("What every MCP client has to know"),
    login=Way(
        (_TRANSPORT, _("Leave client ID, secret and token empty: the client finds out how to log in."), AGREE),
        (ADDRESS,),
    ),
    token=Way(
        (
            _TRANSPORT,
            _("Have it send the token in the header `Authorization`. Many clients take this form."),
            _("If it cannot cope with tools that take free-form objects, add `?schema=portable` to the address."),
        ),
        (
            file(_("Configuration"), servers({**HTTP, "headers": HEADERS})),
            Snippet("text", _("Header"), HEADER),
        ),
    ),
)
