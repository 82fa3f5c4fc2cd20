"""A session of the stateless revision with the official Python SDK 2.x that listens; prints what it saw as JSON."""

import asyncio
import json
import os

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

PATIENCE = 20


async def main():
    uri = os.environ["MCP_RESOURCE"]
    model, record_id = uri.removeprefix("odoo://record/").split("/")
    headers = {"Authorization": f"Bearer {os.environ['MCP_TOKEN']}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(os.environ["MCP_URL"], http_client=http)) as client,
        client.listen(tools_list_changed=True, resource_subscriptions=[uri]) as subscription,
    ):
        tools = (await client.list_tools()).tools
        values = {"model": model, "ids": [int(record_id)], "values": {"comment": os.urandom(4).hex()}}
        result = await client.call_tool("odoo_update_records", values)
        event = await asyncio.wait_for(anext(aiter(subscription)), PATIENCE)
        print(
            json.dumps(
                {
                    "protocol": client.protocol_version,
                    "tools": [tool.name for tool in tools],
                    "error": result.is_error,
                    "changed": getattr(event, "uri", None),
                }
            )
        )


asyncio.run(main())
