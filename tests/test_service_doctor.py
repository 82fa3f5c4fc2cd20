import dataclasses
import time

from odoo.tests import BaseCase, tagged

from ..services.doctor import endpoint, login, outcome, settings, streams, table, transport
from ..services.doctor.caller import Caller, NoAnswer, Reply
from ..services.doctor.visit import Facts, Visit

ORIGIN = "https://erp.example.com"
FACTS = Facts(
    base_url=ORIGIN,
    origin=ORIGIN,
    issuer=ORIGIN,
    mcp_url=f"{ORIGIN}/mcp",
    resource_url=f"{ORIGIN}/.well-known/oauth-protected-resource/mcp",
    root_resource_url=f"{ORIGIN}/.well-known/oauth-protected-resource",
    server_urls=(f"{ORIGIN}/.well-known/oauth-authorization-server",),
    proxy_mode=True,
)
CHALLENGE = ("WWW-Authenticate", f'Bearer realm="mcp", resource_metadata="{FACTS.resource_url}"')
ECHO = {"host": "erp.example.com", "scheme": "https", "forwarded_host": True, "forwarded_for": True}


class Script:
    """A caller whose answers are written down; the last one is repeated."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    def is_late(self):
        return False

    def send(self, method, url, headers=None, body=b""):
        self.sent.append((method, url))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def reply(status, body=b"", *headers):
    return Reply(status, headers, body)


def visit(*answers, token="secret", **facts):
    return Visit(dataclasses.replace(FACTS, **facts), Script(*answers), token, f"{ORIGIN}/echo", is_reached=True)


@tagged("post_install", "-at_install")
class TestServiceDoctor(BaseCase):
    def check(self, found, status, *says):
        self.assertEqual(found.status, status, found)
        for text in says:
            self.assertIn(text, found.seen + found.fix)

    def test_settings(self):
        for run, facts, status, says in (
            (settings.address, {}, "ok", ORIGIN),
            (settings.address, {"base_url": ""}, "failed", "web.base.url = https://"),
            (settings.address, {"origin": "http://localhost:8069"}, "warning", "this machine only"),
            (settings.address, {"origin": "http://erp.example.com"}, "failed", "not https"),
            (settings.address, {"base_url": "https://other.example"}, "warning", "Change the issuer"),
            (settings.frozen, {}, "ok", ""),
            (settings.frozen, {"is_frozen": False}, "warning", "web.base.url.freeze = True"),
            (settings.proxy_mode, {}, "ok", ""),
            (settings.proxy_mode, {"proxy_mode": False}, "failed", "proxy_mode = True"),
            (settings.processes, {"workers": 0}, "warning", "workers = 5"),
            (settings.processes, {"workers": 1}, "warning", "workers = 5"),
            (settings.database, {}, "ok", ""),
            (settings.database, {"visible_databases": 0, "dbfilter": "^x$"}, "failed", "dbfilter = ^%d$"),
            (settings.database, {"visible_databases": 2}, "failed", "server_wide_modules = base,rpc,web,mcp_endpoint"),
            (settings.database, {"visible_databases": 2, "is_server_wide": True}, "ok", "?db="),
            (settings.clock, {"clock_skew": -4.0}, "ok", ""),
            (settings.clock, {"clock_skew": -40.0}, "failed", "timedatectl set-ntp true"),
            (settings.packages, {"missing_packages": ("PyJWT",)}, "warning", "pip install PyJWT"),
            (settings.egress, {"cimd_check": "ok"}, "ok", ""),
            (settings.egress, {"cimd_check": "refused"}, "warning", "port 443"),
            (settings.egress, {"oauth": False}, "skipped", ""),
            (settings.redis, {}, "skipped", ""),
            (settings.redis, {"redis_error": ""}, "ok", ""),
            (settings.redis, {"redis_error": "ConnectionError"}, "warning", "redis_url"),
        ):
            with self.subTest(run=run.__name__, **facts):
                self.check(run(visit(reply(200), **facts)), status, says)

    def test_the_way_to_odoo(self):
        health = visit(reply(200))
        self.check(transport.reach(health), "ok", "certificate")
        for kind, says in (("name", "DNS"), ("certificate", "fullchain.pem"), ("timeout", "NAT loopback")):
            with self.subTest(kind):
                self.check(transport.reach(visit(NoAnswer(kind, "no"), reply(200))), "failed", says, "port 8069")
        moved = reply(301, b"", ("Location", "https://www.example.com/?secret=1"))
        found = transport.reach(visit(moved))
        self.check(found, "failed", "https://www.example.com/")
        self.assertNotIn("secret", found.seen + found.fix)

    def test_what_the_proxy_makes_of_a_request(self):
        for run, seen, status, says in (
            (transport.host, {}, "ok", ""),
            (transport.host, {"host": "odoo:8069"}, "failed", "proxy_set_header Host $host;"),
            (transport.scheme, {}, "ok", ""),
            (transport.scheme, {"scheme": "http"}, "failed", "X-Forwarded-Proto $scheme;"),
            (transport.client_address, {}, "ok", ""),
            (transport.client_address, {"forwarded_for": False}, "failed", "X-Forwarded-For"),
            (transport.client_address, {"forwarded_host": False}, "failed", "X-Forwarded-Host $host;"),
            (transport.authorization, {"authorization": True}, "ok", ""),
            (transport.authorization, {}, "failed", "$http_authorization;"),
        ):
            with self.subTest(run=run.__name__, **seen):
                here = visit(reply(200))
                here.echo = {**ECHO, **seen}
                self.check(run(here), status, says)
        self.check(transport.host(visit(reply(200))), "skipped")
        self.check(transport.echo(visit(reply(200, b'{"other": 1}'))), "failed", "not this database")

    def test_the_challenge(self):
        for answer, status, says in (
            (reply(401, b"", CHALLENGE), "ok", ""),
            (reply(401), "failed", "proxy_hide_header WWW-Authenticate"),
            (reply(401, b"", ("WWW-Authenticate", "Basic realm=x")), "failed", "auth_basic"),
            (reply(403), "failed", "Block AI bots"),
            (reply(301, b"", ("Location", "https://b/mcp")), "failed", "web.base.url"),
            (reply(502), "failed", "proxy_pass"),
            (reply(404), "failed", "location ~"),
        ):
            with self.subTest(answer=str(answer)):
                self.check(endpoint.challenge(visit(answer)), status, says)

    def test_where_streams_go(self):
        for answer, status, says, routed in (
            (reply(200, b'{"streams": true}'), "ok", "offered subscriptions", True),
            (reply(200, b'{"streams": false}'), "ok", "none is offered", False),
            (reply(504), "failed", "gevent_port = 8072", False),
            (reply(405), "failed", "location ~", None),
            (reply(200, b"<html>"), "failed", "location ~", None),
        ):
            with self.subTest(answer=str(answer)):
                here = visit(answer)
                self.check(streams.streams(here), status, says)
                self.assertIs(here.are_streams_routed, routed)
        self.check(streams.streams(visit(reply(200), token=None)), "skipped")

    def test_calls(self):
        listed = reply(200, b'{"result": {"tools": []}}')
        self.check(endpoint.modern(visit(listed)), "ok")
        self.check(endpoint.modern(visit(listed, token=None)), "skipped")
        self.check(endpoint.modern(visit(reply(401))), "failed", "$http_authorization;")
        self.check(endpoint.modern(visit(reply(200, b"<html>"))), "failed")
        self.check(endpoint.handshake(visit(listed)), "failed")
        self.check(endpoint.long_body(visit(reply(413))), "failed", "client_max_body_size 9m;")
        allowed = ("Access-Control-Allow-Origin", "*")
        self.check(endpoint.browsers(visit(reply(204, b"", allowed))), "ok")
        self.check(endpoint.browsers(visit(reply(204, b"", allowed, allowed))), "failed", "remove `add_header")

    def test_a_long_body_is_as_long_as_allowed(self):
        sizes = []
        here = visit(reply(200), max_body=100_000)
        here.caller.send = lambda method, url, headers=None, body=b"": sizes.append(len(body)) or reply(200)
        endpoint.long_body(here)
        self.assertEqual(sizes, [100_000])

    def test_the_login_follows_no_redirect_elsewhere(self):
        here = visit(reply(303, b"", ("Location", "https://evil.example/login?x=1")))
        here.client_id, here.endpoints = "client", {"authorization_endpoint": f"{ORIGIN}/oauth/authorize"}
        self.check(login.login_page(here), "failed", "another address")
        self.assertEqual(len(here.caller.sent), 1)

    def test_endpoints_elsewhere_are_not_called(self):
        body = b'{"issuer": "https://erp.example.com", "token_endpoint": "https://evil.example/t"}'
        here = visit(reply(200, body))
        self.check(login.server_metadata(here), "failed", "token_endpoint")
        self.assertEqual(here.endpoints, {})
        self.check(login.token_endpoint(here), "skipped")

    def test_one_worker_does_not_wait_for_itself(self):
        here = visit(NoAnswer("timeout", "never"), workers=1, is_request=True)
        found = list(table.run(here))
        self.assertEqual(here.caller.sent, [])
        self.assertIn("odoo mcp_doctor", next(one for one in found if one.name == "challenge").outcome.seen)

    def test_without_time_left_the_rest_is_skipped(self):
        here = visit(reply(200))
        here.caller = Caller(time.monotonic() - 1)
        statuses = {one.status for one, check in zip(table.run(here), table.CHECKS, strict=True) if check.calls}
        self.assertEqual(statuses, {outcome.SKIPPED})

    def test_what_does_not_answer_fails_its_own_check(self):
        found = {one.name: one for one in table.run(visit(NoAnswer("timeout", "no answer within 5 seconds")))}
        self.assertEqual(found["reach"].status, "failed")
        here = visit(reply(200), NoAnswer("broken", "the connection broke"))
        found = {one.name: one for one in table.run(here)}
        self.assertEqual(found["challenge"].outcome.seen, "The connection broke.")

    def test_the_report_says_all_of_it(self):
        finding = outcome.Finding("x", "Title", outcome.failed("Seen.", "nginx: a;", "odoo.conf: b"))
        text = outcome.report("MCP", [finding])
        self.assertIn("1 failed", text)
        self.assertIn("[ failed] Title: Seen.\n          nginx: a;\n          odoo.conf: b", text)
