"""A conversation with a running server, held by the official MCP client and checked at every step.

Run by ./dev demo in the client's own venv; MCP_URL and MCP_TOKEN come by environment. Exits 0 only
when every answer was what it should be.
"""

import asyncio
import json
import os
import sys
import time
import uuid

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Implementation

BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


class WrongAnswer(Exception):
    """An answer that does not hold what was asked for."""


def check(condition, what):
    """Raise WrongAnswer unless the condition holds."""
    if not condition:
        raise WrongAnswer(what)


class Conversation:
    """Questions in a person's words, each with the tool call that answers it."""

    def __init__(self, client):
        self.client = client
        self.asked = 0

    async def ask(self, question, tool, **arguments):
        """Print question, call, answer and duration; give the structured answer."""
        self.asked += 1
        print(f"\n{BOLD}{self.asked}. {question}{PLAIN}")
        print(f"   → {tool} {json.dumps(arguments, ensure_ascii=False)}")
        start = time.perf_counter()
        result = await self.client.call_tool(tool, arguments)
        elapsed = (time.perf_counter() - start) * 1000
        text = "\n".join(block.text for block in result.content if block.type == "text")
        print("\n".join(f"   {line}" for line in text.splitlines()))
        print(f"   ({elapsed:.0f} ms)", flush=True)
        check(not result.is_error, f"{tool} answered with an error.")
        return result.structured_content


async def get_to_know(client):
    """Print who answers, and which tools there are."""
    info = client.server_info
    print(f"\n{BOLD}Connected{PLAIN} to {info.title or info.name} {info.version}, protocol {client.protocol_version}")
    start = time.perf_counter()
    tools = (await client.list_tools()).tools
    elapsed = (time.perf_counter() - start) * 1000
    listed = [tool.model_dump(mode="json", exclude_none=True, by_alias=True) for tool in tools]
    size = len(json.dumps(listed, separators=(",", ":"), ensure_ascii=False))
    print(f"{len(tools)} tools, {size / 1000:.1f} KB ({elapsed:.0f} ms): {', '.join(tool.name for tool in tools)}")
    names = {tool.name for tool in tools}
    needed = {"odoo_search_records", "odoo_aggregate_records", "odoo_create_records"}
    check(needed <= names, f"tools/list lacks {', '.join(sorted(needed - names))}.")


async def find_customers(talk):
    """The customers in the US; the first one's id."""
    found = await talk.ask(
        "Which customers do we have in the United States?", "odoo_search_records",
        model="res.partner",
        domain=[["is_company", "=", True], ["customer_rank", ">", 0], ["country_id.code", "=", "US"]],
        fields=["name", "city", "email", "country_id"], order="name", limit=10,
    )
    rows = found["rows"]
    check(rows and all("United States" in str(row["country_id"]) for row in rows), "No customers in the United States.")
    return rows[0]["id"]


async def see_revenue(talk):
    """Revenue by month, the months in their order."""
    found = await talk.ask(
        "What is our revenue by month?", "odoo_aggregate_records",
        model="sale.order", domain=[["state", "=", "sale"]], group_by=["date_order:month"],
        measures=["amount_total:sum", "count"], totals=True,
    )
    rows = found["rows"]
    check(rows and all("amount_total:sum" in row for row in rows), "No revenue by month.")


async def find_products(talk):
    """Two products to offer; their ids."""
    found = await talk.ask(
        "Which desks can we sell?", "odoo_search_records",
        model="product.product", query="desk", domain=[["sale_ok", "=", True]],
        fields=["display_name", "list_price"], limit=2,
    )
    check(len(found["rows"]) == 2, "No products to sell.")
    return [row["id"] for row in found["rows"]]


async def quote(talk, customer, products):
    """Try a quotation, then create it; its id."""
    records = [{
        "partner_id": customer,
        "client_order_ref": "Asked for by an assistant",
        "order_line": [{"product_id": product, "product_uom_qty": 2} for product in products],
    }]
    await talk.ask(
        "Create a quotation for the first one, two of each desk. What would happen?", "odoo_create_records",
        model="sale.order", records=records, dry_run=True,
    )
    created = await talk.ask(
        "Good. Do it.", "odoo_create_records",
        model="sale.order", records=records, idempotency_key=str(uuid.uuid4()),
    )
    check(len(created["ids"]) == 1, "No quotation was created.")
    return created["ids"][0]


async def show(talk, order, customer):
    """Show the quotation; it is there, with its lines and an amount."""
    found = await talk.ask(
        "Show it to me.", "odoo_search_records",
        model="sale.order", ids=[order], resolve=True,
        fields=["name", "partner_id", "state", "order_line", "amount_untaxed", "amount_total"],
    )
    row = found["rows"][0]
    check(row["id"] == order and row["partner_id"]["id"] == customer, "It is not the quotation asked for.")
    amount = row["amount_total"]
    check(float(amount["amount"] if isinstance(amount, dict) else amount) > 0, "The quotation has no amount.")


async def talk_to(url, token):
    """The whole conversation."""
    http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60)
    transport = streamable_http_client(url, http_client=http)
    who = Implementation(name="mcp-endpoint-demo", version="1.0")
    async with http, Client(transport, client_info=who) as client:
        await get_to_know(client)
        talk = Conversation(client)
        customer = await find_customers(talk)
        await see_revenue(talk)
        products = await find_products(talk)
        order = await quote(talk, customer, products)
        await show(talk, order, customer)


def reasons(error):
    """The innermost errors of nested exception groups: what is worth showing."""
    if isinstance(error, BaseExceptionGroup):
        return [reason for inner in error.exceptions for reason in reasons(inner)]
    return [error]


def main():
    """Hold the conversation; the exit code says whether every step worked."""
    try:
        asyncio.run(talk_to(os.environ["MCP_URL"], os.environ["MCP_TOKEN"]))
    except Exception as error:
        for reason in reasons(error):
            print(f"\nThe conversation failed: {reason or type(reason).__name__}", file=sys.stderr)
        return 1
    print("\nEvery step worked.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
