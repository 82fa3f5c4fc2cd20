"""A long session with the official Python SDK 2.x; says what it sees as a line of JSON per step."""

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client, MCPError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult

HEADERS = {"Authorization": f"Bearer {os.environ['MCP_TOKEN']}"}
URL = os.environ["MCP_URL"]


def tell(**facts):
    print(json.dumps(facts), flush=True)


async def person():
    """Wait for the line that stands for a person."""
    return await asyncio.to_thread(sys.stdin.readline)


async def answer(_context, params):
    tell(step="asked", message=params.message)
    await person()
    return ElicitResult(action="accept", content={"username": "ada", "email": "ada@example.com"})


async def progress(client):
    seen = []

    async def report(done, total, _message):
        seen.append([done, total])

    result = await client.call_tool("test_tool_with_progress", {}, progress_callback=report)
    tell(step="progress", seen=seen, error=result.is_error)


async def cancel(client, name):
    call = asyncio.create_task(client.call_tool("fixture_create_slowly", {"name": name, "seconds": 20}))
    await asyncio.sleep(1.5)
    call.cancel()
    await asyncio.wait([call])
    tell(step="cancelled")


async def ask(client):
    result = await client.call_tool("test_elicitation", {"message": "Who are you?"})
    tell(step="answered", error=result.is_error, text=result.content[0].text)


async def resume(client):
    """Go on where a server was that has restarted meanwhile."""
    tell(step="waiting")
    await person()
    for _attempt in range(40):
        try:
            async with asyncio.timeout(5):
                result = await client.call_tool("greet", {"name": "again"})
        except (MCPError, TimeoutError, OSError, httpx2.HTTPError):
            await asyncio.sleep(0.5)
            continue
        tell(step="resumed", error=result.is_error, text=result.content[0].text)
        return
    tell(step="lost")


async def main():
    async with httpx2.AsyncClient(headers=HEADERS, timeout=60) as http:
        if os.environ["MCP_TRANSPORT"] == "sse":
            transport = sse_client(f"{URL}/sse", headers=HEADERS)
        else:
            transport = streamable_http_client(URL, http_client=http)
        mode = os.environ.get("MCP_MODE", "auto")
        async with Client(transport, mode=mode, elicitation_callback=answer) as client:
            tell(step="connected", protocol=client.protocol_version)
            for step in os.environ["MCP_STEPS"].split():
                await {
                    "progress": lambda: progress(client),
                    "cancel": lambda: cancel(client, os.environ["MCP_NAME"]),
                    "ask": lambda: ask(client),
                    "resume": lambda: resume(client),
                }[step]()
            tell(step="done")


asyncio.run(main())
