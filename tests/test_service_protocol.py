import base64

from odoo.tests import BaseCase, tagged

from ..services import protocol
from ..services.errors import HeaderMismatch, InvalidParams, MethodNotFound, ProtocolError, UnsupportedVersion
from ..services.exchange import Message, Narrowing
from ..services.versions import V2025_03_26, V2025_06_18, V2025_11_25, V2026_07_28, VERSIONS

MODERN = "2026-07-28"
META = {protocol.META_VERSION: MODERN, protocol.META_CAPABILITIES: {}}


def message(method="tools/list", meta=None, **params):
    return Message(method=method, params={**params, **({"_meta": meta} if meta is not None else {})}, id=1)


def headers(method="tools/list", version=MODERN, **more):
    return {"mcp-protocol-version": version, "mcp-method": method, **more}


@tagged("post_install", "-at_install")
class TestServiceProtocol(BaseCase):
    def test_era_follows_the_first_rule_that_matches(self):
        old_meta = {**META, protocol.META_VERSION: "2025-11-25"}
        for method, version_header, meta, modern in (
            # 1. initialize without metadata, whatever the header says
            ("initialize", None, None, False),
            ("initialize", MODERN, None, False),
            ("initialize", "v999", None, False),
            # 2. handshake header, no metadata
            ("ping", "2025-11-25", None, False),
            ("ping", "2024-11-05", {"progressToken": 1}, False),
            # 3. handshake header and metadata: of the same version, or not
            ("ping", "2025-11-25", old_meta, False),
            ("ping", "2025-06-18", old_meta, True),
            ("ping", "2025-11-25", META, True),
            ("initialize", "2025-11-25", META, True),
            ("ping", "2025-11-25", {protocol.META_CAPABILITIES: {}}, True),
            # 4. any other header
            ("ping", MODERN, None, True),
            ("ping", "v999", None, True),
            ("ping", "", None, True),
            # 5. no header, metadata
            ("ping", None, META, True),
            ("initialize", None, META, True),
            ("ping", None, {protocol.META_CAPABILITIES: {}}, True),
            # 6. neither
            ("ping", None, None, False),
            ("ping", None, {"progressToken": 1}, False),
        ):
            with self.subTest(method=method, header=version_header, meta=meta):
                self.assertIs(protocol.is_modern(message(method, meta), version_header), modern)

    def test_modern_ladder_refuses_in_order(self):
        named = {"mcp-name": "odoo_undo"}
        tampered = {**META, protocol.META_VERSION: "v999"}
        for sent, found, error in (
            # 3 before 4: incomplete metadata, with headers wrong too
            (message(), {}, InvalidParams),
            (message(meta={}), {}, InvalidParams),
            (message(meta="text"), headers(), InvalidParams),
            (message(meta={protocol.META_VERSION: MODERN}), headers(), InvalidParams),
            (message(meta={**META, protocol.META_CAPABILITIES: []}), headers(), InvalidParams),
            (message(meta={**META, protocol.META_VERSION: 20260728}), headers(), InvalidParams),
            # 4 before 7: header and body differ, though the body's version is unknown
            (message(meta=META), {"mcp-method": "tools/list"}, HeaderMismatch),
            (message(meta=META), headers(version="2025-11-25"), HeaderMismatch),
            (message(meta=tampered), headers(), HeaderMismatch),
            # 5
            (message(meta=META), {"mcp-protocol-version": MODERN}, HeaderMismatch),
            (message(meta=META), headers("TOOLS/LIST"), HeaderMismatch),
            (message(meta=tampered), headers("tools/call", "v999"), HeaderMismatch),
            # 6
            (message("tools/call", META, name="odoo_undo"), headers("tools/call"), HeaderMismatch),
            (message("tools/call", META, name="odoo_undo"), headers("tools/call", **{"mcp-name": "x"}), HeaderMismatch),
            (message("tools/call", META), headers("tools/call", **named), HeaderMismatch),
            (message("tools/call", META, name=1), headers("tools/call", **{"mcp-name": "1"}), HeaderMismatch),
            (message("resources/read", META, uri="a"), headers("resources/read"), HeaderMismatch),
            (
                message("tools/call", META, name="a"),
                headers("tools/call", **{"mcp-name": "=?base64?YQ=?="}),
                HeaderMismatch,
            ),
            # 7
            (message(meta=tampered), headers(version="v999"), UnsupportedVersion),
            (
                message(meta={**META, protocol.META_VERSION: "2025-11-25"}),
                headers(version="2025-11-25"),
                UnsupportedVersion,
            ),
        ):
            with self.subTest(params=sent.params, headers=found), self.assertRaises(error):
                protocol.check_modern(sent, found)

    def test_modern_ladder_lets_good_requests_pass(self):
        encoded = f"=?base64?{base64.b64encode('größe'.encode()).decode()}?="
        for sent, found in (
            (message(meta=META), headers()),
            (message(meta={**META, protocol.META_CLIENT: {"name": "x"}}), headers(version=f" {MODERN}\t")),
            (message("tools/call", META, name="odoo_undo"), headers("tools/call", **{"mcp-name": " odoo_undo "})),
            (message("tools/call", META, name="größe"), headers("tools/call", **{"mcp-name": encoded})),
            (message("no/such", META), headers("no/such")),
        ):
            protocol.check_modern(sent, found)

    def test_unsupported_version_lists_what_is_supported_newest_first(self):
        with self.assertRaises(UnsupportedVersion) as caught:
            protocol.check_modern(message(meta={**META, protocol.META_VERSION: "v9"}), headers(version="v9"))
        supported = caught.exception.data["supported"]
        self.assertEqual(caught.exception.data["requested"], "v9")
        self.assertEqual(supported, sorted(supported, reverse=True))
        self.assertEqual(set(supported), set(VERSIONS))

    def test_initialize_echoes_a_handshake_version_or_offers_the_newest(self):
        for name, version in VERSIONS.items():
            self.assertEqual(protocol.negotiate(name).name, "2025-11-25" if version.modern else name)
        for requested in ("", "1.0", "2099-01-01", None, 1, []):
            self.assertEqual(protocol.negotiate(requested), V2025_11_25)

    def test_initialize_of_wrong_shape_is_invalid(self):
        protocol.check_initialize({"protocolVersion": "x"})
        for params in (
            {},
            {"protocolVersion": 1},
            {"protocolVersion": "x", "capabilities": []},
            {"protocolVersion": "x", "clientInfo": "me"},
        ):
            with self.subTest(params=params), self.assertRaises(InvalidParams):
                protocol.check_initialize(params)

    def test_handshake_version_is_the_sessions_then_the_headers(self):
        for version_header, session, version in (
            (None, None, V2025_03_26),
            ("2025-06-18", None, V2025_06_18),
            (None, "2025-11-25", V2025_11_25),
            ("2025-06-18", "2025-11-25", V2025_11_25),
        ):
            self.assertEqual(protocol.handshake_version(version_header, session), version)

    def test_http_status_of_errors_is_200_in_the_handshake_era(self):
        self.assertEqual(protocol.http_status(MethodNotFound("x"), V2026_07_28), 404)
        self.assertEqual(protocol.http_status(MethodNotFound("x"), V2025_11_25), 200)
        self.assertEqual(protocol.http_status(InvalidParams("x"), V2026_07_28), 400)
        self.assertEqual(protocol.http_status(ProtocolError("x"), V2026_07_28), 200)

    def test_log_level_is_one_of_eight(self):
        for level in ("debug", "emergency"):
            self.assertEqual(protocol.check_log_level(level), level)
        for level in ("DEBUG", "trace", "", None, 1, ["debug"]):
            with self.subTest(level=level), self.assertRaises(InvalidParams):
                protocol.check_log_level(level)

    def test_query_string_narrows(self):
        self.assertEqual(Narrowing.from_query({}), Narrowing())
        self.assertEqual(Narrowing.from_query({"toolsets": [""], "other": ["x"]}), Narrowing())
        narrowed = Narrowing.from_query(
            {"toolsets": ["core, find", "bi"], "exclude": ["odoo_undo,"], "readonly": ["1"], "schema": ["portable"]}
        )
        self.assertEqual(
            narrowed, Narrowing(frozenset({"core", "find", "bi"}), frozenset({"odoo_undo"}), True, "portable")
        )
        # Said twice, the narrower wins.
        self.assertTrue(Narrowing.from_query({"readonly": ["1", "0"]}).readonly)
        self.assertTrue(Narrowing.from_query({"readonly": [""]}).readonly)

    def test_query_value_that_is_not_understood_is_refused(self):
        for query in ({"readonly": ["maybe"]}, {"schema": ["yaml"]}, {"schema": [""]}):
            with self.subTest(query=query), self.assertRaises(ValueError):
                Narrowing.from_query(query)
