"""A client that is a web page of another origin, as MCP Inspector is: everything that a login takes, from a page in a
real Chromium, which keeps what the answers' CORS headers do not open."""

import json
import re
import threading
import unittest
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from endpoint import MODERN, Endpoint
from program import Program

from devtools import chromium, clients, consent, demo_user, ports

# Every request names its headers as the Inspector does; JSON.stringify of what a page may read of the answers.
SCRIPT = """(async () => {
    const [url, redirect] = %s;
    const meta = {
        "io.modelcontextprotocol/protocolVersion": "%s", "io.modelcontextprotocol/clientCapabilities": {},
    };
    const rpc = (method, token) => fetch(url, {
        method: "POST",
        headers: {
            "Content-Type": "application/json", Accept: "application/json, text/event-stream",
            "MCP-Protocol-Version": "%s", "Mcp-Method": method, ...(token ? {Authorization: `Bearer ${token}`} : {}),
        },
        body: JSON.stringify({jsonrpc: "2.0", id: 1, method, params: {_meta: meta}}),
    });
    const read = async (url) => (await fetch(url, {headers: {"MCP-Protocol-Version": "%s"}})).json();
"""
DISCOVER = """
    const refused = await rpc("tools/list");
    const challenge = refused.headers.get("WWW-Authenticate");
    const resource = await read(challenge.match(/resource_metadata="([^"]+)"/)[1]);
    const root = await read(new URL("/.well-known/oauth-protected-resource", url));
    const server = await read(new URL("/.well-known/oauth-authorization-server", resource.authorization_servers[0]));
    const client = await (await fetch(server.registration_endpoint, {
        method: "POST", headers: {"Content-Type": "application/json"},
        body: JSON.stringify({
            redirect_uris: [redirect, `${redirect}/debug`], token_endpoint_auth_method: "none", client_name: "Page",
            grant_types: ["authorization_code", "refresh_token"], response_types: ["code"],
        }),
    })).json();
    const verifier = "v".repeat(43);
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    const challenged = btoa(String.fromCharCode(...new Uint8Array(digest)))
        .replace(/[+]/g, "-").replace(/[/]/g, "_").replace(/=+$/, "");
    const query = new URLSearchParams({
        response_type: "code", client_id: client.client_id, redirect_uri: redirect, code_challenge: challenged,
        code_challenge_method: "S256", state: "s", scope: server.scopes_supported.join(" "), resource: root.resource,
    });
    return {
        status: refused.status, challenge, resource, root, server, client,
        authorize: `${server.authorization_endpoint}?${query}`,
    };
})()"""
CONNECT = """
    const [server, client_id, code] = %s;
    const post = (url, form) => fetch(url, {method: "POST", body: new URLSearchParams({client_id, ...form})});
    const ask = async (form) => (await post(server.token_endpoint, form)).json();
    const first = await ask({
        grant_type: "authorization_code", code, redirect_uri: redirect, code_verifier: "v".repeat(43), resource: url,
    });
    const listed = await (await rpc("tools/list", first.access_token)).json();
    const second = await ask({grant_type: "refresh_token", refresh_token: first.refresh_token, resource: url});
    const again = await rpc("tools/list", second.access_token);
    const revoked = await post(server.revocation_endpoint, {token: second.refresh_token});
    const late = await rpc("tools/list", second.access_token);
    const wrong = await post(server.token_endpoint, {grant_type: "refresh_token", refresh_token: "wrong"});
    return {
        first, second, tools: listed.result.tools.map((tool) => tool.name), again: again.status,
        revoked: revoked.status, late: late.status, lateChallenge: late.headers.get("WWW-Authenticate"),
        wrong: await wrong.json(),
    };
})()"""


class EmptyPage(BaseHTTPRequestHandler):
    """What the page's own server answers: an empty page, whatever is asked for."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>page</title>")

    def log_message(self, format, *args):
        """Stay silent."""


@contextmanager
def page_server():
    """Run the server of an empty page; its origin, which is not that of the endpoint."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class TestBrowserClient(unittest.TestCase):
    """From the first refusal to giving the token back."""

    def setUp(self):
        self.endpoint = Endpoint.of_run()
        self.page = self.enterContext(chromium.running()).page()
        self.origin = self.enterContext(page_server())
        self.redirect = f"{self.origin}/oauth/callback"

    def run_script(self, script, *given):
        head = SCRIPT % (json.dumps([self.endpoint.url, self.redirect]), MODERN, MODERN, MODERN)
        return self.page.run(head + (script % (json.dumps(given),) if given else script))

    def open_page(self):
        self.page.go(self.origin)
        self.page.wait("document.title === 'page'")

    def test_page_of_another_origin_logs_in(self):
        self.open_page()
        found = self.run_script(DISCOVER)
        self.assertEqual(found["status"], 401)
        self.assertIn('scope="mcp:read mcp:write"', found["challenge"])
        self.assertEqual(found["resource"]["resource"], self.endpoint.url)
        self.assertEqual(found["root"], found["resource"])
        consent.answer(self.page, found["authorize"], demo_user.LOGIN, demo_user.PASSWORD)
        answer = self.page.wait("location.search && Object.fromEntries(new URLSearchParams(location.search))")
        self.assertEqual((answer["state"], answer["iss"]), ("s", found["server"]["issuer"]))
        seen = self.run_script(CONNECT, found["server"], found["client"]["client_id"], answer["code"])
        self.assertIn("odoo_search_records", seen["tools"])
        self.assertEqual((seen["again"], seen["revoked"], seen["late"]), (200, 200, 401))
        self.assertIn('error="invalid_token"', seen["lateChallenge"])
        self.assertNotEqual(seen["first"]["refresh_token"], seen["second"]["refresh_token"])
        self.assertEqual(seen["wrong"]["error"], "invalid_grant")

    def test_login_pages_are_closed_to_other_origins(self):
        self.open_page()
        outcome = self.page.run(
            f"fetch('{self.endpoint.base}/oauth/authorize?client_id=x').then(() => 'open', () => 'closed')"
        )
        self.assertEqual(outcome, "closed")


class TestInspector(unittest.TestCase):
    """The Inspector's own pages."""

    CONNECT = """(() => {
        const button = document.querySelector("input[aria-label^='Connect']");
        button?.click();
        return Boolean(button);
    })()"""
    # Its tabs are there when it is connected.
    TOOLS = """(() => {
        const texts = [...document.querySelectorAll("label, button, a, span")];
        const tab = texts.find((one) => one.innerText?.trim() === "Tools");
        tab?.click();
        return Boolean(tab);
    })()"""

    def test_login_in_the_inspectors_pages(self):
        node, page = clients.node(), self.enterContext(chromium.running()).page()
        program = Program(
            node.command("inspector", "--web", "--transport", "http", "--server-url", Endpoint.of_run().url),
            {**node.environment(), "CLIENT_PORT": str(ports.free(18770)), "MCP_AUTO_OPEN_ENABLED": "false"},
        )
        self.addCleanup(program.stop)
        address = re.compile(r"http://\S+MCP_INSPECTOR_API_TOKEN=\w+")
        page.go(address.search(program.wait_for(address.search))[0])
        page.wait(self.CONNECT)
        consent.answer_opened(page, demo_user.LOGIN, demo_user.PASSWORD)
        page.wait(self.TOOLS)
        page.wait("document.body.innerText.includes('odoo_search_records')")
