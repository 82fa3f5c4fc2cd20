"""The measuring process of ./dev bench: runs in the venv of the official SDK, plan on stdin, figures on stdout."""

import asyncio
import functools
import inspect
import itertools
import json
import os
import random
import sys
import time
from contextlib import AsyncExitStack

import httpx2
import psycopg2
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from . import bench_list, bench_load, bench_wire

MODEL = "res.partner"
FIELDS = ["name", "email", "city"]
ROWS = 20
WARM_UP = 30
# After a change of schema each worker is cold once; this many calls reach both of them.
WARM_AGAIN = 6
SEARCH = {"model": MODEL, "fields": FIELDS, "limit": ROWS}
AGGREGATE = {"model": "sale.order", "group_by": ["date_order:month"], "measures": ["amount_total:sum"]}
DESCRIBE = {"model": "sale.order"}
PEER_SEARCH = {
    "mcp-server-odoo": ("search_records", {"model": MODEL, "domain": [], "fields": FIELDS, "limit": ROWS}),
    "odoo-mcp-gateway": ("search_read", {"model": MODEL, "domain": [], "fields": FIELDS, "limit": ROWS}),
}


async def main():
    """Measure everything in the plan."""
    plan = json.load(sys.stdin)
    results = {"calls": plan["calls"], "rows": {}, "list_sizes": {}}
    results["rows"] |= await _turns(_wire_rows(plan), plan["calls"])
    results["rows"] |= await _turns(_token_rows(plan), plan["calls"])
    results["rows"] |= await _turns(_log_rows(plan), plan["calls"])
    results["rows"] |= await _describe_rows(plan)
    results["rows"] |= bench_list.rows(plan["base_logged"])
    async with AsyncExitStack() as stack:
        rows = await _client_rows(stack, plan, results["list_sizes"])
        results["rows"] |= await _turns(rows, plan["calls"])
    results["throughput"] = bench_load.measured(plan, _request(plan, "odoo_search_records", SEARCH), _json2(plan))
    json.dump(results, sys.stdout)


def _wire_rows(plan):
    """Bare HTTP, one connection per request as Odoo's workers want it."""
    wire = bench_wire.Wire(plan["base"])
    numbers = itertools.count()

    def create():
        values = {"name": f"Zz bench {next(numbers)}"}
        return wire.send(_request(plan, "odoo_create_records", {"model": MODEL, "records": [values]}))

    requests = {
        "HTTP floor: /web/health": bench_wire.health(),
        "Odoo's /json/2 search_read": _json2(plan),
        "tools/list": bench_wire.rpc("tools/list", plan["token"]),
        "completion, model": bench_wire.rpc(
            "completion/complete", plan["token"], ref={"type": "ref/resource", "uri": "odoo://model/{name}"},
            argument={"name": "name", "value": "cust"},
        ),
        "completion, record": bench_wire.rpc(
            "completion/complete", plan["token"], ref={"type": "ref/resource", "uri": "odoo://record/{model}/{id}"},
            argument={"name": "id", "value": "azure"}, context={"arguments": {"model": MODEL}},
        ),
        "completion, prompt": bench_wire.rpc(
            "completion/complete", plan["token"], ref={"type": "ref/prompt", "name": "explore_model"},
            argument={"name": "model", "value": "cust"},
        ),
        "search": _request(plan, "odoo_search_records", SEARCH),
        "aggregate": _request(plan, "odoo_aggregate_records", AGGREGATE),
    }
    return {**{name: functools.partial(wire.send, request) for name, request in requests.items()}, "create": create}


def _token_rows(plan):
    """The cheapest call that a token opens, in turns with the route's answer to none: the refusal, without a query."""
    wire = bench_wire.Wire(plan["base"])
    rows = {
        f"discover, {kind}": functools.partial(wire.send, bench_wire.rpc("server/discover", plan[name]))
        for kind, name in (("personal token", "token"), ("access token", "access_token"))
    }
    return {"no token: 401": functools.partial(wire.send, bench_wire.rpc("server/discover", None), 401), **rows}


def _log_rows(plan):
    """The two servers get the same work: one that is asked less often has colder caches, and would look slower."""
    plain, logged = bench_wire.Wire(plan["base"]), bench_wire.Wire(plan["base_logged"])
    search = _request(plan, "odoo_search_records", SEARCH)
    return {
        "search, empty audit log": lambda: plain.send(search),
        "search, 1,000,000 audit rows": lambda: logged.send(search),
    }


