"""One tool that asks, asked in every way there is, over two workers behind the proxy; and workers that die then."""

import http.client
import itertools
import json
import os
import re
import signal
import threading
import time
from urllib.parse import urlsplit

import httpx2
from endpoint import META
from test_workers import WorkersCase

TOOL = "fixture_ask"
YES = {"action": "accept", "content": {"confirm": True}}
NO = {"action": "decline"}
PATIENCE = 40
_numbers = itertools.count(1)


class Stream:
    """The answer to one POST or GET, read event by event."""

    def __init__(self, endpoint, body, headers, method="POST"):
        parts = urlsplit(endpoint.base)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        sent = {"Authorization": f"Bearer {endpoint.token}", "Content-Type": "application/json", **headers}
        sent["Accept"] = "text/event-stream" if method == "GET" else "application/json, text/event-stream"
        self.connection.request(method, "/mcp", body and json.dumps(body), sent)
        self.response = self.connection.getresponse()
        self.last_id = None

    def events(self):
        """Yield the messages, until the server ends the stream."""
        data = None
        for line in self.response:
            line = line.decode().rstrip("\n")
            if line.startswith("id: "):
                self.last_id = line.removeprefix("id: ")
            elif line.startswith("data: "):
                data = line.removeprefix("data: ")
            elif not line and data is not None:
                if data:
                    yield json.loads(data)
                data = None
        self.connection.close()


