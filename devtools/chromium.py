"""A real Chromium without a window, driven over its DevTools socket. Runs in the client venv, for its websockets."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from . import debian
from .console import Failure

# What Odoo looks for too.
NAMES = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
    "--remote-debugging-port=0",
)
PATIENCE = 90
SHOWN = "location.href + ' shows: ' + document.body?.innerText"


class Page:
    """One page with cookies of its own, as of a person at a fresh computer."""

    def __init__(self, browser):
        context = browser.send("Target.createBrowserContext")["browserContextId"]
        target = browser.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self._browser = browser
        self._session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def go(self, url):
        """Open an address."""
        # A client that is told at once may have closed its end before the answer is read: what counts is the client.
        self._send("Page.navigate", url=url)

    def resize(self, window):
        """Show it in a window like that: `width`, `height`, `deviceScaleFactor`, `mobile`."""
        self._send("Emulation.setDeviceMetricsOverride", **window)

    def run(self, script):
        """The value of a script; of its promise, where it gives one."""
        found = self._send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True,
        )
        if failure := found.get("exceptionDetails"):
            text = failure.get("exception", {}).get("description") or failure["text"]
            raise Failure(f"Script in the page: {text}")
        return found["result"].get("value")

    def wait(self, script, patience=PATIENCE):
        """The value of a script as soon as it is true; pages may come and go meanwhile."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                if found := self.run(script):
                    return found
            except Failure:
                pass  # the page it ran in has just been left
            time.sleep(0.05)
        raise Failure(f"Not in {patience} s: {script}\n{self.run(SHOWN)}")

    def _send(self, method, **parameters):
        return self._browser.send(method, self._session, **parameters)


class Browser:
    """The process; `page()` gives pages."""

    def __init__(self, socket):
        self._socket = socket
        self._sent = 0

    def page(self):
        """A new page with cookies of its own."""
        return Page(self)

    def send(self, method, session=None, **parameters):
        """Send a command of the DevTools protocol and return its result. Events are not listened to."""
        self._sent += 1
        command = {"id": self._sent, "method": method, "params": parameters}
        self._socket.send(json.dumps({**command, **({"sessionId": session} if session else {})}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._sent:
                break
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']['message']}")
        return answer["result"]


def program():
    """The path of a Chromium, installed when there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or debian.need("chromium", "chromium", "tests in a browser")


@contextmanager
def running():
    """A Browser for the time of a block."""
    import websocket  # not among what ./dev itself runs with

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        child = subprocess.Popen(
            [program(), *OPTIONS, f"--user-data-dir={profile}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )
        try:
            socket = websocket.create_connection(
                _address(Path(profile) / "DevToolsActivePort", child), timeout=PATIENCE, suppress_origin=True,
            )
            try:
                yield Browser(socket)
            finally:
                socket.close()
        finally:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _address(file, child):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and child.poll() is None:
        lines = file.read_text().split() if file.exists() else ()
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise Failure("Chromium does not start.")
