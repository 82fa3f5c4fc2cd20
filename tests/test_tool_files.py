import base64
import os
from unittest.mock import patch

from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models import attachment_text, call_files
from ..models.tools import files
from . import documents
from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolFiles(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.record = cls.env["res.partner"].create({"name": "Acme"})
        cls.other = new_test_user(cls.env, "mcp_other", groups="base.group_user")

    def attach(self, name="notes.txt", raw=b"Hello", **values):
        values = {"name": name, "raw": raw, "res_model": "res.partner", "res_id": self.record.id, **values}
        return self.env["ir.attachment"].create(values)

    def read(self, attachment, **arguments):
        return self.ok("odoo_read_files", attachment_id=attachment.id, **arguments)

    def upload(self, **arguments):
        return self.ok("odoo_upload_file", model="res.partner", id=self.record.id, **arguments)

    def attached(self):
        return self.env["ir.attachment"].search([("res_model", "=", "res.partner"), ("res_id", "=", self.record.id)])

    # Reading

    def test_files_of_a_record_are_listed(self):
        self.record.image_1920 = base64.b64encode(documents.picture())
        for number in range(3):
            self.attach(f"{number}.txt")
        arguments = {"model": "res.partner", "id": self.record.id}
        self.startPatcher(patch.object(files, "PAGE", 2))
        first = self.ok("odoo_read_files", **arguments)
        self.assertEqual([row["name"] for row in first["files"]], ["2.txt", "1.txt"])
        self.assertEqual(first["files"][0]["bytes"], 5)
        self.assertEqual(list(first["fields"]), ["image_1920"])
        second = self.ok("odoo_read_files", **arguments, cursor=first["next_cursor"])
        self.assertEqual([row["name"] for row in second["files"]], ["0.txt"])

    def test_text_is_marked_and_pages_follow(self):
        attachment = self.attach("long.pdf", documents.pdf(*(f"page {number} " + "x" * 60 for number in range(1, 6))))
        result = self.call("odoo_read_files", attachment_id=attachment.id, pages="2-3")
        facts = result["structuredContent"]
        self.assertEqual((facts["unit"], facts["count"], facts["pages"]), ("page", 5, [2, 3]))
        self.assertRegex(facts["text"], r"(?s)^<untrusted id=\w+>\n.*page 2.*page 3.*</untrusted id=\w+>$")
        self.assertNotIn("page 4", facts["text"])
        self.assertIn("untrusted", result["_meta"])

    def test_long_files_keep_to_the_budget(self):
        attachment = self.attach("long.txt", "\n".join(f"line {number}" for number in range(9_000)).encode())
        result = self.call("odoo_read_files", attachment_id=attachment.id)
        facts = result["structuredContent"]
        self.assertLess(len(result["content"][0]["text"]), 21_000)
        self.assertTrue(result["_meta"]["truncated"])
        following = self.read(attachment, pages=facts["next_pages"])
        self.assertEqual(following["pages"][0], facts["pages"][-1] + 1)

    def test_pictures_are_shown_and_large_ones_made_smaller(self):
        for side, is_smaller in ((40, False), (900, True)):
            with self.subTest(side=side):
                attachment = self.attach("a.png", documents.picture(side))
                result = self.call("odoo_read_files", attachment_id=attachment.id)
                block = result["content"][1]
                self.assertEqual((block["type"], block["mimeType"]), ("image", "image/png"))
                self.assertLessEqual(len(base64.b64decode(block["data"])), attachment_text.MAX_IMAGE)
                self.assertEqual("made smaller" in result["content"][0]["text"], is_smaller)

    def test_binary_fields_are_read(self):
        self.record.image_1920 = base64.b64encode(documents.picture())
        arguments = {"model": "res.partner", "id": self.record.id}
        result = self.call("odoo_read_files", field="image_1920", **arguments)
        self.assertEqual(result["content"][1]["mimeType"], "image/png")
        self.fails("invalid_field", "odoo_read_files", field="name", **arguments)
        self.fails("unknown_field", "odoo_read_files", field="nope", **arguments)
        self.record.image_1920 = False
        self.fails("no_content", "odoo_read_files", field="image_1920", **arguments)

    def test_what_has_no_text_says_why(self):
        cases = [
            ("scan.pdf", documents.pdf("", ""), "no text"),
            ("bomb.docx", documents.zip_bomb(), "unpack"),
            ("a.zip", documents.archive(a="b"), "no text"),
            ("broken.png", b"\x89PNG\r\n\x1a\n" + b"x" * 300_000, ""),
        ]
        store = type(self.env["ir.attachment"])
        for name, raw, reason in cases:
            with self.subTest(name=name):
                with patch.object(store, "_postprocess_contents", lambda model, values: values):
                    attachment = self.attach(name, raw)
                error = self.fails("unreadable", "odoo_read_files", attachment_id=attachment.id)
                self.assertIn(reason, error["message"])
                self.assertIn("mode=link", error["fix"])

    def test_a_large_file_is_refused_before_it_is_read(self):
        attachment = self.attach("big.txt", b"x" * 1_000)
        store = type(self.env["ir.attachment"])
        with patch.object(call_files, "MAX_FILE", 999), patch.object(store, "_file_read", side_effect=AssertionError):
            self.env.invalidate_all()
            error = self.fails("too_large", "odoo_read_files", attachment_id=attachment.id)
        self.assertIn("mode=link", error["fix"])
        with patch.object(call_files, "MAX_FILE", 1_000):
            self.assertTrue(self.read(attachment)["text"])

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_files_of_hidden_records_are_hidden(self):
        attachment = self.attach()
        model = self.env["ir.model"]._get("res.partner").id
        self.env["ir.rule"].create(
            {"name": "hide", "model_id": model, "domain_force": f"[('id', '!=', {self.record.id})]"}
        )
        self.fails("not_found", "odoo_read_files", attachment_id=attachment.id)
        self.fails("not_found", "odoo_read_files", model="res.partner", id=self.record.id)
        self.fails("not_found", "odoo_upload_file", model="res.partner", id=self.record.id, name="x.txt", text="x")

    def test_files_of_closed_models_are_closed(self):
        administrator = self.env.ref("base.user_admin")
        view = self.env.ref("web.webclient_bootstrap")
        parameter = self.env["ir.config_parameter"].search([], limit=1)
        for record in (view, parameter):
            attachment = self.attach(res_model=record._name, res_id=record.id, public=True)
            for user in (self.user, administrator):
                with self.subTest(model=record._name, user=user.login):
                    answer = self.call("odoo_read_files", user, attachment_id=attachment.id)["structuredContent"]
                    self.assertIn(answer["error"]["code"], ("policy_denied", "not_found"))

    def test_files_of_no_record_are_their_creators_only(self):
        nobodys = self.attach(res_model=False, res_id=0, public=True)
        own = self.env["ir.attachment"].with_user(self.user).create({"name": "own.txt", "raw": b"mine"})
        self.fails("not_found", "odoo_read_files", attachment_id=nobodys.id)
        self.fails("not_found", "odoo_read_files", self.env.ref("base.user_admin"), attachment_id=own.id)
        self.assertIn("mine", self.read(own)["text"])
        self.fails("not_found", "odoo_read_files", attachment_id=2**30)

    def test_a_file_of_another_record_is_not_read_through_this_one(self):
        attachment = self.attach(res_id=self.user.partner_id.id)
        self.fails("not_found", "odoo_read_files", model="res.partner", id=self.record.id, attachment_id=attachment.id)

    def test_files_of_fields_follow_field_rights(self):
        attachment = self.attach(res_field="image_1920")
        self.assertTrue(self.read(attachment)["text"])
        with patch.object(type(self.record)._fields["image_1920"], "groups", "base.group_system"):
            self.fails("not_found", "odoo_read_files", attachment_id=attachment.id)
            self.fails("access_denied", "odoo_read_files", model="res.partner", id=self.record.id, field="image_1920")

    # Uploading

    def test_text_and_base64_are_attached(self):
        result = self.upload(name="../../etc/notes.txt", text="Grüße")
        attachment = self.env["ir.attachment"].browse(result["attachment_id"])
        self.assertEqual((attachment.name, attachment.raw), ("notes.txt", "Grüße".encode()))
        self.assertEqual((attachment.res_model, attachment.res_id), ("res.partner", self.record.id))
        self.assertEqual(attachment.create_uid, self.user)
        self.assertFalse(attachment.public)
        data = base64.b64encode(documents.pdf("x")).decode()
        self.assertEqual(self.upload(name="a.pdf", data=data)["mimetype"], "application/pdf")

    def test_pages_are_kept_as_plain_text_also_for_administrators(self):
        for name in ("a.html", "a.svg"):
            result = self.ok(
                "odoo_upload_file", self.env.ref("base.user_admin"),
                model="res.partner", id=self.record.id, name=name, text="<svg onload='alert(1)'/>",
            )  # fmt: skip
            self.assertEqual(result["mimetype"], "text/plain")

    def test_binary_fields_are_written_and_journaled(self):
        data = base64.b64encode(documents.picture()).decode()
        self.upload(name="logo.png", data=data, field="image_1920")
        self.assertTrue(self.record.image_1920)
        self.assertTrue(self.env["mcp.change"].search([("model", "=", "res.partner"), ("res_id", "=", self.record.id)]))

    def test_wrong_uploads_are_refused(self):
        cases = [
            ("invalid_arguments", {"name": "a.txt"}),
            ("invalid_arguments", {"name": "a.txt", "text": "x", "data": "eA=="}),
            ("invalid_arguments", {"name": "a.txt", "text": ""}),
            ("invalid_arguments", {"name": "/..", "text": "x"}),
            ("invalid_value", {"name": "a.txt", "data": "not base64!"}),
            ("invalid_field", {"name": "a.txt", "text": "x", "field": "name"}),
            ("policy_denied", {"name": "a.txt", "text": "x", "model": "mail.message", "id": 1}),
            ("policy_denied", {"name": "a.txt", "text": "x", "model": "ir.ui.view", "id": 1}),
            ("policy_denied", {"name": "a.txt", "text": "x", "model": "res.users", "id": self.user.id}),
            ("not_found", {"name": "a.txt", "text": "x", "id": 2**30}),
        ]
        before = self.env["ir.attachment"].search([], order="id desc", limit=1)
        for code, arguments in cases:
            with self.subTest(arguments=arguments):
                self.fails(code, "odoo_upload_file", **{"model": "res.partner", "id": self.record.id, **arguments})
        self.fails(
            "policy_denied", "odoo_upload_file", profile="read",
            model="res.partner", id=self.record.id, name="a.txt", text="x",
        )  # fmt: skip
        self.assertEqual(self.env["ir.attachment"].search([], order="id desc", limit=1), before)

    def test_dry_run_leaves_no_file(self):
        store = self.env["ir.attachment"]
        text = "only rehearsed " + os.urandom(8).hex()
        _name, path = store._get_path(text.encode(), store._compute_checksum(text.encode()))
        result = self.upload(dry_run=True, name="ghost.txt", text=text)
        self.assertEqual(result["result"]["bytes"], len(text))
        no_image = {"model": "res.partner", "id": self.record.id, "text": text, "field": "image_1920"}
        self.fails("business_rule", "odoo_upload_file", dry_run=True, **no_image)
        self.assertNotIn("url", self.upload(dry_run=True, name="ghost.txt", request_link=True)["result"])
        self.assertFalse(os.path.exists(path))
        self.assertFalse(self.attached())
        self.upload(name="real.txt", text=text)
        self.assertTrue(os.path.exists(path))

    def test_links_are_given_only_for_what_is_open(self):
        link = self.upload(name="big.bin", request_link=True)
        self.assertRegex(link["url"], r"^http://127.0.0.1:8069/mcp/files/[\w-]+$")
        self.assertEqual((link["method"], link["uses"], link["expires_in_seconds"]), ("PUT", 1, 3600))
        arguments = {"name": "x", "request_link": True, "model": "ir.ui.view", "id": 1}
        self.fails("policy_denied", "odoo_upload_file", **arguments)
        result = self.call("odoo_read_files", attachment_id=self.attach().id, mode="link")
        self.assertEqual(result["content"][1]["type"], "resource_link")
        self.assertNotIn("Hello", str(result))
