import base64

from odoo.tests import BaseCase, tagged

from ..services.errors import HeaderMismatch
from ..services.http_headers import check_mirrored_arguments, decode_value

SCHEMA = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "deep": {"type": "object", "properties": {"flag": {"type": "boolean", "x-mcp-header": "Flag"}}},
        "list": {"type": "array", "items": {"type": "object", "properties": {"x": {"x-mcp-header": "Never"}}}},
        "open": True,
    },
}


def wrapped(text: str) -> str:
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


@tagged("post_install", "-at_install")
class TestServiceHttpHeaders(BaseCase):
    def test_value_is_decoded_only_in_its_exact_form(self):
        for raw, value in (
            ("plain", "plain"),
            (" \tplain ", "plain"),
            (wrapped("Zoë"), "Zoë"),
            (wrapped(""), ""),
            ("=?BASE64?YQ==?=", "=?BASE64?YQ==?="),
            ("=?base64?YQ==", "=?base64?YQ=="),
            ("YQ==?=", "YQ==?="),
            ("=?base64?=", "=?base64?="),
        ):
            self.assertEqual(decode_value(raw), value)

    def test_malformed_base64_is_refused(self):
        for encoded in ("YQ", "YQ=", "YQ===", "Y Q==", "YQ==\n", "Y-==", "_w==", "YR==", "/w==", "ü"):
            with self.subTest(encoded=encoded), self.assertRaises(ValueError):
                decode_value(f"=?base64?{encoded}?=")

    def test_mirrored_arguments_that_agree_pass(self):
        for arguments, headers in (
            ({}, {}),
            (None, {}),
            ("no object", {}),
            ({"region": None}, {}),
            ({"region": "eu"}, {"mcp-param-region": "eu", "mcp-param-other": "ignored"}),
            ({"region": "Zoë"}, {"mcp-param-region": wrapped("Zoë")}),
            ({"region": "=?base64?x"}, {"mcp-param-region": "=?base64?x"}),
            ({"count": 42}, {"mcp-param-count": "42.0"}),
            ({"deep": {"flag": False}}, {"mcp-param-flag": "false"}),
            ({"list": [{"x": 1}]}, {}),
        ):
            check_mirrored_arguments(SCHEMA, arguments, headers)

    def test_mirrored_arguments_that_differ_are_refused(self):
        for arguments, headers in (
            ({"region": "eu"}, {}),
            ({"region": "eu"}, {"mcp-param-region": "EU"}),
            ({}, {"mcp-param-region": "eu"}),
            ({"region": None}, {"mcp-param-region": ""}),
            ({"region": "a"}, {"mcp-param-region": "=?base64?YQ=?="}),
            ({"region": "a"}, {"mcp-param-region": "=?base64?!!?="}),
            ({"count": 42}, {"mcp-param-count": "forty-two"}),
            ({"deep": {"flag": True}}, {"mcp-param-flag": "True"}),
            ({"deep": {"flag": True}}, {"mcp-param-flag": "1"}),
            ({"deep": "x"}, {"mcp-param-flag": "true"}),
        ):
            with self.subTest(arguments=arguments, headers=headers), self.assertRaises(HeaderMismatch):
                check_mirrored_arguments(SCHEMA, arguments, headers)
