"""A long session with the official Python SDK 1.x; says what it sees as a line of JSON per step.

MCP_TRANSPORT: http, sse, or stdio with the command in MCP_COMMAND. It waits for a line where a step waits for a person.
"""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager

import mcp.types as types
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

HEADERS = {"Authorization": f"Bearer {os.environ['MCP_TOKEN']}"}
URL = os.environ["MCP_URL"]


def tell(**facts):
    print(json.dumps(facts), flush=True)


async def person():
    """Wait for the line that stands for a person."""
    return await asyncio.to_thread(sys.stdin.readline)


@asynccontextmanager
async def connected():
    match os.environ["MCP_TRANSPORT"]:
        case "sse":
            async with sse_client(f"{URL}/sse", headers=HEADERS) as streams:
                yield streams
        case "stdio":
            program, *arguments = json.loads(os.environ["MCP_COMMAND"])
            command = StdioServerParameters(command=program, args=arguments, env=dict(os.environ))
            async with stdio_client(command) as streams:
                yield streams
        case _:
            async with streamablehttp_client(URL, headers=HEADERS) as (read, write, _session_id):
                yield read, write


async def answer(_context, params):
    tell(step="asked", message=params.message)
    await person()
    return types.ElicitResult(action="accept", content={"username": "ada", "email": "ada@example.com"})


async def note(message):
    if isinstance(message, types.ServerNotification):
        tell(step="notified", method=message.root.method)


async def progress(session):
    seen = []

    async def report(done, total, _message):
        seen.append([done, total])

    result = await session.call_tool("test_tool_with_progress", {}, progress_callback=report)
    tell(step="progress", seen=seen, error=result.isError)


async def cancel(session, name):
    call = asyncio.create_task(session.call_tool("fixture_create_slowly", {"name": name, "seconds": 20}))
    await asyncio.sleep(1.5)
    # The request that was sent last; this series of the SDK has no other way to cancel one.
    params = types.CancelledNotificationParams(requestId=session._request_id - 1, reason="not wanted")
    cancelled = types.CancelledNotification(method="notifications/cancelled", params=params)
    await session.send_notification(types.ClientNotification(cancelled))
    call.cancel()
    tell(step="cancelled")


async def ask(session):
    result = await session.call_tool("test_elicitation", {"message": "Who are you?"})
    tell(step="answered", error=result.isError, text=result.content[0].text)


async def resume(session):
    """Go on where a server was that has restarted meanwhile."""
    tell(step="waiting")
    await person()
    for _attempt in range(40):
        try:
            async with asyncio.timeout(5):
                result = await session.call_tool("greet", {"name": "again"})
        except (McpError, TimeoutError, OSError):
            await asyncio.sleep(0.5)
            continue
        tell(step="resumed", error=result.isError, text=result.content[0].text)
        return
    tell(step="lost")


async def main():
    async with (
        connected() as (read, write),
        ClientSession(read, write, elicitation_callback=answer, message_handler=note) as session,
    ):
        started = await session.initialize()
        tell(step="connected", protocol=started.protocolVersion)
        for step in os.environ["MCP_STEPS"].split():
            await {
                "progress": lambda: progress(session),
                "cancel": lambda: cancel(session, os.environ["MCP_NAME"]),
                "ask": lambda: ask(session),
                "resume": lambda: resume(session),
            }[step]()
        tell(step="done")


asyncio.run(main())
