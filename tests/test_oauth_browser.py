import json
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

from odoo.tests import tagged
from odoo.tests.common import ChromeBrowser, ChromeBrowserException

from .oauth_browser import CALLBACK, OAuthPageCase

PATIENCE = 30


class OneCallback(BaseHTTPRequestHandler):
    """The program on the user's computer that waits for the answer."""

    def do_GET(self):
        self.server.paths.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"received")

    def log_message(self, *_args):
        return


class OAuthBrowserCase(OAuthPageCase):
    """A person with a real Chromium. Scripts of the pages are off unless a test needs them."""

    def setUp(self):
        super().setUp()
        self.fetched = []
        self.navigations = []
        self.browser = ChromeBrowser(self)
        # Chromium opens connections ahead of need: they end with it.
        self.addCleanup(self._wait_remaining_requests)
        self.addCleanup(self.browser.stop)
        self.browser._handlers["Page.frameRequestedNavigation"] = lambda **event: self.navigations.append(event["url"])
        self.authenticate("mcp_employee", "mcp_employee", browser=self.browser)

    def fetch_proxy(self, url):
        """Answer for the hosts of the outside world."""
        self.fetched.append(url)
        return self.make_fetch_proxy_response("received")

    @contextmanager
    def visit(self, path):
        """Open a page. The test's own cursor is the browser's while it is open."""
        self.env.flush_all()
        self.env.cr.clear()
        with self.allow_requests(browser=self.browser):
            self.browser.navigate_to(self.base_url() + path, wait_stop=True)
            self.wait_for(lambda: self.evaluate("document.readyState") == "complete", path)
            self.draw()
            yield

    def draw(self):
        """Have the page drawn: what is pressed before its first picture is lost."""
        self.browser._websocket_request("Page.captureScreenshot")

    def evaluate(self, expression):
        """Return the value of a JavaScript expression; the debugger's, which a page cannot forbid."""
        result = self.browser._websocket_request("Runtime.evaluate", params={"expression": expression})
        self.assertNotIn("exceptionDetails", result, expression)
        return result["result"].get("value")

    def press(self, *keys):
        for key in keys:
            code = {"Tab": 9, "Enter": 13, " ": 32}[key]
            common = {"key": key, "windowsVirtualKeyCode": code}
            down = {"type": "keyDown", **common, **({"text": "\r" if key == "Enter" else key} if key != "Tab" else {})}
            self.browser._websocket_request("Input.dispatchKeyEvent", params=down)
            self.browser._websocket_request("Input.dispatchKeyEvent", params={"type": "keyUp", **common})

    def without_scripts(self):
        self.browser._websocket_request("Emulation.setScriptExecutionDisabled", params={"value": True})

    def wait_for(self, found, what):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            # Another page may be taking the place of the one that is asked.
            with suppress(ChromeBrowserException):
                if value := found():
                    return value
            time.sleep(0.05)
        return self.fail(f"{what}: nothing in {PATIENCE} seconds. Went to {self.navigations}, fetched {self.fetched}")

    def click(self, selector):
        """Click like a person: with the mouse, on what is really there."""
        spot = self.evaluate(
            f"""(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView();
                const r = e.getBoundingClientRect();
                return JSON.stringify([r.x + r.width / 2, r.y + r.height / 2]); }})()"""
        )
        x, y = json.loads(spot)
        for kind in ("mousePressed", "mouseReleased"):
            params = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
            self.browser._websocket_request("Input.dispatchMouseEvent", params=params)


@tagged("post_install", "-at_install")
class TestOAuthBrowser(OAuthBrowserCase):
    """The answer arrives, whatever browsers do to forms, with the security policy that the pages really have."""

    def serve_callback(self) -> HTTPServer:
        server = HTTPServer(("127.0.0.1", 0), OneCallback)
        server.paths = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def arrived(self):
        """Return the answer that the web site gets."""
        url = self.wait_for(lambda: next((url for url in self.fetched if url.startswith(CALLBACK)), None), "callback")
        return self.parameters(url)

    def opened(self, scheme):
        """Return the address that an application is opened with."""
        return self.wait_for(lambda: next((url for url in self.navigations if url.startswith(scheme)), None), scheme)

    def test_allow_reaches_a_web_site(self):
        self.without_scripts()
        with self.visit(self.store()):
            self.click("button[value=allow]")
            answer = self.arrived()
        self.assertEqual((set(answer), answer["state"]), ({"code", "state", "iss"}, "s~1 +é"))
        self.assertEqual(len(self.codes()), 1)

    def test_deny_reaches_a_web_site(self):
        with self.visit(self.store()):
            self.click("button[value=deny]")
            self.assertEqual(self.arrived()["error"], "access_denied")

    def test_allow_reaches_a_program_on_this_computer(self):
        server = self.serve_callback()
        self.without_scripts()
        with self.visit(self.store(redirect_uri=f"http://127.0.0.1:{server.server_port}/")):
            self.click("button[value=allow]")
            self.wait_for(lambda: server.paths, "loopback callback")
        self.assertIn("code", self.parameters(server.paths[0]))

    def test_allow_opens_an_application(self):
        scheme = "cursor://anysphere.cursor-mcp/callback"
        with self.visit(self.store(redirect_uri=scheme)):
            self.click("button[value=allow]")
            by_itself = self.opened(scheme)
            self.navigations.clear()
            # And again by the link, for those whose browser asks for a click.
            self.draw()
            self.click("a.primary")
            self.assertEqual(self.opened(scheme), by_itself)
        self.assertIn("code", self.parameters(by_itself))

    def test_keyboard_alone(self):
        with self.visit(self.store()):
            # "Not you?", the scope that may be left out, the profiles, Deny, Allow.
            self.press("Tab", "Tab", " ", "Tab", "Tab", "Tab")
            self.assertEqual(self.evaluate("document.activeElement.value"), "allow")
            self.press("Enter")
            self.arrived()
        self.assertEqual(self.codes().scope, "mcp:read")

    def test_enter_in_a_field_does_not_allow(self):
        with self.visit(self.store()):
            self.press("Tab", "Tab", "Enter")
            self.assertEqual(self.arrived()["error"], "access_denied")

    def test_nothing_is_loaded_and_nothing_sticks_out_on_a_phone(self):
        self.client.name = "مساعد المبيعات الذكي " * 3 + "销售助手" * 9
        size = {"width": 375, "height": 800, "deviceScaleFactor": 1, "mobile": True}
        self.browser._websocket_request("Emulation.setDeviceMetricsOverride", params=size)
        for uri in (CALLBACK, "http://127.0.0.1:50000/", "cursor://anysphere.cursor-mcp/callback"):
            with self.visit(self.store(redirect_uri=uri)):
                self.assertLessEqual(self.evaluate("document.documentElement.scrollWidth"), 375)
                # The style is in force under the policy.
                self.assertNotEqual(self.evaluate("getComputedStyle(document.querySelector('main')).maxWidth"), "none")
        self.assertEqual(self.fetched, [])
