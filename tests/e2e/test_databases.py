"""Several databases on one server (T21, T22): which one a request is for, and that nothing of one opens another."""

import http.client
import json
import re
import unittest
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
from endpoint import TRACES, Answer
from sdk_login import log_in_with_sdk

from devtools import databases, postgres, server, tokens

PORT = 18669
SERVER_WIDE = "--load=base,rpc,web,mcp_endpoint"
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
RESOURCE = "/.well-known/oauth-protected-resource"
AUTHORIZATION = "/.well-known/oauth-authorization-server"


@dataclass(frozen=True)
class Site:
    """A database and a token of its administrator."""

    name: str
    token: str


def setUpModule():
    """Two databases with the addon, a copy of the first, and one without the addon."""
    global first, second, copied, plain, gone
    stack = ExitStack()
    unittest.addModuleCleanup(stack.close)
    names = [stack.enter_context(databases.temporary("small", f"several{letter}")) for letter in "ab"]
    first, second = (Site(name, *tokens.issue(name, tokens.Wanted("admin", "full"))) for name in names)
    plain = stack.enter_context(databases.temporary("small", "severalplain", addon=False))
    gone = stack.enter_context(databases.temporary("small", "severalgone", addon=False))
    copied = stack.enter_context(databases.temporary("small", "severalcopy"))
    databases.copy(first.name, copied)
    # What Odoo does with a database that it duplicates.
    postgres.query("UPDATE ir_config_parameter SET value = gen_random_uuid() WHERE key = 'database.uuid'", copied)


@contextmanager
def serving(*options, path="/mcp"):
    """A server of all the databases that the options let it have."""
    started = server.start(first.name, port=PORT, path=path, options=("--max-cron-threads=0", *options))
    for name in (second.name, copied):
        postgres.query(f"UPDATE ir_config_parameter SET value = '{started.base}' WHERE key = 'web.base.url'", name)
    try:
        yield started
    finally:
        server.stop(started)


class DatabasesCase(unittest.TestCase):
    """Requests to `cls.base`."""

    def send(self, path, token=None, *, method="POST", host=None, **headers):
        """Send a request; JSON has to come back, and no cookie."""
        parts = urlsplit(self.base)
        sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if host:
            sent["Host"] = host
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        try:
            connection.request(method, path, json.dumps(PING) if method == "POST" else None, sent)
            raw = connection.getresponse()
            answer = Answer(raw.status, dict(raw.getheaders()), raw.read())
        finally:
            connection.close()
        if answer.body:
            self.assertEqual(answer.headers["Content-Type"], "application/json", answer.body[:200])
        self.assertNotIn("Set-Cookie", answer.headers)
        self.assertNotIn("Location", answer.headers)
        for trace in TRACES:
            self.assertNotIn(trace, answer.body.decode())
        return answer

    def refused(self, status, *arguments, says="", **more):
        """Send a request that must be refused without a word about which databases there are."""
        answer = self.send(*arguments, **more)
        self.assertEqual(answer.status, status, answer.body)
        text = answer.json()["error_description"]
        self.assertIn(says, text)
        for name in (first.name, second.name, copied, plain):
            self.assertNotIn(name, answer.body.decode())
        return answer

    def get(self, path, **more):
        """A document."""
        answer = self.send(path, method="GET", **more)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()


