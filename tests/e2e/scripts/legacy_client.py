"""A session with the official Python SDK 1.x: connect, list, call; prints what it saw as JSON."""

import asyncio
import json
import os
from importlib.metadata import version

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main():
    headers = {"Authorization": f"Bearer {os.environ['MCP_TOKEN']}"}
    async with (
        streamablehttp_client(os.environ["MCP_URL"], headers=headers) as (read, write, session_id),
        ClientSession(read, write) as session,
    ):
        started = await session.initialize()
        tools = (await session.list_tools()).tools
        arguments = {"model": "res.partner", "fields": ["name"], "limit": 3}
        result = await session.call_tool("odoo_search_records", arguments)
        print(
            json.dumps(
                {
                    "client": version("mcp"),
                    "protocol": started.protocolVersion,
                    "server": started.serverInfo.name,
                    "session": bool(session_id()),
                    "tools": [tool.name for tool in tools],
                    "error": result.isError,
                    "text": result.content[0].text,
                    "structured": result.structuredContent,
                }
            )
        )


asyncio.run(main())
