{
    "name": "MCP Server: fixture",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "summary": "Tools added from another addon, for the tests of MCP Server",
    "author": "MCP Server for Odoo contributors",
    "license": "LGPL-3",
    "depends": ["mcp_endpoint"],
    "installable": True,
}
