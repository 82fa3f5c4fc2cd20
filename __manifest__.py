{
    "name": "MCP Server",
    "version": "19.0.1.0.0",
    "category": "Productivity",
    "summary": "Let Claude, ChatGPT, Cursor and other AI assistants work in Odoo, as the user they belong to",
    "author": "MCP Server for Odoo contributors",
    "license": "LGPL-3",
    "depends": ["base", "web", "mail", "bus", "portal"],
    "data": [
        "security/mcp_groups.xml",
        "security/ir.model.access.csv",
        "security/mcp_rules.xml",
        "data/mcp_profile_data.xml",
    ],
    "application": True,
}
