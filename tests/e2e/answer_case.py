"""What tests of streamed answers share: calls that take a while, and answers that are read as they come."""

import contextlib
import http.client
import json
import time
import unittest
from urllib.parse import urlsplit

from endpoint import META, MODERN, Endpoint
from fixture import shared

from devtools import postgres

ROWS = 600
IMPORT = "odoo_import_records"
PATIENCE = 60


def import_of(name, count=ROWS):
    """The arguments of an import of so many new contacts."""
    key = name.replace(" ", "_")
    rows = [{"id": f"{key}_{number}", "name": f"{name} {number}", "is_company": True} for number in range(count)]
    return {"model": "res.partner", "rows": rows}


class AnswerCase(unittest.TestCase):
    """Requests whose answers are read as they come."""

    @classmethod
    def setUpClass(cls):
        cls.running = shared()
        cls.endpoint = Endpoint(cls.running.base, cls.running.token)

    def rows(self, sql):
        return postgres.query(sql, self.running.database)

    def count(self, name):
        return int(self.rows(f"SELECT count(*) FROM res_partner WHERE name LIKE '{name} %'")[0][0])

    def audited(self, tool, since):
        return [
            tuple(row)
            for row in self.rows(
                "SELECT outcome, COALESCE(message, reason) FROM mcp_audit_log"
                f" WHERE tool = '{tool}' AND id > {since} ORDER BY id"
            )
        ]

    def last_audit(self):
        return int(self.rows("SELECT COALESCE(MAX(id), 0) FROM mcp_audit_log")[0][0])

    def wait_for(self, fits, what):
        deadline = time.monotonic() + PATIENCE
        while not (found := fits()):
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)
        return found

    def body(self, tool, arguments, *, id=1, token="p", modern=True, **meta):
        meta = {**(META if modern else {}), **meta, **({"progressToken": token} if token is not None else {})}
        params = {"name": tool, "arguments": arguments, **({"_meta": meta} if meta else {})}
        return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}

    @contextlib.contextmanager
    def opened(self, body, headers=None, *, base=None, token=None, accept="application/json, text/event-stream"):
        """Send a request; the HTTP response as soon as its head is there, and the connection."""
        parts = urlsplit(base or self.endpoint.base)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        sent = {
            "Content-Type": "application/json",
            "Accept": accept,
            "Authorization": f"Bearer {token or self.endpoint.token}",
            **(headers or {}),
        }
        try:
            connection.request("POST", "/mcp", json.dumps(body), sent)
            yield connection
        finally:
            connection.close()

    def modern_headers(self, tool):
        return {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": tool}

    def events(self, response):
        """The messages of a stream, each with the time it came."""
        for line in response:
            if line.startswith(b"data: "):
                yield time.monotonic(), json.loads(line.removeprefix(b"data: "))

    def initialize(self, version="2025-11-25", token=None, **capabilities):
        client = {"name": "raw", "version": "1"}
        params = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": client}
        body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        answer = Endpoint(self.endpoint.base, token or self.endpoint.token).post(body)
        return {"Mcp-Session-Id": answer.headers["Mcp-Session-Id"], "MCP-Protocol-Version": version}

    def notify(self, method, params, headers, token=None):
        body = {"jsonrpc": "2.0", "method": method, "params": params}
        return Endpoint(self.endpoint.base, token or self.endpoint.token).post(body, headers)

    def assertLive(self, progress, result_at):
        """Progress grew, in rows of rows, and came while there was still something to do."""
        self.assertGreaterEqual(len(progress), 3, progress)
        self.assertEqual([done for _at, done, _total in progress], sorted({done for _at, done, _total in progress}))
        self.assertEqual({total for _at, _done, total in progress}, {ROWS})
        self.assertEqual(progress[-1][1], ROWS)
        self.assertGreater(result_at - progress[0][0], 0.3)