class TestByName(DatabasesCase):
    """No filter, all databases visible, the addon in `server_wide_modules`."""

    @classmethod
    def setUpClass(cls):
        names = f"{first.name},{second.name},{copied},{plain},{gone}"
        running = serving("-d", names, SERVER_WIDE, path=f"/mcp?db={first.name}")
        cls.base = cls.enterClassContext(running).base

    def test_without_a_name_it_says_how_to_give_one(self):
        cases = [("POST", "/mcp"), ("GET", "/mcp"), ("DELETE", "/mcp"), ("POST", "/mcp/"), ("POST", "/mcp/sse")]
        cases += [
            ("GET", RESOURCE),
            ("GET", f"{RESOURCE}/mcp"),
            ("GET", AUTHORIZATION),
            ("GET", f"{AUTHORIZATION}/mcp"),
        ]
        cases += [("GET", "/.well-known/openid-configuration"), ("POST", "/oauth/token"), ("POST", "/oauth/register")]
        cases += [("POST", "/mcp/unknown"), ("GET", "/oauth/authorize"), ("POST", "/mcp?db=")]
        for method, path in cases:
            with self.subTest(method=method, path=path):
                self.refused(404, path, method=method, says="?db=")

    def test_a_browser_session_does_not_choose(self):
        self.refused(404, "/mcp", first.token, Cookie=f"session_id={self.session(first.name)}", says="?db=")

    def test_a_page_may_read_why_it_is_refused(self):
        answer = self.send("/mcp", method="OPTIONS", Origin="https://page.example")
        self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"]), (204, "*"))

    def test_name_in_address_or_header_leads_to_the_database(self):
        for site in (first, second):
            for path, headers in (
                (f"/mcp?db={site.name}", {}),
                (f"/mcp/?db={site.name}&readonly=1", {}),
                ("/mcp", {"X_Odoo_Database": site.name}),
                (f"/mcp?db={site.name}", {"X_Odoo_Database": site.name}),
            ):
                with self.subTest(path=path, headers=headers):
                    answer = self.send(path, site.token, **headers)
                    self.assertEqual((answer.status, answer.json()), (200, {"jsonrpc": "2.0", "id": 1, "result": {}}))

    def test_a_cookie_of_another_database_is_ignored(self):
        cookie = f"session_id={self.session(second.name)}"
        self.assertEqual(self.send(f"/mcp?db={first.name}", first.token, Cookie=cookie).status, 200)
        self.assertEqual(self.send("/mcp", first.token, X_Odoo_Database=first.name, Cookie=cookie).status, 200)

    def test_unknown_and_conflicting_names(self):
        for name in ("no_such_database", "postgres", "template1", "x" * 64, "%00", "..", "a%2Cb"):
            with self.subTest(name=name):
                self.refused(404, f"/mcp?db={name}", first.token, says="no such database")
        self.refused(404, "/mcp", first.token, X_Odoo_Database="no_such_database")
        self.refused(404, f"{RESOURCE}/mcp?db=no_such_database", method="GET")
        self.refused(404, f"{AUTHORIZATION}/oauth/db/no_such_database", method="GET")
        self.refused(404, "/oauth/db/no_such_database/token")
        self.refused(400, f"/mcp?db={first.name}", first.token, X_Odoo_Database=second.name, says="several")
        self.refused(400, f"/mcp?db={first.name}&db={second.name}", first.token, says="several")
        self.refused(400, f"/oauth/db/{first.name}/token?db={second.name}", says="several")

    def test_a_database_without_the_addon(self):
        self.refused(404, f"/mcp?db={plain}", says="not installed")
        self.refused(404, f"{RESOURCE}/mcp?db={plain}", method="GET", says="not installed")
        # The shorter addresses, which a web site may use itself, are not there at all.
        for path in ("/authorize", "/token", "/register"):
            answer = httpx2.get(f"{self.base}{path}", headers={"X-Odoo-Database": plain}, timeout=60)
            self.assertEqual((answer.status_code, "<html" in answer.text.lower()), (404, True))

    def test_a_database_that_does_not_answer_is_not_the_clients_fault(self):
        databases.drop(gone)
        self.refused(503, f"/mcp?db={gone}", says="Try again")
        self.refused(503, f"/oauth/db/{gone}/token", says="Try again")

    def test_nothing_below_the_endpoint_is_a_page(self):
        for method in ("GET", "POST", "PUT"):
            answer = self.send(f"/mcp/unknown/path?db={first.name}", method=method)
            self.assertEqual((answer.status, answer.json()["error"]), (404, "not_found"))

    def test_a_token_of_one_database_is_worthless_on_another(self):
        for site, other in ((first, second.name), (second, first.name), (first, copied)):
            for path, headers in ((f"/mcp?db={other}", {}), ("/mcp", {"X_Odoo_Database": other})):
                with self.subTest(path=path, headers=headers):
                    answer = self.send(path, site.token, **headers)
                    self.assertEqual(answer.status, 401, answer.body)
                    self.assertIn(f'/.well-known/oauth-protected-resource/mcp?db={other}"', self.challenge(answer))

    def test_documents_and_challenge_keep_the_choice(self):
        for site in (first, second):
            challenge = self.challenge(self.send(f"/mcp?db={site.name}"))
            url = re.search(r'resource_metadata="([^"]+)"', challenge)[1]
            self.assertEqual(url, f"{self.base}{RESOURCE}/mcp?db={site.name}")
            resource = self.get(url.removeprefix(self.base))
            issuer = f"{self.base}/oauth/db/{site.name}"
            self.assertEqual(resource["resource"], f"{self.base}/mcp?db={site.name}")
            self.assertEqual(resource["authorization_servers"], [issuer])
            # RFC 8414 §3.1: the well-known part goes between host and path.
            found = self.get(f"{AUTHORIZATION}/oauth/db/{site.name}")
            self.assertEqual(found["issuer"], issuer)
            for name in ("authorization", "token", "registration", "revocation"):
                self.assertTrue(found[f"{name}_endpoint"].startswith(f"{issuer}/"), found)
            for path in (
                f"/.well-known/openid-configuration/oauth/db/{site.name}",
                f"/oauth/db/{site.name}/.well-known/openid-configuration",
            ):
                self.assertEqual(self.send(path, method="GET").status, 404)

    def test_official_client_logs_in_to_each(self):
        for site in (first, second):
            with self.subTest(site=site.name):
                token, issuer = log_in_with_sdk(self.base, site.name)
                self.assertEqual(issuer, f"{self.base}/oauth/db/{site.name}")
                other = second if site is first else first
                self.assertEqual(self.send(f"/mcp?db={site.name}", token).status, 200)
                self.assertEqual(self.send(f"/mcp?db={other.name}", token).status, 401)

    def challenge(self, answer):
        """The challenge of a 401."""
        self.assertEqual(answer.status, 401)
        return answer.headers["WWW-Authenticate"]

    def session(self, database):
        """The cookie of a browser that is logged in."""
        with httpx2.Client(base_url=self.base, follow_redirects=True, timeout=60) as browser:
            page = browser.get("/web/login", params={"db": database}).text
            form = {"login": "admin", "password": "admin", "csrf_token": csrf(page)}
            self.assertEqual(browser.post("/web/login", data=form).status_code, 200)
            return browser.cookies["session_id"]


