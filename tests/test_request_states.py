import json
from dataclasses import replace
from unittest.mock import patch

from freezegun import freeze_time
from odoo import fields
from odoo.tests import tagged

from ..services.questions import Question
from ..services.versions import V2026_07_28
from .common import MODERN_META, McpHttpCase

NO = {"action": "accept", "content": {"confirm": False}}
YES = {"action": "accept", "content": {"confirm": True}}


@tagged("post_install", "-at_install")
class TestRequestStates(McpHttpCase):
    """MRTR over HTTP, with the one tool that always asks: deleting."""

    def setUp(self):
        super().setUp()
        self.token = self.issue()
        self.partner = self.env["res.partner"].create({"name": "Doomed"})
        self.arguments = {"model": "res.partner", "ids": [self.partner.id], "mode": "delete"}

    def send(self, arguments=None, *, token=None, name="odoo_delete_records", elicitation=True, **params):
        capabilities = {"elicitation": {}} if elicitation else {}
        meta = {**MODERN_META, "io.modelcontextprotocol/clientCapabilities": capabilities}
        body = {"name": name, "arguments": arguments or self.arguments, **params, "_meta": meta}
        headers = {"MCP-Protocol-Version": V2026_07_28.name, "Mcp-Method": "tools/call", "Mcp-Name": name}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": body}
        return self.post(message, token=token or self.token, headers=headers)

    def ask(self):
        result = self.send().json()["result"]
        self.assertEqual(result["resultType"], "input_required", result)
        self.assertTrue(self.partner.exists())
        return result

    def retry(self, state, answer=YES, **options):
        return self.send(requestState=state, inputResponses={"confirm": answer}, **options)

    def assertRefused(self, response, word=""):
        self.assertEqual(response.status_code, 400)
        error = response.json()["error"]
        self.assertEqual(error["code"], -32602)
        self.assertIn(word, error["message"])

    def test_asks_with_what_would_happen_and_goes_ahead_once(self):
        asked = self.ask()
        self.assertNotIn("ttlMs", asked)
        request = asked["inputRequests"]["confirm"]
        self.assertEqual(request["method"], "elicitation/create")
        self.assertEqual(request["params"]["mode"], "form")
        self.assertIn("Doomed", request["params"]["message"])
        self.assertIn("1 record", request["params"]["message"])
        row = self.env["mcp.audit.log"].search([], limit=1)
        self.assertEqual((row.outcome, row.tool), ("asked", "odoo_delete_records"))
        result = self.retry(asked["requestState"]).json()["result"]
        self.assertEqual((result["resultType"], result["structuredContent"]["count"]), ("complete", 1))
        self.assertFalse(self.partner.exists())
        row = self.env["mcp.audit.log"].search([], limit=1)
        self.assertEqual(row.outcome, "ok")

    def test_replayed_state_is_refused(self):
        state = self.ask()["requestState"]
        self.retry(state)
        twin = self.env["res.partner"].create({"name": "Twin"})
        self.env.cr.execute("UPDATE res_partner SET id = %s WHERE id = %s", (self.partner.id, twin.id))
        self.env.invalidate_all()
        self.assertRefused(self.retry(state), "used already")
        self.assertTrue(self.partner.exists())
        row = self.env["mcp.audit.log"].search([], limit=1)
        self.assertEqual(row.outcome, "refused")

    def test_attacks_on_the_state_are_refused(self):
        state = self.ask()["requestState"]
        other = self.env["res.partner"].create({"name": "Innocent"})
        second = self.issue()
        admin = self.issue(self.env.ref("base.user_admin"))
        for name, response in {
            "tampered": self.retry(state + "x"),
            "cut": self.retry(state[:-4]),
            "empty": self.retry(""),
            "of another kind": self.send(requestState=5, inputResponses={"confirm": YES}),
            "other records": self.retry(state, arguments={**self.arguments, "ids": [other.id]}),
            "more arguments": self.retry(state, arguments={**self.arguments, "lang": "en_US"}),
            "another token": self.retry(state, token=second),
            "another user": self.retry(state, token=admin),
            "another tool": self.retry(state, arguments={"records": []}, name="odoo_create_records"),
        }.items():
            with self.subTest(name):
                self.assertRefused(response)
        with freeze_time(fields.Datetime.add(fields.Datetime.now(), minutes=16)):
            self.assertRefused(self.retry(state), "expired")
        self.assertTrue((self.partner + other).exists())

    def test_equal_arguments_in_another_spelling_are_the_same_call(self):
        state = self.ask()["requestState"]
        again = dict(reversed(self.arguments.items()))
        self.assertEqual(self.retry(state, arguments=again).json()["result"]["resultType"], "complete")

    def test_wrong_and_missing_answers_are_asked_again(self):
        for responses in (
            {}, {"other": YES}, {"confirm": 5}, {"confirm": None}, {"confirm": []}, {"confirm": {"action": "accept"}},
            {"confirm": {"action": "accept", "content": {"confirm": "yes"}}}, {"confirm": {"content": YES["content"]}},
        ):  # fmt: skip
            with self.subTest(responses=responses):
                asked = self.ask()
                again = self.send(requestState=asked["requestState"], inputResponses=responses).json()["result"]
                self.assertEqual(again["resultType"], "input_required")
                self.assertNotEqual(again["requestState"], asked["requestState"])
                self.assertTrue(self.partner.exists())
        self.retry(again["requestState"])
        self.assertFalse(self.partner.exists())

    def test_malformed_answers_are_refused(self):
        state = self.ask()["requestState"]
        for wrong in ([], "x", 5, False):
            with self.subTest(wrong=wrong):
                self.assertRefused(self.send(requestState=state, inputResponses=wrong), "inputResponses")

    def test_consent_without_a_state_does_not_count(self):
        result = self.send(inputResponses={"confirm": YES}).json()["result"]
        self.assertEqual(result["resultType"], "input_required")
        self.assertTrue(self.partner.exists())

    def test_refusal_ends_politely(self):
        for answer in ({"action": "decline"}, {"action": "cancel"}, NO):
            with self.subTest(answer=answer):
                result = self.retry(self.ask()["requestState"], answer).json()["result"]
                self.assertEqual(result["resultType"], "complete")
                self.assertFalse(result["isError"])
                self.assertEqual(result["structuredContent"]["status"], "declined")
                self.assertTrue(self.partner.exists())
        row = self.env["mcp.audit.log"].search([], limit=1)
        self.assertEqual((row.outcome, row.reason), ("ok", "declined by the user"))

    def test_client_without_elicitation_gets_two_steps(self):
        result = self.send(elicitation=False).json()["result"]
        self.assertEqual(result["structuredContent"]["status"], "confirmation_required")
        again = {**self.arguments, "confirm_token": result["structuredContent"]["confirm_token"]}
        self.assertEqual(self.send(again, elicitation=False).json()["result"]["structuredContent"]["count"], 1)

    def test_state_and_idempotency_key_survive_a_lost_answer(self):
        self.arguments["idempotency_key"] = "once"
        state = self.ask()["requestState"]
        first = self.retry(state).json()["result"]
        again = self.retry(state).json()["result"]
        self.assertEqual(first["structuredContent"], again["structuredContent"])

    def test_prompts_and_resources_ask_too(self):
        form = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

        def prompt(_self, call, _name, _arguments):
            text = f"Weather in {call.need('city', Question('Where?', form))['city']}"
            return {"description": "d", "messages": [{"role": "user", "content": {"type": "text", "text": text}}]}

        def resource(_self, call, uri):
            return [{"uri": uri, "text": call.need("city", Question("Where?", form))["city"]}]

        prompts, resources = self.registry["mcp.prompt"], self.registry["mcp.resource"]
        for method, name, member, work in (
            ("prompts/get", "name", "messages", patch.object(prompts, "get_prompt", prompt)),
            ("resources/read", "uri", "contents", patch.object(resources, "read_resource", resource)),
        ):
            with self.subTest(method=method), work:
                asked = self.read(method, name).json()["result"]
                self.assertEqual((asked["resultType"], list(asked["inputRequests"])), ("input_required", ["city"]))
                self.assertNotIn("ttlMs", asked)
                row = self.env["mcp.audit.log"].search([], limit=1)
                self.assertEqual((row.method, row.outcome), (method, "asked"))
                answers = {"city": {"action": "accept", "content": {"city": "Gent"}}}
                for state in ({}, {"requestState": asked["requestState"]}):
                    done = self.read(method, name, inputResponses=answers, **state).json()["result"]
                    self.assertEqual(done["resultType"], "complete")
                    self.assertIn("Gent", json.dumps(done[member]))
                self.assertRefused(self.read(method, name, inputResponses=answers, requestState="v1.x"))
                answers["city"] = {"action": "decline"}
                self.assertRefused(self.read(method, name, inputResponses=answers), "declined")
                refused = self.read(method, name, elicitation=False)
                self.assertEqual(refused.json()["error"]["code"], -32021)
                self.assertEqual(refused.json()["error"]["data"], {"requiredCapabilities": {"elicitation": {}}})

    def read(self, method, member, *, elicitation=True, **params):
        capabilities = {"elicitation": {}} if elicitation else {}
        meta = {**MODERN_META, "io.modelcontextprotocol/clientCapabilities": capabilities}
        headers = {"MCP-Protocol-Version": V2026_07_28.name, "Mcp-Method": method, "Mcp-Name": "odoo://x"}
        params = {member: "odoo://x", **params, "_meta": meta}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.post(body, token=self.token, headers=headers)

    def test_first_yes_is_good_for_one_effect_through_all_rounds(self):
        registry = self.registry_as()
        exchange = replace(
            self.exchange(params={"name": "odoo_delete_records", "arguments": self.arguments}, version=V2026_07_28),
            capabilities={"elicitation": {}},
        )
        server = registry.env["mcp.server"]
        asked = registry._call_tool(exchange)
        states = []
        for _copy in range(2):
            # Two second rounds of one first round, as if another question had followed.
            answer = {"requestState": asked["requestState"], "inputResponses": {"confirm": YES}}
            params = {**exchange.message.params, **answer}
            answered = server._answered(replace(exchange, message=replace(exchange.message, params=params)))
            call, _options = registry._prepare(answered, *registry._called(answered))
            states.append(server._input_required(call, {"more": {}})["requestState"])
        self.assertNotEqual(*states)
        done = []
        for state in states:
            params = {**exchange.message.params, "requestState": state}
            answered = server._answered(replace(exchange, message=replace(exchange.message, params=params)))
            try:
                done.append(registry._call_tool(answered)["structuredContent"])
            except Exception as error:
                done.append(type(error).__name__)
        self.assertEqual((done[0]["count"], done[1]), (1, "InvalidParams"), json.dumps(done, default=str))
