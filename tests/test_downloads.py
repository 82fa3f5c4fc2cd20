import base64
from datetime import datetime, timedelta
from unittest.mock import patch
from urllib.parse import urlsplit

from odoo.tests import new_test_user, tagged
from odoo.tools import hash_sign, mute_logger

from ..models import file_links
from . import documents
from .common import McpHttpCase, altered


@tagged("post_install", "-at_install")
class TestDownloads(McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.record = cls.env["res.partner"].create({"name": "Acme"})
        cls.attachment = cls.env["ir.attachment"].create(
            {
                "name": "Angebot “ä”.html",
                "raw": b"<script>alert(1)</script>",
                "mimetype": "text/html",
                "res_model": "res.partner",
                "res_id": cls.record.id,
            }
        )

    def link(self, user=None, **arguments):
        """Return the path of a new download link."""
        arguments = arguments or {"attachment_id": self.attachment.id, "mode": "link"}
        return urlsplit(self.ok("odoo_read_files", user, **arguments)["url"]).path

    def upload_link(self, **arguments):
        arguments = {"model": "res.partner", "id": self.record.id, "name": "big.bin", **arguments}
        return urlsplit(self.ok("odoo_upload_file", request_link=True, **arguments)["url"]).path

    def send(self, path, data, method="PUT", **headers):
        self.env.flush_all()
        return self.opener.request(method, self.base_url() + path, data=data, headers=headers, allow_redirects=False)

    def get(self, path):
        return self.url_open(path, allow_redirects=False)

    def assertRefused(self, response, status, code):
        self.assertEqual(response.status_code, status, response.text)
        self.assertEqual(response.json()["error"], code)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertNotIn("Set-Cookie", response.headers)
        self.assertNotIn("alert", response.text)

    def files(self):
        return self.env["ir.attachment"].search(
            [("res_model", "=", "res.partner"), ("res_id", "=", self.record.id), ("id", "!=", self.attachment.id)]
        )

    # Downloads

    def test_a_link_works_once_and_only_saves(self):
        path = self.link()
        for _time in range(2):
            self.assertEqual(self.url_open(path, method="HEAD").status_code, 200)
        response = self.get(path)
        self.assertEqual((response.status_code, response.content), (200, b"<script>alert(1)</script>"))
        self.assertTrue(response.headers["Content-Disposition"].startswith("attachment;"))
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        self.assertIn("sandbox", response.headers["Content-Security-Policy"])
        self.assertNotIn("Set-Cookie", response.headers)
        self.assertRefused(self.get(path), 410, "link_used")
        rows = self.env["mcp.audit.log"].search([("method", "=", "files/download")], order="id")
        self.assertEqual(rows.mapped("outcome"), ["ok", "error"])
        self.assertEqual((rows[0].user_id, rows[0].tool, rows[0].transport), (self.user, "odoo_read_files", "link"))

    def test_a_changed_link_is_not_valid(self):
        path = self.link()
        start, _slash, secret = path.rpartition("/")
        for changed in (altered(secret), secret[:-4], secret + "AAAA", "A" * 60, "x", "%00", "é" * 9, "A" * 5_000):
            with self.subTest(changed=changed[:20]):
                self.assertRefused(self.get(f"{start}/{changed}"), 404, "link_invalid")
        self.assertEqual(self.get(path).status_code, 200)

    def test_a_signature_for_something_else_is_not_valid(self):
        said = ["attachment", self.user.id, 1, "n", None, None, "x", [self.attachment.id]]
        secret = hash_sign(self.env(su=True), "mcp-confirm", said, expiration=timedelta(hours=1))
        self.assertRefused(self.get(f"/mcp/files/{secret}"), 404, "link_invalid")

    def test_a_link_naming_another_users_token_is_not_valid(self):
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        token = self.exchange(other).credential.token_id
        said = ["attachment", self.user.id, token, "n", None, None, "x", [self.attachment.id]]
        secret = hash_sign(self.env(su=True), file_links.SCOPE, said, expiration=timedelta(hours=1))
        self.assertRefused(self.get(f"/mcp/files/{secret}"), 404, "link_invalid")

    def test_a_link_expires(self):
        path = self.link()
        later = datetime.now() + timedelta(minutes=61)
        with patch("odoo.tools.misc.datetime.datetime", wraps=datetime) as clock:
            clock.now.return_value = later
            self.assertRefused(self.get(path), 404, "link_invalid")
        self.assertEqual(self.get(path).status_code, 200)

    def test_a_link_ends_with_its_token_and_its_user(self):
        for end in (
            lambda token: token.with_user(self.user)._revoke(),
            lambda token: token.write({"expires_at": datetime.now() - timedelta(days=1)}),
        ):
            path = self.link()
            end(self.env["mcp.token"].search([("user_id", "=", self.user.id), ("state", "=", "active")]))
            self.assertRefused(self.get(path), 404, "link_invalid")
        path = self.link()
        self.user.active = False
        self.assertRefused(self.get(path), 404, "link_invalid")

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_rights_are_checked_when_the_link_is_used(self):
        path, upload = self.link(), self.upload_link()
        model = self.env["ir.model"]._get("res.partner").id
        self.env["ir.rule"].create(
            {"name": "hide", "model_id": model, "domain_force": f"[('id', '!=', {self.record.id})]"}
        )
        self.assertRefused(self.get(path), 404, "not_found")
        self.assertRefused(self.send(upload, b"x"), 404, "not_found")
        self.assertFalse(self.files())

    def test_the_profile_is_checked_when_the_link_is_used(self):
        upload = self.upload_link()
        self.profiles["full"].access_level = "read"
        self.assertRefused(self.send(upload, b"x"), 403, "policy_denied")
        self.assertFalse(self.files())

    def test_binary_fields_are_downloaded(self):
        self.record.image_1920 = base64.b64encode(documents.picture())
        path = self.link(model="res.partner", id=self.record.id, field="image_1920", mode="link")
        response = self.get(path)
        self.assertEqual(response.headers["Content-Type"], "image/png")
        self.assertIn("attachment", response.headers["Content-Disposition"])

    def test_a_report_is_printed_when_the_link_is_used(self):
        self.env["ir.ui.view"].create(
            {"name": "card", "type": "qweb", "key": "mcp_test.card", "arch": "<p><t t-out='docs.name'/></p>"}
        )
        self.env["ir.actions.report"].create(
            {"name": "Card: A/B", "model": "res.partner", "report_type": "qweb-pdf", "report_name": "mcp_test.card"}
        )
        reports = type(self.env["ir.actions.report"])
        arguments = {"model": "res.partner", "ids": self.record.ids, "report": "mcp_test.card", "format": "pdf"}
        with (
            patch.object(reports, "get_wkhtmltopdf_state", lambda self: "ok"),
            patch.object(reports, "_render_qweb_pdf", lambda self, name, res_ids: (b"%PDF-1.4 x", "pdf")),
        ):
            path = urlsplit(self.ok("odoo_render_report", **arguments)["url"]).path
            response = self.get(path)
        self.assertEqual((response.status_code, response.content), (200, b"%PDF-1.4 x"))
        self.assertIn(f"Card A B {self.record.id}.pdf", response.headers["Content-Disposition"])

    # Uploads

    def test_an_upload_is_attached_once(self):
        content = bytes(range(256)) * 5_000
        path = self.upload_link()
        response = self.send(path, content)
        self.assertEqual(response.status_code, 201, response.text)
        attachment = self.env["ir.attachment"].browse(response.json()["attachment_id"])
        self.assertEqual((attachment.name, attachment.raw), ("big.bin", content))
        self.assertEqual((attachment.create_uid, attachment.res_id), (self.user, self.record.id))
        self.assertRefused(self.send(path, b"again"), 410, "link_used")
        self.assertEqual(self.files(), attachment)

    def test_every_way_to_send_a_file_is_understood(self):
        url = self.base_url()
        for send in (
            lambda path: self.send(path, b"x=1&y", "POST", **{"Content-Type": "application/x-www-form-urlencoded"}),
            lambda path: self.send(path, b"x=1&y", "PUT", **{"Content-Type": "application/json"}),
            lambda path: self.opener.post(url + path, files={"file": ("other.txt", b"x=1&y")}),
        ):
            response = send(self.upload_link())
            self.assertEqual(response.status_code, 201, response.text)
            self.assertEqual(self.env["ir.attachment"].browse(response.json()["attachment_id"]).raw, b"x=1&y")

    def test_a_link_is_for_one_direction(self):
        self.assertRefused(self.get(self.upload_link()), 405, "wrong_method")
        self.assertRefused(self.send(self.link(), b"x"), 405, "wrong_method")
        self.assertFalse(self.files())

    def test_too_large_an_upload_is_refused_and_the_link_stays(self):
        self.env["ir.config_parameter"].set_param(file_links.UPLOAD_PARAMETER, "1000")
        path = self.upload_link()
        self.assertRefused(self.send(path, b"x" * 1_001), 413, "too_large")
        self.assertIn(self.send(path, iter([b"x" * 600, b"x" * 600])).status_code, (400, 413))
        form = {"file": ("a.bin", b"x" * 1_001)}
        self.assertRefused(self.opener.post(self.base_url() + path, files=form), 413, "too_large")
        self.assertRefused(self.send(path, b""), 400, "invalid_arguments")
        self.assertFalse(self.files())
        self.assertEqual(self.send(path, b"x" * 1_000).status_code, 201)

    def test_a_session_cookie_adds_nothing(self):
        path = self.link()
        self.authenticate("admin", "admin")
        self.record.with_user(self.user).check_access("read")
        self.assertEqual(self.get(path).status_code, 200)
        self.assertEqual(self.env["mcp.audit.log"].search([], order="id desc", limit=1).user_id, self.user)
