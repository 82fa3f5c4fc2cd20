"""A proxy on loopback that does one thing wrong, as proxies in front of Odoo do."""

import http.client
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}


@contextmanager
def running(base, fault):
    """Run one in front of `base` during a block; `fault` names what it does wrong. Gives its own base URL."""
    handler = type("Handler", (_Handler,), {"upstream": urlsplit(base).netloc, "fault": fault})
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    proxy.daemon_threads = True
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}"
    finally:
        proxy.shutdown()
        proxy.server_close()


class _Handler(BaseHTTPRequestHandler):
    fault = None

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        refusal = self._own_answer(len(body))
        if refusal:
            self._send(*refusal, b"<html>not Odoo</html>")
            return
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        connection.request(self.command, self.path, body or None, self._headers())
        answer = connection.getresponse()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
        if self.fault == "strips challenge":
            headers = [pair for pair in headers if pair[0].lower() != "www-authenticate"]
        if self.fault == "adds CORS":
            headers.append(("Access-Control-Allow-Origin", "*"))
        data = answer.read()
        if self.fault == "own error pages" and answer.status >= 400:
            headers, data = [("Content-Type", "text/html")], b"<html>error</html>"
        self._send(answer.status, [pair for pair in headers if pair[0].lower() != "content-length"], data)
        connection.close()

    def _own_answer(self, size):
        page = [("Content-Type", "text/html")]
        if self.fault == "another server":
            return 404, page
        if self.fault == "redirects POST" and self.command == "POST":
            return 301, [*page, ("Location", f"https://{self.headers['Host']}{self.path}")]
        if self.fault == "bot wall" and self.headers["User-Agent"] == "Claude-User":
            return 403, page
        if self.fault == "small bodies" and size > 1024 * 1024:
            return 413, page
        if self.fault == "own well-known" and self.path.startswith("/.well-known/"):
            return 404, page
        if self.fault == "no stream process" and self.command == "GET" and self.path == "/mcp":
            return 502, page
        return None

    def _headers(self):
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        if self.fault == "drops Host":
            headers["Host"] = "backend.localhost"
        if self.fault == "drops Authorization":
            headers.pop("Authorization", None)
        return headers

    def _send(self, status, headers, body):
        self.send_response_only(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = do_OPTIONS = _serve

    def log_message(self, format, *args):
        """Stay silent."""
