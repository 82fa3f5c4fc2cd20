"""A question that is answered on Odoo's own page (URL elicitation): the official client, and a browser's requests."""

import re
import unittest
import xmlrpc.client
from types import SimpleNamespace

import httpx2
from fixture import shared
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult

from devtools import databases, postgres

OTHER = "page_other"
# Run in `odoo shell`.
PREPARE = f"""
from odoo.fields import Command
groups = [env.ref(group).id for group in ("base.group_system", "mcp_endpoint.group_mcp_admin")]
env["res.users"].create(
    {{"name": "{OTHER}", "login": "{OTHER}", "password": "{OTHER}", "group_ids": [Command.set(groups)]}}
)
env.ref("mcp_endpoint.profile_full").confirmation_page = True
"""
UNDO = 'env.ref("mcp_endpoint.profile_full").confirmation_page = False'


class TestPageQuestion(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = shared()
        databases.change(cls.running.database, PREPARE)
        cls.addClassCleanup(databases.change, cls.running.database, UNDO)
        cls.odoo = xmlrpc.client.ServerProxy(f"{cls.running.base}/xmlrpc/2/object")

    def partner(self):
        create = ("res.partner", "create", [[{"name": "To be deleted"}]])
        return self.odoo.execute_kw(self.running.database, 2, "admin", *create)[0]

    def exists(self, partner):
        return bool(postgres.query(f"SELECT 1 FROM res_partner WHERE id = {partner}", self.running.database))

    def browser(self, login):
        """Somebody who is logged in to Odoo."""
        browser = httpx2.Client(base_url=self.running.base, follow_redirects=True, timeout=60)
        self.addCleanup(browser.close)
        form = {"login": login, "password": login, **self.hidden(browser.get("/web/login").text)}
        self.assertEqual(browser.post("/web/login", data=form).status_code, 200)
        return browser

    def hidden(self, page):
        return dict(re.findall(r'name="(csrf_token|shown)" value="(\w+)"', page))

    def decide(self, url, decision):
        """Somebody else cannot answer; the user of the token does."""
        self.assertTrue(url.startswith(f"{self.running.base}/mcp/confirm/"), url)
        stranger = self.browser(OTHER).get(url)
        self.assertNotIn("To be deleted", stranger.text)
        self.assertNotIn('value="agree"', stranger.text)
        browser = self.browser("admin")
        page = browser.get(url)
        self.assertEqual(page.status_code, 200)
        self.assertIn("To be deleted", page.text)
        answer = browser.post(url, data={**self.hidden(page.text), "decision": decision})
        self.assertEqual(answer.status_code, 200, answer.text)

    async def delete(self, partner, decision, mode):
        """Have the assistant delete a contact; its result, and the revision."""
        asked = []

        async def answer(_context, params):
            self.assertEqual(params.mode, "url")
            asked.append(params)
            self.decide(params.url, decision)
            return ElicitResult(action="accept")

        headers = {"Authorization": f"Bearer {self.running.token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(
                streamable_http_client(self.running.url, http_client=http),
                mode=mode,
                elicitation_callback=answer,
                input_required_max_rounds=3,
            ) as client,
        ):
            call = ("odoo_delete_records", {"model": "res.partner", "ids": [partner], "mode": "delete"})
            try:
                result = await client.call_tool(*call)
            except MCPError as error:
                # So is a client in a session told to open a page, and to call again.
                self.assertEqual((mode, error.error.code), ("legacy", -32042))
                await answer(None, SimpleNamespace(**error.error.data["elicitations"][0]))
                result = await client.call_tool(*call)
            self.assertTrue(asked)
            return result

    async def check_modes(self, mode):
        partner = self.partner()
        result = await self.delete(partner, "refuse", mode)
        self.assertTrue(self.exists(partner))
        self.assertIn("declined", result.content[0].text)
        result = await self.delete(partner, "agree", mode)
        self.assertFalse(result.is_error, result)
        self.assertFalse(self.exists(partner))

    async def test_without_a_session(self):
        await self.check_modes("auto")

    async def test_in_a_session(self):
        await self.check_modes("legacy")
