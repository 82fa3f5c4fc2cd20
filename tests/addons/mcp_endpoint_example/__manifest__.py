{
    "name": "MCP Server: example",
    "version": "19.0.1.0.0",
    "author": "MCP Server for Odoo contributors",
    "license": "LGPL-3",
    "depends": ["mcp_endpoint"],
    "data": ["prompts.xml"],
}
