"""A long session with the official Python SDK 2.x."""

import asyncio
import os

import httpx2
from long_session import LongSession, asked, tell
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult

HEADERS = {"Authorization": f"Bearer {os.environ['MCP_TOKEN']}"}


async def answer(_context, params):
    return ElicitResult(**await asked(params))


async def main():
    async with httpx2.AsyncClient(headers=HEADERS, timeout=60) as http:
        transport = streamable_http_client(os.environ["MCP_URL"], http_client=http)
        mode = os.environ.get("MCP_MODE", "auto")
        async with Client(transport, mode=mode, elicitation_callback=answer) as client:
            tell(step="connected", protocol=client.protocol_version)
            await LongSession(client, [MCPError, httpx2.HTTPError]).run()


asyncio.run(main())
