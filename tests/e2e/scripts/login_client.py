"""A whole login with the official Python SDK, 1.x or 2.x: no credentials but what OAuth brings.

Says AUTHORIZE with the address for the person's browser; connects, lists, calls, says CONNECTED, waits for a line,
calls again as if the access token's time were up, and prints what it saw as JSON.
"""

import asyncio
import contextlib
import json
import os
import sys
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

import mcp
from mcp.client import auth
from mcp.shared.auth import OAuthClientMetadata

try:
    import httpx2 as httpx
except ImportError:
    import httpx

CALL = ("odoo_search_records", {"model": "res.partner", "fields": ["name"], "limit": 3})


class Memory:
    """What the client keeps."""

    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


class Callback:
    """The one request that the browser brings back to this program."""

    def __init__(self):
        self.found = asyncio.get_running_loop().create_future()
        self.logins = 0

    async def listen(self):
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    async def answer(self, reader, writer):
        target = (await reader.readline()).split()[1].decode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndone")
        await writer.drain()
        writer.close()
        if "code=" in target and not self.found.done():
            self.found.set_result({name: one for name, [one] in parse_qs(urlsplit(target).query).items()})

    async def open(self, url):
        self.logins += 1
        print("AUTHORIZE", url, flush=True)

    async def wait(self):
        found = await asyncio.wait_for(self.found, 120)
        if version("mcp").startswith("1."):
            return found["code"], found["state"]
        return auth.AuthorizationCodeResult(code=found["code"], state=found["state"], iss=found["iss"])


async def main():
    callback, memory = Callback(), Memory()
    redirect = f"http://localhost:{await callback.listen()}/callback"
    provider = auth.OAuthClientProvider(
        os.environ["MCP_URL"],
        OAuthClientMetadata(
            client_name="Python login", redirect_uris=[redirect], grant_types=["authorization_code", "refresh_token"]
        ),
        memory,
        callback.open,
        callback.wait,
        client_metadata_url=os.environ.get("MCP_CLIENT_DOCUMENT"),
    )
    session = legacy if version("mcp").startswith("1.") else current
    async with session(provider) as (tools, call):
        first = memory.tokens
        await call()
        print("CONNECTED", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        provider.context.token_expiry_time = 1
        result = await call()
    print(
        json.dumps(
            {
                "sdk": version("mcp"),
                "tools": tools,
                "client_id": memory.client.client_id,
                "scope": memory.tokens.scope,
                "logins": callback.logins,
                "is_refreshed": memory.tokens.access_token != first.access_token
                and memory.tokens.refresh_token != first.refresh_token,
                **result,
            }
        )
    )


@contextlib.asynccontextmanager
async def current(provider):
    from mcp.client.streamable_http import streamable_http_client

    async with (
        httpx.AsyncClient(auth=provider, timeout=60) as http,
        mcp.Client(streamable_http_client(os.environ["MCP_URL"], http_client=http)) as client,
    ):

        async def call():
            result = await client.call_tool(*CALL)
            return {"error": result.is_error, "structured": result.structured_content}

        yield [tool.name for tool in (await client.list_tools()).tools], call


@contextlib.asynccontextmanager
async def legacy(provider):
    from mcp.client.streamable_http import streamablehttp_client

    async with (
        streamablehttp_client(os.environ["MCP_URL"], auth=provider) as (read, write, _session),
        mcp.ClientSession(read, write) as client,
    ):
        await client.initialize()

        async def call():
            result = await client.call_tool(*CALL)
            return {"error": result.isError, "structured": result.structuredContent}

        yield [tool.name for tool in (await client.list_tools()).tools], call


asyncio.run(main())
