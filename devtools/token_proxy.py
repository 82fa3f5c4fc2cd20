"""A proxy on loopback that adds a bearer token to every request, for test clients that cannot send one.

For tests only: whoever reaches its port acts as the token's user.
"""

import http.client
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# They describe one connection and are not passed on (RFC 9110, section 7.6.1).
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
CHUNK = 65536


@contextmanager
def running(base, token):
    """Run the proxy for a server's base URL during a block; gives the proxy's own base URL."""

    class Handler(_Handler):
        upstream = urlsplit(base).netloc
        authorization = f"Bearer {token}"

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.daemon_threads = True
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}"
    finally:
        proxy.shutdown()
        proxy.server_close()


class _Handler(BaseHTTPRequestHandler):
    # One answer per connection: the end of a stream is then the end of the connection.
    protocol_version = "HTTP/1.0"

    def _forward(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        connection = http.client.HTTPConnection(self.upstream, timeout=120)
        try:
            # Host stays as the client sent it: whether the server checks it is among what is tested.
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP | {"authorization"}:
                    connection.putheader(name, value)
            connection.putheader("Authorization", self.authorization)
            connection.endheaders(body)
            self._answer(connection.getresponse())
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has gone, as some tests do on purpose
        finally:
            connection.close()

    def _answer(self, answer):
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.end_headers()
        while piece := answer.read1(CHUNK):
            self.wfile.write(piece)
            self.wfile.flush()

    do_GET = do_POST = do_DELETE = do_OPTIONS = do_PUT = do_HEAD = _forward

    def log_message(self, format, *args):
        """Stay silent: the server under test has its own log."""
