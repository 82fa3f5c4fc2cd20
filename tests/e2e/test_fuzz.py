"""Random input: whatever is sent, no crash shows, nothing internal leaks, reading never writes, the server goes on."""

import collections
import json
import os
import unittest
from contextlib import ExitStack

import random_input
from endpoint import META, MODERN, TRACES, Endpoint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devtools import databases, demo_user, odoo_log, postgres, server, tokens

PORT = 18569
METHODS = (
    "initialize",
    "ping",
    "tools/list",
    "tools/call",
    "server/discover",
    "logging/setLevel",
    "notifications/initialized",
    "notifications/cancelled",
    "resources/list",
    "prompts/get",
    "subscriptions/listen",
    "tasks/get",
    "_run",
    "__init__",
)
HEADERS = (
    "Accept",
    "Content-Type",
    "Mcp-Session-Id",
    "MCP-Protocol-Version",
    "Mcp-Name",
    "Mcp-Method",
    "Origin",
    "Cookie",
    "Last-Event-ID",
    "Authorization",
)
VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", MODERN, "1999-01-01", "", None)
# Tables that a server writes while nobody changes anything.
OWN_LIFE = (
    "mcp_",
    "orm_signaling",
    "bus_",
    "ir_cron",
    "res_users_log",
    "res_device_log",
    "ir_logging",
    "mail_presence",
)
# A frame of ours in a traceback; Odoo's own files are elsewhere.
OURS = "/mcp_endpoint/"
# The same input each run: a failure can be repeated, and what passes today passes tomorrow.
thorough = settings(
    max_examples=int(os.environ.get("MCP_FUZZ_EXAMPLES", "400")),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


def setUpModule():
    """A server of its own: what random writes do to a database is nothing for other tests."""
    stack = ExitStack()
    unittest.addModuleCleanup(stack.close)
    database = stack.enter_context(databases.temporary("full", "fuzz"))
    databases.lift_limits(database)
    (token,) = tokens.issue(database, tokens.Wanted("admin", "full"), before=demo_user.PREPARE)
    running = server.start(database, port=PORT, options=("--max-cron-threads=0",))
    stack.callback(server.stop, running)
    FuzzCase.running = running
    FuzzCase.endpoint = Endpoint(running.base, token)


class FuzzCase(unittest.TestCase):
    """Random input, as an administrator with every tool."""

    @classmethod
    def setUpClass(cls):
        cls.tools = cls.endpoint.tools()

    @classmethod
    def tearDownClass(cls):
        facts = cls.endpoint.facts("odoo_search_records", model="res.partner", limit=1, fields=["name"])
        if len(facts["rows"]) != 1:
            raise AssertionError("the server no longer answers")

    def setUp(self):
        self.log_start = os.path.getsize(self.running.log)

    def errors(self):
        """What the server has logged as an error in this test."""
        with open(self.running.log, errors="replace") as log:
            log.seek(self.log_start)
            return odoo_log.error_records(log.read())

    def check(self, answer):
        """Assert that an answer is one of ours; return its JSON, None for an empty one."""
        text = answer.body.decode()
        self.assertLess(answer.status, 500, text[:1000])
        for trace in TRACES:
            self.assertNotIn(trace, text)
        self.assertNotIn('"code":-32603', text)
        return json.loads(text) if text else None


class TestMessages(FuzzCase):
    """What is sent to the endpoint as a whole."""

    @thorough
    @given(st.one_of(st.binary(max_size=200), random_input.values.map(lambda value: json.dumps(value).encode())))
    def test_any_body(self, body):
        self.check(self.endpoint.post(body))

    @thorough
    @given(
        random_input.messages(METHODS),
        st.sampled_from(VERSIONS),
        st.booleans(),
        st.one_of(st.none(), st.sampled_from(METHODS)),
        st.booleans(),
    )
    def test_any_message(self, message, version, is_modern, header, is_batch):
        if is_modern and isinstance(message.get("params"), dict):
            message["params"]["_meta"] = META
        headers = {"MCP-Protocol-Version": version, "Mcp-Method": header}
        self.check(self.endpoint.post([message, message] if is_batch else message, headers))

    @thorough
    @given(
        st.dictionaries(
            st.sampled_from(HEADERS),
            st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
        ),
        st.sampled_from(["POST", "GET", "DELETE", "OPTIONS", "PUT"]),
    )
    def test_any_headers(self, headers, method):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
        self.check(self.endpoint.post(body, headers, method=method))


class TestArguments(FuzzCase):
    """What is sent to tools."""

    def call(self, name, arguments):
        answer = self.check(self.endpoint.rpc("tools/call", {"name": name, "arguments": arguments}))
        result = answer.get("result", {"isError": True})
        self.outcomes[not result["isError"]] += 1
        error = result.get("structuredContent", {}).get("error") if result["isError"] else None
        if error and error["code"] == "internal_error":
            self.assertFalse(self.is_our_crash(error["message"]), error)

    def is_our_crash(self, message):
        """Whether the crash behind a reference happened in our code; new records may crash Odoo's own."""
        reference = message.partition("Reference: ")[2].strip(".")
        record = next(record for record in self.errors() if reference in record)
        frames = [line for line in record.splitlines() if line.lstrip().startswith('File "')]
        return OURS in frames[-1]

    def setUp(self):
        super().setUp()
        self.outcomes = collections.Counter()

    def tearDown(self):
        # If everything is refused at the door, nothing behind it was tested.
        self.assertGreater(self.outcomes[True], sum(self.outcomes.values()) / 50, self.outcomes)

    def fuzz(self, tool, **always):
        """Call a tool with random arguments besides those given."""
        schema = tool["inputSchema"]
        properties = {name: part for name, part in schema["properties"].items() if name not in always}

        # The tools share the time, however many there are.
        @settings(thorough, max_examples=max(50, 3 * thorough.max_examples // len(self.tools)))
        @given(random_input.arguments({**schema, "properties": properties}))
        def call(arguments):
            self.call(tool["name"], {**arguments, **always})

        call()

    def test_reading_with_any_arguments_writes_nothing(self):
        before = self.fingerprint()
        for tool in self.tools:
            if tool["annotations"]["readOnlyHint"]:
                with self.subTest(tool=tool["name"]):
                    self.fuzz(tool)
        self.check_unchanged(before)
        self.assertEqual(self.errors(), [])

    def test_rehearsing_with_any_arguments_writes_nothing(self):
        before = self.fingerprint()
        for tool in self.tools:
            if "dry_run" in tool["inputSchema"]["properties"]:
                with self.subTest(tool=tool["name"]):
                    self.fuzz(tool, dry_run=True)
        self.check_unchanged(before)

    def test_writing_with_any_arguments(self):
        for tool in self.tools:
            if not tool["annotations"]["readOnlyHint"]:
                with self.subTest(tool=tool["name"]):
                    self.fuzz(tool)

    @thorough
    @given(st.one_of(random_input.real_models, random_input.models), random_input.domains())
    def test_any_domain(self, model, domain):
        self.call("odoo_search_records", {"model": model, "domain": domain, "limit": 3})
        self.call("odoo_aggregate_records", {"model": model, "domain": domain})
        self.assertEqual(self.errors(), [])

    def check_unchanged(self, before):
        after = self.fingerprint()
        self.assertEqual({name: facts for name, facts in after.items() if facts != before.get(name)}, {})

    def fingerprint(self):
        """Rows and last change of every table that reading could have touched."""
        database = self.running.database
        columns = postgres.query(
            "SELECT t.table_name, bool_or(c.column_name = 'write_date') FROM information_schema.tables t"
            " JOIN information_schema.columns c USING (table_schema, table_name)"
            " WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE' GROUP BY 1",
            database,
        )
        last = {"t": "max(write_date)::text", "f": "NULL"}
        parts = [
            f"SELECT '{table}', count(*)::text, {last[has_date]} FROM \"{table}\""
            for table, has_date in columns
            if not table.startswith(OWN_LIFE)
        ]
        return {name: facts for name, *facts in postgres.query(" UNION ALL ".join(parts), database)}
