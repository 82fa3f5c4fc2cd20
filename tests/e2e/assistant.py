"""Two people and their assistants, each the official client: one with an office worker's rights, one with none."""

import asyncio
import contextlib
import functools
import os
import unittest
import uuid

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult

from devtools import tokens

CLERK, GUEST = "session_clerk", "session_guest"
# Run in `odoo shell`. The guest is an employee without any app.
PREPARE = f"""
from odoo.fields import Command
everybody = ["base.group_user", "mcp_endpoint.group_mcp_user"]
office = [
    "base.group_partner_manager", "sales_team.group_sale_salesman", "account.group_account_invoice",
    "purchase.group_purchase_user", "stock.group_stock_user",
]
people = {{"{CLERK}": everybody + office, "{GUEST}": everybody}}
env["res.users"].create([
    {{"name": login, "login": login, "email": login + "@example.com",
      "group_ids": [Command.set([env.ref(group).id for group in groups])]}}
    for login, groups in people.items()
])
env.cr.commit()
"""
TRACES = ("Traceback", "psycopg2", "packages/", '.py", line')


@functools.cache
def hired():
    """Make both people in the database of this run, once; the tokens of the clerk and of the guest."""
    wanted = (tokens.Wanted(login, "full") for login in (CLERK, GUEST))
    return tokens.issue(os.environ["MCP_DB"], *wanted, before=PREPARE)


class Assistant:
    """A connected client whose person agrees to every question; `questions` are those that were asked."""

    def __init__(self, client, questions):
        self.client = client
        self.questions = questions

    async def do(self, tool, /, **arguments):
        """Call a tool that must succeed; its structured content."""
        result = await self.client.call_tool(tool, arguments)
        facts = result.structured_content
        if not result.is_error and facts.get("status") == "confirmation_required":
            self.questions.append(facts["question"])
            result = await self.client.call_tool(tool, {**arguments, "confirm_token": facts["confirm_token"]})
        if result.is_error:
            raise AssertionError(f"{tool} {arguments}: {result.content[0].text}")
        return result.structured_content

    async def refused(self, tool, /, **arguments):
        """Call a tool that must be refused in words that help; the error."""
        result = await self.client.call_tool(tool, arguments)
        text = result.content[0].text
        if not result.is_error:
            raise AssertionError(f"{tool} {arguments} was not refused: {text}")
        error = result.structured_content["error"]
        said = " ".join(str(error.get(part, "")) for part in ("code", "message", "fix"))
        if any(trace in text + said for trace in TRACES) or not (error["message"] and error.get("fix")):
            raise AssertionError(f"{tool} {arguments}: no helpful refusal: {error}")
        return error

    async def press(self, model, record, action, **more):
        """Run an action on one record that must be done at once."""
        facts = await self.do("odoo_run_action", model=model, ids=[record], action=action, **more)
        if facts["status"] != "done":
            raise AssertionError(f"{action} on {model} {record} asks: {facts}")
        return facts

    async def wizard(self, model, record, action, answers):
        """Run an action that opens a wizard: see what it asks, then answer; what it asked and the outcome."""
        asked = await self.do("odoo_run_action", model=model, ids=[record], action=action)
        if asked["status"] != "input_needed":
            raise AssertionError(f"{action} on {model} {record} opened no wizard: {asked}")
        return asked, await self.press(model, record, action, answers=answers)

    async def rows(self, model, domain, *fields, **more):
        """The records that match, as rows of these fields."""
        return (await self.do("odoo_search_records", model=model, domain=domain, fields=list(fields), **more))["rows"]

    async def row(self, model, record, *fields):
        """One record."""
        (row,) = await self.rows(model, [["id", "=", record]], *fields, archived="include", resolve=True)
        return row

    async def count(self, model, domain):
        """How many records match, archived ones included."""
        facts = await self.do("odoo_search_records", model=model, domain=domain, archived="include", count_only=True)
        return facts["count"]

    async def text(self, tool, /, **arguments):
        """Call a tool that must succeed; its text."""
        result = await self.client.call_tool(tool, arguments)
        if result.is_error:
            raise AssertionError(f"{tool} {arguments}: {result.content[0].text}")
        return "\n".join(block.text for block in result.content if block.type == "text")

    async def create(self, model, **values):
        """Create one record; its id."""
        (record,) = (await self.do("odoo_create_records", model=model, records=[values]))["ids"]
        return record


@contextlib.asynccontextmanager
async def connected(token):
    """An assistant with this token, for the time of a block."""
    questions = []
    # All: batch and import are left out of the list that most conversations need.
    url = f"{os.environ['MCP_BASE']}/mcp?toolsets=all"

    async def agree(_context, question):
        questions.append(question.message)
        return ElicitResult(action="accept", content={"confirm": True})

    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), elicitation_callback=agree) as client,
    ):
        yield Assistant(client, questions)


class SessionCase(unittest.TestCase):
    """A clerk and a guest in the demo company, and what both sorts of session need."""

    @classmethod
    def setUpClass(cls):
        cls.clerk_token, cls.guest_token = hired()

    def setUp(self):
        # Marks what one test makes, so that it finds nothing else.
        self.mark = uuid.uuid4().hex[:8]

    async def partner(self, clerk, **values):
        """A new contact; its id."""
        return await clerk.create("res.partner", name=f"Session {self.mark}", **values)

    async def check_refused(self, guest, group, tool, /, **arguments):
        """The guest is refused, and told which group could do it."""
        error = await guest.refused(tool, **arguments)
        self.assertEqual(error["code"], "access_denied", error)
        self.assertIn(group, error["message"])


def session(script):
    """A test method out of a coroutine method that is given the clerk's and the guest's assistants."""

    @functools.wraps(script)
    def test(case):
        asyncio.run(_held(script, case))

    return test


async def _held(script, case):
    failure = None
    async with connected(case.clerk_token) as clerk, connected(case.guest_token) as guest:
        # Raised inside, it would come out wrapped in exception groups.
        try:
            await script(case, clerk, guest)
        except Exception as error:
            failure = error
    if failure:
        raise failure


def pdf(*lines):
    """A PDF of one page with these lines of text."""
    shown = " ".join(f"({line}) Tj T*" for line in lines)
    content = f"BT /F1 12 Tf 14 TL 72 720 Td {shown} ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        " /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
    )
    written, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    trailer = f"trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{len(written)}\n%%EOF\n"
    return f"{written}xref\n0 {count}\n0000000000 65535 f \n{table}{trailer}".encode("ascii")
