import gzip
import time
from contextlib import contextmanager
from unittest.mock import patch

from odoo.tests import BaseCase, tagged

from ..services import safe_fetch
from ..services.safe_fetch import Egress, FetchRefused, fetch_json
from .loopback import NAME, LoopbackServer, http_answer, server_context

LIMIT = 16_384


def answering(*pieces, pause=0.0):
    """Return a script that sends the pieces, each after a pause, until the client hangs up."""

    def script(connection, _head):
        for piece in pieces:
            time.sleep(pause)
            connection.sendall(piece)

    return script


def forever(piece, pause=0.0, first=b""):
    def script(connection, _head):
        connection.sendall(first)
        while True:
            time.sleep(pause)
            connection.sendall(piece)

    return script


@tagged("post_install", "-at_install")
class TestServiceSafeFetch(BaseCase):
    @contextmanager
    def serving(self, script, context=None):
        with LoopbackServer(script, context) as server:
            yield server

    def refused(self, url, egress=None, within=5.0, **options):
        """Return the refusal's sentence; it must come in time."""
        started = time.monotonic()
        with self.assertRaises(FetchRefused, msg=url) as caught:
            fetch_json(url, egress=egress, **options)
        self.assertLess(time.monotonic() - started, within + 0.5, url)
        return str(caught.exception)

    def test_document_is_returned_with_its_age(self):
        for headers, max_age in (
            ((), None),
            (["Cache-Control: public, max-age=600"], 600),
            (["Cache-Control: no-store, max-age=600"], 0),
            (["cache-control: MAX-AGE=5"], 5),
        ):
            with self.serving(answering(http_answer({"client_id": "x"}, headers=headers))) as server:
                fetched = fetch_json(server.url("/a?b=c"), egress=server.egress())
            self.assertEqual(fetched.data, {"client_id": "x"})
            self.assertEqual(fetched.max_age, max_age)

    def test_request_carries_nothing_about_this_server(self):
        with (
            self.serving(answering(http_answer({}))) as server,
            patch.dict("os.environ", {"HTTPS_PROXY": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}),
        ):
            fetch_json(server.url("/a%20b?c=d"), egress=server.egress())
        lines = server.requests[0].rstrip().split("\r\n")
        self.assertEqual(lines[0], "GET /a%20b?c=d HTTP/1.1")
        self.assertEqual(
            {line.partition(":")[0].lower() for line in lines[1:]},
            {"host", "accept", "accept-encoding", "user-agent", "connection"},
        )
        self.assertIn("Accept-Encoding: identity", lines)

    def test_body_without_length_and_in_chunks_is_read(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/jwk-set+json; charset=utf-8\r\n"
        for answer in (
            head + b'\r\n{"a": 1}',
            head + b'Transfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n4\r\n: 1}\r\n0\r\n\r\n',
        ):
            with self.serving(answering(answer)) as server:
                self.assertEqual(fetch_json(server.url(), egress=server.egress()).data, {"a": 1})

    def test_urls_that_are_no_public_https_names_are_refused_without_resolving(self):
        def resolver(host, port):
            raise AssertionError(f"resolved {host}")

        egress = Egress(resolver=resolver, own_hosts=frozenset({"erp.example.com"}))
        for url in (
            "http://example.com/a",
            "ftp://example.com/a",
            "file:///etc/passwd",
            "//example.com/a",
            "https:///a",
            "https://",
            "",
            "https://user@example.com/a",
            "https://user:pass@example.com/a",
            "https://@example.com/a",
            "https://example.com/a#b",
            "https://example.com/a b",
            "https://example.com/a\r\nX: y",
            "https://example.com\\@10.0.0.1/",
            "https://exämple.com/a",
            "https://example.com:22/a",
            "https://example.com:8443/a",
            "https://example.com:99999/a",
            "https://example.com:x/a",
            "https://127.0.0.1/a",
            "https://127.1/a",
            "https://2130706433/a",
            "https://0x7f000001/a",
            "https://0x7f.1/a",
            "https://017700000001/a",
            "https://[::1]/a",
            "https://[::ffff:10.0.0.1]/a",
            "https://[fe80::1%25eth0]/a",
            "https://localhost/a",
            "https://localhost./a",
            "https://-a.example.com/a",
            "https://a..example.com/a",
            "https://erp.example.com/a",
            "https://ERP.example.com./a",
            "https://example.com/" + "a" * 3000,
        ):
            self.refused(url, egress, within=0.5)

    def test_names_with_an_address_that_is_not_public_are_refused_without_connecting(self):
        with self.serving(answering(http_answer({}))) as server:
            for addresses in (
                ["127.0.0.1"],
                ["::1"],
                ["10.0.0.1"],
                ["169.254.169.254"],
                ["0.0.0.0"],
                ["::ffff:10.0.0.1"],
                ["fe80::1%lo"],
                ["8.8.8.8", "127.0.0.1"],
                [],
            ):
                with patch.object(safe_fetch.socket, "create_connection") as connect:
                    egress = Egress(ports=None, resolver=lambda host, port, found=addresses: found)
                    self.assertIn("not a public", self.refused(server.url(), egress, within=0.5))
                connect.assert_not_called()
            # And with nothing patched: the real resolver knows this name as loopback.
            self.refused(f"https://localhost.localdomain:{server.port}/", Egress(ports=None))
            self.assertEqual(server.connections, 0)

    def test_name_is_resolved_once_and_the_checked_address_is_connected_to(self):
        answers = iter([["127.0.0.1"], ["127.0.0.2"]])
        with self.serving(answering(http_answer({"a": 1}))) as server:
            checked = []
            egress = server.egress(
                resolver=lambda host, port: next(answers), guard=lambda address: not checked.append(str(address))
            )
            self.assertEqual(fetch_json(server.url(), egress=egress).data, {"a": 1})
        self.assertEqual(checked, ["127.0.0.1"])
        self.assertEqual(next(answers), ["127.0.0.2"])

    def test_certificate_must_be_trusted_and_for_the_name(self):
        with self.serving(answering(http_answer({})), server_context("other.example.com")) as server:
            self.assertIn("certificate", self.refused(server.url(), server.egress()))
            self.assertEqual(server.requests, [])
        with self.serving(answering(http_answer({}))) as server:
            stranger = Egress(guard=lambda address: True, ports=None, resolver=lambda host, port: ["127.0.0.1"])
            self.assertIn("certificate", self.refused(server.url(), stranger))
            self.assertEqual(server.requests, [])

    def test_second_address_is_tried_when_the_first_does_not_connect(self):
        with self.serving(answering(http_answer({"a": 1}))) as server:
            egress = server.egress(resolver=lambda host, port: ["127.0.0.9", "127.0.0.1"])
            self.assertEqual(fetch_json(server.url(), egress=egress).data, {"a": 1})
        self.assertIn("failed", self.refused(server.url(), egress))

    def test_redirects_and_other_statuses_are_refused_and_not_followed(self):
        with self.serving(answering(http_answer({"secret": 1}))) as target:
            moved = [f"Location: {target.url()}"]
            for status in ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"):
                with self.serving(answering(http_answer({}, status, moved))) as server:
                    self.assertIn(status[:3], self.refused(server.url(), server.egress()))
            self.assertEqual(target.connections, 0)
        for status in ("201 Created", "204 No Content", "206 Partial", "403 Forbidden", "404 No", "500 Oops"):
            with self.serving(answering(http_answer({}, status))) as server:
                self.assertIn(status[:3], self.refused(server.url(), server.egress()))

    def test_answers_that_are_not_plain_json_objects_are_refused(self):
        for answer in (
            http_answer({}, media_type="text/html"),
            http_answer({}, media_type="application/jsonp"),
            http_answer({}, media_type="text/json"),
            http_answer(b"[1]"),
            http_answer(b"{"),
            http_answer(b""),
            http_answer(b'{"a": NaN}'),
            http_answer(b'{"a": "\xff"}'),
            http_answer(b'{"keys": [{"kid": "\\u0000"}]}'),
            http_answer(b'{"keys": [{"\\ud800": 1}]}'),
            http_answer(b'{"a": ' + b"9" * 5000 + b"}"),
            http_answer(b'{"a":' * 2000 + b"1" + b"}" * 2000),
            http_answer(b"[" * 16_000),
            http_answer(b'{"a":' * 13 + b"1" + b"}" * 13),
            http_answer(gzip.compress(b"{}"), headers=["Content-Encoding: gzip"]),
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\n\r\n{}",
            b"SSH-2.0-OpenSSH_9.9\r\n",
            b"\x00" * 100_000,
            b"",
        ):
            with self.serving(answering(answer)) as server:
                self.refused(server.url(), server.egress())
        with self.serving(answering(http_answer(b'{"a":' * 12 + b"1" + b"}" * 12))) as server:
            fetch_json(server.url(), egress=server.egress())

    def test_large_bodies_are_not_read(self):
        bomb = gzip.compress(b" " * 10_000_000)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
        for script in (
            answering(http_answer(bomb, headers=["Content-Encoding: gzip"])),
            forever(b" " * 65_536, first=head + b"Content-Length: 1000000000\r\n\r\n"),
            forever(b" " * 65_536, first=head + b"\r\n"),
            forever(chunk, first=head + b"Transfer-Encoding: chunked\r\n\r\n"),
            forever(b"X-Filler: " + b"a" * 1000 + b"\r\n", first=head),
            forever(b"HTTP/1.1 100 Continue\r\n\r\n"),
        ):
            with self.serving(script) as server:
                self.refused(server.url(), server.egress())
        for size, is_accepted in ((LIMIT, True), (LIMIT + 1, False)):
            body = b'{"a": "' + b"x" * (size - 9) + b'"}'
            with self.serving(answering(http_answer(body))) as server:
                if is_accepted:
                    fetch_json(server.url(), egress=server.egress())
                else:
                    self.assertIn("larger", self.refused(server.url(), server.egress()))

    def test_deadline_is_for_everything(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        for name, script in {
            "silence": lambda connection, head: time.sleep(3),
            "dripping head": forever(b"a", 0.05, first=head + b"X-Slow: "),
            "dripping body": forever(b" ", 0.05, first=head + b"\r\n"),
            "dripping 100": forever(b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
        }.items():
            with self.subTest(name), self.serving(script) as server:
                text = self.refused(server.url(), server.egress(), within=0.6, deadline=0.6)
                self.assertIn("within 0.6 seconds", text)
        with self.serving(lambda connection, head: None, context=False) as server:
            # Accepts the connection and never speaks TLS.
            server.script = lambda connection, head: time.sleep(3)
            self.refused(server.url(), server.egress(), within=0.6, deadline=0.6)

    def test_slow_name_server_is_given_up_and_cannot_pile_up_threads(self):
        def slow(host, port):
            time.sleep(1.2)
            return ["127.0.0.1"]

        egress = Egress(resolver=slow)
        for _number in range(10):
            self.refused(f"https://{NAME}/", egress, within=0.1, deadline=0.1)
        time.sleep(1.3)

    def test_proxy_is_asked_to_connect_and_tls_ends_at_the_name(self):
        with self.serving(answering(http_answer({"a": 1}))) as server:

            def proxy(connection, head):
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                tls = server.context.wrap_socket(connection, server_side=True)
                tls.recv(4096)
                tls.sendall(http_answer({"a": 1}))

            with self.serving(proxy, context=False) as relay:
                url = f"http://us%40er:secret@127.0.0.1:{relay.port}"
                egress = server.egress(proxy=url, resolver=None)
                self.assertEqual(fetch_json(server.url(), egress=egress).data, {"a": 1})
                lines = relay.requests[0].rstrip().split("\r\n")
                self.assertEqual(lines[0], f"CONNECT {NAME}:{server.port} HTTP/1.1")
                self.assertIn("Proxy-Authorization: Basic dXNAZXI6c2VjcmV0", lines)
                self.refused(f"https://127.0.0.1:{server.port}/", egress)
                self.assertEqual(relay.connections, 1)
            with self.serving(answering(http_answer({}, "403 Forbidden")), context=False) as relay:
                egress = server.egress(proxy=f"http://127.0.0.1:{relay.port}", resolver=None)
                self.assertIn("proxy answered 403", self.refused(server.url(), egress))
            self.assertEqual(server.connections, 0)

    def test_unknown_name_is_a_sentence(self):
        def unknown(host, port):
            raise OSError("gaierror")

        self.assertIn("cannot be resolved", self.refused(f"https://{NAME}/", Egress(resolver=unknown)))