class QuestionCase(WorkersCase):
    def setUp(self):
        super().setUp()
        # Beside responses, by clients that come back for them.
        self.heard = []
        self.name = f"Asked {next(_numbers)} {time.time_ns()}"

    def made(self):
        return self.number(f"SELECT count(*) FROM res_partner WHERE name = '{self.name}'")

    def handshake(self, version, capabilities=None):
        """Return the headers of a new session."""
        capabilities = {"elicitation": {}} if capabilities is None else capabilities
        params = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": {"name": "e", "version": "1"}}
        body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        headers = {name.lower(): value for name, value in self.endpoint.post(body).headers.items()}
        return {"Mcp-Session-Id": headers["mcp-session-id"], "MCP-Protocol-Version": version}

    def call(self, session, **arguments):
        params = {"name": TOOL, "arguments": {"name": self.name, **arguments}, "_meta": {"progressToken": "p"}}
        return Stream(self.endpoint, {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}, session)

    def answer(self, session, asked, result):
        answer = self.endpoint.post({"jsonrpc": "2.0", "id": asked["id"], "result": result}, session)
        self.assertEqual((answer.status, answer.body), (202, b""))

    def fetch(self, session, event_id):
        """Come back until the response is there, as a client does."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            stream = Stream(self.endpoint, None, {**session, "Last-Event-ID": event_id}, "GET")
            self.assertEqual(stream.response.status, 200)
            for message in stream.events():
                if message.get("id") == 7:
                    return message
                self.heard.append(message)
            event_id = stream.last_id or event_id
            time.sleep(0.2)
        return self.fail("no response came")

    def leave(self, session, **arguments):
        """Call, and read what is asked and where to come back."""
        stream = self.call(session, **arguments)
        [asked] = stream.events()
        self.assertEqual(asked["method"], "elicitation/create")
        return asked, stream.last_id


class TestWays(QuestionCase):
    def modern(self, **params):
        params = {"name": TOOL, "arguments": {"name": self.name}, **params}
        meta = {**META, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
        headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": TOOL}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {**params, "_meta": meta}}
        return self.endpoint.post(body, headers).json()

    def test_stateless_client(self):
        for answer, made in ((NO, 0), (YES, 1)):
            state = self.modern()["result"]["requestState"]
            result = self.modern(requestState=state, inputResponses={"sure": answer})["result"]
            self.assertEqual((result["resultType"], self.made()), ("complete", made))
        again = self.modern(requestState=state, inputResponses={"sure": YES})
        self.assertEqual((again["error"]["code"], self.made()), (-32602, 1))

    def test_state_is_good_for_one_of_many_at_once(self):
        state = self.modern()["result"]["requestState"]
        done = self.many(lambda: self.modern(requestState=state, inputResponses={"sure": YES}))
        self.assertEqual((sum("result" in each for each in done), self.made()), (1, 1))
        self.assertEqual({each["error"]["code"] for each in done if "error" in each}, {-32602})

    def test_client_that_is_sent_away(self):
        for answer, made in ((NO, 0), (YES, 1)):
            session = self.handshake("2025-11-25")
            asked, event_id = self.leave(session)
            self.assertEqual(self.made(), 0)
            self.answer(session, asked, answer)
            self.assertFalse(self.fetch(session, event_id)["result"]["isError"])
            self.assertEqual(self.made(), made)
            # Fetched once more, it is the same response.
            self.fetch(session, event_id)
            self.answer(session, asked, YES)
            self.assertEqual(self.made(), made)

    def test_client_that_waits_on_its_stream_for_what_comes_later(self):
        session = self.handshake("2025-11-25")
        asked, event_id = self.leave(session, seconds=2)
        found = []
        thread = threading.Thread(target=lambda: found.append(self.fetch(session, event_id)))
        thread.start()
        time.sleep(0.5)
        self.answer(session, asked, YES)
        thread.join(PATIENCE)
        self.assertEqual((found[0]["result"]["isError"], self.made()), (False, 1))
        self.assertEqual([message["params"]["progress"] for message in self.heard], [0, 1])

    def test_client_that_holds_its_stream(self):
        for answer, made in ((NO, 0), (YES, 1)):
            session = self.handshake("2025-06-18")
            events = self.call(session).events()
            asked = next(events)
            # The other worker is free meanwhile, also for the answer.
            began = time.monotonic()
            self.many(lambda: self.endpoint.rpc("tools/list"))
            self.assertLess(time.monotonic() - began, 15)
            self.answer(session, asked, answer)
            [response] = events
            self.assertEqual((response["result"]["isError"], self.made()), (False, made))

    def test_only_one_worker_in_a_few_waits(self):
        first = self.call(self.handshake("2025-06-18")).events()
        next(first)
        second = self.call(self.handshake("2025-06-18")).response
        self.assertEqual(json.load(second)["result"]["structuredContent"]["status"], "confirmation_required")
        [response] = first
        facts = response["result"]["structuredContent"]
        self.assertEqual((facts["status"], self.made()), ("confirmation_required", 0), "nobody answers for ever")

    def test_client_that_cannot_be_asked(self):
        facts = self.endpoint.facts(TOOL, name=self.name)
        self.assertEqual((facts["status"], self.made()), ("confirmation_required", 0))
        self.endpoint.facts(TOOL, name=self.name, confirm_token=facts["confirm_token"])
        self.assertEqual(self.made(), 1)


class TestPage(QuestionCase):
    """A profile that has its users confirm in Odoo; clients that open the page are in test_page_question."""

    def setUp(self):
        super().setUp()
        query = "SELECT res_id FROM ir_model_data WHERE module = 'mcp_endpoint' AND name = 'profile_full'"
        profile = self.number(query)
        self.addCleanup(self.execute, "mcp.profile", "write", [profile], {"confirmation_page": False})
        self.execute("mcp.profile", "write", [profile], {"confirmation_page": True})

    def agree(self, url):
        """Do what a person does: open the link, log in, read, press the button."""
        path = urlsplit(url).path
        with httpx2.Client(base_url=self.endpoint.base, follow_redirects=True, timeout=60) as browser:
            page = browser.get(path)
            self.assertIn("/web/login", str(page.url))
            form = {"login": "admin", "password": "admin", "redirect": path, **self.hidden(page.text)}
            page = browser.post("/web/login", data=form)
            self.assertIn(self.name, page.text)
            self.assertEqual(self.made(), 0)
            page = browser.post(path, data={**self.hidden(page.text), "decision": "agree"})
            self.assertIn("You have agreed", page.text)

    def hidden(self, text):
        return dict(re.findall(r'name="(csrf_token|shown)" value="(\w+)"', text))

    def test_client_that_can_only_show_a_link(self):
        url = self.endpoint.facts(TOOL, name=self.name)["confirm_url"]
        self.assertEqual(self.endpoint.facts(TOOL, name=self.name)["confirm_url"], url)
        self.agree(url)
        self.assertIn("id", self.endpoint.facts(TOOL, name=self.name))
        self.assertEqual(self.made(), 1)


class TestDeaths(QuestionCase):
    def test_worker_that_dies_after_the_answer_leaves_an_error(self):
        session = self.handshake("2025-11-25")
        asked, event_id = self.leave(session, seconds=10)
        self.answer(session, asked, YES)
        # It has logged the answer: who answers others from now on is another.
        os.kill(self.writing_worker(self.log_size()), signal.SIGKILL)
        response = self.fetch(session, event_id)
        self.assertIn("stopped in the middle", response["error"]["message"])
        self.assertEqual(self.made(), 0)
        self.test_next_call_works()

    def test_next_call_works(self):
        session = self.handshake("2025-11-25")
        asked, event_id = self.leave(session)
        self.answer(session, asked, YES)
        self.fetch(session, event_id)
        self.assertEqual(self.made(), 1)
