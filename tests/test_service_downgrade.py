import copy
import json

from odoo.tests import BaseCase, tagged

from ..services import downgrade
from ..services.versions import V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25, V2026_07_28, VERSIONS

TOOL = {
    "name": "odoo_thing",
    "title": "Thing",
    "description": "Does it.",
    "inputSchema": {"type": "object", "properties": {"a": True, "b": False, "c": {"type": "string"}}},
    "outputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}},
    "annotations": {"readOnlyHint": True},
    "icons": [{"src": "https://x.example/i.png"}],
    "_meta": {"com.example/x": 1},
}
LINK = {"type": "resource_link", "uri": "odoo://a/1", "name": "a", "title": "A", "description": "An A.", "icons": []}
AUDIO = {"type": "audio", "data": "UklGRg==", "mimeType": "audio/wav"}
TEXT = {
    "type": "text",
    "text": "Hi",
    "_meta": {"x": 1},
    "annotations": {"priority": 1, "lastModified": "2026-01-01T00:00:00Z"},
}
RESOURCE = {"type": "resource", "resource": {"uri": "odoo://a/1", "text": "x", "_meta": {"x": 1}}}

# Members of a tool definition besides name, description and inputSchema.
TOOL_MEMBERS = [
    (V2026_07_28, {"title", "outputSchema", "annotations", "icons", "_meta"}),
    (V2025_11_25, {"title", "outputSchema", "annotations", "icons", "_meta"}),
    (V2025_06_18, {"title", "outputSchema", "annotations", "_meta"}),
    (V2025_03_26, {"annotations"}),
    (V2024_11_05, set()),
]


@tagged("post_install", "-at_install")
class TestServiceDowngrade(BaseCase):
    def test_tool_definition_has_the_members_its_version_knows(self):
        original = copy.deepcopy(TOOL)
        for version, members in TOOL_MEMBERS:
            with self.subTest(version=version.name):
                found = downgrade.tool_definition(TOOL, version)
                self.assertEqual(set(found) - {"name", "description", "inputSchema"}, members)
        self.assertEqual(TOOL, original)

    def test_title_moves_into_the_annotations_where_only_they_hold_one(self):
        found = downgrade.tool_definition(TOOL, V2025_03_26)
        self.assertEqual(found["annotations"], {"title": "Thing", "readOnlyHint": True})

    def test_boolean_subschemas_become_objects_in_older_versions(self):
        for version, _members in TOOL_MEMBERS[1:]:
            properties = downgrade.tool_definition(TOOL, version)["inputSchema"]["properties"]
            self.assertEqual(properties, {"a": {}, "b": {"not": {}}, "c": {"type": "string"}})
        self.assertIs(downgrade.tool_definition(TOOL, V2026_07_28)["inputSchema"], TOOL["inputSchema"])

    def test_output_schema_that_is_no_objects_is_wrapped_with_its_definitions_at_the_root(self):
        listing = {**TOOL, "outputSchema": {"type": "array", "items": {"$ref": "#/$defs/a"}, "$defs": {"a": True}}}
        found = downgrade.tool_definition(listing, V2025_06_18)["outputSchema"]
        self.assertEqual(
            found,
            {
                "$defs": {"a": True},
                "type": "object",
                "properties": {"result": {"type": "array", "items": {"$ref": "#/$defs/a"}}},
                "required": ["result"],
            },
        )
        self.assertEqual(
            downgrade.tool_definition({**TOOL, "outputSchema": True}, V2025_11_25)["outputSchema"]["properties"],
            {"result": {}},
        )

    def test_structured_content_is_kept_wrapped_or_told_as_text(self):
        for structured, version, kept in (
            ({"a": 1}, V2026_07_28, {"a": 1}),
            ([1], V2026_07_28, [1]),
            ({"a": 1}, V2025_11_25, {"a": 1}),
            ([1], V2025_11_25, {"result": [1]}),
            (None, V2025_06_18, {"result": None}),
        ):
            found = downgrade.tool_result({"content": [], "structuredContent": structured}, version)
            self.assertEqual(found, {"content": [], "structuredContent": kept})
        for version in (V2025_03_26, V2024_11_05):
            found = downgrade.tool_result({"content": [], "structuredContent": {"a": "ä"}}, version)
            self.assertEqual(found, {"content": [{"type": "text", "text": json.dumps({"a": "ä"}, ensure_ascii=False)}]})
            found = downgrade.tool_result({"content": [TEXT], "structuredContent": {"a": 1}}, version)
            self.assertEqual([block["text"] for block in found["content"]], ["Hi"])

    def test_error_flag_and_meta_survive_in_every_version(self):
        result = {"content": [], "isError": True, "_meta": {"truncated": True}, "resultType": "complete"}
        for version in VERSIONS.values():
            found = downgrade.tool_result(result, version)
            self.assertIs(found["isError"], True)
            self.assertEqual(found["_meta"], {"truncated": True})
            self.assertEqual("resultType" in found, version.modern)

    def test_no_version_gets_a_content_type_it_does_not_know(self):
        known = {
            "2024-11-05": {"text", "image", "resource"},
            "2025-03-26": {"text", "image", "resource", "audio"},
        }
        everything = {"text", "image", "resource", "audio", "resource_link"}
        blocks = [TEXT, {"type": "image", "data": "", "mimeType": "image/png"}, RESOURCE, AUDIO, LINK]
        for version in VERSIONS.values():
            found = downgrade.tool_result({"content": blocks}, version)["content"]
            kinds = {block["type"] for block in found}
            self.assertLessEqual(kinds, known.get(version.name, everything))
            self.assertEqual(len(found), len(blocks))

    def test_audio_and_links_keep_their_facts_in_other_forms(self):
        audio = downgrade.content_block(AUDIO, V2024_11_05)
        self.assertEqual(audio["resource"]["blob"], AUDIO["data"])
        self.assertEqual(audio["resource"]["mimeType"], "audio/wav")
        for version in (V2025_03_26, V2024_11_05):
            text = downgrade.content_block(LINK, version)["text"]
            for fact in ("A", "odoo://a/1", "An A."):
                self.assertIn(fact, text)

    def test_block_members_follow_the_version(self):
        for version, expected in (
            (V2025_06_18, {"type", "text", "_meta", "annotations"}),
            (V2025_03_26, {"type", "text", "annotations"}),
        ):
            self.assertEqual(set(downgrade.content_block(TEXT, version)), expected)
        self.assertEqual(downgrade.content_block(TEXT, V2024_11_05)["annotations"], {"priority": 1})
        self.assertNotIn("_meta", downgrade.content_block(RESOURCE, V2024_11_05)["resource"])
        self.assertIn("_meta", RESOURCE["resource"])
        self.assertNotIn("icons", downgrade.content_block(LINK, V2025_06_18))
