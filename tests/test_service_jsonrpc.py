import json
import time

from odoo.tests import BaseCase, tagged

from ..services import jsonrpc
from ..services.errors import HttpRefusal, InvalidParams, InvalidRequest, ParseError, ProtocolError
from ..services.exchange import Message
from ..services.jsonrpc import ClientResponse

# Bodies that are no JSON we accept, and a word of the error that says why.
UNPARSABLE = [
    (b"", "not JSON"),
    (b"{", "not JSON"),
    (b"{'a': 1}", "not JSON"),
    (b'{"a": 1} x', "not JSON"),
    (b'{"a": "\x00"}', "not JSON"),
    (b'\xef\xbb\xbf{"a": 1}', "not JSON"),
    (b'{"a": "\xff"}', "UTF-8"),
    (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
    ('{"a": 1}'.encode("utf-16"), "UTF-8"),
    (b'{"a": NaN}', "NaN"),
    (b'{"a": -Infinity}', "Infinity"),
    (b'{"a": 1e999}', "out of range"),
    (b'{"a": 9223372036854775808}', "64 bits"),
    (b'{"a": -9223372036854775809}', "64 bits"),
    (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
    (b'{"a": 1, "a": 2}', "repeats"),
    (b'{"b": [{"a": 1, "a": 1}]}', "repeats"),
    (b'{"\\ud800": 1, "\\ud800": 2}', "repeats"),
    (b"[" * 65 + b"]" * 65, "nested"),
    (b"[" * 200_000, "nested"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested"),
]

# Values that are JSON but no message.
NO_MESSAGE = [
    None,
    1,
    "ping",
    [],
    {},
    {"method": "ping", "id": 1},
    {"jsonrpc": "1.0", "method": "ping", "id": 1},
    {"jsonrpc": 2.0, "method": "ping", "id": 1},
    {"jsonrpc": "2.0", "id": 1},
    {"jsonrpc": "2.0", "method": 1, "id": 1},
    {"jsonrpc": "2.0", "method": "", "id": 1},
    {"jsonrpc": "2.0", "method": "x" * 129, "id": 1},
    {"jsonrpc": "2.0", "method": "ping", "id": None},
    {"jsonrpc": "2.0", "method": "ping", "id": True},
    {"jsonrpc": "2.0", "method": "ping", "id": 1.0},
    {"jsonrpc": "2.0", "method": "ping", "id": []},
    {"jsonrpc": "2.0", "method": "ping", "id": "x" * 257},
    {"jsonrpc": "2.0", "method": "ping", "id": "a\0"},
    {"jsonrpc": "2.0", "method": "pi\0ng", "id": 1},
    {"jsonrpc": "2.0", "method": "ping", "id": 1, "params": {"a": ["b\0"]}},
    {"jsonrpc": "2.0", "method": "ping", "id": 1, "params": {"a\0": 1}},
    {"jsonrpc": "2.0", "method": "ping", "id": 1, "params": {"a": "\ud83d"}},
    {"jsonrpc": "2.0", "method": "ping", "id": 1, "params": {"\udc00": 1}},
    {"jsonrpc": "2.0", "id": 1, "result": {}, "error": {}},
    {"jsonrpc": "2.0", "result": {}},
    {"jsonrpc": "2.0", "id": None, "result": {}},
    {"jsonrpc": "2.0", "id": 1, "error": "no"},
    {"jsonrpc": "2.0", "id": 1, "result": {"a": "\0"}},
]


@tagged("post_install", "-at_install")
class TestServiceJsonrpc(BaseCase):
    def test_body_that_is_not_json_is_a_parse_error_saying_why(self):
        for body, word in UNPARSABLE:
            with self.subTest(body=body[:40]), self.assertRaises(ParseError) as caught:
                jsonrpc.parse(body)
            self.assertIn(word, caught.exception.message)
            self.assertLess(len(caught.exception.message), 200)
            # The error must travel, whatever the body held.
            jsonrpc.dump(jsonrpc.failure(None, caught.exception))

    def test_repeated_key_is_found_fast_among_many(self):
        body = "{" + ",".join(f'"{number}":1' for number in range(100_000)) + ',"99999":2}'
        started = time.thread_time()
        with self.assertRaises(ParseError) as caught:
            jsonrpc.parse(body.encode())
        self.assertIn("'99999'", caught.exception.message)
        self.assertLess(time.thread_time() - started, 5)

    def test_body_at_the_limits_is_parsed(self):
        self.assertEqual(jsonrpc.parse(b'{"a": 9223372036854775807}'), {"a": 2**63 - 1})
        self.assertEqual(jsonrpc.parse(b"[" * 63 + b"1" + b"]" * 63)[0][0][0].__class__, list)
        self.assertEqual(jsonrpc.parse('{"ä": "😀"}'.encode()), {"ä": "😀"})
        self.assertEqual(jsonrpc.parse(b'"\\ud83d\\ude00"'), "😀")

    def test_value_that_is_no_message_is_an_invalid_request(self):
        for value in NO_MESSAGE:
            with self.subTest(value=value), self.assertRaises(InvalidRequest):
                jsonrpc.read(value)

    def test_params_that_are_no_object_are_invalid_params(self):
        for params in ([], None, "x", 1):
            with self.subTest(params=params), self.assertRaises(InvalidParams):
                jsonrpc.read({"jsonrpc": "2.0", "method": "ping", "id": 1, "params": params})

    def test_request_notification_and_response_are_told_apart(self):
        request = jsonrpc.read({"jsonrpc": "2.0", "method": "ping", "id": 0, "extra": 1})
        self.assertEqual(request, Message(method="ping", params={}, id=0))
        self.assertFalse(request.is_notification)
        self.assertTrue(jsonrpc.read({"jsonrpc": "2.0", "method": "ping", "params": {}}).is_notification)
        self.assertEqual(jsonrpc.read({"jsonrpc": "2.0", "id": "a", "result": {}}), ClientResponse("a", {}, None))
        self.assertEqual(jsonrpc.read({"jsonrpc": "2.0", "id": 1, "error": {"code": 1}}).error, {"code": 1})

    def test_only_a_valid_id_is_repeated(self):
        for value, found in (({"id": 7}, 7), ({"id": "ä"}, "ä"), ({"id": 0}, 0), ({"id": ""}, "")):
            self.assertEqual(jsonrpc.readable_id(value), found)
        for value in ({"id": True}, {"id": 1.5}, {"id": None}, {"id": "\ud800"}, {}, [], "id", None):
            self.assertIsNone(jsonrpc.readable_id(value))

    def test_failure_leaves_an_unknown_id_out(self):
        error = ProtocolError("No.", data={"a": 1})
        self.assertEqual(
            jsonrpc.failure(None, error),
            {"jsonrpc": "2.0", "error": {"code": -32603, "message": "No.", "data": {"a": 1}}},
        )
        self.assertEqual(jsonrpc.failure(0, HttpRefusal(415, "No."))["id"], 0)

    def test_dump_is_compact_utf8_and_never_fails_on_text(self):
        self.assertEqual(jsonrpc.dump({"a": ["ä", 1]}), '{"a":["ä",1]}'.encode())
        self.assertEqual(json.loads(jsonrpc.dump({"a": "x\ud800y"})), {"a": "x?y"})
        self.assertEqual(jsonrpc.dump({"a": {1}}, lambda value: sorted(value)), b'{"a":[1]}')
        with self.assertRaises(ValueError):
            jsonrpc.dump({"a": float("nan")})

    def test_prepared_lists_are_written_as_any_other(self):
        plain = {"jsonrpc": "2.0", "id": "é", "result": {"tools": [{"name": "a", "text": "„x\ud800"}], "ttlMs": 1}}
        prepared = {**plain, "result": {**plain["result"], "tools": jsonrpc.Prepared(plain["result"]["tools"])}}
        self.assertEqual(json.loads(jsonrpc.dump(prepared)), json.loads(jsonrpc.dump(plain)))
        self.assertEqual(jsonrpc.dump([prepared]), jsonrpc.dump([plain]))
        alone = {"jsonrpc": "2.0", "id": 1, "result": {"tools": jsonrpc.Prepared()}}
        self.assertEqual(json.loads(jsonrpc.dump(alone)), {"jsonrpc": "2.0", "id": 1, "result": {"tools": []}})
