"""A session with the official Python SDK 1.x over a transport with a stream; prints what it saw as JSON.

MCP_TRANSPORT is `sse` or `http`. It subscribes to MCP_RESOURCE, lets it change, and calls a tool with progress.
"""

import asyncio
import json
import os

from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamablehttp_client
from pydantic import AnyUrl

PATIENCE = 20


async def main():
    headers = {"Authorization": f"Bearer {os.environ['MCP_TOKEN']}"}
    connect = sse_client if os.environ["MCP_TRANSPORT"] == "sse" else streamablehttp_client
    heard, changed, progress = [], asyncio.Event(), []

    async def hear(message):
        method = getattr(getattr(message, "root", None), "method", None)
        if method:
            heard.append(method)
        if method == "notifications/resources/updated":
            changed.set()

    async def note(done, total, _message):
        progress.append([done, total])

    uri = os.environ["MCP_RESOURCE"]
    model, record_id = uri.removeprefix("odoo://record/").split("/")
    async with (
        connect(os.environ["MCP_URL"], headers=headers) as (read, write, *_rest),
        ClientSession(read, write, message_handler=hear) as session,
    ):
        started = await session.initialize()
        await asyncio.sleep(1)
        tools = (await session.list_tools()).tools
        await session.subscribe_resource(AnyUrl(uri))
        values = {"model": model, "ids": [int(record_id)], "values": {"comment": os.urandom(4).hex()}}
        result = await session.call_tool("odoo_update_records", values)
        await asyncio.wait_for(changed.wait(), PATIENCE)
        told = await session.call_tool("test_tool_with_progress", {}, progress_callback=note)
        many = await asyncio.gather(*(session.send_ping() for _number in range(5)))
        print(
            json.dumps(
                {
                    "protocol": started.protocolVersion,
                    "tools": [tool.name for tool in tools],
                    "error": result.isError or told.isError,
                    "heard": heard,
                    "progress": progress,
                    "pings": len(many),
                }
            )
        )


asyncio.run(main())
