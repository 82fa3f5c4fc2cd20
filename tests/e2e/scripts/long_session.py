"""The steps of a long session, for a client of either series of the official Python SDK. Each tells what it sees, as a
line of JSON, and waits for a line where it waits for a person. MCP_STEPS says which steps, in which order.
"""

import asyncio
import json
import os
import sys

FILLED_IN = {"action": "accept", "content": {"username": "ada", "email": "ada@example.com"}}


def tell(**facts):
    print(json.dumps(facts), flush=True)


async def person():
    """Wait for the line that stands for a person."""
    return await asyncio.to_thread(sys.stdin.readline)


async def asked(params):
    """What the person fills in when the server asks."""
    tell(step="asked", message=params.message)
    await person()
    return FILLED_IN


class LongSession:
    """A client that is connected, and what it does."""

    def __init__(self, client, lost):
        self.client = client
        # What a call raises while there is no server.
        self.lost = lost

    async def run(self):
        for step in os.environ["MCP_STEPS"].split():
            await getattr(self, step)()
        tell(step="done")

    async def progress(self):
        seen = []

        async def report(done, total, _message):
            seen.append([done, total])

        result = await self.client.call_tool("test_tool_with_progress", {}, progress_callback=report)
        tell(step="progress", seen=seen, error=is_error(result))

    async def cancel(self):
        arguments = {"name": os.environ["MCP_NAME"], "seconds": 20}
        call = asyncio.create_task(self.client.call_tool("fixture_create_slowly", arguments))
        await asyncio.sleep(1.5)
        await self.end(call)
        tell(step="cancelled")

    async def end(self, call):
        """Cancel a call that runs."""
        call.cancel()
        await asyncio.wait([call])

    async def ask(self):
        result = await self.client.call_tool("test_elicitation", {"message": "Who are you?"})
        tell(step="answered", error=is_error(result), text=result.content[0].text)

    async def resume(self):
        """Go on where a server was that has restarted meanwhile."""
        tell(step="waiting")
        await person()
        for _attempt in range(40):
            try:
                async with asyncio.timeout(5):
                    result = await self.client.call_tool("greet", {"name": "again"})
            except (*self.lost, TimeoutError, OSError):
                await asyncio.sleep(0.5)
                continue
            tell(step="resumed", error=is_error(result), text=result.content[0].text)
            return
        tell(step="lost")


def is_error(result):
    # The series name the attribute differently, and the field of the protocol alike.
    return result.model_dump(by_alias=True)["isError"]
