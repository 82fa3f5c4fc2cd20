import base64
import dataclasses
import json
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..services.errors import ProtocolError
from ..services.exchange import Message, Narrowing
from ..services.uri import build
from ..services.versions import V2024_11_05, V2025_11_25, V2026_07_28, VERSIONS
from .common import MODERN_META, McpCase, McpHttpCase

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
LISTS = {"resources/list": "resources", "resources/templates/list": "resourceTemplates"}
HOSTILE_URIS = (
    "odoo://",
    "odoo://nothing",
    "odoo://record",
    "odoo://record/res.partner",
    "odoo://record/res.partner/",
    "odoo://record/res.partner/0",
    "odoo://record/res.partner/-1",
    "odoo://record/res.partner/1.5",
    "odoo://record/res.partner/²",
    "odoo://record/res.partner/99999999999999999999",
    "odoo://record/res.partner/4294967296",
    "odoo://record/res.partner/2147483647",
    "odoo://record/res.partner/1/2",
    "odoo://record/../1",
    "odoo://record/%2e%2e/1",
    "odoo://record/res%2Fpartner/1",
    "odoo://record/res.partner%00/1",
    "odoo://record/res.partner/%31%",
    "odoo://record/%zz/1",
    "odoo://record/%ff%fe/1",
    "odoo://record/res..partner/1",
    "odoo://record/__class__/1",
    "odoo://record/no.such.model/1",
    "odoo://record/mail.thread/1",
    "odoo://model/_unknown",
    "odoo://context?format=xml",
    "odoo://context?format=json&format=json",
    "odoo://context?x=1",
    "odoo://context/1",
    "ODOO://context",
    "file:///etc/passwd",
    "http://localhost/",
    "odoo://custom/../../etc/passwd",
    "odoo://module/../mcp_endpoint",
    "odoo://templates/x",
    "odoo://document/x",
    "odoo://record/ir.rule/1",
    "odoo://record/mcp.token/1",
    "odoo://record/ir.config_parameter/1",
    "odoo://record/res.users.apikeys/1",
    "odoo://chatter/ir.rule/1",
    "odoo://model/mcp.token",
    "odoo://workflow/ir.cron",
    "odoo://" + "a" * 5000,
)


class ResourceMixin:
    def handle(self, method, version=V2025_11_25, user=None, profile="full", narrowing=None, **params):
        headers = {}
        if version.modern:
            params = {"_meta": MODERN_META, **params}
            headers = {"mcp-protocol-version": version.name, "mcp-method": method}
            for key in ("name", "uri"):
                if key in params:
                    headers["mcp-name"] = params[key]
        base = self.exchange(user, profile=profile, narrowing=narrowing, version=version)
        exchange = dataclasses.replace(base, message=Message(method, params, 1), headers=headers)
        return self.registry_as(user).env["mcp.server"]._handle(exchange)

    def refused(self, method, version=V2025_11_25, user=None, **params):
        """Return the error of a method that must be refused, its audit row checked."""
        try:
            self.handle(method, version, user, **params)
        except ProtocolError as error:
            row = self.env["mcp.audit.log"].search([], limit=1)
            self.assertEqual((row.method, row.outcome), (method, "refused"))
            return error
        self.fail(f"{method} {params} was not refused")

    def read(self, uri, **options):
        (content,) = self.handle("resources/read", uri=uri, **options)["contents"]
        self.assertEqual(content["uri"], uri)
        return content["text"]

    def facts(self, uri, **options):
        return json.loads(self.read(f"{uri}?format=json", **options))


