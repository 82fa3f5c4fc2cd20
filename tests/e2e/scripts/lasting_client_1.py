"""A long session with the official Python SDK 1.x.

MCP_TRANSPORT: http, sse, or stdio with the command in MCP_COMMAND.
"""

import asyncio
import json
import os
from contextlib import asynccontextmanager

import mcp.types as types
from long_session import LongSession, asked, tell
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

HEADERS = {"Authorization": f"Bearer {os.environ['MCP_TOKEN']}"}
URL = os.environ["MCP_URL"]


class OlderSession(LongSession):
    async def end(self, call):
        # The request that was sent last; this series of the SDK has no other way to cancel one.
        params = types.CancelledNotificationParams(requestId=self.client._request_id - 1, reason="not wanted")
        cancelled = types.CancelledNotification(method="notifications/cancelled", params=params)
        await self.client.send_notification(types.ClientNotification(cancelled))
        call.cancel()


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
    return types.ElicitResult(**await asked(params))


async def note(message):
    if isinstance(message, types.ServerNotification):
        tell(step="notified", method=message.root.method)


async def main():
    async with (
        connected() as (read, write),
        ClientSession(read, write, elicitation_callback=answer, message_handler=note) as session,
    ):
        started = await session.initialize()
        tell(step="connected", protocol=started.protocolVersion)
        await OlderSession(session, [McpError]).run()


asyncio.run(main())
