import base64

from odoo.tests import BaseCase, tagged

from ..services import request_state
from ..services.errors import InvalidParams, ToolError
from ..services.request_state import RequestState

BINDING = {"key": b"k" * 32, "binding": [7, 3, "digest"]}
ANSWER = {"action": "accept", "content": {"name": "Zoë"}}


@tagged("post_install", "-at_install")
class TestServiceRequestState(BaseCase):
    def setUp(self):
        super().setUp()
        self.state = RequestState(("go",), {"name": ANSWER})
        self.text = request_state.sign(self.state, **BINDING)

    def test_round_trip(self):
        found = request_state.verify(self.text, **BINDING)
        self.assertEqual((found.keys, found.answers, found.chain), (("go",), {"name": ANSWER}, self.state.chain))
        self.assertLess(len(self.text), 4096)

    def test_two_rounds_differ_in_any_case(self):
        self.assertNotEqual(self.text, request_state.sign(self.state, **BINDING))

    def test_altered_anywhere_is_refused(self):
        raw = self.text.removeprefix("v1.")
        altered = [self.text + "x", self.text + "=", self.text[:-1], raw, "v2." + raw, "", "v1.", " " + self.text]
        for position in range(3, len(self.text)):
            other = "A" if self.text[position] != "A" else "B"
            altered.append(self.text[:position] + other + self.text[position + 1 :])
        body = base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))
        altered.append("v1." + base64.urlsafe_b64encode(bytes(32) + body[32:]).decode())
        for text in [*altered, None, 5, {}, ["x"], "v1." + "A" * 20_000, "v1.é"]:
            with self.subTest(text=str(text)[:60]), self.assertRaises(InvalidParams):
                request_state.verify(text, **BINDING)

    def test_of_another_user_connection_call_or_key_is_refused(self):
        for other in (
            {**BINDING, "binding": [8, 3, "digest"]},
            {**BINDING, "binding": [7, 4, "digest"]},
            {**BINDING, "binding": [7, 3, "other"]},
            {**BINDING, "binding": [73, "digest"]},
            {**BINDING, "key": b"j" * 32},
        ):
            with self.subTest(other=other), self.assertRaises(InvalidParams) as caught:
                request_state.verify(self.text, **other)
            self.assertIn("another connection", caught.exception.message)

    def test_expires(self):
        text = request_state.sign(self.state, **BINDING, now=1000)
        request_state.verify(text, **BINDING, now=1000 + request_state.LIFE - 1)
        with self.assertRaises(InvalidParams) as caught:
            request_state.verify(text, **BINDING, now=1000 + request_state.LIFE)
        self.assertIn("expired", caught.exception.message)

    def test_answers_do_not_grow_without_end(self):
        long = {"name": {"action": "accept", "content": {"name": "x" * 20_000}}}
        with self.assertRaises(ToolError):
            request_state.sign(RequestState(("go",), long), **BINDING)