@tagged("post_install", "-at_install")
class TestMcpResource(ResourceMixin, McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create(
            {"name": "Azure *Interior*", "email": "azure@example.com", "comment": "<p>Pays <b>late</b></p>"}
        )

    def test_lists_have_the_members_each_revision_wants(self):
        for version in VERSIONS.values():
            for method, member in LISTS.items():
                with self.subTest(version=version.name, method=method):
                    result = self.handle(method, version)
                    self.assertTrue(result[member])
                    self.assertEqual("ttlMs" in result, version.modern)
                    self.assertEqual("cacheScope" in result, version.modern)
                    for item in result[member]:
                        self.assertEqual("title" in item, version.titles)
                        self.assertTrue(item["name"] and item["description"])
                        self.assertTrue(0 <= item["annotations"]["priority"] <= 1)
                        self.assertLessEqual(len(json.dumps(item)), 500)
            self.assertIn("resources", self.env["mcp.server"]._capabilities(version))

    def test_every_listed_resource_can_be_read_in_both_formats_and_leaves_one_row(self):
        for version in (V2024_11_05, V2026_07_28):
            for item in self.handle("resources/list", version)["resources"]:
                with self.subTest(item["uri"]):
                    rows = self.env["mcp.audit.log"].search_count([])
                    result = self.handle("resources/read", version, uri=item["uri"])
                    self.assertEqual(self.env["mcp.audit.log"].search_count([]), rows + 1)
                    self.assertEqual(result["contents"][0]["mimeType"], "text/markdown")
                    self.assertTrue(result["contents"][0]["text"].startswith("# "))
                    self.assertEqual("ttlMs" in result, version.modern)
                    self.assertIsInstance(self.facts(item["uri"], version=version), dict)

    def test_record_is_read_in_full_as_the_user(self):
        uri = build("record", "res.partner", self.partner.id)
        text = self.read(uri)
        self.assertIn("azure@example.com", text)
        self.assertIn("Pays **late**", text)
        facts = self.facts(uri)
        self.assertEqual(facts["values"]["email"], "azure@example.com")
        self.assertTrue(facts["url"].endswith(f"/odoo/res.partner/{self.partner.id}"))
        row = self.env["mcp.audit.log"].search([], limit=1)
        found = (row.method, row.model, row.record_ids)
        self.assertEqual(found, ("resources/read", "res.partner", str(self.partner.id)))

    def test_secrets_are_in_no_record(self):
        admin = self.env.ref("base.user_admin")
        for user in (self.user, admin):
            values = self.facts(build("record", "res.users", admin.id), user=user)["values"]
            for name in ("password", "totp_secret", "api_key_ids", "signup_token"):
                self.assertNotIn(name, values)

    def test_kinds_about_models(self):
        self.assertIn("email", self.read("odoo://model/res.partner"))
        self.assertIn("res.partner", self.read("odoo://models"))
        self.assertIn("buttons", self.facts("odoo://workflow/res.partner"))
        self.assertEqual(self.facts("odoo://module/mail")["module"], "mail")
        self.assertTrue(self.facts("odoo://categories")["apps"])
        operations = self.facts("odoo://access/res.partner")["operations"]
        self.assertTrue(operations["write"]["allowed"])
        limited = self.facts("odoo://access/res.partner", profile="read")["operations"]
        self.assertTrue(limited["read"]["allowed"])
        self.assertIn("read only", limited["write"]["reason"])
        closed = self.facts("odoo://access/ir.rule")["operations"]
        self.assertFalse(any(each["allowed"] for each in closed.values()))

    def test_chatter_is_read_through_the_record(self):
        self.partner.message_post(body="Call them on Monday")
        self.assertIn("Call them on Monday", self.read(build("chatter", "res.partner", self.partner.id)))

    def test_hostile_uris_are_not_found(self):
        for version, code in ((V2025_11_25, -32002), (V2026_07_28, -32602)):
            for uri in HOSTILE_URIS:
                with self.subTest(uri=uri, version=version.name):
                    error = self.refused("resources/read", version, uri=uri)
                    self.assertEqual((error.code, error.data["uri"]), (code, uri))
                    for trace in ("Traceback", "psycopg2", "SELECT "):
                        self.assertNotIn(trace, error.message)
        for uri in (None, 5, "", ["odoo://context"], {}):
            with self.subTest(uri=uri):
                self.assertEqual(self.refused("resources/read", uri=uri).code, -32602)

    def test_record_that_the_user_may_not_see_is_not_found(self):
        hidden = self.env["res.partner"].create({"name": "Hidden"})
        domain = f"[('id', '!=', {hidden.id})]"
        rule = self.env["ir.rule"].create(
            {"name": "no", "model_id": self.env["ir.model"]._get_id("res.partner"), "domain_force": domain}
        )
        for kind in ("record", "chatter"):
            error = self.refused("resources/read", uri=build(kind, "res.partner", hidden.id))
            self.assertNotIn("Hidden", json.dumps([error.message, error.data]))
        rule.unlink()
        self.assertIn("Hidden", self.read(build("record", "res.partner", hidden.id)))

    def test_resource_cannot_write(self):
        def writes(model, call):
            model.env["res.partner"].browse(self.partner.id).name = "Changed"
            model.env.flush_all()

        with (
            patch.object(type(self.env["mcp.resource"]), "_resource_context", writes),
            mute_logger("odoo.sql_db"),
        ):
            error = self.refused("resources/read", uri="odoo://context")
        self.assertIn("would change data", error.message)
        self.assertEqual(self.partner.name, "Azure *Interior*")

    def test_toolsets_left_out_hide_their_resources(self):
        def kinds(**options):
            return {item["name"] for method, key in LISTS.items() for item in self.handle(method, **options)[key]}

        self.assertIn("chatter", kinds())
        self.assertNotIn("chatter", kinds(profile="analyst"))
        self.assertEqual(kinds(narrowing=Narrowing(toolsets=frozenset({"find"}))), set())
        uri = build("chatter", "res.partner", self.partner.id)
        self.assertIn("chatter", self.refused("resources/read", uri=uri, profile="analyst").message)

    def test_long_list_comes_in_pages(self):
        self.env["mcp.resource"].create([{"name": f"R{n}", "slug": f"r-{n}", "body": "x"} for n in range(120)])
        first = self.handle("resources/list")
        second = self.handle("resources/list", cursor=first["nextCursor"])
        uris = [item["uri"] for item in [*first["resources"], *second["resources"]]]
        self.assertEqual(len(uris), len(set(uris)))
        self.assertNotIn("nextCursor", second)
        self.assertEqual(self.refused("resources/list", cursor="x").code, -32602)
        self.assertEqual(self.refused("prompts/list", cursor=first["nextCursor"]).code, -32602)

    def test_custom_text_and_live_filter(self):
        saved = self.env["ir.filters"].create(
            {"name": "Azure", "model_id": "res.partner", "domain": "[('name', 'ilike', 'Azure')]", "user_ids": []}
        )
        self.env["mcp.resource"].create(
            {"name": "How we work", "slug": "how-we-work", "body": "Be kind.", "filter_id": saved.id}
        )
        listed = {item["uri"]: item for item in self.handle("resources/list")["resources"]}
        self.assertIn("lastModified", listed["odoo://custom/how-we-work"]["annotations"])
        old = {item["uri"]: item for item in self.handle("resources/list", V2024_11_05)["resources"]}
        self.assertNotIn("lastModified", old["odoo://custom/how-we-work"]["annotations"])
        text = self.read("odoo://custom/how-we-work")
        self.assertIn("Be kind.", text)
        self.assertIn("Azure", text)
        saved.domain = "[('id', '=', uid)]"
        self.assertIn("uid", self.refused("resources/read", uri="odoo://custom/how-we-work").message)

    def test_custom_resource_of_another_group_does_not_exist(self):
        self.env["mcp.resource"].create(
            {
                "name": "Board", "slug": "board", "body": "secret",
                "group_ids": [(4, self.env.ref("base.group_erp_manager").id)],
            }
        )  # fmt: skip
        self.assertNotIn("odoo://custom/board", [item["uri"] for item in self.handle("resources/list")["resources"]])
        self.assertEqual(self.refused("resources/read", uri="odoo://custom/board").code, -32002)
        self.assertIn("secret", self.read("odoo://custom/board", user=self.env.ref("base.user_admin")))

    def test_filter_of_a_guarded_model_stays_closed(self):
        saved = self.env["ir.filters"].create({"name": "Rules", "model_id": "ir.rule", "domain": "[]", "user_ids": []})
        self.env["mcp.resource"].create({"name": "Rules", "slug": "rules", "filter_id": saved.id})
        self.assertIn("ir.rule", self.refused("resources/read", uri="odoo://custom/rules").message)

    def test_filter_of_somebody_else_is_not_published(self):
        governor = new_test_user(self.env, "mcp_governor", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        own, foreign = (
            self.env["ir.filters"].create(
                {"name": "Own", "model_id": "res.partner", "domain": "[]", "user_ids": [(4, user.id)]}
            )
            for user in (governor, self.user)
        )
        resources = self.env["mcp.resource"].with_user(governor)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            resources.create({"name": "X", "slug": "foreign", "filter_id": foreign.id})
        resource = resources.create({"name": "X", "slug": "own", "filter_id": own.id})
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            resource.filter_id = foreign

    def test_records_are_checked_and_written_by_administrators_only(self):
        for values in (
            {"slug": "No Good", "body": "x"},
            {"slug": "../x", "body": "x"},
            {"slug": "empty", "body": ""},
            {"slug": "long", "body": "x" * 70_000},
        ):
            with self.subTest(values["slug"]), self.assertRaises(ValidationError):
                self.env["mcp.resource"].create({"name": "X", **values})
        resource = self.env["mcp.resource"].create({"name": "X", "slug": "once", "body": "x"})
        self.assertEqual(resource.copy().slug, "once-copy")
        with self.assertRaises(AccessError):
            self.env["mcp.resource"].with_user(self.user).create({"name": "X", "slug": "x", "body": "x"})

    def test_files_and_reports(self):
        values = {"res_model": "res.partner", "res_id": self.partner.id}
        note, image = self.env["ir.attachment"].create(
            [
                {"name": "note.txt", "raw": b"Remember the milk", "mimetype": "text/plain", **values},
                {"name": "dot.png", "raw": base64.b64decode(PNG), "mimetype": "image/png", **values},
            ]
        )
        self.assertIn("Remember the milk", self.read(build("attachment", note.id)))
        (content,) = self.handle("resources/read", uri=build("attachment", image.id))["contents"]
        self.assertEqual(content["mimeType"], "image/png")
        self.assertTrue(content["blob"])
        private = self.env["ir.attachment"].create({"name": "mine.txt", "raw": b"private"})
        self.assertEqual(self.refused("resources/read", uri=build("attachment", private.id)).code, -32002)
        self.assertIn("no.report", self.refused("resources/read", uri="odoo://report/no.report/1").message)


@tagged("post_install", "-at_install")
class TestMcpResourceHttp(McpHttpCase):
    def test_both_eras_over_http(self):
        partner = self.env["res.partner"].create({"name": "Åzure"})
        uri = f"odoo://record/res.partner/{partner.id}"
        token = self.issue()
        modern = self.rpc("resources/read", {"uri": uri}, token=token)
        self.assertEqual(modern.status_code, 200)
        self.assertIn("Åzure", modern.json()["result"]["contents"][0]["text"])
        self.assertEqual(modern.json()["result"]["cacheScope"], "private")
        gone = self.rpc("resources/read", {"uri": "odoo://record/res.partner/2147483647"}, token=token)
        self.assertEqual((gone.status_code, gone.json()["error"]["code"]), (400, -32602))
        body = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "odoo://nowhere"}}
        old = self.post(body, token=token)
        self.assertEqual((old.status_code, old.json()["error"]["code"]), (200, -32002))
        self.assertEqual(old.json()["error"]["data"]["uri"], "odoo://nowhere")
