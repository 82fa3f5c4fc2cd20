"""The check of the connection against a real server with two workers, and against set-ups that are broken."""

import socket
import subprocess
import time
import unittest
import xmlrpc.client

import broken_proxy
from fixture import shared

from devtools import odoo, postgres


class TestDoctor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = shared()
        cls.base = cls.running.base
        cls.models = xmlrpc.client.ServerProxy(f"{cls.base}/xmlrpc/2/object")
        cls.addClassCleanup(cls.set_parameter, "web.base.url", cls.base)

    @classmethod
    def execute(cls, model, method, *arguments):
        return cls.models.execute_kw(cls.running.database, 2, "admin", model, method, list(arguments))

    @classmethod
    def set_parameter(cls, name, value):
        cls.execute("ir.config_parameter", "set_param", name, value)

    def check(self, url):
        """What the checks find when this is the server's address: by name, status and fix."""
        self.set_parameter("web.base.url", url)
        (doctor,) = self.execute("mcp.doctor", "create", [{}])
        started = time.monotonic()
        self.execute("mcp.doctor", "action_run", [doctor])
        self.assertLess(time.monotonic() - started, 30)
        lines = self.execute("mcp.doctor.line", "search_read", [("doctor_id", "=", doctor)], ["name", "status", "fix"])
        return {line["name"]: (line["status"], line["fix"] or "") for line in lines}

    def command(self, *options):
        """Run the command on the command line."""
        chosen, server = odoo.get(), self.running.server
        full = chosen.command(
            "-d", self.running.database, "--workers=2", "--proxy-mode", f"--http-port={server.port}",
            "--log-level=error", *options,
        )
        addons = next(part for part in full if part.startswith("--addons-path="))
        # The command is looked for in the addons path, so that it has to come first.
        line = [*full[:2], addons, "mcp_doctor", *(part for part in full[2:] if part != addons)]
        return subprocess.run(line, env=chosen.environment(), text=True, capture_output=True, timeout=120)

    def left_over(self):
        """Tokens and applications that a check has made."""
        name = "name = 'Connection check'"
        counts = (f"SELECT count(*) FROM {table} WHERE {name}" for table in ("mcp_token", "mcp_oauth_client"))
        return sum(int(postgres.query(sql, self.running.database)[0][0]) for sql in counts)

    def test_command_finds_nothing_in_the_way(self):
        self.set_parameter("web.base.url", self.base)
        done = self.command()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("failed", done.stdout)
        self.assertIn("[     ok] Call, revision 2026-07-28", done.stdout)
        self.assertIn("[     ok] Call, revision 2025-11-25", done.stdout)
        self.assertNotIn("omcp_", done.stdout)
        self.assertEqual(self.left_over(), 0)

    def test_command_fails_where_nobody_listens(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            self.set_parameter("web.base.url", f"http://127.0.0.1:{closed.getsockname()[1]}")
            done = self.command()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("[ failed] Name, TLS and route", done.stdout)
        self.assertIn("web.base.url = https://YOUR-ODOO", done.stdout)
        self.assertIn(f"Odoo itself answers on port {self.running.server.port}", done.stdout)
        self.assertIn("[skipped] Challenge (401)", done.stdout)

    def test_a_request_checks_as_well(self):
        found = self.check(self.base)
        self.assertEqual({name for name, (status, _fix) in found.items() if status == "failed"}, set())
        self.assertEqual(self.left_over(), 0)

    def test_each_fault_is_named_with_its_remedy(self):
        for fault, check, line in (
            ("strips challenge", "challenge", "proxy_hide_header WWW-Authenticate"),
            ("redirects POST", "challenge", "web.base.url = the address it leads to (https://"),
            ("bot wall", "agents", "Block AI bots: off"),
            ("drops Host", "host", "proxy_set_header Host $host;"),
            ("drops Authorization", "authorization", "proxy_set_header Authorization $http_authorization;"),
            ("adds CORS", "browsers", "remove `add_header Access-Control-Allow-Origin`"),
            ("own error pages", "token_endpoint", "proxy_intercept_errors off;"),
            ("small bodies", "long_body", "client_max_body_size 9m;"),
            ("own well-known", "resource_metadata", "location ~ ^/(mcp|oauth"),
            ("no stream process", "stream", "gevent_port ="),
        ):
            with self.subTest(fault=fault), broken_proxy.running(self.base, fault) as url:
                found = self.check(url)
                status, fix = found[check]
                self.assertEqual(status, "failed", found)
                self.assertIn(line, fix)

    def test_a_proxy_without_faults_is_in_nobodys_way(self):
        with broken_proxy.running(self.base, None) as url:
            found = self.check(url)
        self.assertEqual({name for name, (status, _fix) in found.items() if status == "failed"}, set(), found)

    def test_a_server_that_is_not_this_one(self):
        with broken_proxy.running(self.base, "another server") as url:
            status, fix = self.check(url)["arrival"]
        self.assertEqual(status, "failed")
        self.assertIn("web.base.url =", fix)

    def test_an_address_that_never_answers_costs_seconds(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(16)
            found = self.check(f"http://127.0.0.1:{silent.getsockname()[1]}")
        self.assertEqual(found["reach"][0], "failed")
        self.assertIn("NAT loopback", found["reach"][1])