class TestFilter(DatabasesCase):
    """A host name for each database, and the addon in `server_wide_modules` as well."""

    @classmethod
    def setUpClass(cls):
        # The first one is shown at every host, so that there is one that answers at 127.0.0.1.
        running = serving("-d", first.name, f"--db-filter=^(%d|{first.name})$", SERVER_WIDE)
        cls.base = cls.enterClassContext(running).base

    def test_the_host_chooses(self):
        host = f"{second.name}.localhost"
        # The filter shows two databases at the host of the second, and one at the first's.
        self.assertEqual(self.send("/mcp", first.token).status, 200)
        self.assertEqual(self.send(f"/mcp?db={second.name}", second.token, host=host).status, 200)
        self.refused(404, "/mcp", second.token, host=host, says="?db=")

    def test_the_filter_holds_for_names(self):
        for path, headers in (
            (f"/mcp?db={second.name}", {}),
            ("/mcp", {"X_Odoo_Database": second.name}),
            (f"/oauth/db/{second.name}/token", {}),
            (f"{AUTHORIZATION}/oauth/db/{second.name}", {}),
        ):
            hidden = self.refused(404, path, second.token, **headers)
            path = path.replace(second.name, "no_such_database")
            missing = self.refused(404, path, **dict.fromkeys(headers, "no_such_database"))
            self.assertEqual(hidden.body, missing.body)

    def test_a_host_with_one_database_is_an_issuer_of_its_own(self):
        self.assertEqual(self.get(AUTHORIZATION)["issuer"], self.base)
        self.assertEqual(self.get(f"{RESOURCE}/mcp")["resource"], f"{self.base}/mcp")


class TestNotServerWide(DatabasesCase):
    """As most install it: one database, nothing in the configuration."""

    @classmethod
    def setUpClass(cls):
        cls.base = cls.enterClassContext(serving("-d", first.name)).base

    def test_all_is_as_with_one_database(self):
        self.assertEqual(self.send("/mcp", first.token).status, 200)
        self.assertEqual(self.send("/mcp", first.token, X_Odoo_Database=first.name).status, 200)
        self.assertEqual(self.get(f"{RESOURCE}/mcp")["authorization_servers"], [self.base])
        self.assertEqual(self.send("/mcp", second.token).status, 401)


def csrf(page):
    """The token of a form."""
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