async def _describe_rows(plan):
    """Describe with the schema cache emptied before each call, in turns with the filled one."""
    wire = bench_wire.Wire(plan["base"])
    request = _request(plan, "odoo_describe_model", DESCRIBE)
    rows = {"describe, cold": [], "describe, warm": []}
    os.environ.update(plan["postgres"])
    connection = psycopg2.connect(dbname=plan["database"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        for _round in range(plan["calls"]):
            # What Odoo does when views change. The other signals would empty its own caches too, and cold
            # would then measure those.
            cursor.execute("INSERT INTO orm_signaling_templates DEFAULT VALUES")
            rows["describe, cold"].append(await _timed(lambda: wire.send(request)))
            for _again in range(WARM_AGAIN):
                wire.send(request)
            rows["describe, warm"].append(await _timed(lambda: wire.send(request)))
    connection.close()
    return rows


async def _client_rows(stack, plan, sizes):
    """The same official client for everybody."""
    ours = await _ours(stack, plan)
    await _note_size(sizes, "mcp_endpoint", ours)
    numbers = itertools.count()
    rows = {
        "client: search": lambda: _called(ours, "odoo_search_records", SEARCH),
        "client: describe, warm": lambda: _called(ours, "odoo_describe_model", DESCRIBE),
        "client: aggregate": lambda: _called(ours, "odoo_aggregate_records", AGGREGATE),
        "client: create": lambda: _called(
            ours, "odoo_create_records", {"model": MODEL, "records": [{"name": f"Zz client {next(numbers)}"}]}
        ),
    }
    for name, facts in plan["peers"].items():
        peer = await stack.enter_async_context(_connection(facts))
        if "login" in facts:
            await _called(peer, "login", facts["login"])
        await _note_size(sizes, name.partition(" (")[0], peer)
        tool, arguments = PEER_SEARCH[name.partition(" (")[0]]
        await _check_same(ours, peer, tool, arguments)
        rows[f"client: {name}"] = lambda peer=peer, tool=tool, arguments=arguments: _called(peer, tool, arguments)
    return rows


async def _ours(stack, plan):
    headers = {"Authorization": f"Bearer {plan['token']}"}
    http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=60))
    transport = streamable_http_client(f"{plan['base']}/mcp", http_client=http)
    return await stack.enter_async_context(Client(transport))


def _connection(facts):
    if "url" in facts:
        return Client(facts["url"])
    return Client(StdioServerParameters(command=facts["command"], args=facts["args"], env=facts["env"]))


async def _called(client, tool, arguments):
    result = await client.call_tool(tool, arguments)
    if result.is_error:
        raise RuntimeError(f"{tool} fails: {result.content}")
    return result


async def _check_same(ours, peer, tool, arguments):
    """A comparison is one only if everybody reads as many records."""
    text = json.dumps([block.model_dump(mode="json") for block in (await _called(peer, tool, arguments)).content])
    first = (await _called(ours, "odoo_search_records", SEARCH)).structured_content["rows"]
    missing = [row["name"] for row in first if row["name"] not in text]
    if len(first) != ROWS or missing:
        raise RuntimeError(f"{tool} does not give the same {ROWS} records: {missing} are missing in {text[:500]}")


async def _note_size(sizes, name, client):
    tools = (await client.list_tools()).tools
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    text = json.dumps(listed, separators=(",", ":"), ensure_ascii=False)
    sizes[name] = {"tools": len(tools), "characters": len(text)}


async def _turns(rows, calls):
    """Call the rows in turns; milliseconds of each call after the warm-up.

    Each round has its own order (the same in each run), because a call that follows a heavy one is slower.
    """
    figures = {name: [] for name in rows}
    order = random.Random(1)
    for number in range(WARM_UP + calls):
        for name in order.sample(list(rows), len(rows)):
            duration = await _timed(rows[name])
            if number >= WARM_UP:
                figures[name].append(duration)
    return figures


async def _timed(call):
    start = time.perf_counter()
    outcome = call()
    if inspect.isawaitable(outcome):
        outcome = await outcome
    took = (time.perf_counter() - start) * 1000
    if isinstance(outcome, bytes):
        # Reading the answer is the client's work: no row of bare HTTP counts it.
        bench_wire.check(outcome)
    return took


def _request(plan, tool, arguments):
    return bench_wire.rpc("tools/call", plan["token"], name=tool, arguments=arguments)


def _json2(plan):
    return bench_wire.json2(
        MODEL, "search_read", plan["api_key"], {"domain": [], "fields": FIELDS, "limit": ROWS}
    )


if __name__ == "__main__":
    asyncio.run(main())
