import json
from dataclasses import replace
from unittest.mock import patch

from freezegun import freeze_time
from odoo import fields
from odoo.tests import tagged

from ..controllers import mcp_dispatcher
from ..models import call_reporting, stream_questions
from ..services.errors import NeedsInput
from ..services.jsonrpc import ClientResponse
from ..services.questions import Question
from .dispatching import DispatcherCase, request

YES = {"action": "accept", "content": {"confirm": True}}


@tagged("post_install", "-at_install")
class TestStreamQuestions(DispatcherCase):
    """A handshake client is asked on the stream of its call. The call deletes a contact."""

    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create({"name": "Doomed"})

    def open(self, version="2025-11-25", capabilities=None, token=None):
        capabilities = {"elicitation": {}} if capabilities is None else capabilities
        params = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": {"name": "t", "version": "1"}}
        opened = self.send(request("initialize", **params), token=token)
        return {"Mcp_Session_Id": opened.headers["Mcp-Session-Id"], "MCP_Protocol_Version": version}

    def delete(self, session, id=5, **options):
        arguments = {"model": "res.partner", "ids": [self.partner.id], "mode": "delete"}
        body = request("tools/call", id=id, name="odoo_delete_records", arguments=arguments)
        return self.send(body, **session, **options)

    def events(self, text):
        """Return the events of a stream: id, retry, message."""
        found = []
        for event in filter(None, text.split("\n\n")):
            lines = dict(line.split(": ", 1) if ": " in line else (line, "") for line in event.split("\n"))
            data = lines.get("data") or lines.get("data:")
            found.append((lines.get("id"), lines.get("retry"), json.loads(data) if data else None))
        return found

    def ask(self, session, **options):
        """Return the event id and the request that ask."""
        response = self.delete(session, **options)
        self.assertEqual(response.headers["Content-Type"], "text/event-stream", response.text)
        [(first_id, retry, nothing), (event_id, _retry, asked)] = self.events(response.text)
        self.assertEqual((retry, nothing), ("1000", None))
        self.assertTrue(first_id.endswith("_0"))
        self.assertEqual(asked["method"], "elicitation/create")
        self.assertTrue(self.partner.exists())
        return event_id, asked

    def answer(self, session, asked, result=None, *, runs=True, **options):
        """Answer a question, and run what that lets go on, which the server does once the client has its 202."""
        is_error = isinstance(result, dict) and "error" in result
        outcome = result if is_error else {"result": YES if result is None else result}
        later = []
        with patch.object(mcp_dispatcher.Response, "call_on_close", lambda _self, work: later.append(work)):
            response = self.send({"jsonrpc": "2.0", "id": asked["id"], **outcome}, **session, **options)
        self.assertEmpty(response, 202)
        for work in later:
            if runs:
                work()

    def after(self, event_id):
        session = self.env["mcp.session"].search([], order="id desc", limit=1)
        return [message for _id, message in self.env["mcp.stream.event"]._after(event_id, session.id)]

    def test_newest_handshake_client_is_sent_away_and_finds_the_response(self):
        session = self.open()
        event_id, asked = self.ask(session)
        self.assertEqual(asked["params"]["mode"], "form")
        self.assertIn("Doomed", asked["params"]["message"])
        self.assertEqual(self.after(event_id), [])
        self.assertEqual(self.env["mcp.audit.log"].search([], limit=1).outcome, "asked")
        self.answer(session, asked)
        [response] = self.after(event_id)
        self.assertEqual((response["id"], response["result"]["structuredContent"]["count"]), (5, 1))
        self.assertNotIn("resultType", response["result"])
        self.assertFalse(self.partner.exists())
        self.assertFalse(self.env["mcp.pending.call"].search_count([]))
        self.assertEqual(self.env["mcp.audit.log"].search([("tool", "!=", False)], limit=1).outcome, "ok")

    def test_progress_goes_on_where_it_was_before_the_question(self):
        self.patch(type(self.env["mcp.tool.registry"]), "_tool_create_records", _asking)
        self.patch(call_reporting, "PAUSE", 0)
        session = self.open()
        arguments = {"model": "res.partner", "records": [{"name": "Told"}]}
        body = request("tools/call", id=5, name="odoo_create_records", arguments=arguments, _meta={"progressToken": 7})
        messages = [message for _id, _retry, message in self.events(self.send(body, **session).text)]
        self.assertEqual([message["method"] for message in messages if message],
                         ["notifications/progress", "elicitation/create"])  # fmt: skip
        call = self.env["mcp.pending.call"].search([])
        stream = call.stream
        self.answer(session, messages[-1])
        # In a test's one transaction, what was told on the way to the second question is rolled back with it.
        self.assertEqual(call.told, 2)
        asked = self.after(f"{stream}_0")[-1]
        self.answer(session, asked)
        *reports, response = self.after(f"{stream}_0")[2:]
        self.assertEqual([(each["params"]["progressToken"], each["params"]["progress"]) for each in reports],
                         [(7, 3), (7, 4)])  # fmt: skip
        self.assertEqual(response["result"]["structuredContent"], {"told": 4})

    def test_answer_counts_once_and_only_from_its_own_session(self):
        session = self.open()
        event_id, asked = self.ask(session)
        self.answer(self.open(), asked)
        other = self.issue()
        self.answer(self.open(token=other), asked, token=other)
        self.answer(session, {"id": "ask-of-nobody"})
        for wrong in (5, "5"):
            self.answer(session, {"id": wrong})
        self.assertTrue(self.partner.exists())
        self.answer(session, asked)
        self.answer(session, asked)
        session_id = self.env["mcp.session"].search([], order="id").ids[-3]
        self.assertEqual(len(self.env["mcp.stream.event"]._after(event_id, session_id)), 1)
        self.assertFalse(self.partner.exists())

    def test_refusals_end_politely(self):
        for refusal in ({"action": "decline"}, {"action": "cancel"}):
            session = self.open()
            event_id, asked = self.ask(session)
            self.answer(session, asked, refusal)
            [response] = self.after(event_id)
            self.assertEqual(response["result"]["structuredContent"]["status"], "declined")
        self.assertTrue(self.partner.exists())

    def test_wrong_answer_is_asked_again_on_the_same_stream(self):
        session = self.open()
        event_id, asked = self.ask(session)
        for wrong in ({}, 5, {"action": "accept"}, {"action": "accept", "content": {"confirm": "yes"}}):
            self.answer(session, asked, wrong)
            [*_before, again] = self.after(event_id)
            self.assertEqual(again["method"], "elicitation/create")
            self.assertNotEqual(again["id"], asked["id"])
            asked = again
        self.assertTrue(self.partner.exists())
        self.answer(session, asked)
        self.assertEqual(self.after(event_id)[-1]["result"]["structuredContent"]["count"], 1)

    def test_error_as_an_answer_leads_to_the_two_steps(self):
        session = self.open()
        event_id, asked = self.ask(session)
        self.answer(session, asked, {"error": {"code": -32601, "message": "no"}})
        [response] = self.after(event_id)
        self.assertEqual(response["result"]["structuredContent"]["status"], "confirmation_required")
        self.assertTrue(self.partner.exists())

    def test_question_without_an_answer_ends_with_an_error(self):
        session = self.open()
        event_id, asked = self.ask(session)
        with freeze_time(fields.Datetime.add(fields.Datetime.now(), minutes=16)):
            [response] = self.after(event_id)
            self.assertIn("Nobody has answered", response["error"]["message"])
            self.answer(session, asked)
            self.assertEqual(len(self.after(event_id)), 1)
        self.assertTrue(self.partner.exists())

    def test_call_whose_worker_died_ends_with_an_error(self):
        session = self.open()
        event_id, asked = self.ask(session)
        self.answer(session, asked, runs=False)
        self.assertEqual(self.after(event_id), [])
        with freeze_time(fields.Datetime.add(fields.Datetime.now(), seconds=15)):
            [response] = self.after(event_id)
        self.assertIn("stopped in the middle", response["error"]["message"])
        self.assertTrue(self.partner.exists())

    def test_cancelled_question_ends_its_stream(self):
        session = self.open()
        event_id, asked = self.ask(session)
        cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}}
        self.assertEmpty(self.send(cancelled, **session), 202)
        row = self.env["mcp.session"].search([], order="id desc", limit=1)
        self.assertTrue(self.env["mcp.stream.event"]._stored(event_id, row.id).is_finished)
        self.answer(session, asked)
        self.assertTrue(self.partner.exists())

    def test_older_client_is_answered_on_the_stream_it_holds(self):
        for result, count in ((YES, 1), ({"action": "decline"}, None)):
            with self.subTest(result=result):
                partner = self.partner = self.env["res.partner"].create({"name": "Doomed"})
                session = self.open("2025-06-18")
                with patch.object(stream_questions, "_is_answered", lambda *_args, result=result: self.put(result)):
                    events = self.events(self.delete(session).text)
                self.assertEqual(events[0][:2], (None, None), "an older client fails on a priming event")
                self.assertNotIn("mode", events[0][2]["params"])
                found = events[-1][2]["result"]["structuredContent"]
                self.assertEqual((found.get("count"), found.get("status")), (count, None if count else "declined"))
                self.assertEqual(bool(partner.exists()), not count)
        self.assertFalse(self.env["mcp.pending.call"].search_count([]))

    def put(self, result):
        """Answer as another worker would while the stream is held."""
        call = self.env["mcp.pending.call"].search([])
        call.write({"answers": {"confirm": result}, "answered_at": fields.Datetime.now()})
        self.env.flush_all()
        return True

    def test_held_stream_ends_with_the_two_steps(self):
        with patch.object(stream_questions.McpServer, "_hold_seconds", lambda _self: 0):
            found = self.delete(self.open("2025-06-18")).json()["result"]["structuredContent"]
        self.assertEqual(found["status"], "confirmation_required")
        with (
            patch.object(stream_questions.McpServer, "_hold_seconds", lambda _self: 0.01),
            patch.object(stream_questions, "POLL_SECONDS", 0.01),
        ):
            events = self.events(self.delete(self.open("2025-06-18")).text)
        self.assertEqual(events[-1][2]["result"]["structuredContent"]["status"], "confirmation_required")
        self.assertTrue(self.partner.exists())

    def test_streams_are_held_in_few_workers(self):
        for workers, capacity in ((0, 2), (1, 0), (2, 1), (7, 1), (8, 2), (16, 4)):
            with (
                self.subTest(workers=workers),
                patch.dict(stream_questions.config.options, {"workers": workers}),
                patch.object(stream_questions, "_holds") as holds,
                stream_questions._held_slot(),
            ):
                self.assertEqual(holds.return_value.held.call_args.args[1], capacity)

    def test_clients_that_cannot_be_asked_get_two_steps(self):
        for version, capabilities, accept in (
            ("2025-11-25", {}, None),
            ("2025-03-26", {"elicitation": {}}, None),
            ("2025-11-25", {"elicitation": {}}, "application/json"),
        ):
            with self.subTest(version=version):
                headers = {"Accept": accept} if accept else {}
                result = self.assertResult(self.delete(self.open(version, capabilities), **headers))
                self.assertIn("Confirmation needed", result["content"][0]["text"])

    def test_client_of_the_first_transport_is_asked_on_its_one_stream(self):
        credential = self.exchange().credential
        _key, session_id, stream = self.env["mcp.session"]._open_legacy(credential)
        arguments = {"model": "res.partner", "ids": [self.partner.id], "mode": "delete"}
        exchange = replace(
            self.exchange(params={"name": "odoo_delete_records", "arguments": arguments}),
            session_id=session_id,
            capabilities={"elicitation": {}},
            takes_questions=True,
        )
        server = self.registry_as().env["mcp.server"]
        for answer, status in (({"action": "decline"}, "declined"), (YES, None)):
            try:
                # Not `assertRaises`, which takes back what was written.
                self.fail(str(server._rpc_tools_call(exchange)))
            except NeedsInput as needed:
                asking = (self.env.cr.dbname, self.user.id, needed, exchange, stream)
                self.assertIsNone(stream_questions.ask_in_outbox(*asking))
            asked = self.messages(stream, session_id)[-1]
            self.assertEqual(asked["method"], "elicitation/create")
            self.assertTrue(self.partner.exists())
            call = server.env["mcp.pending.call"]._answer(session_id, ClientResponse(asked["id"], result=answer))
            self.assertTrue(call._is_ready)
            stream_questions.resume(self.env.cr.dbname, self.user.id, {}, call.id, call._exchange(exchange))
            response = self.messages(stream, session_id)[-1]
            self.assertEqual(response["result"]["structuredContent"].get("status"), status)
            self.assertFalse(self.env["mcp.stream.event"]._stored(f"{stream}_0", session_id).is_finished)
        self.assertFalse(self.partner.exists())

    def messages(self, stream, session_id):
        self.env.invalidate_all()
        return [message for _id, message in self.env["mcp.stream.event"]._after(f"{stream}_0", session_id)]

    def test_held_streams_of_calls_that_died_are_settled(self):
        session = self.open()
        event_id, _asked = self.ask(session)
        stream = event_id.rpartition("_")[0]
        self.env["mcp.pending.call"]._settle([stream])
        self.assertTrue(self.env["mcp.pending.call"].search_count([]), "it has time yet")
        with freeze_time(fields.Datetime.add(fields.Datetime.now(), minutes=16)):
            self.env["mcp.pending.call"]._settle([stream])
        self.assertFalse(self.env["mcp.pending.call"].search_count([]))
        self.assertIn("error", self.after(event_id)[-1])

    def test_session_asks_only_so_much_at_a_time(self):
        session = self.open()
        for number in range(20):
            self.ask(session, id=number)
        result = self.assertResult(self.delete(session, id=99))
        self.assertEqual(result["structuredContent"]["status"], "confirmation_required")


def _asking(_registry, call, *, model, records, **_arguments):
    for done, question in enumerate(("first", "second"), 1):
        call.progress(done, 4)
        call.need(question, Question(f"{question}?"))
    call.progress(3, 4)
    call.progress(4, 4)
    return {"told": 4}
