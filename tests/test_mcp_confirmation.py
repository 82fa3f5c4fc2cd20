import re
from dataclasses import replace

from freezegun import freeze_time
from lxml import html
from odoo import fields
from odoo.tests import new_test_user, tagged

from ..services.errors import PageNeeded
from ..services.versions import V2025_11_25, V2026_07_28
from .common import McpHttpCase

URLS = {"elicitation": {"form": {}, "url": {}}}
FORMS = {"elicitation": {}}


class ConfirmationCase(McpHttpCase):
    """A profile that has destructive changes confirmed in Odoo, and a call that deletes a contact."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.profiles["full"].confirmation_page = True
        cls.stranger = new_test_user(cls.env, "mcp_stranger", groups="base.group_user", name="Sam Stranger")

    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create({"name": "Doomed <b>Ltd</b>"})
        self.arguments = {"model": "res.partner", "ids": [self.partner.id], "mode": "delete"}

    def delete(self, capabilities=URLS, *, version=V2026_07_28, answer=None, state=None, **more):
        """Make the call as a client with these capabilities; `answer` comes with a state as MRTR brings it."""
        params = {"name": "odoo_delete_records", "arguments": {**self.arguments, **more}}
        if state:
            params |= {"requestState": state, "inputResponses": {"confirm": answer}}
        exchange = replace(self.exchange(params=params, version=version), capabilities=capabilities)
        registry = self.registry_as()
        return registry._call_tool(registry.env["mcp.server"]._answered(exchange))

    def ask(self):
        """Return the state and the path of the page."""
        result = self.delete()
        self.assertEqual(result["resultType"], "input_required")
        request = result["inputRequests"]["confirm"]
        self.assertEqual((request["method"], request["params"]["mode"]), ("elicitation/create", "url"))
        self.assertNotIn("elicitationId", request["params"])
        return result["requestState"], self.path(request["params"]["url"])

    def path(self, url):
        found = re.fullmatch(r"http://127\.0\.0\.1:8069(/mcp/confirm/[\w-]{32})", url)
        self.assertTrue(found, url)
        return found[1]

    def login(self, name="mcp_employee"):
        self.authenticate(name, name)

    def page(self, path, status=200):
        response = self.url_open(path, allow_redirects=False)
        self.assertEqual(response.status_code, status, response.text)
        self.assertProtected(response)
        return html.fromstring(response.content)

    def submit(self, path, page, decision="agree", status=200, **changed):
        form = page.find(".//form")
        data = {field.get("name"): field.get("value") for field in form.findall(".//input")} | {"decision": decision}
        data = {name: value for name, value in {**data, **changed}.items() if value is not None}
        response = self.url_open(path, data=data, allow_redirects=False)
        self.assertEqual(response.status_code, status, response.text)
        self.assertProtected(response)
        return response.text

    def decide(self, path, decision="agree"):
        self.login()
        return self.submit(path, self.page(path), decision)

    def assertProtected(self, response):
        headers = response.headers
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
        self.assertEqual((headers["X-Frame-Options"], headers["Referrer-Policy"]), ("DENY", "no-referrer"))
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertNotIn("<script", response.text)


@tagged("post_install", "-at_install")
class TestMcpConfirmation(ConfirmationCase):
    def test_only_the_page_counts(self):
        state, path = self.ask()
        for answer in ({"action": "accept", "content": {"confirm": True}}, {"action": "accept"}):
            again = self.delete(state=state, answer=answer)
            self.assertEqual(self.path(again["inputRequests"]["confirm"]["params"]["url"]), path, "the same page")
            self.assertTrue(self.partner.exists())
        self.decide(path)
        done = self.delete(state=state, answer={"action": "accept"})
        self.assertEqual(done["structuredContent"]["count"], 1)
        self.assertFalse(self.partner.exists())

    def test_agreement_is_good_for_one_run(self):
        _state, path = self.ask()
        self.decide(path)
        self.delete()
        self.assertFalse(self.partner.exists())
        twin = self.env["res.partner"].create({"name": "Twin"})
        self.env.cr.execute("UPDATE res_partner SET id = %s WHERE id = %s", (self.partner.id, twin.id))
        self.env.invalidate_all()
        _state, another = self.ask()
        self.assertNotEqual(another, path)
        self.assertTrue(self.partner.exists())

    def test_agreement_is_for_its_own_call_only(self):
        _state, path = self.ask()
        self.decide(path)
        other = self.env["res.partner"].create({"name": "Innocent"})
        self.arguments["ids"] = [other.id]
        self.assertEqual(self.delete()["resultType"], "input_required")
        self.arguments["ids"] = [self.partner.id]
        exchange = self.exchange(params={"name": "odoo_delete_records", "arguments": self.arguments})
        self.issue(days=2)
        second = self.env["mcp.token"].search([("user_id", "=", self.user.id)], order="id desc", limit=1)
        foreign = replace(exchange, credential=replace(exchange.credential, token_id=second.id))
        result = self.registry_as()._call_tool(foreign)
        self.assertEqual(result["structuredContent"]["status"], "confirmation_required")
        self.assertTrue((self.partner + other).exists())

    def test_agreement_expires(self):
        _state, path = self.ask()
        self.decide(path)
        with freeze_time(fields.Datetime.add(fields.Datetime.now(), minutes=16)):
            self.assertEqual(self.delete()["resultType"], "input_required")
        self.assertTrue(self.partner.exists())

    def test_failed_call_keeps_the_agreement(self):
        _state, path = self.ask()
        self.decide(path)
        self.assertTrue(self.delete(idempotency_key="x" * 300)["isError"])
        self.assertEqual(self.delete()["structuredContent"]["count"], 1)

    def test_yes_is_to_the_question_that_was_shown(self):
        _state, path = self.ask()
        self.login()
        page = self.page(path)
        confirmation = self.env["mcp.confirmation"].search([], limit=1)
        confirmation.message = "Delete everything?"
        self.env.flush_all()
        text = self.submit(path, page)
        self.assertIn("has changed since", text)
        self.assertIn("Delete everything?", text)
        self.assertEqual(self.delete()["resultType"], "input_required")
        self.submit(path, self.page(path))
        self.assertEqual(self.delete()["structuredContent"]["count"], 1)

    def test_changed_record_is_asked_about_again(self):
        _state, path = self.ask()
        self.decide(path)
        self.partner.name = "Rescued"
        self.env.flush_all()
        _state, another = self.ask()
        self.assertNotEqual(another, path)
        self.assertTrue(self.partner.exists())
        self.login()
        page = self.page(another)
        self.assertIn("Rescued", page.text_content())
        self.assertIn("changed since you agreed", page.text_content())
        self.page(path, 410)
        # What was agreed to first counts for nothing, also when it would be true again.
        self.partner.name = "Doomed <b>Ltd</b>"
        self.env.flush_all()
        self.assertEqual(self.delete()["resultType"], "input_required")
        self.submit(another, self.page(another))
        self.assertEqual(self.delete()["structuredContent"]["count"], 1)
        self.assertFalse(self.partner.exists())

    def test_change_of_what_the_call_leaves_alone_is_no_matter(self):
        _state, path = self.ask()
        self.decide(path)
        self.env["res.partner"].create({"name": "Somebody else"})
        self.env.flush_all()
        self.assertEqual(self.delete()["structuredContent"]["count"], 1)

    def test_record_that_is_gone_fails_as_it_would(self):
        _state, path = self.ask()
        self.decide(path)
        self.partner.unlink()
        self.assertEqual(self.delete()["structuredContent"]["error"]["code"], "not_found")

    def test_refusal_is_told_once(self):
        _state, path = self.ask()
        text = self.decide(path, "refuse")
        self.assertIn("You have refused", text)
        result = self.delete()
        self.assertEqual((result["isError"], result["structuredContent"]["status"]), (False, "declined"))
        self.assertEqual(self.delete()["resultType"], "input_required")
        self.assertTrue(self.partner.exists())

    def test_client_that_declines_ends_the_call(self):
        state, _path = self.ask()
        result = self.delete(state=state, answer={"action": "decline"})
        self.assertEqual(result["structuredContent"]["status"], "declined")

    def test_handshake_client_is_told_by_an_error(self):
        try:
            # Not `assertRaises`, which takes back what was written.
            self.fail(str(self.delete(version=V2025_11_25)))
        except PageNeeded as error:
            [asked] = error.data["elicitations"]
            self.assertEqual((error.code, asked["mode"], bool(asked["elicitationId"])), (-32042, "url", True))
        row = self.env["mcp.audit.log"].search([], limit=1)
        self.assertEqual(row.outcome, "asked")
        self.decide(self.path(asked["url"]))
        self.assertEqual(self.delete(version=V2025_11_25)["structuredContent"]["count"], 1)

    def test_other_clients_get_the_link(self):
        for version, capabilities in ((V2026_07_28, {}), (V2026_07_28, FORMS), (V2025_11_25, FORMS)):
            with self.subTest(version=version.name, capabilities=capabilities):
                result = self.delete(capabilities, version=version)
                facts = result["structuredContent"]
                self.assertEqual(facts["status"], "confirmation_required")
                self.assertNotIn("confirm_token", facts)
                self.assertIn(facts["confirm_url"], result["content"][0]["text"])
                path = self.path(facts["confirm_url"])
        self.decide(path)
        self.assertEqual(self.delete(FORMS)["structuredContent"]["count"], 1)

    def test_confirm_token_is_no_way_round(self):
        self.profiles["full"].confirmation_page = False
        token = self.delete({})["structuredContent"]["confirm_token"]
        self.profiles["full"].confirmation_page = True
        self.assertEqual(self.delete({}, confirm_token=token)["structuredContent"]["status"], "confirmation_required")
        self.assertTrue(self.partner.exists())

    def test_other_changes_are_asked_by_the_client(self):
        self.profiles["full"].confirmation = "always"
        arguments = {"model": "res.partner", "ids": [self.partner.id], "values": {"name": "Renamed"}}
        result = self.ok("odoo_update_records", **arguments)
        self.ok("odoo_update_records", **arguments, confirm_token=result["confirm_token"])
        self.assertEqual(self.partner.name, "Renamed")
        self.assertIn("confirm_url", self.ok("odoo_delete_records", **self.arguments))

    def test_baseline_asks_for_all(self):
        self.profiles["full"].confirmation_page = False
        self.env.ref("mcp_endpoint.profile_baseline").confirmation_page = True
        self.assertIn("confirm_url", self.ok("odoo_delete_records", **self.arguments))

    def test_assistant_that_asks_without_end_pushes_out_its_own(self):
        for number in range(52):
            partner = self.env["res.partner"].create({"name": f"Number {number}"})
            self.ok("odoo_delete_records", model="res.partner", ids=[partner.id], mode="delete")
        self.assertEqual(self.env["mcp.confirmation"].search_count([("state", "=", "waiting")]), 50)


@tagged("post_install", "-at_install")
class TestConfirmationPage(ConfirmationCase):
    def setUp(self):
        super().setUp()
        self.state, self.address = self.ask()

    def test_shows_what_would_happen_as_text(self):
        self.login()
        page = self.page(self.address)
        text = page.text_content()
        for words in ("Doomed <b>Ltd</b>", "Delete", "Eve Employee", "mcp_employee", "test", "Do not do it"):
            self.assertIn(words, text)
        buttons = [button.get("value") for button in page.findall(".//button")]
        self.assertEqual(buttons, ["refuse", "agree"], "Enter presses the first")
        self.assertTrue(self.partner.exists())

    def test_who_is_not_logged_in_logs_in_first_and_comes_back(self):
        response = self.url_open(self.address, allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertIn(f"/web/login?redirect={self.address.replace('/', '%2F')}", response.headers["Location"])

    def test_another_user_sees_nothing_of_it_and_cannot_answer(self):
        self.login("mcp_stranger")
        page = self.page(self.address, 403)
        text = page.text_content()
        self.assertIn("for somebody else", text)
        for secret in ("Doomed", "mcp_employee", "Eve", "Delete"):
            self.assertNotIn(secret, text)
        self.assertIn(self.address.replace("/", "%2F"), page.find(".//a").get("href"))
        token = self.csrf()
        for decision in ("agree", "refuse"):
            response = self.url_open(self.address, data={"csrf_token": token, "decision": decision})
            self.assertEqual(response.status_code, 403)
        self.assertEqual(self.delete(state=self.state, answer={"action": "accept"})["resultType"], "input_required")

    def csrf(self):
        page = html.fromstring(self.url_open("/web", timeout=60).content)
        return re.search(r'csrf_token: "(\w+)"', html.tostring(page).decode())[1]

    def test_administrator_is_another_user_too(self):
        self.authenticate("admin", "admin")
        self.page(self.address, 403)

    def test_form_needs_its_own_session(self):
        self.login()
        page = self.page(self.address)
        for wrong in (None, "", "0" * 40 + "o1"):
            self.assertIn("Nothing was decided", self.submit(self.address, page, status=400, csrf_token=wrong))
        self.assertTrue(self.delete(state=self.state, answer={"action": "accept"})["inputRequests"])
        self.authenticate(None, None)
        self.login("mcp_stranger")
        self.submit(self.address, page, status=400)
        self.assertEqual(self.env["mcp.confirmation"].search([], limit=1).state, "waiting")

    def test_only_the_button_agrees(self):
        self.login()
        for decision in (None, "", "AGREE", "yes"):
            self.env["mcp.confirmation"].search([]).state = "waiting"
            self.assertIn("You have refused", self.submit(self.address, self.page(self.address), decision))

    def test_answers_once(self):
        self.login()
        page = self.page(self.address)
        self.assertIn("You have agreed", self.submit(self.address, page))
        row = self.env["mcp.audit.log"].search([("method", "=", "confirmation")])
        self.assertEqual((row.outcome, row.user_id), ("ok", self.user))
        self.assertIn("You have agreed", self.submit(self.address, page, "refuse", status=410))
        self.page(self.address, 410)
        self.assertEqual(self.delete()["structuredContent"]["count"], 1)
        self.assertIn("it was done", self.submit(self.address, page, status=410))

    def test_expires(self):
        self.login()
        page = self.page(self.address)
        self.env["mcp.confirmation"].search([]).expires_at = fields.Datetime.now()
        self.page(self.address, 410)
        self.assertIn("not open any more", self.submit(self.address, page, status=410))
        self.assertTrue(self.partner.exists())

    def test_unknown_keys_are_one_page(self):
        self.login()
        for key in ("x", "A" * 32, "A" * 33, "a%00b", "%F0%9F%98%80"):
            with self.subTest(key=key):
                self.page(f"/mcp/confirm/{key}", 410)

    def test_tells_what_is_new_and_what_follows(self):
        self.profiles["full"].confirmation = "always"
        self.env["mcp.confirmation"].search([]).write(
            {
                "preview": {
                    "changes": [
                        {"model": "res.partner", "id": 7, "name": "Acme", "operation": "write", "field": "phone",
                         "before": "1", "after": "<script>2"},
                        {"model": "gone.model", "id": 8, "name": "O", "operation": "create", "field": "x", "after": 3},
                    ],
                    "changes_count": 5,
                    "side_effects": {"emails": [{"to": ["a@b.co"], "subject": "Hi"}], "emails_count": 3},
                }
            }
        )  # fmt: skip
        self.login()
        page = self.page(self.address)
        text = " ".join(page.text_content().split())
        for words in ("Phone", "<script>2", "3 further changes", "a@b.co: Hi", "and 2 more", "gone.model"):
            self.assertIn(words, text)
        self.assertEqual(page.find(".//del").text, "1")
